package choose

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Seen refuses to hand anything out of a pool while clouds may use what nobody here knows of: CodeObservationTooOld. After the database
// was brought back from a backup that is so until every account that is looked at has been seen completely, for a tag may put the network
// of any of them into any scope. The pool may ask for a view of some age, and so may the request, which may also name an account that must
// have been looked at since.
func (f Asker) Seen(pool ipam.Pool, want ipam.Seen) error {
	restored, err := f.Tx.Restored(pool.ScopeUID)
	if err != nil {
		return err
	}
	if !restored.IsZero() {
		unseen, err := f.Tx.Unseen("", restored, 1)
		if err != nil {
			return err
		}
		if len(unseen) > 0 {
			return f.tooOld(pool, unseen[0], fmt.Sprintf("the database was brought back from a backup at %s, which knows nothing of what was handed out after it", restored.Format(time.RFC3339)))
		}
	}
	age := want.MaxAge
	if pool.MaxObservedAge != nil {
		age = cmp.Or(min(age, seconds(*pool.MaxObservedAge)), seconds(*pool.MaxObservedAge))
	}
	if age > 0 {
		unseen, err := f.Tx.Unseen(pool.ScopeUID, f.At.Add(-age), 1)
		if err != nil {
			return err
		}
		if len(unseen) > 0 {
			return f.tooOld(pool, unseen[0], fmt.Sprintf("max_observed_age_seconds allows %d seconds", int64(age.Seconds())))
		}
	}
	if want.Account == "" {
		return nil
	}
	a, err := f.Tx.Account(f.Sees, want.Account)
	if err != nil {
		return ipam.At("/account", err)
	}
	_, at, err := f.Tx.LookAt(a.UID)
	if err == nil && at.Before(want.Since) {
		err = f.tooOld(pool, ipam.Unseen{Account: a, SeenAt: at}, "the request asks for a look at it first")
	}
	return err
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// tooOld is the refusal, with what went wrong with the last look at an account that the caller may see.
func (f Asker) tooOld(pool ipam.Pool, u ipam.Unseen, rule string) error {
	if !f.Sees.In(u.Account.ScopeUID, nil) {
		return ipam.Errorf(ipam.CodeObservationTooOld, "pool %s hands nothing out: an account has not been seen completely lately, and %s", pool.ID, rule)
	}
	states, err := f.Tx.SyncStates(u.Account.UID)
	if err != nil {
		return err
	}
	for _, s := range states {
		if s.Code != "" {
			return ipam.ObservationTooOld(pool.ID, u, rule, &s)
		}
	}
	return ipam.ObservationTooOld(pool.ID, u, rule, nil)
}

// LastBlock is the block that a name had last with a length, if it had one and no cloud uses that otherwise by now.
func (f Asker) LastBlock(pool ipam.Pool, kind ipam.Kind, name string, length int) (last netip.Prefix, found bool, err error) {
	last, found, err = f.Tx.LastBlock(pool.UID, kind, name, ipam.Family(pool.CIDR), length)
	if err != nil || !found {
		return last, false, err
	}
	err = f.unused(pool, last)
	if ipam.CodeOf(err) == ipam.CodeCIDRTaken {
		return last, false, nil
	}
	return last, true, err
}

// Used reports whether a cloud uses the block of a hold by now, otherwise than as a whole, so that it could not be handed out. What
// a successor takes over is used as it was. Errors: those of Seen.
func (f Asker) Used(pool ipam.Pool, h ipam.Hold) (bool, error) {
	if h.Inherits {
		return false, nil
	}
	if err := f.Seen(pool, ipam.Seen{}); err != nil {
		return false, err
	}
	err := f.unused(pool, h.CIDR)
	if ipam.CodeOf(err) == ipam.CodeCIDRTaken {
		return true, nil
	}
	return false, err
}
