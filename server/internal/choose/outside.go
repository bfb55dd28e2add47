package choose

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Outside picks a block that shares no address with what a request excludes. The rows of free space know nothing of that, so
// it decides in memory: over all that is free, and then over what gives way to the name too. The caller holds the pool's lock.
func (f Asker) Outside(pool ipam.Pool, name string, how ipam.Placing, length int) (netip.Prefix, error) {
	free := alloc.NewTree(pool.CIDR)
	if err := free.AllocateAt(pool.CIDR); err != nil {
		return netip.Prefix{}, err
	}
	if err := f.freeOutside(pool, how, free.Add); err != nil {
		return netip.Prefix{}, err
	}
	at, err := free.Allocate(pool.Strategy, length)
	given := map[netip.Prefix]bool{} // what gives way for two reasons does so once
	for _, expired := range f.givesWay(name) {
		const limit = 200
		for seen := 0; errors.Is(err, alloc.ErrNoFit); seen += limit {
			blocks, failure := expired(pool.UID, limit, seen)
			if failure != nil {
				return at, failure
			}
			for i := 0; i < len(blocks) && errors.Is(err, alloc.ErrNoFit); i++ {
				if given[blocks[i]] {
					continue
				}
				given[blocks[i]] = true
				if failure := releaseOutside(free, how, blocks[i]); failure != nil {
					return at, failure
				}
				at, err = free.Allocate(pool.Strategy, length)
			}
			if len(blocks) < limit {
				break
			}
		}
	}
	switch {
	case errors.Is(err, alloc.ErrNoFit):
		none := noneOutside(pool, how, length, free)
		if err := errors.Join(f.addHeld(pool, none), AddQuarantined(f.Tx, pool.UID, f.Due, none)); err != nil {
			return at, err
		}
		return at, none
	case err != nil:
		return at, err
	}
	return at, nil
}

// freeOutside shows the free blocks of a pool without what is excluded.
func (f Asker) freeOutside(pool ipam.Pool, how ipam.Placing, add func(...netip.Prefix) error) error {
	const page = 1000
	var from netip.Addr
	for {
		leaves, err := f.Tx.Leaves(pool).After(from, page)
		if err != nil {
			return err
		}
		for _, leaf := range leaves {
			left, err := how.Outside(leaf)
			if err == nil {
				err = add(left...)
			}
			if err != nil {
				return err
			}
			from = leaf.Addr()
		}
		if len(leaves) < page {
			return nil
		}
	}
}

// releaseOutside frees a block in a tree without what is excluded.
func releaseOutside(free *alloc.Tree, how ipam.Placing, block netip.Prefix) error {
	left, err := how.Outside(block)
	for _, part := range left {
		err = errors.Join(err, free.Release(part))
	}
	return err
}

// noneOutside is the error of a pool that has no block of a length but in what is excluded.
func noneOutside(pool ipam.Pool, how ipam.Placing, length int, free *alloc.Tree) *ipam.Error {
	var excluded []string
	for _, x := range how.Exclude {
		if x.Overlaps(pool.CIDR) {
			excluded = append(excluded, x.String())
		}
	}
	var what []string
	if len(how.Exclude) > 0 {
		what = append(what, "outside "+strings.Join(excluded, " and ")+", which the request excludes")
	}
	if len(how.BarredBy) > 0 {
		what = append(what, "outside what the policy of pool "+strings.Join(how.BarredBy, " and that of pool ")+" keeps free")
	}
	if used := len(how.Guarded) - len(how.Barred); used > 0 {
		what = append(what, fmt.Sprintf("that no cloud uses (%d blocks are observed in it)", used))
		if len(what) == 1 {
			what[0] += "; adopt or remove what is there"
		}
	}
	e := ipam.Errorf(ipam.CodePoolExhausted, "pool %s has no free /%d %s; ", pool.ID, length, strings.Join(what, ", and "))
	if bits, some := free.Largest(); some {
		e.LargestFree = &bits
		e.Detail += fmt.Sprintf("the largest free block there is a /%d", bits)
	} else {
		e.Detail += "nothing else is free"
	}
	return e
}
