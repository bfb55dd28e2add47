package torture

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// The collections, which are also the kinds of assets.
const (
	allocations  = "/allocations"
	sets         = "/allocation-sets"
	reservations = "/reservations"
	holds        = "/holds"
	pools        = "/pools"
)

// label is what all pools that a selector may choose have.
const label = "torture"

// request is a write that can be sent again as it was.
type request struct {
	what               string // the operation, for the tally
	method, path, body string
	key                string
	of                 asset    // what it is about, as it is until the answer
	makes              string   // the kind of what it answers
	during             []block  // what its client has for certain until the answer: not what it gives up, nor what it may gain
	exactly            []block  // what must stand where it is said after it
	refusals           []string // problems that are an answer too; nothing has changed then
}

func (r request) expected() int {
	switch {
	case r.method == http.MethodDelete:
		return http.StatusNoContent
	case r.method == http.MethodPatch, r.path == holds:
		return http.StatusOK
	}
	return http.StatusCreated
}

// operations are all that a client does; a run in which one of them never succeeds proves less than it says.
var operations = []string{
	"allocate", "allocate by selector", "allocate what is held", "make a set", "reserve", "reserve for a moment", "hold", "make a pool",
	"grow", "shrink", "add a member", "remove a member", "grow a member", "shrink a member", "move a pool",
	"give back one of allocations", "give back one of allocation-sets", "give back one of reservations", "give back one of holds", "give back one of pools",
}

// next draws what a client does next: two of five requests are about something that it has.
func (c *client) next(draw *rand.Rand, mine []asset, within int) (r request, about int) {
	if len(mine) > 4 && (len(mine) > 40 || draw.IntN(5) < 2) {
		about = draw.IntN(len(mine))
		return c.change(draw, mine[about], within, len(mine) > 40), about
	}
	return c.make(draw, poolName(draw.IntN(within))), -1
}

// make asks for something new.
func (c *client) make(draw *rand.Rand, pool string) request {
	c.made++
	name, length := fmt.Sprintf("%s-%04d", c.label, c.made), 24+draw.IntN(7)
	ask := func(what, kind string, body map[string]any) request {
		return request{what: what, method: http.MethodPost, path: kind, makes: kind, body: marshal(body), of: asset{name: name}, refusals: []string{"pool_exhausted"}}
	}
	switch n := draw.IntN(20); {
	case n < 8:
		r := c.allocate(pool, length)
		r.refusals = []string{"pool_exhausted"}
		return r
	case n < 10:
		anyPool := map[string]any{"labels": map[string]string{label: "yes"}}
		return ask("allocate by selector", allocations, map[string]any{"pool_selector": anyPool, "name": name, "prefix_length": length})
	case n < 13:
		members := map[string]int{"a": 25 + draw.IntN(6), "b": 25 + draw.IntN(6), "c": 25 + draw.IntN(6)}
		return ask("make a set", sets, map[string]any{"pool": pool, "name": name, "members": sizes(members)})
	case n < 14:
		return ask("reserve", reservations, map[string]any{"pool": pool, "reason": name, "prefix_length": length})
	case n < 15:
		soon := time.Now().Add(time.Duration(20+draw.IntN(100)) * time.Millisecond).UTC().Format(time.RFC3339Nano)
		r := ask("reserve for a moment", reservations, map[string]any{"pool": pool, "reason": name, "prefix_length": length, "expires_at": soon})
		r.refusals = append(r.refusals, "invalid") // sent again when that moment is over
		return r
	case n < 18:
		return ask("hold", holds, map[string]any{"pool": pool, "name": name, "prefix_length": length})
	default:
		return ask("make a pool", pools, map[string]any{"parent": pool, "name": name, "prefix_length": length})
	}
}

// change asks for something else of an asset, or gives it back; what is to be given back only is with drop.
func (c *client) change(draw *rand.Rand, a asset, within int, drop bool) request {
	at := a.blocks[0]
	turn := draw.IntN(4)
	switch {
	case drop || turn == 0:
	case a.kind == holds && turn < 3:
		return request{
			what: "allocate what is held", method: http.MethodPost, path: allocations, makes: allocations, of: a, during: a.blocks, exactly: a.blocks,
			body: marshal(map[string]any{"pool": a.pool, "name": a.name, "cidr": at.CIDR.String()}),
		}
	case a.kind == sets:
		return c.changeSet(draw, a)
	case a.kind == pools && turn == 1 && within > 1:
		r := a.patch("move a pool", map[string]any{"parent": poolName(draw.IntN(within))})
		r.during, r.refusals = nil, []string{"pool_exhausted"}
		if r.body == marshal(map[string]any{"parent": a.pool}) {
			r.during = a.blocks
		}
		return r
	case (a.kind == allocations || a.kind == pools) && turn == 2 && at.CIDR.Bits() > 22:
		r := a.patch("grow", map[string]any{"prefix_length": at.CIDR.Bits() - 1})
		r.exactly = []block{{at.ID, at.Name, netip.PrefixFrom(at.CIDR.Addr(), at.CIDR.Bits()-1).Masked()}}
		r.refusals = []string{"cidr_taken"}
		return r
	case (a.kind == allocations || a.kind == pools) && turn == 3 && at.CIDR.Bits() < 30:
		r := a.patch("shrink", map[string]any{"prefix_length": at.CIDR.Bits() + 1})
		r.during, r.exactly = []block{at.low()}, []block{at.low()}
		return r
	}
	return a.giveBack()
}

// patch changes an asset that keeps what it has until the answer.
func (a asset) patch(what string, body map[string]any) request {
	return request{what: what, method: http.MethodPatch, path: a.kind + "/" + a.id, makes: a.kind, body: marshal(body), of: a, during: a.blocks}
}

// changeSet adds, removes or resizes one member. No other may move.
func (c *client) changeSet(draw *rand.Rand, a asset) request {
	keys := a.keys()
	c.made++
	victim := a.blocks[draw.IntN(len(a.blocks))]
	key := victim.Name[len(a.name)+1:]
	what, shrinks := "add a member", false
	switch turn := draw.IntN(4); {
	case turn == 0 && len(keys) > 1:
		what = "remove a member"
		delete(keys, key)
	case turn == 1 && keys[key] < 30:
		what, shrinks = "shrink a member", true
		keys[key]++
	case turn == 2 && keys[key] > 24:
		what = "grow a member"
		keys[key]--
	default:
		keys[fmt.Sprintf("m%d", c.made)] = 26 + draw.IntN(5)
	}
	r := a.patch(what, map[string]any{"members": sizes(keys)})
	r.refusals = []string{"pool_exhausted"}
	if what != "add a member" {
		r.during = slices.DeleteFunc(slices.Clone(a.blocks), func(b block) bool { return b == victim })
	}
	if shrinks {
		r.during = append(r.during, victim.low())
	}
	r.exactly = r.during
	return r
}

// allocate asks for one block.
func (c *client) allocate(pool string, length int) request {
	c.made++
	name := fmt.Sprintf("%s-%04d", c.label, c.made)
	return request{
		what: "allocate", method: http.MethodPost, path: allocations, makes: allocations, of: asset{name: name},
		body: marshal(map[string]any{"pool": pool, "name": name, "prefix_length": length}),
	}
}

// giveBack gives up all of an asset.
func (a asset) giveBack() request {
	return request{what: "give back one of " + a.kind[1:], method: http.MethodDelete, path: a.kind + "/" + a.id, of: a}
}

func sizes(keys map[string]int) map[string]any {
	out := map[string]any{}
	for key, length := range keys {
		out[key] = map[string]int{"prefix_length": length}
	}
	return out
}

func marshal(body map[string]any) string {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(text)
}
