package alloc

import (
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
)

// Tree is the set of free blocks of one pool in memory: an implementation of
// Leaves whose searches cost one step for every six bits of address, whatever
// the number of blocks. It keeps what is held, in canonical form, and reads
// the free blocks off it; neighbouring blocks that were placed one by one are
// one held space, so it cannot tell where one ends and the next begins.
//
// A Tree is not safe for concurrent use, and is made by NewTree.
type Tree struct {
	root  netip.Prefix
	whole block // root in the key form
	width int   // 32 or 128, the length of an address
	top   node
	free  key         // the lengths of the free blocks below the root
	count [129]uint64 // how many free blocks have each length
}

var _ Leaves = (*Tree)(nil)

// NewTree makes the tree of a pool that is wholly free. Host bits of root
// beyond its length are ignored. It panics when root is not valid.
func NewTree(root netip.Prefix) *Tree {
	if !root.IsValid() {
		panic("alloc: a tree needs a valid root")
	}
	root = root.Masked()
	t := &Tree{root: root, whole: blockOf(root), width: root.Addr().BitLen()}
	t.count[root.Bits()] = 1
	return t
}

// Root is the block the tree was made for.
func (t *Tree) Root() netip.Prefix { return t.root }

// Allocate places a block of length bits by strategy s, as Place does: bits
// from the length of the root to that of an address, or ErrNoFit.
func (t *Tree) Allocate(s Strategy, bits int) (netip.Prefix, error) { return Place(t, s, bits) }

// AllocateAt places exactly p, as PlaceAt does, or returns ErrTaken.
func (t *Tree) AllocateAt(p netip.Prefix) error { return PlaceAt(t, p) }

// Release gives p back, as Return does, or returns ErrNotHeld.
func (t *Tree) Release(p netip.Prefix) error { return Return(t, t.root, p) }

func blockOf(p netip.Prefix) block { return block{keyOf(p.Addr()), p.Bits()} }

func (t *Tree) prefix(b block) netip.Prefix { return b.at.block(t.width, b.bits) }

// inside gives p in the key form when it is a masked prefix inside the root.
func (t *Tree) inside(p netip.Prefix) (block, bool) {
	if !p.IsValid() || p.Addr().BitLen() != t.width {
		return block{}, false
	}
	b := blockOf(p)
	return b, t.whole.contains(b) && b.at.andNot(first(b.bits)).zero()
}

// Pick implements Leaves. That nothing fits is known from one word, whatever
// the number of blocks.
func (t *Tree) Pick(s Strategy, bits int) (netip.Prefix, error) {
	b, ok := t.pick(s, bits)
	if !ok {
		return netip.Prefix{}, &noFit{t.root, bits}
	}
	return t.prefix(b), nil
}

func (t *Tree) pick(s Strategy, bits int) (block, bool) {
	if bits < t.whole.bits || bits > t.width {
		return block{}, false
	}
	if t.top.occupied() == 0 {
		return t.whole, true
	}
	fits := t.free.and(first(bits))
	if fits.zero() {
		return block{}, false
	}
	switch s {
	case BestFit:
		return t.lowest(fits.last()), true
	case FirstFit:
		return t.leftmost(bits), true
	default:
		return t.lowest(fits.lead() + 1), true
	}
}

// lowest finds the free block of length n at the lowest address; there is one.
func (t *Tree) lowest(n int) block {
	nd, d, at := &t.top, t.whole.bits, t.whole.at
down:
	for {
		if n <= d+stride {
			// Blocks this large are made of whole slots of this very node.
			return block{at.or(atSlot(bits.TrailingZeros64(nd.starts(d, n)), d)), n}
		}
		want := nth(n)
		for rest, i := nd.hole|nd.kid, 0; rest != 0; rest, i = rest&(rest-1), i+1 {
			e := &nd.entries[i]
			if e.node == nil {
				if e.bits >= n {
					return e.beside(n)
				}
			} else if e.offers(want) {
				at = at.or(atSlot(bits.TrailingZeros64(rest), d))
				nd, d = e.node, d+stride
				continue down
			}
		}
		panic(fmt.Sprintf("alloc: the tree of %v promises a free /%d below /%d and has none", t.root, n, d))
	}
}

// leftmost finds the free block at the lowest address among those of length n
// or shorter; there is one.
func (t *Tree) leftmost(n int) block {
	nd, d, at := &t.top, t.whole.bits, t.whole.at
	for {
		// What this node offers on its own: aligned free runs of slots.
		free := ^nd.occupied()
		for j := range d + stride - min(n, d+stride) {
			free, _ = fold(free, j)
		}
		// What lies deeper is smaller than a slot; only look before free.
		below := nd.hole | nd.kid
		if n <= d+stride {
			below = 0
		} else if free != 0 {
			below &= 1<<uint(bits.TrailingZeros64(free)) - 1
		}
		var next *node
		for i := 0; below != 0; below, i = below&(below-1), i+1 {
			e := &nd.entries[i]
			if e.node == nil {
				// Every hole leaves the half of its slot free, and that is
				// the largest and so the last to be refused: n > d+6.
				return e.leftmost(d+stride, n)
			}
			if e.offers(first(n)) {
				at = at.or(atSlot(bits.TrailingZeros64(below), d))
				next = e.node
				break
			}
		}
		if next == nil {
			s := bits.TrailingZeros64(free)
			b := block{at.or(atSlot(s, d)), min(n, d+stride)}
			return nd.widen(d, b)
		}
		nd, d = next, d+stride
	}
}

// leftmost finds the lowest free block of length d+1 to n beside the single
// block h in a slot of length d < h.bits. Where h has a one its sibling lies
// below, the larger the lower; where it has only zeros the siblings lie above,
// the smaller the lower.
func (h block) leftmost(d, n int) block {
	n = min(n, h.bits)
	if ones := h.at.and(first(n).andNot(first(d))); !ones.zero() {
		return h.beside(ones.lead() + 1)
	}
	return h.beside(n)
}

// widen gives the largest free block around b, which is free and made of whole
// slots of this node at depth d. It reaches d only in an empty root.
func (n *node) widen(d int, b block) block {
	held := n.occupied()
	for b.bits > d {
		up := block{b.at.and(first(b.bits - 1)), b.bits - 1}
		if held&up.span(d) != 0 {
			break
		}
		b = up
	}
	return b
}

// Around implements Leaves.
func (t *Tree) Around(p netip.Prefix) (netip.Prefix, error) {
	b, ok := t.inside(p)
	if !ok {
		return netip.Prefix{}, &refusal{"find the free block around", p, t.root, ErrTaken}
	}
	leaf, ok := t.around(b)
	if !ok {
		return netip.Prefix{}, &refusal{"find the free block around", p, t.root, ErrTaken}
	}
	return t.prefix(leaf), nil
}

// around finds the free block that holds b, which lies inside the root.
func (t *Tree) around(b block) (block, bool) {
	n, d := &t.top, t.whole.bits
	for {
		if b.bits <= d+stride {
			if n.occupied()&b.span(d) != 0 {
				return block{}, false
			}
			return n.widen(d, b), true
		}
		s := b.at.slot(d)
		bit := uint64(1) << uint(s)
		switch {
		case n.used&bit != 0:
			return block{}, false
		case n.hole&bit != 0:
			h := n.entry(s)
			if h.overlaps(b) {
				return block{}, false
			}
			return h.beside(h.at.xor(b.at).lead() + 1), true
		case n.kid&bit != 0:
			n, d = n.entry(s).node, d+stride
		default:
			return n.widen(d, block{b.at.and(first(d + stride)), d + stride}), true
		}
	}
}

// Remove implements Leaves.
func (t *Tree) Remove(leaf netip.Prefix) error {
	if ok, _ := t.Discard(leaf); !ok {
		return &refusal{"remove the free block", leaf, t.root, ErrTaken}
	}
	return nil
}

// Discard implements Leaves; its error is always nil.
func (t *Tree) Discard(leaf netip.Prefix) (bool, error) {
	b, ok := t.inside(leaf)
	if !ok {
		return false, nil
	}
	if !t.top.take(t.whole.bits, b) {
		return false, nil
	}
	t.count[b.bits]--
	if b.bits > t.whole.bits && !t.top.offers(t.whole.bits, b.bits) {
		t.free = t.free.andNot(nth(b.bits))
	}
	return true, nil
}

// Add implements Leaves. Beyond what Leaves asks, it accepts any space that is
// held, and merges it with what is free around it.
func (t *Tree) Add(leaves ...netip.Prefix) error {
	for i, p := range leaves {
		b, ok := t.inside(p)
		if !ok || !t.top.give(t.whole.bits, b) {
			err := error(&refusal{"free", p, t.root, ErrNotHeld})
			for _, back := range leaves[:i] {
				err = errors.Join(err, PlaceAt(t, back))
			}
			return err
		}
		leaf, _ := t.around(b)
		t.count[leaf.bits]++
		if leaf == b {
			if b.bits > t.whole.bits {
				t.free = t.free.or(nth(b.bits))
			}
			continue
		}
		for n := leaf.bits + 1; n <= b.bits; n++ {
			t.count[n]--
		}
		t.refresh(b)
	}
	return nil
}

// refresh takes the lengths of everything around b anew.
func (t *Tree) refresh(b block) {
	t.top.refresh(t.whole.bits, b.at)
	t.free = t.top.lengths(t.whole.bits)
}

// Overlaps reports whether any address of p is held. A prefix that lies outside
// the root overlaps nothing here; one that holds the root overlaps whatever is
// held. Host bits of p are ignored. It costs one step for every six bits.
func (t *Tree) Overlaps(p netip.Prefix) bool {
	if !p.IsValid() || p.Addr().BitLen() != t.width {
		return false
	}
	b := blockOf(p)
	if !t.whole.overlaps(b) {
		return false
	}
	n, d := &t.top, t.whole.bits
	if b.bits <= d {
		return n.occupied() != 0
	}
	for b.bits > d+stride {
		s := b.at.slot(d)
		bit := uint64(1) << uint(s)
		switch {
		case n.kid&bit != 0:
			n, d = n.entry(s).node, d+stride
		case n.hole&bit != 0:
			return n.entry(s).overlaps(b)
		default:
			return n.used&bit != 0
		}
	}
	s := b.at.slot(d) &^ (1<<uint(d+stride-b.bits) - 1)
	return n.occupied()&run(s, 1<<uint(d+stride-b.bits)) != 0
}
