package torture

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
)

// block is one piece of space that a client has: an allocation, also one of a set, a hold, a reservation or a pool in a pool.
type block struct {
	ID, Name string
	CIDR     netip.Prefix
}

// low is the lower half of a block, which is what is left of it when it shrinks.
func (b block) low() block {
	b.CIDR = netip.PrefixFrom(b.CIDR.Addr(), b.CIDR.Bits()+1)
	return b
}

// asset is what one request makes and others change or give back.
type asset struct {
	kind           string // the path of its collection
	pool, id, name string
	etag           string
	blocks         []block // where it stands; a set in as many as it has members, everything else in one
}

// keys are the members of a set with the length of each.
func (a asset) keys() map[string]int {
	out := map[string]int{}
	for _, b := range a.blocks {
		out[b.Name[len(a.name)+1:]] = b.CIDR.Bits()
	}
	return out
}

// item is what the tests look at in an answer and in a list, whatever the kind.
type item struct {
	ID        string       `json:"id"`
	Pool      string       `json:"pool"`
	Parent    string       `json:"parent"`
	Name      string       `json:"name"`
	CIDR      netip.Prefix `json:"cidr"`
	Version   int          `json:"version"`
	ExpiresAt string       `json:"expires_at"`
	Members   []struct {
		Key        string       `json:"key"`
		Allocation string       `json:"allocation"`
		CIDR       netip.Prefix `json:"cidr"`
	} `json:"members"`
}

func (i item) block() block { return block{i.ID, i.Name, i.CIDR} }

// asset is what an answer of a collection says there is now.
func (i item) asset(kind string) asset {
	a := asset{kind: kind, pool: i.Pool, id: i.ID, name: i.Name, etag: fmt.Sprintf(`"v%d"`, i.Version), blocks: []block{i.block()}}
	switch kind {
	case pools:
		a.pool = i.Parent
	case sets:
		a.blocks = nil
		for _, m := range i.Members {
			a.blocks = append(a.blocks, block{m.Allocation, i.Name + "/" + m.Key, m.CIDR})
		}
	case reservations:
		if i.ExpiresAt != "" { // its space is anybody's at any moment
			a.blocks = nil
		}
	}
	return a
}

// after is what an answer leaves: what the request asked for, nothing once that is given back, and what there was when it is
// refused. Any other answer is an error.
func (r request) after(a answer) (after asset, refused bool, err error) {
	if a.status != r.expected() {
		var problem struct{ Code string }
		if err := json.Unmarshal(a.body, &problem); err != nil || !slices.Contains(r.refusals, problem.Code) {
			return asset{}, false, fmt.Errorf("%s %s answers %d to %s: %s", r.method, r.path, a.status, r.body, a.body)
		}
		return r.of, true, nil
	}
	if r.method == http.MethodDelete {
		return asset{}, false, nil
	}
	var got item
	if err := json.Unmarshal(a.body, &got); err != nil {
		return asset{}, false, err
	}
	after = got.asset(r.makes)
	for _, b := range r.exactly {
		if !slices.ContainsFunc(after.blocks, func(now block) bool { return now.CIDR == b.CIDR && now.Name == b.Name }) {
			return after, false, fmt.Errorf("%s %s was to leave %q at %s; it answers %s", r.method, r.path, b.Name, b.CIDR, a.body)
		}
	}
	return after, false, nil
}
