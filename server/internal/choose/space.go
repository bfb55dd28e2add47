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
	a, err := tx.Pool(one)
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	b, err := tx.Pool(other)
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
	if now, gone := tx.Pool(string(known.UID)); gone == nil && now.Space() != known.Space() {
		return ipam.Errorf(ipam.CodePreconditionFailed, "pool %q has changed; read it again", known.ID)
	}
	return err
}
