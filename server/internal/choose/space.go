package choose

import (
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Outer reports whether one space is locked before another: the scope before pools, then what may contain before what may be
// contained, and by key where neither can. A pool that is not there comes last and is missed when it is to be locked.
func Outer(tx *store.Tx, one, other string) (bool, error) {
	if one == "" || other == "" {
		return one == "", nil
	}
	a, err := tx.Pool(ipam.Everything, one)
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	b, err := tx.Pool(ipam.Everything, other)
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return true, nil
	}
	return err == nil && a.LockedBefore(b), err
}

// OrMoved says of a pool whose space is gone that it stands in another by now, where it does.
func OrMoved(tx *store.Tx, err error, known ipam.Pool) error {
	if ipam.CodeOf(err) != ipam.CodeNotFound {
		return err
	}
	if now, gone := tx.Pool(ipam.Everything, string(known.UID)); gone == nil && now.Space() != known.Space() {
		return ipam.Errorf(ipam.CodePreconditionFailed, "pool %q has changed; read it again", known.ID)
	}
	return err
}

// Empty refuses a pool that is to go while something occupies it, or a set without members is in it: CodePoolNotEmpty.
func Empty(tx *store.Tx, p ipam.Pool) error {
	inside, err := tx.PrefixesIn(p.UID, p.CIDR, 5)
	if err != nil {
		return err
	}
	if len(inside) > 0 {
		return ipam.PoolNotEmpty(p, ipam.Holders(inside), "; release what is in it first")
	}
	sets, err := tx.AllocationSets(ipam.Everything, ipam.AllocationSetFilter{Pool: string(p.UID)}, ipam.Page{Limit: 1})
	if err == nil && len(sets) > 0 {
		err = ipam.Errorf(ipam.CodePoolNotEmpty, "pool %s is not empty: the allocation set %q (%s) is in it, without members; release it first", p.ID, sets[0].Name, sets[0].ID)
	}
	return err
}

// PoolNameFree refuses the name that a pool is to have and cannot. A draft gives way, and is answered, that has expired or is of an
// earlier run of the caller's: its plan knew nothing of this.
func (a Asker) PoolNameFree(p ipam.Pool) (outdated *ipam.Pool, err error) {
	if err := ipam.CheckSlug("/name", p.Name); err != nil {
		return nil, err
	}
	other, err := a.Tx.Pool(ipam.Everything, p.ID)
	switch {
	case ipam.CodeOf(err) == ipam.CodeNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case other.DraftUntil == nil:
		return nil, ipam.NameTaken("pool", p.ID)
	case !a.Due.Before(*other.DraftUntil) || other.Belongs(a.Principal, a.Plan.Holder) && (a.Plan.Run == "" || a.Plan.Run != other.DraftRun):
		return &other, nil
	}
	return nil, ipam.DraftedByOther(other)
}
