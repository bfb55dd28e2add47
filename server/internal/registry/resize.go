package registry

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/quarantine"
)

// resized resizes a pool as a patch asks, and says what it is then.
func (c edit) resized(before, after ipam.Pool, patch ipam.PoolPatch) (netip.Prefix, error) {
	to, err := before.Resized(patch)
	if err != nil {
		return to, err
	}
	if err := after.Sizes.Check(to); err != nil || to == before.CIDR {
		return to, err
	}
	return to, c.resize(before, to)
}

// resize moves the border of a pool. What it gains must be free around it, what it gives up must be free inside it. The
// caller holds the locks of the pool and of the space around it.
func (c edit) resize(pool ipam.Pool, to netip.Prefix) error {
	rest, grows := alloc.Border(pool.CIDR, to)
	if !grows {
		if err := c.dropHoldsFor(pool, string(pool.UID)); err != nil {
			return err
		}
		if err := c.gain(pool, rest); err != nil {
			return err
		}
		return c.resizeAround(pool, to)
	}
	held, err := c.takeGrowth(pool, to)
	if err != nil {
		return err
	}
	if err := c.resizeAround(pool, to); err != nil {
		return err
	}
	if err := c.yield(pool, to, rest); err != nil {
		return err
	}
	return c.keepGrown(pool, held)
}

// resizeAround is the part of resize that the space around the pool sees.
func (c edit) resizeAround(pool ipam.Pool, to netip.Prefix) error {
	if pool.Parent != "" {
		parent, err := c.Tx.Pool(ipam.Everything, string(pool.ParentUID))
		if err != nil {
			return err
		}
		return c.resizeIn(parent, string(pool.UID), pool.CIDR, to)
	}
	if rest, grows := alloc.Border(pool.CIDR, to); grows {
		for _, b := range rest {
			if err := c.clear(ipam.Pool{}, pool.Space(), b, ""); err != nil {
				return err
			}
		}
	}
	return c.Tx.MovePrefix(string(pool.UID), to)
}

// resizeIn moves the border of the block that an owner has in a pool: what it gains must be free there, what it gives up is
// free afterwards. The caller holds the pool's lock.
func (c edit) resizeIn(pool ipam.Pool, owner string, from, to netip.Prefix) error {
	if err := pool.Allow(to.Bits()); err != nil {
		return err
	}
	rest, grows := alloc.Border(from, to)
	if !grows {
		if err := c.yield(pool, pool.CIDR, rest); err != nil {
			return err
		}
		return c.Tx.MovePrefix(owner, to)
	}
	err := c.gain(pool, rest)
	if e, ok := errors.AsType[*ipam.Error](err); ok && e.Code == ipam.CodeCIDRTaken {
		e.Detail = fmt.Sprintf("%s cannot grow to %s: %s", from, to, e.Detail)
	}
	if err != nil {
		return err
	}
	return c.Tx.MovePrefix(owner, to)
}

// gain takes blocks of a pool.
func (c edit) gain(pool ipam.Pool, blocks []netip.Prefix) error {
	for _, b := range blocks {
		if err := c.placeAt(pool, b, ""); err != nil {
			return err
		}
	}
	return nil
}

// yield makes blocks of a pool free; around is what the pool is then.
func (c edit) yield(pool ipam.Pool, around netip.Prefix, blocks []netip.Prefix) error {
	for _, b := range blocks {
		if err := alloc.Return(c.Tx.Leaves(pool), around, b); err != nil {
			return err
		}
	}
	return nil
}

// dropHoldsFor ends what is held in a pool for something to change as it does now.
func (c edit) dropHoldsFor(pool ipam.Pool, id string) error {
	holds, err := c.Tx.HoldsFor(pool.UID, id)
	if err != nil {
		return err
	}
	for _, h := range holds {
		if err := c.dropHold(pool, h, "converted"); err != nil {
			return err
		}
	}
	return nil
}

// resizeAllocation moves the border of an allocation. What was held for it goes with that: the blocks that a plan means it
// to gain, and those that were to follow it while it could not grow.
func (c edit) resizeAllocation(pool ipam.Pool, a ipam.Allocation, to netip.Prefix) error {
	if err := c.asks().Growable(pool, a.CIDR, to); err != nil {
		return err
	}
	if err := c.dropHoldsFor(pool, a.ID); err != nil {
		return err
	}
	c.growing = a.ID
	if err := c.resizeIn(pool, a.ID, a.CIDR, to); err != nil {
		return err
	}
	if err := quarantine.EnterRest(c.Change, pool, a, to); err != nil {
		return err
	}
	return c.Tx.RememberBlock(pool.UID, ipam.KindAllocation, a.Name, a.CIDR, c.At)
}
