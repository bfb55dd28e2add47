package registry

import (
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// reclaim makes room in a pool by taking the space of what expired first; false when nothing has. A reservation that has
// run out promises nobody anything, so those go before holds, which a late apply may still come for.
func (c change) reclaim(pool ipam.Pool) (bool, error) {
	reserved, found, err := c.OldestExpiredReservation(pool.ID, c.at)
	if err != nil {
		return false, err
	}
	if found {
		return true, c.endReservation(pool, reserved, "expired")
	}
	h, found, err := c.OldestExpiredHold(pool.ID, c.at)
	if err != nil {
		return false, err
	}
	if found {
		return true, c.loseHold(pool, h, "lost")
	}
	draft, found, err := c.OldestExpiredDraft(pool.ID, c.at)
	if err != nil || !found {
		return false, err
	}
	return true, c.dropDraft(draft)
}

// reclaimAt takes the space at a named block from what expired there, and from the caller's own holds of the name: a plan
// that was changed must not stand in its own way. False when anything else is there; the write then fails, and what was
// taken until then is undone with it.
func (c change) reclaimAt(pool ipam.Pool, at netip.Prefix, own func(ipam.Hold) bool) (took bool, err error) {
	for {
		inside, err := c.PrefixesIn(pool.ID, at, 100)
		if err != nil || len(inside) == 0 {
			return took, err
		}
		for _, p := range inside {
			take, err := c.reclaimable(pool, p, own)
			if err != nil || take == nil {
				return false, err
			}
			if err := take(); err != nil {
				return false, err
			}
			took = true
		}
	}
}

// reclaimable is how to take the space of a prefix; nil when it still stands.
func (c change) reclaimable(pool ipam.Pool, p ipam.Prefix, own func(ipam.Hold) bool) (func() error, error) {
	switch {
	case p.Kind == ipam.KindReservation:
		reserved, err := c.Reservation(p.Owner)
		if err != nil || !reserved.Expired(c.at) {
			return nil, err
		}
		return func() error { return c.endReservation(pool, reserved, "expired") }, nil
	case p.Kind == ipam.KindHold:
		h, err := c.Hold(p.Owner)
		if err != nil || !h.Expired(c.at) && !own(h) {
			return nil, err
		}
		return func() error { return c.loseHold(pool, h, "lost") }, nil
	case p.Status == ipam.StatusHeld:
		draft, err := c.Pool(p.Owner)
		if err != nil || draft.DraftUntil == nil || c.at.Before(*draft.DraftUntil) {
			return nil, err
		}
		return func() error { return c.dropDraft(draft) }, nil
	}
	return nil, nil
}
