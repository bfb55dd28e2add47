package store

import (
	"cmp"
	"net/netip"
	"slices"
)

// window is what a transaction of writes knows of the free blocks of a pool that it has locked: those that hold a length, the smallest
// first, up to one behind which it knows nothing. What carving leaves of a block is smaller than that, so it stands in the window too,
// and most picks after the first ask nobody.
type window struct {
	bits   int            // smaller blocks are not in it
	blocks []netip.Prefix // in the order in which the best fit is looked for
}

// pick is the best fit for a length; false where it is not known.
func (w *window) pick(bits int) (netip.Prefix, bool) {
	if w == nil || bits > w.bits {
		return netip.Prefix{}, false
	}
	i := slices.IndexFunc(w.blocks, func(b netip.Prefix) bool { return b.Bits() <= bits })
	if i < 0 {
		return netip.Prefix{}, false
	}
	return w.blocks[i], true
}

// carve is told what is left of a block. Of one that is not in it the window knows nothing, and then it is of no more use.
func (w *window) carve(leaf netip.Prefix, rest []netip.Prefix) (knows bool) {
	i := slices.Index(w.blocks, leaf)
	if i < 0 {
		return false
	}
	w.blocks = slices.Delete(w.blocks, i, i+1)
	for _, b := range rest {
		if b.Bits() <= w.bits {
			at, _ := slices.BinarySearchFunc(w.blocks, b, smallerFirst)
			w.blocks = slices.Insert(w.blocks, at, b)
		}
	}
	return true
}

// smallerFirst is the order in which the best fit is looked for, as in query.SmallestFreeBlock.
func smallerFirst(a, b netip.Prefix) int {
	return cmp.Or(cmp.Compare(b.Bits(), a.Bits()), a.Addr().Compare(b.Addr()))
}

// window is of the pool; nil where the transaction knows nothing of it.
func (l Leaves) window() *window { return l.tx.windows[l.pool] }

// opens makes a window of the best fit for a length, if the transaction keeps the lock of the pool.
func (l Leaves) opens(bits int, best netip.Prefix) {
	if l.tx.windows == nil || l.tx.engine == Postgres && !l.tx.hasLocked(uid(poolKey, l.pool)) {
		return
	}
	l.tx.windows[l.pool] = &window{bits, []netip.Prefix{best}}
}

// changes is for every change of the pool's free blocks that its window is not told of.
func (l Leaves) changes() { delete(l.tx.windows, l.pool) }
