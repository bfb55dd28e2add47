package choose

import (
	"net/netip"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// What clouds use guards the free space that it stands in: nothing there is handed out by itself, and a block that is named must be
// what a cloud has there. Guards are no rows: they are what is observed in the scope, asked for under the pool's lock.

// Guarded is how a block is chosen in a pool in which clouds use some of what is free, or policies keep some of it; as it was where that
// is none of it. The caller holds the pool's lock.
func (f Asker) Guarded(pool ipam.Pool, how ipam.Placing) (ipam.Placing, error) {
	used, err := f.Tx.Guards(pool, pool.CIDR)
	if err != nil || len(used)+len(how.Barred) == 0 {
		return how, err
	}
	guards := slices.Clone(how.Barred)
	for _, o := range used {
		guards = append(guards, o.CIDR)
	}
	slices.SortFunc(guards, netip.Prefix.Compare)
	free, err := f.freeAmong(pool, guards)
	if err != nil || !free {
		return how, err
	}
	how.Guarded = guards
	return how, nil
}

// freeAmong reports whether any of some blocks, in the order of their addresses, has free space of the pool.
func (f Asker) freeAmong(pool ipam.Pool, blocks []netip.Prefix) (bool, error) {
	const page = 1000
	var from netip.Addr
	for {
		leaves, err := f.Tx.Leaves(pool).After(from, page)
		if err != nil {
			return false, err
		}
		for _, leaf := range leaves {
			from = leaf.Addr()
			for len(blocks) > 0 && !blocks[0].Overlaps(leaf) && ipam.LastIP(blocks[0]).Less(leaf.Addr()) {
				blocks = blocks[1:]
			}
			// Blocks may be inside of one another, so one that begins later may still be of an earlier leaf: the first that overlaps will do.
			if i, _ := slices.BinarySearchFunc(blocks, leaf, byAddress); i < len(blocks) && blocks[i].Overlaps(leaf) || len(blocks) > 0 && blocks[0].Overlaps(leaf) {
				return true, nil
			}
		}
		if len(leaves) < page || len(blocks) == 0 {
			return false, nil
		}
	}
}

func byAddress(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) }

// Unfit is why a block is not handed out, that was named, promised or had before: since nobody has looked at the clouds lately, since
// one uses it otherwise, or since IPv6 writes IPv4 there.
func (f Asker) Unfit(pool ipam.Pool, want Claim, at netip.Prefix) error {
	if ipam.IsMapped(at) {
		return ipam.Errorf(ipam.CodePoolExhausted, "what is left in pool %s for a /%d are IPv4-mapped addresses, which are no network", pool.ID, at.Bits())
	}
	if want.CIDR.IsValid() && (want.Kind == ipam.KindPool || want.Kind == ipam.KindReservation) {
		return nil // around what a cloud has, or to keep others off it
	}
	if err := f.Seen(pool, want.Seen); err != nil {
		return err
	}
	return f.unused(pool, at)
}

// Growable is why the block of an allocation cannot become a larger one: since a cloud uses what is beside it.
func (f Asker) Growable(pool ipam.Pool, from, to netip.Prefix) error {
	if to.Bits() >= from.Bits() {
		return nil
	}
	if err := f.Seen(pool, ipam.Seen{}); err != nil {
		return err
	}
	used, err := f.Tx.Guards(pool, to)
	for _, o := range used {
		inside := o.CIDR.Bits() >= from.Bits() && from.Contains(o.CIDR.Addr())
		if o.CIDR != to && !inside && err == nil {
			err = ipam.InUse(to, o)
		}
	}
	return err
}

// unused refuses a block that a cloud uses otherwise: what is exactly there may become what is asked for.
func (f Asker) unused(pool ipam.Pool, at netip.Prefix) error {
	used, err := f.Tx.Guards(pool, at)
	if err != nil || len(used) == 0 || slices.ContainsFunc(used, func(o ipam.Observation) bool { return o.CIDR == at }) {
		return err
	}
	// A network of this very block has subnets in it, which are no reason not to allocate it.
	networks, err := f.Tx.Observations(ipam.Everything, ipam.ObservationFilter{Scope: string(pool.ScopeUID), Kind: ipam.ObservedNetwork, Around: ipam.Around{Within: at, Contains: at}}, ipam.Page{Limit: 1})
	if err != nil || len(networks) > 0 {
		return err
	}
	return ipam.InUse(at, used[0])
}
