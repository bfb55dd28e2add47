package torture

import (
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// draft is a pool that a plan will create, and what it holds in there.
type draft struct {
	noun
	body  object
	holds []promise
	until time.Time // when it was aged
	scope string    // that the plan creates too; "" when it is there
}

func (d draft) block() block { return poolBlock(d.noun, d.until) }

func (d draft) ended() bool { return !d.until.IsZero() }

func poolBlock(p noun, until time.Time) block {
	space := p.Parent
	if space == "" {
		space = root(p.Scope)
	}
	return block{Kind: "pool", ID: p.ID, Space: space, CIDR: p.CIDR, Until: until}
}

// draft plans a pool, perhaps in a scope that is planned as well.
func (w *worker) draft() *request {
	if len(w.drafts) > 4 {
		return nil
	}
	d := draft{body: object{"name": w.next()}}
	body := object{"pool": d.body, "holder": w.label}
	length := 25 + w.draw.IntN(2)
	if w.draw.IntN(5) == 0 {
		d.scope, length = w.next(), 24
		d.body["scope"], d.body["cidr"], body["new_scope"] = d.scope, "192.168.7.0/24", true
	} else {
		d.body["parent"], d.body["prefix_length"] = w.anyPool(), length
	}
	r := post("/pool-drafts", body)
	r.status, r.refusals = http.StatusOK, full
	r.done = func(got noun) error {
		if got.CIDR.Bits() != length {
			return fmt.Errorf("want a /%d", length)
		}
		d.noun = got
		w.drafts = append(w.drafts, d)
		return w.held.hold(d.block())
	}
	return r
}

func (w *worker) holdInDraft() *request {
	i, found := pick(w, w.drafts)
	if !found || w.drafts[i].ended() || len(w.drafts[i].holds) > 1 {
		return nil
	}
	d, _ := take(w, &w.drafts)
	if d.ended() || len(d.holds) > 1 {
		w.drafts = append(w.drafts, d)
		return nil
	}
	r := w.holdIn(object{"pool": d.ID, "name": w.next(), "prefix_length": 28, "holder": w.label})
	r.done = func(got noun) error {
		d.holds = append(d.holds, promise{got})
		w.drafts = append(w.drafts, d)
		return w.held.hold(got.block("hold"))
	}
	return r
}

// createDraft makes the pool that was planned, or its scope first.
func (w *worker) createDraft() *request {
	d, found := take(w, &w.drafts)
	if !found {
		return nil
	}
	if d.scope != "" {
		r := post("/scopes", object{"name": d.scope})
		r.done = func(noun) error {
			w.held.tell("scope.created", d.scope)
			d.scope = ""
			w.drafts = append(w.drafts, d)
			return nil
		}
		return r
	}
	r := post("/pools", d.body)
	if d.ended() {
		r.refusals = full
	}
	r.done = func(got noun) error {
		if !d.ended() && got.CIDR != d.CIDR {
			return fmt.Errorf("%s was promised", d.CIDR)
		}
		if !d.ended() {
			w.holds = append(w.holds, d.holds...)
		}
		w.children = append(w.children, got)
		w.held.tell("pool.created", got.ID)
		return w.held.swap([]block{d.block()}, []block{poolBlock(got, time.Time{})})
	}
	return r
}

func (w *worker) dropDraft() *request {
	d, found := take(w, &w.drafts)
	if !found {
		return nil
	}
	for _, h := range d.holds {
		w.held.let(h.block("hold"))
	}
	w.held.let(d.block())
	r := remove("/pool-drafts/"+d.ID, 0)
	r.refusals = []string{"not_found"}
	r.refused = func(string) error { return w.gone(d.block()) }
	return r
}

// ageDraft ends a draft before its time, with all that is held in it and with its scope.
func (w *worker) ageDraft() *request {
	i, found := pick(w, w.drafts)
	if !found || w.drafts[i].ended() {
		return nil
	}
	d := &w.drafts[i]
	now, micros := w.past()
	for j, h := range d.holds {
		d.holds[j].ExpiresAt = w.end(h.block("hold"), now, micros).Until
	}
	was := d.block()
	d.until = now
	if w.fail = w.held.swap([]block{was}, []block{d.block()}); w.fail != nil {
		return nil
	}
	w.beside("UPDATE pools SET draft_until = $1 WHERE id = $2 AND draft_until IS NOT NULL", micros, ipam.UID(d.UID).Key())
	if w.fail == nil && d.scope != "" {
		w.beside("UPDATE scopes SET draft_until = $1 WHERE name = $2 AND draft_until IS NOT NULL", micros, d.scope)
	}
	return nil
}

func (w *worker) createChild() *request {
	if len(w.children) > 5 {
		return nil
	}
	name, length := w.next(), 25+w.draw.IntN(2)
	r := post("/pools", object{"name": name, "parent": w.anyPool(), "prefix_length": length})
	r.refusals = full
	r.done = func(got noun) error {
		if got.ID != name || got.CIDR.Bits() != length {
			return fmt.Errorf("it is not what was asked for")
		}
		w.children = append(w.children, got)
		w.held.tell("pool.created", got.ID)
		return w.held.hold(poolBlock(got, time.Time{}))
	}
	return r
}

// resizeChild grows or shrinks a pool in place by one bit, with all that stands in it.
func (w *worker) resizeChild() *request {
	i, found := pick(w, w.children)
	if !found || w.children[i].Parent == "" {
		return nil
	}
	p := w.children[i]
	to, grows := resized(p.CIDR, w.draw.IntN(2) == 0 && p.CIDR.Bits() > 24)
	if !grows && (p.CIDR.Bits() > 26 || w.inside(p.ID, to)) {
		return nil
	}
	r := patch("/pools/"+p.UID, p.Version, object{"prefix_length": to.Bits()})
	was, will := poolBlock(p, time.Time{}), poolBlock(p, time.Time{})
	will.CIDR = to
	if grows {
		r.refusals = []string{"cidr_taken"}
	} else if w.fail = w.held.swap([]block{was}, []block{will}); w.fail != nil {
		return nil
	}
	return w.changesChild(i, r, func(got noun) error {
		if got.CIDR != to {
			return fmt.Errorf("want %s", to)
		}
		return w.held.swap([]block{was, will}, []block{will})
	})
}

// moveChild gives an empty pool another parent.
func (w *worker) moveChild() *request {
	i, found := pick(w, w.children)
	if !found || w.children[i].Parent == "" || w.inside(w.children[i].ID, netip.Prefix{}) {
		return nil
	}
	p, to := w.children[i], w.anyPool()
	if w.draw.IntN(2) == 0 {
		to = spare
	}
	if to == p.Parent {
		return nil
	}
	r := patch("/pools/"+p.UID, p.Version, object{"parent": to})
	r.gives, r.refusals = []block{poolBlock(p, time.Time{})}, full
	return w.changesChild(i, r, func(got noun) error {
		if got.Parent != to || got.CIDR.Bits() != p.CIDR.Bits() {
			return fmt.Errorf("want a /%d in %s", p.CIDR.Bits(), to)
		}
		return w.held.hold(poolBlock(got, time.Time{}))
	})
}

// changesChild enters what became of a pool.
func (w *worker) changesChild(i int, r *request, done func(noun) error) *request {
	p := w.children[i]
	r.done = func(got noun) error {
		if got.ID != p.ID || got.Version != p.Version+1 {
			return fmt.Errorf("want %s at version %d", p.ID, p.Version+1)
		}
		w.children[i] = got
		w.held.tell("pool.updated", p.ID)
		return done(got)
	}
	return r
}

func (w *worker) deleteChild() *request {
	i, found := pick(w, w.children)
	if !found || w.inside(w.children[i].ID, netip.Prefix{}) {
		return nil
	}
	p := w.children[i]
	w.children = append(w.children[:i:i], w.children[i+1:]...)
	r := remove("/pools/"+p.UID, p.Version)
	r.gives = []block{poolBlock(p, time.Time{})}
	r.done = func(noun) error {
		w.held.tell("pool.deleted", p.ID)
		return nil
	}
	return r
}
