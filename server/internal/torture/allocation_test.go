package torture

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// full are the refusals of a request for space that may be gone.
var full = []string{"pool_exhausted"}

func (w *worker) allocate() *request {
	if len(w.allocations) > 40 {
		return nil
	}
	name, length := w.next(), 24+w.draw.IntN(7)
	body := w.pool(object{"name": name, "prefix_length": length})
	if i, found := pick(w, w.children); found && w.draw.IntN(3) == 0 {
		delete(body, "pool_selector")
		body["pool"], length = w.children[i].ID, w.children[i].CIDR.Bits()+1+w.draw.IntN(2)
		body["prefix_length"] = length
	}
	r := post("/allocations", body)
	r.refusals, r.made, r.leaves = full, named("/allocations", name), 1
	r.done = func(got noun) error {
		if got.Name != name || got.CIDR.Bits() != length {
			return fmt.Errorf("it is not what was asked for")
		}
		w.allocations = append(w.allocations, got)
		w.held.tell("allocation.created", got.ID)
		return w.held.hold(got.block("allocation"))
	}
	return r
}

func (w *worker) release() *request {
	if len(w.allocations) < 5 {
		return nil
	}
	a, _ := take(w, &w.allocations)
	r := remove("/allocations/"+a.ID, 0)
	r.gives, r.made = []block{a.block("allocation")}, named("/allocations", a.Name)
	r.done = func(noun) error {
		w.held.tell("allocation.released", a.ID)
		return nil
	}
	return r
}

// resize grows or shrinks an allocation in place by one bit.
func (w *worker) resize() *request {
	a, found := take(w, &w.allocations)
	if !found {
		return nil
	}
	to, grows := resized(a.CIDR, w.draw.IntN(2) == 0 && a.CIDR.Bits() > 26 && !w.fills(a))
	r := patch("/allocations/"+a.ID, a.Version, object{"prefix_length": to.Bits()})
	was, will := a.block("allocation"), a.block("allocation")
	will.CIDR = to
	if grows {
		r.refusals = []string{"cidr_taken"}
	} else { // what it gives up is free from now on, and the rest is its own all the time
		w.held.let(was)
		if w.fail = w.held.hold(will); w.fail != nil {
			return nil
		}
	}
	r.done = func(got noun) error {
		if got.ID != a.ID || got.CIDR != to || got.Version != a.Version+1 {
			return fmt.Errorf("want %s as %s, version %d", a.ID, to, a.Version+1)
		}
		w.allocations = append(w.allocations, got)
		w.held.tell("allocation.updated", a.ID)
		return w.held.swap([]block{was, will}, []block{got.block("allocation")})
	}
	r.refused = func(string) error {
		w.allocations = append(w.allocations, a)
		return nil
	}
	return r
}

// resized is a block of twice or half the size, around the first one or at its beginning.
func resized(p netip.Prefix, grows bool) (netip.Prefix, bool) {
	if grows {
		return netip.PrefixFrom(p.Addr(), p.Bits()-1).Masked(), true
	}
	return netip.PrefixFrom(p.Addr(), min(p.Bits()+1, 32)), false
}

func (w *worker) reserve() *request {
	if len(w.reservations) > 8 {
		return nil
	}
	body := object{"pool": w.anyPool(), "reason": w.next(), "prefix_length": 26 + w.draw.IntN(4)}
	var until time.Time
	if w.draw.IntN(2) == 0 {
		until = time.Now().UTC().Add(time.Duration(50+w.draw.IntN(1500)) * time.Millisecond).Truncate(time.Microsecond)
		body["expires_at"] = until
	}
	r := post("/reservations", body)
	r.refusals = append([]string{"invalid"}, full...)
	r.done = func(got noun) error {
		if !got.ExpiresAt.Equal(until) {
			return fmt.Errorf("it ends at %s, not %s", got.ExpiresAt, until)
		}
		w.reservations = append(w.reservations, got)
		w.held.tell("reservation.created", got.ID)
		return w.held.hold(got.block("reservation"))
	}
	r.refused = func(code string) error {
		if code == "invalid" && (until.IsZero() || time.Now().Before(until)) {
			return fmt.Errorf("which is wrong")
		}
		return nil
	}
	return r
}

// extend gives a reservation another end, or none. One that has ended may be gone.
func (w *worker) extend() *request {
	v, found := take(w, &w.reservations)
	if !found {
		return nil
	}
	r := patch("/reservations/"+v.ID, v.Version, object{"expires_at": nil})
	r.done = func(got noun) error {
		if got.CIDR != v.CIDR || !got.ExpiresAt.IsZero() {
			return fmt.Errorf("it is not what was asked for")
		}
		w.reservations = append(w.reservations, got)
		w.held.tell("reservation.updated", v.ID)
		return w.held.swap([]block{v.block("reservation")}, []block{got.block("reservation")})
	}
	r.refusals = []string{"not_found"}
	r.refused = func(string) error { return w.gone(v.block("reservation")) }
	return r
}

func (w *worker) unreserve() *request {
	v, found := take(w, &w.reservations)
	if !found {
		return nil
	}
	r := remove("/reservations/"+v.ID, v.Version)
	b := v.block("reservation")
	w.held.let(b) // and is not given back when it turns out to have ended before
	r.done = func(noun) error {
		w.held.tell("reservation.released", v.ID)
		return nil
	}
	r.refusals = []string{"not_found"}
	r.refused = func(string) error { return w.gone(b) }
	return r
}

// gone enters that a promise is no longer there, which it must not be before its end.
func (w *worker) gone(b block) error {
	w.held.let(b)
	if !b.ended() {
		return fmt.Errorf("%s %s is gone before its end at %s", b.Kind, b.ID, b.Until)
	}
	return nil
}

// fills reports whether an allocation is all of a child pool, so that it cannot grow.
func (w *worker) fills(a noun) bool {
	return slices.ContainsFunc(w.children, func(p noun) bool { return p.ID == a.Pool && p.CIDR == a.CIDR })
}

// sized is a member of a set as a request has it.
func sized(length int) object { return object{"prefix_length": length} }

// inside reports whether a worker has anything in a child pool.
func (w *worker) inside(pool string, but netip.Prefix) bool {
	outside := func(a noun) bool {
		return a.Pool == pool && (!but.IsValid() || !but.Contains(a.CIDR.Addr()) || a.CIDR.Bits() < but.Bits())
	}
	if slices.ContainsFunc(w.allocations, outside) {
		return true
	}
	return slices.ContainsFunc(w.holds, func(h promise) bool { return h.Pool == pool })
}
