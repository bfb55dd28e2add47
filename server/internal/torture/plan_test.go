package torture

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// promise is a hold. One that has ended may be lost, or be there still.
type promise struct{ noun }

func (h promise) ended() bool { return h.block("hold").ended() }

// lost are the refusals of a plan that comes too late.
var lost = []string{"hold_lost", "cidr_taken", "pool_exhausted"}

// setPlan is what was promised to a set that shall be, perhaps in place of one that is.
type setPlan struct {
	was, will set
	updates   bool
	blocks    map[string]block // by key, those that are held
}

// held are the promises that the set takes the place of.
func (p setPlan) held() []block { return slices.Collect(maps.Values(p.blocks)) }

func (p setPlan) ended() bool { return slices.ContainsFunc(p.held(), block.ended) }

// promised reports whether the set must get what its plan shows.
func (p setPlan) promised() bool { return p.updates && !p.ended() }

func (w *worker) hold() *request {
	if len(w.holds) > 8 {
		return nil
	}
	name, length := w.next(), 25+w.draw.IntN(5)
	r := w.holdIn(w.pool(object{"name": name, "prefix_length": length, "holder": w.label}))
	r.refusals = full
	r.done = func(got noun) error {
		if got.Name != name || got.CIDR.Bits() != length {
			return fmt.Errorf("it is not what was asked for")
		}
		w.holds = append(w.holds, promise{got})
		return w.held.hold(got.block("hold"))
	}
	return r
}

func (w *worker) holdIn(body object) *request {
	r := post("/holds", body)
	r.status = http.StatusOK
	return r
}

// convert makes the allocation that a hold was for, with or without naming the block.
func (w *worker) convert() *request {
	h, found := take(w, &w.holds)
	if !found {
		return nil
	}
	body := object{"pool": h.Pool, "name": h.Name, "prefix_length": h.CIDR.Bits()}
	if w.draw.IntN(2) == 0 {
		body["cidr"] = h.CIDR
	}
	r := post("/allocations", body)
	r.made, r.leaves = named("/allocations", h.Name), 1
	if h.ended() {
		r.refusals = lost
	}
	r.done = func(got noun) error {
		if got.CIDR != h.CIDR && !h.ended() {
			return fmt.Errorf("%s was promised", h.CIDR)
		}
		w.allocations = append(w.allocations, got)
		w.held.tell("allocation.created", got.ID)
		return w.held.swap([]block{h.block("hold")}, []block{got.block("allocation")})
	}
	return r
}

// renew asks for a promise again, as the next plan does, or as an apply.
func (w *worker) renew() *request {
	h, found := take(w, &w.holds)
	if !found {
		return nil
	}
	body := object{"pool": h.Pool, "name": h.Name, "prefix_length": h.CIDR.Bits(), "holder": w.label}
	if w.draw.IntN(2) == 0 {
		body["applying"] = w.draw.IntN(2) == 0
	}
	r := w.holdIn(body)
	if h.ended() {
		r.refusals = lost
	}
	r.done = func(got noun) error {
		if !h.ended() && (got.ID != h.ID || got.CIDR != h.CIDR) {
			return fmt.Errorf("%s %s was promised", h.ID, h.CIDR)
		}
		w.holds = append(w.holds, promise{got})
		return w.held.swap([]block{h.block("hold")}, []block{got.block("hold")})
	}
	return r
}

func (w *worker) unhold() *request {
	h, found := take(w, &w.holds)
	if !found {
		return nil
	}
	w.held.let(h.block("hold"))
	r := remove("/holds/"+h.ID, 0)
	r.refusals = []string{"not_found"}
	r.refused = func(string) error { return w.gone(h.block("hold")) }
	return r
}

// past is when a promise ended that is aged: just now, or so long ago that it is forgotten with its memory.
func (w *worker) past() (time.Time, int64) {
	now := time.Now()
	return now, now.Add(-[]time.Duration{0, 0, 25 * time.Hour, 91 * 24 * time.Hour}[w.draw.IntN(4)]).UnixMicro()
}

// age ends a promise before its time. The ledger knows first.
func (w *worker) age() *request {
	if i, found := pick(w, w.plans); found && w.draw.IntN(3) == 0 {
		now, micros := w.past()
		p := w.plans[i]
		for key, b := range p.blocks {
			p.blocks[key] = w.end(b, now, micros)
		}
		return nil
	}
	if i, found := pick(w, w.holds); found {
		now, micros := w.past()
		w.holds[i].ExpiresAt = w.end(w.holds[i].block("hold"), now, micros).Until
	}
	return nil
}

// end ages a hold, unless it has ended already.
func (w *worker) end(b block, now time.Time, micros int64) block {
	if b.ended() {
		return b
	}
	ended := b
	ended.Until = now
	if err := w.held.swap([]block{b}, []block{ended}); err != nil {
		w.fail = err
		return ended
	}
	w.beside("UPDATE holds SET expires_at = $1 WHERE id = $2", micros, ipam.UID(b.ID).Key())
	return ended
}

// planSet asks for the promise of a set: of a new one, or of what one shall be.
func (w *worker) planSet() *request {
	if len(w.plans) > 4 {
		return nil
	}
	plan := setPlan{blocks: map[string]block{}}
	var body object
	if w.draw.IntN(2) == 0 {
		plan.was, plan.updates = take(w, &w.sets)
	}
	if plan.updates {
		plan.will = w.changed(plan.was)
		body = object{"name": plan.was.Name, "updates": plan.was.ID, "holder": w.label}
	} else {
		plan.will = w.newSet()
		body = w.pool(object{"name": plan.will.Name, "holder": w.label})
	}
	r := post("/allocation-set-holds", plan.will.body(body))
	r.status, r.refusals = http.StatusOK, full
	r.refused = func(string) error {
		if plan.updates {
			w.sets = append(w.sets, plan.was)
		}
		return nil
	}
	r.done = func(got noun) error { return w.planned(plan, got) }
	return r
}

func (w *worker) planned(plan setPlan, got noun) error {
	if err := plan.will.whole(got.Members); err != nil {
		return err
	}
	plan.will.Pool = got.Pool
	has := plan.was.has()
	for _, m := range got.Members {
		if before, found := has[m.Key]; found {
			if to, keeps := stays(before, plan.will.all()); keeps {
				if m.CIDR != to || m.Hold != "" {
					return fmt.Errorf("member %s is planned as %+v, want its own %s", m.Key, m, to)
				}
				continue
			}
		}
		b := block{Kind: "hold", ID: m.Hold, Space: got.Pool, CIDR: m.CIDR}
		// What an earlier plan was promised under this name and that ended makes way, or is this very hold.
		if err := w.held.hold(b); err != nil {
			return err
		}
		plan.blocks[m.Key] = b
	}
	w.plans = append(w.plans, plan)
	return nil
}

func (w *worker) applySet() *request {
	plan, found := take(w, &w.plans)
	if !found {
		return nil
	}
	if plan.updates {
		return w.change(plan.was, plan.will, plan)
	}
	body := plan.will.body(object{"pool": plan.will.Pool, "name": plan.will.Name})
	if w.draw.IntN(2) == 0 {
		for key := range plan.will.sizes {
			body["members"].(object)[key] = object{"cidr": plan.blocks[key].CIDR}
		}
	}
	r := post("/allocation-sets", body)
	r.made, r.leaves = named("/allocation-sets", plan.will.Name), 1
	if plan.ended() {
		r.refusals = lost
	}
	r.done = func(got noun) error {
		for _, m := range got.Members {
			if planned := plan.blocks[m.Key]; !plan.ended() && planned.CIDR != m.CIDR {
				return fmt.Errorf("member %s is %s, but %s was promised", m.Key, m.CIDR, planned.CIDR)
			}
		}
		return w.hasSet(plan.will, got, plan.held())
	}
	return r
}
