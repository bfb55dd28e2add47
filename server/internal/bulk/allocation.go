package bulk

import (
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Allocation is a row that asks for an allocation.
type Allocation struct {
	New     ipam.NewAllocation
	Invalid *ipam.Error          // why that cannot be a new one
	Patch   ipam.AllocationPatch // Labels nil: as they are, but for Label

	Label Labels
	Scope string // of the pool, which is the innermost one around its CIDR where the row names none; "": the default
	Set   string // of a member, which comes and goes with its set
}

func (a *Allocation) copied() Ask { return new(*a) }

func (a *Allocation) around(w *work) (scope, pool string, err error) {
	if a.Invalid != nil {
		return "", "", a.Invalid
	}
	err = w.settle(&a.New.Pool, a.Scope, a.New.CIDR)
	return "", a.New.Pool, err
}

func (a *Allocation) find(w *work, key string) (object, bool, error) {
	found, is, err := known(key, func() (ipam.Allocation, error) { return w.Tx.Allocation(w.By.Sees(), key) })
	switch {
	case err != nil:
		return object{}, false, err
	case is:
		return allocationObject(found), true, w.stays("allocation", key, found.In, a.New.Pool, a.Scope)
	case a.Invalid != nil:
		return object{}, false, a.Invalid
	}
	pool, err := w.poolFor(&a.New.Pool, a.Scope, a.New.CIDR)
	if err != nil {
		return object{}, false, err
	}
	found, is, err = known(a.New.Name, func() (ipam.Allocation, error) { return w.Tx.AllocationNamed(pool.UID, a.New.Name) })
	return allocationObject(found), is, err
}

func (a *Allocation) would(_ *work, now any) (any, error) {
	before := now.(ipam.Allocation)
	if a.Patch.Name != nil && *a.Patch.Name == before.Name {
		a.Patch.Name = nil // of a member, which has no other
	}
	a.Patch.Labels = a.Label.over(a.Patch.Labels, before.Labels)
	after := before.Apply(a.Patch)
	after.ExpiresAt = ipam.Stored(after.ExpiresAt)
	if a.Patch.ExpiresAt != nil && same(before.ExpiresAt, after.ExpiresAt) {
		a.Patch.ExpiresAt = nil // which may have come meanwhile
	}
	to, err := before.Resized(a.Patch)
	if a.Patch.CIDR != nil && *a.Patch.CIDR == before.CIDR && err == nil {
		a.Patch.CIDR = nil
	}
	after.CIDR = to
	return after, err
}

func (a *Allocation) create(w *work) (object, error) {
	if a.Set != "" {
		return object{}, ipam.Invalid("/set", "allocation %s is a member of a set, which makes its members: make the set, or empty the columns set and set_key to have an allocation of its own", a.New.Name)
	}
	in := a.New
	in.Labels = a.Label.of(in.Labels)
	made, err := w.registry.Allocate(w.ctx, w.By, in)
	return allocationObject(made), err
}

func (a *Allocation) update(w *work, now object) (object, error) {
	after, err := w.registry.UpdateAllocation(w.ctx, w.By, now.id, ipam.Exactly(now.etag), a.Patch)
	return allocationObject(after), err
}

func allocationObject(a ipam.Allocation) object {
	return object{"allocation", ipam.UID(a.ID), a.ID, a.Name, a.Pool, a.CIDR.String(), a.Version, a.ETag(), a}
}

// settle finds the pool of a row that names none: the innermost one around its CIDR.
func (w *work) settle(pool *string, scope string, cidr netip.Prefix) error {
	switch {
	case *pool != "":
		return nil
	case !cidr.IsValid():
		return ipam.Invalid("/pool", "name the pool, or a cidr, which is in the innermost pool around it")
	case scope == "":
		scope = ipam.DefaultScope
	}
	around, err := w.innermost(scope, cidr, func(ipam.Pool) bool { return true })
	if err == nil && around.ID == "" {
		err = ipam.Errorf(ipam.CodeOutsidePool, "no pool of scope %s is around %s; make one first, or say another scope", scope, cidr)
	}
	*pool = around.ID
	return err
}

// poolFor is the pool that a row names or that is found for it, as far as the caller sees it.
func (w *work) poolFor(id *string, scope string, cidr netip.Prefix) (ipam.Pool, error) {
	if err := w.settle(id, scope, cidr); err != nil {
		return ipam.Pool{}, err
	}
	pool, err := ipam.RealPool(w.Tx.Pool(w.By.Sees(), *id))
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		err = ipam.At("/pool", err)
	}
	if err == nil && scope != "" && scope != pool.Scope {
		err = ipam.Invalid("/scope", "pool %s is in scope %s, and the row says %s; leave scope out, or name a pool of it", pool.ID, pool.Scope, scope)
	}
	return pool, err
}

// stays refuses a row that has an object, by its key, in another pool than it is in.
func (w *work) stays(what, key string, in ipam.In, pool, scope string) error {
	switch {
	case pool != "" && pool != in.Pool && pool != string(in.PoolUID):
		return ipam.Invalid("/pool", "%s %s is in pool %s, and stays there; leave its id out to make another one in pool %s", what, key, in.Pool, pool)
	case scope != "" && scope != in.Scope:
		return ipam.Invalid("/scope", "%s %s is in scope %s, and stays there; leave its id out to make another one in scope %s", what, key, in.Scope, scope)
	}
	return nil
}

// known is an object that is looked up by what is said of it; false where nothing is said, or there is none.
func known[T any](said string, look func() (T, error)) (T, bool, error) {
	var none T
	if said == "" {
		return none, false, nil
	}
	found, err := look()
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return none, false, nil
	}
	return found, err == nil, err
}
