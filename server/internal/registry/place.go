package registry

import (
	"cmp"
	"errors"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// place is the only way a block of a pool is taken. The caller holds the pool's lock. In this order: a named CIDR as it is;
// what a plan was promised for the name; the block that this name had last with this length, if it is still free, so that
// destroy and apply give the same CIDR; what the pool's strategy picks; and at last the space of what expired.
func (c edit) place(pool ipam.Pool, want choose.Claim) (netip.Prefix, error) {
	length, err := want.LengthIn(pool)
	if err != nil {
		return netip.Prefix{}, err
	}
	if want, err = choose.Allowed(c.Change, pool, want, length); err != nil {
		return netip.Prefix{}, err
	}
	c.around = want.Kind == ipam.KindPool
	at, placed := want.CIDR, false
	if name := want.HeldAs(); name != "" {
		held, err := c.Tx.Held(pool.UID, name)
		if err != nil {
			return at, err
		}
		if held {
			promised, kept, err := c.convert(pool, want, length)
			if err != nil {
				return at, err
			}
			if placed = kept; placed {
				at = promised
			}
		}
	}
	if !placed {
		if at.IsValid() {
			err = c.placeAt(pool, at, want.Own())
		} else {
			at, err = c.placeSomewhere(pool, want, length)
		}
		if err != nil {
			return at, err
		}
	}
	if err := c.asks().Unfit(pool, want, at); err != nil {
		return at, err
	}
	return at, c.Tx.InsertPrefix(c.prefixOf(pool, want, want.Owner, at))
}

func (c edit) prefixOf(pool ipam.Pool, want choose.Claim, owner string, at netip.Prefix) ipam.Prefix {
	return ipam.Prefix{
		Owner: owner, In: pool.Inside(), CIDR: at, Status: want.Status, Kind: want.Kind, Name: want.Name, CreatedAt: c.At,
	}
}

// placeSomewhere picks a block. What expired is taken oldest first, only while nothing else fits and only where it helps.
func (c edit) placeSomewhere(pool ipam.Pool, want choose.Claim, length int) (netip.Prefix, error) {
	pool.Strategy = cmp.Or(want.Strategy, pool.Strategy)
	at, err := c.placeAgain(pool, want, length)
	if !errors.Is(err, alloc.ErrTaken) {
		return at, err
	}
	full := c.asks()
	if want.Placing, err = full.Guarded(pool, want.Placing); err != nil {
		return at, err
	}
	if want.Anywhere() {
		if at, err = alloc.Place(c.Tx.Leaves(pool), pool.Strategy, length); !errors.Is(err, alloc.ErrNoFit) {
			return at, err
		}
		at, err = full.Room(pool, want.Name, length)
	} else {
		at, err = full.Outside(pool, want.Name, want.Placing, length)
	}
	if err != nil {
		return at, err
	}
	return at, c.placeAt(pool, at, "")
}

func (c edit) asks() choose.Asker {
	return choose.Asker{Tx: c.Tx, At: c.At, Due: c.Due, Principal: c.By.UID, Actor: c.By.String(), Sees: c.By.Sees(), Quota: c.r.HoldQuota, Plan: c.plan, Moves: c.moves}
}

// placeAt takes a named block, from what gives way too. Own is the name whose holds of the caller's do; "" for none.
func (c edit) placeAt(pool ipam.Pool, at netip.Prefix, own string) error {
	err := alloc.PlaceAt(c.Tx.Leaves(pool), at)
	if !errors.Is(err, alloc.ErrTaken) {
		return err
	}
	if err := c.clear(pool, pool.UID, at, own); err != nil {
		return err
	}
	if err = alloc.PlaceAt(c.Tx.Leaves(pool), at); errors.Is(err, alloc.ErrTaken) {
		return ipam.Taken(at, nil)
	}
	return err
}

// placeAgain takes the block that the name had last; alloc.ErrTaken when it never had one or it is not free.
func (c edit) placeAgain(pool ipam.Pool, want choose.Claim, length int) (netip.Prefix, error) {
	kind, name := want.Kind, want.Name
	switch kind {
	case ipam.KindHold:
		kind = ipam.KindAllocation // what it will become
	case ipam.KindReservation:
		kind, name = ipam.KindAllocation, want.Hold // as its hold
	}
	last, found, err := c.asks().LastBlock(pool, kind, name, length)
	if err != nil {
		return last, err
	}
	if !found || want.Excludes(last) || length < pool.CIDR.Bits() || !pool.CIDR.Contains(last.Addr()) {
		return last, alloc.ErrTaken
	}
	if kind != want.Kind { // what is in quarantine, a plan waits for: see inherited
		return last, alloc.PlaceAt(c.Tx.Leaves(pool), last)
	}
	return last, c.takeBack(pool, kind, name, last)
}

// takeBack takes the block that a name had from free space, or out of its own quarantine; alloc.ErrTaken when it is in neither.
func (c edit) takeBack(pool ipam.Pool, kind ipam.Kind, name string, at netip.Prefix) error {
	err := alloc.PlaceAt(c.Tx.Leaves(pool), at)
	if !errors.Is(err, alloc.ErrTaken) {
		return err
	}
	if ours, failure := choose.Ours(c.Tx, pool, kind, name, at); !ours || failure != nil {
		return cmp.Or(failure, err)
	}
	return c.placeAt(pool, at, name)
}

// giveBack frees the block of an owner and remembers where its name stood. The caller holds the pool's lock.
func (c edit) giveBack(pool ipam.Pool, kind ipam.Kind, owner, name string, block netip.Prefix) error {
	if err := c.Tx.RememberBlock(pool.UID, kind, name, block, c.At); err != nil {
		return err
	}
	return c.free(pool, owner, block)
}

// free gives the block of an owner back to its pool.
func (c edit) free(pool ipam.Pool, owner string, block netip.Prefix) error {
	if err := c.Tx.DeletePrefix(owner); err != nil {
		return err
	}
	return alloc.Return(c.Tx.Leaves(pool), pool.CIDR, block)
}
