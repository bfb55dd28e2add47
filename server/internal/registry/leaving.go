package registry

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// What a plan releases is room for what the same plan puts somewhere, and a split, a merge and a CIDR that is handed on are made by
// one apply, whose order nobody knows:
//
//	plan    a hold ipam.LeavingHold says which block the plan leaves. It inherits the block once that is released, so that nobody
//	        gets it in between
//	        what has no room but there is promised a block over those. Such a hold has no space of its own; what was free under it
//	        is held as if the plan left it
//	apply   while something under it is not released, what is promised there is told CodeReleasePending
//	        and then it takes the place of the holds under it

// pending is CodeReleasePending, with the block that could be had.
type pending struct {
	error
	at netip.Prefix
}

// Unwrap gives what users see.
func (p pending) Unwrap() error { return p.error }

// promiseOnLeft promises a block over what the plan leaves: what gives way in it does, and what is free in it is kept.
func (c edit) promiseOnLeft(pool ipam.Pool, at netip.Prefix, name string) error {
	inherit, err := c.Tx.Inheriting(pool.UID)
	if err != nil {
		return err
	}
	for _, h := range inherit {
		switch {
		case !h.OverOthers() || !h.CIDR.Overlaps(at):
		case c.asks().Gone(h) || h.Name == name && h.Belongs(c.By.UID, c.plan.Holder):
			if err := c.loseHold(pool, h, "lost"); err != nil {
				return err
			}
		case c.moves && c.asks().Shown(h.Run, h.Named):
			if err := c.moveHold(pool, h); err != nil {
				return err
			}
		default:
			there := []ipam.Prefix{c.prefixOf(pool, choose.Claim{Kind: ipam.KindHold, Name: h.Name, Status: ipam.StatusHeld}, h.ID, h.CIDR)}
			return c.asks().InOwnWay(at, there, ipam.Taken(at, there))
		}
	}
	take, standing, _, err := c.inTheWay(pool, pool.UID, at, name)
	if err != nil {
		return err
	}
	if len(standing) > 0 {
		return ipam.Taken(at, standing)
	}
	for _, free := range take {
		if err := free(); err != nil {
			return err
		}
	}
	for before := at.Addr().Prev(); ; {
		leaves, err := c.Tx.Leaves(pool).After(before, 1)
		if err != nil || len(leaves) == 0 || !at.Overlaps(leaves[0]) {
			return err
		}
		if _, err := c.promiseHere(pool, ipam.NewHold{Pool: pool.ID, Name: ipam.LeavingHold(leaves[0]), BlockSize: ipam.BlockSize{CIDR: leaves[0]}, Plan: c.plan}); err != nil {
			return err
		}
		before = leaves[0].Addr()
	}
}

// takeLeft ends the hold of a block that was left, for something in it or around it. What others were promised of it stays held.
func (c edit) takeLeft(pool ipam.Pool, h ipam.Hold, at netip.Prefix) error {
	if err := c.dropHold(pool, h, "converted"); err != nil || h.CIDR.Bits() >= at.Bits() {
		return err
	}
	inherit, err := c.Tx.Inheriting(pool.UID)
	if err != nil {
		return err
	}
	for _, rest := range alloc.Buddies(h.CIDR, at) {
		promised := func(o ipam.Hold) bool {
			return o.OverOthers() && !o.Expired(c.Due) && o.CIDR.Overlaps(rest) && !o.CIDR.Overlaps(at) && o.Belongs(h.Principal, h.Holder)
		}
		if !slices.ContainsFunc(inherit, promised) {
			continue
		}
		part := h
		part.ID, part.Name, part.CIDR, part.Replaces, part.CreatedAt = change.NewID("hold"), ipam.LeavingHold(rest), rest, "", c.At
		if known, found, err := c.Tx.HoldNamed(pool.UID, part.Name, rest.Bits()); err != nil {
			return err
		} else if found { // lost once
			if err := c.dropHold(pool, known, "released"); err != nil {
				return err
			}
		}
		if err := alloc.PlaceAt(c.Tx.Leaves(pool), rest); err != nil {
			return err
		}
		if err := c.Tx.InsertPrefix(c.prefixOf(pool, choose.Claim{Kind: ipam.KindHold, Name: part.Name, Status: ipam.StatusHeld}, part.ID, rest)); err != nil {
			return err
		}
		if err := c.Tx.InsertHold(part); err != nil {
			return err
		}
		if err := c.Record(holdObject(part), "placed", nil, part); err != nil {
			return err
		}
	}
	return nil
}

// moveIn makes the block of a hold that inherits free for what it becomes: what it replaces has stepped aside, or all that its plan
// leaves there has been released. CodeReleasePending, or CodeHoldLost, while it is not.
func (c edit) moveIn(pool ipam.Pool, h ipam.Hold) error {
	there, err := c.Tx.PrefixesIn(pool.UID, h.CIDR, 1)
	if err != nil {
		return err
	}
	if len(there) > 0 {
		c.plan = ipam.Plan{Holder: h.Holder}
		take, standing, leaving, err := c.inTheWay(pool, pool.UID, h.CIDR, h.Name)
		switch {
		case err != nil:
			return err
		case len(standing) > 0:
			return c.asks().HoldLost(h)
		case len(leaving) > 0:
			return pending{ipam.ReleasePending(h.CIDR, leaving), h.CIDR}
		}
		for _, free := range take {
			if err := free(); err != nil {
				return err
			}
		}
	}
	err = alloc.PlaceAt(c.Tx.Leaves(pool), h.CIDR)
	if errors.Is(err, alloc.ErrTaken) && len(there) == 0 {
		return nil // what it replaces stepped aside, and left the block to it
	}
	return err
}

// dropLeft ends what was held of blocks that a plan was to leave, for a promise over them that is given up.
func (c edit) dropLeft(pool ipam.Pool, over ipam.Hold) error {
	if !over.OverOthers() {
		return nil
	}
	inherit, err := c.Tx.Inheriting(pool.UID)
	if err != nil {
		return err
	}
	for _, h := range inherit {
		if h.OfLeaving() && h.CIDR.Overlaps(over.CIDR) && h.Belongs(over.Principal, over.Holder) {
			if err := c.dropHold(pool, h, "released"); err != nil {
				return err
			}
		}
	}
	return nil
}
