package choose

import (
	"time"

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

// PoolNameFree refuses the name that a pool is to have and cannot.
func PoolNameFree(tx *store.Tx, p ipam.Pool) error {
	if err := ipam.CheckSlug("/name", p.Name); err != nil {
		return err
	}
	other, err := tx.Pool(ipam.Everything, p.ID)
	switch {
	case err == nil && other.DraftUntil == nil:
		return ipam.NameTaken("pool", p.ID)
	case err == nil:
		return ipam.Errorf(ipam.CodeNameTaken, "pool %q is planned by %s until %s; choose another name, or release that draft", p.ID, other.DraftActor, other.DraftUntil.Format(time.RFC3339))
	case ipam.CodeOf(err) != ipam.CodeNotFound:
		return err
	}
	return nil
}
