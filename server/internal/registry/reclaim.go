package registry

import (
	"cmp"
	"errors"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// clear frees a block of a space of what gives way there: what expired, the caller's own holds of the name, and what earlier runs
// of its plan were promised. A plan that was changed must not stand in its own way. CodeCIDRTaken, and nothing is taken, when
// anything else is there. Pool is that of the space, and zero at the root of a scope.
func (c edit) clear(pool ipam.Pool, space ipam.UID, at netip.Prefix, own string) error {
	take, standing, leaving, err := c.inTheWay(pool, space, at, own)
	switch {
	case err != nil:
		return err
	case len(standing) > 0:
		return c.asks().InOwnWay(at, standing, c.asks().Taken(at, standing))
	case len(leaving) > 0:
		return pending{ipam.ReleasePending(at, leaving), at}
	}
	for _, free := range take {
		if err := free(); err != nil {
			return err
		}
	}
	if c.around && len(take) > 0 { // a draft that went may have had something in quarantine, which now stands there
		return c.clear(pool, space, at, own)
	}
	return nil
}

// inTheWay is how to take the space of each thing at a block of a space, the first few that may not be taken, and, where there are
// none, those that the caller's plan leaves.
func (c edit) inTheWay(pool ipam.Pool, space ipam.UID, at netip.Prefix, own string) (take []func() error, standing, leaving []ipam.Prefix, err error) {
	const named = 5
	err = c.Tx.EachPrefix(space, at, func(p ipam.Prefix) error {
		free, err := c.reclaimable(pool, p, at, own)
		if free != nil || err != nil {
			take = append(take, free)
			return err
		}
		left, err := c.asks().IsLeft(pool, p)
		switch {
		case err != nil:
			return err
		case left:
			leaving = append(leaving, p)
		default:
			standing = append(standing, p)
		}
		if len(standing) == named {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return take, standing, leaving, err
}

var errEnough = errors.New("enough was seen")

// reclaimable is how to take the space of a prefix that is in the way of a block; nil when it still stands.
func (c edit) reclaimable(pool ipam.Pool, p ipam.Prefix, at netip.Prefix, own string) (func() error, error) {
	switch {
	case p.Kind == ipam.KindReservation:
		reserved, err := c.Tx.Reservation(ipam.Everything, p.Owner)
		if err != nil || !reserved.Expired(c.Due) {
			return nil, err
		}
		return func() error { return c.endReservation(pool, reserved, "expired") }, nil
	case p.Kind == ipam.KindQuarantine:
		return c.quarantined(pool, p.Owner, at, own)
	case p.Kind == ipam.KindHold:
		h, err := c.Tx.Hold(ipam.Everything, p.Owner)
		switch {
		case err != nil:
			return nil, err
		case h.OutdatedBy(c.By.UID, c.plan):
			h.Run = c.plan.Run // should this run ask for the name too, it is not told of a loss
			return func() error { return c.loseHold(pool, h, "lost") }, nil
		case c.asks().LeftBy(h):
			return func() error { return c.takeLeft(pool, h, at) }, nil
		case h.Expired(c.Due), own != "" && h.Name == own && h.Belongs(c.By.UID, c.plan.Holder):
			return func() error { return c.loseHold(pool, h, "lost") }, nil
		case c.moves && c.asks().Shown(h.Run, h.Named):
			return func() error { return c.moveHold(pool, h) }, nil
		}
		return nil, nil
	case p.Status == ipam.StatusHeld:
		draft, err := c.Tx.Pool(ipam.Everything, p.Owner)
		if err != nil || draft.DraftUntil == nil {
			return nil, err
		}
		switch {
		case !c.Due.Before(*draft.DraftUntil), draft.OutdatedBy(c.By.UID, c.plan):
			return func() error { return c.dropDraft(draft) }, nil
		case c.moves && c.asks().Shown(draft.DraftRun, draft.DraftNamed):
			return func() error {
				return cmp.Or(c.dropDraft(draft), c.Tx.RememberShown(draft.Space(), ipam.KindPool, draft.Name, draft.CIDR, c.At))
			}, nil
		}
	}
	return nil, nil
}

// moveHold drops what this very run was promised, and will ask for again. An earlier plan may have been shown it too.
func (c edit) moveHold(pool ipam.Pool, h ipam.Hold) error {
	return cmp.Or(c.dropHold(pool, h, "moved"), c.Tx.RememberShown(pool.UID, ipam.KindHold, h.Name, h.CIDR, c.At))
}
