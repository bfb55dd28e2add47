package alloc

import (
	"math/bits"
	"slices"
)

// stride is how many address bits one node decides: 2^6 slots, which is what
// one machine word has room for.
const stride = 6

const full = ^uint64(0)

// node covers one block of length d, which its parent knows, and splits it in
// 64 slots of length d+6; bit 0 is the slot at the lowest address. A slot is in
// one of four states: wholly held (used), held in one single block smaller
// than the slot (hole), held in several blocks (kid), or free (none of the
// three). The bitmaps are disjoint, and the entries of holes and kids are packed
// in slot order: that of a slot sits at the rank of its bit.
//
// A node below the top is never empty, never full, and never holds one single
// block: settle turns those into a free slot, a used slot and a hole, so the
// size of the tree follows what is held and not what once was.
type node struct {
	used, hole, kid uint64
	entries         []entry
}

// block is a prefix in the key form.
type block struct {
	at   key
	bits int
}

// entry is the block of a hole, or the node of a kid with the lengths of the
// free blocks inside it: bit n of at is set if and only if a leaf of length n
// exists there. One array of entries that never straddle a cache line is worth
// the field with two meanings; lookups wait for memory and for nothing else.
type entry struct {
	block
	node *node // nil for a hole
}

func (e *entry) offers(want key) bool { return !e.at.and(want).zero() }

func (b block) overlaps(o block) bool {
	return b.at.xor(o.at).and(first(min(b.bits, o.bits))).zero()
}

func (b block) contains(o block) bool {
	return b.bits <= o.bits && b.overlaps(o)
}

// half is the other half of the block one bit larger than b.
func (b block) half() block { return block{b.at.xor(nth(b.bits)), b.bits} }

// beside is the free block of length n next to the single block h.
func (b block) beside(n int) block { return block{b.at.and(first(n)).xor(nth(n)), n} }

// span marks the slots of b in a node at depth d; d <= b.bits <= d+6.
func (b block) span(d int) uint64 {
	return run(b.at.slot(d), 1<<uint(d+stride-b.bits))
}

// run has width bits set from start on.
func run(start, width int) uint64 {
	return full >> uint(64-width) << uint(start)
}

func rank(bitmap uint64, slot int) int {
	return bits.OnesCount64(bitmap & (1<<uint(slot) - 1))
}

func (n *node) occupied() uint64 { return n.used | n.hole | n.kid }

// entry is that of slot s, which is a hole or a kid.
func (n *node) entry(s int) *entry { return &n.entries[rank(n.hole|n.kid, s)] }

func (n *node) insert(s int, e entry) {
	n.entries = slices.Insert(n.entries, rank(n.hole|n.kid, s), e)
}

func (n *node) putHole(s int, b block) {
	n.insert(s, entry{block: b})
	n.hole |= 1 << uint(s)
}

func (n *node) putKid(s, d int, c *node) {
	n.insert(s, entry{block{at: c.lengths(d + stride)}, c})
	n.kid |= 1 << uint(s)
}

// drop makes slot s, a hole or a kid, free.
func (n *node) drop(s int) {
	i := rank(n.hole|n.kid, s)
	n.entries = slices.Delete(n.entries, i, i+1)
	n.hole &^= 1 << uint(s)
	n.kid &^= 1 << uint(s)
}

// put marks b held in a node at depth d whose slots of b are free.
func (n *node) put(d int, b block) {
	if b.bits <= d+stride {
		n.used |= b.span(d)
		return
	}
	n.putHole(b.at.slot(d), b)
}

// fork makes the node at depth d in which just a and b are held; they are
// neither one block nor two halves of one.
func fork(d int, a, b block) *node {
	c := new(node)
	s := a.at.slot(d)
	if min(a.bits, b.bits) > d+stride && s == b.at.slot(d) {
		c.putKid(s, d, fork(d+stride, a, b))
		return c
	}
	c.put(d, a)
	c.put(d, b)
	return c
}

// take marks b held. It says false, and changes nothing, when b is not exactly
// one free block. The node is at depth d and holds b.
func (n *node) take(d int, b block) bool {
	if b.bits <= d+stride {
		if n.occupied()&b.span(d) != 0 || n.widen(d, b) != b {
			return false
		}
		n.used |= b.span(d)
		return true
	}
	s := b.at.slot(d)
	bit := uint64(1) << uint(s)
	switch {
	case n.hole&bit != 0:
		h := &n.entry(s).block
		switch {
		case h.overlaps(b) || h.beside(h.at.xor(b.at).lead()+1) != b:
			return false
		case h.bits != b.bits:
			c := fork(d+stride, *h, b)
			n.drop(s)
			n.putKid(s, d, c)
		case b.bits-1 == d+stride:
			n.drop(s)
			n.used |= bit
		default:
			// Two halves merge just once: the rest of the slot is free.
			*h = block{b.at.and(first(b.bits - 1)), b.bits - 1}
		}
		return true
	case n.kid&bit != 0:
		k := n.entry(s)
		if !k.node.take(d+stride, b) {
			return false
		}
		// Other blocks of this length may be left, none of another came.
		if n.settle(d, b.at) && !k.node.offers(d+stride, b.bits) {
			k.at = k.at.andNot(nth(b.bits))
		}
		return true
	}
	return false
}

// give marks b free. It says false, and changes nothing, when not all of b is
// held. The node is at depth d and holds b. When b merges with what is free
// around it, the caller must refresh.
func (n *node) give(d int, b block) bool {
	if b.bits <= d+stride {
		r := b.span(d)
		if n.used&r != r {
			return false
		}
		n.used &^= r
		return true
	}
	s := b.at.slot(d)
	bit := uint64(1) << uint(s)
	switch {
	case n.used&bit != 0:
		n.used &^= bit
		if b.bits == d+stride+1 {
			n.putHole(s, b.half())
			return true
		}
		// More than one block stays held: a full node, less b.
		c := &node{used: full}
		c.give(d+stride, b)
		n.putKid(s, d, c)
		return true
	case n.hole&bit != 0:
		h := &n.entry(s).block
		switch {
		case !h.contains(b):
			return false
		case h.bits == b.bits:
			n.drop(s)
		case h.bits+1 == b.bits:
			*h = b.half()
		default:
			c := new(node)
			c.put(d+stride, *h)
			c.give(d+stride, b)
			n.drop(s)
			n.putKid(s, d, c)
		}
		return true
	case n.kid&bit != 0:
		k := n.entry(s)
		if !k.node.give(d+stride, b) {
			return false
		}
		if n.settle(d, b.at) {
			k.at = k.at.or(nth(b.bits))
		}
		return true
	}
	return false
}

// settle makes the kid in the slot of at a used slot or a hole when that is all
// it is after one block in it changed, and reports whether it stays a kid. It
// cannot have become empty: it held two blocks or more, and what is given back
// lies in one of them.
func (n *node) settle(d int, at key) bool {
	s := at.slot(d)
	c := n.entry(s).node
	if c.used == full {
		n.drop(s)
		n.used |= 1 << uint(s)
		return false
	}
	if b, ok := c.single(d+stride, at); ok {
		n.drop(s)
		n.putHole(s, b)
		return false
	}
	return true
}

// refresh takes the lengths anew in every kid on the way down to at.
func (n *node) refresh(d int, at key) {
	s := at.slot(d)
	if n.kid&(1<<uint(s)) == 0 {
		return
	}
	k := n.entry(s)
	k.node.refresh(d+stride, at)
	k.at = k.node.lengths(d + stride)
}

// single gives the one block a node holds, when it is one; at is any address
// inside the node, which is not full.
func (n *node) single(d int, at key) (block, bool) {
	switch {
	case n.kid != 0:
		return block{}, false
	case n.used == 0:
		if len(n.entries) != 1 {
			return block{}, false
		}
		return n.entries[0].block, true
	case n.hole != 0:
		return block{}, false
	}
	start, width := bits.TrailingZeros64(n.used), bits.OnesCount64(n.used)
	if width&(width-1) != 0 || start&(width-1) != 0 || n.used != run(start, width) {
		return block{}, false
	}
	return block{at.and(first(d)).or(atSlot(start, d)), d + stride - bits.TrailingZeros(uint(width))}, true
}

// even[j] has a bit at every multiple of 2^j.
var even = [stride + 1]uint64{
	full, 0x5555555555555555, 0x1111111111111111, 0x0101010101010101, 0x0001000100010001, 0x0000000100000001, 1,
}

// fold takes the starts of the free aligned runs of 2^j slots and gives those
// of 2^(j+1), along with the runs of 2^j that stay on their own, which are the
// free blocks of length d+6-j: exactly one of the pair is free.
func fold(free uint64, j int) (pairs, alone uint64) {
	shift := uint(1) << uint(j)
	pairs = free & (free >> shift) & even[j+1]
	return pairs, free &^ (pairs | pairs<<shift)
}

// lengths tells which lengths the free blocks inside a node have. A node that
// is wholly free has none inside: it lies in a larger one, or is the root.
func (n *node) lengths(d int) key {
	local := 0
	if free := ^n.occupied(); free != 0 {
		var alone uint64
		for j := range stride {
			free, alone = fold(free, j)
			if alone != 0 {
				local |= 1 << uint(j)
			}
			if free == 0 {
				break
			}
		}
	}
	out := atSlot(local, d)
	// One hole of length h leaves one free block of each length from its
	// slot's plus one to h, so the longest hole stands for them all.
	deepest := d + stride
	for i := range n.entries {
		if e := &n.entries[i]; e.node == nil {
			deepest = max(deepest, e.bits)
		} else {
			out = out.or(e.at)
		}
	}
	return out.or(first(deepest).andNot(first(d + stride)))
}

// offers reports whether a free block of length bits exists inside a node that is
// not wholly free; it reads no further than it must.
func (n *node) offers(d, bits int) bool {
	if bits <= d+stride {
		return n.starts(d, bits) != 0
	}
	want := nth(bits)
	for i := range n.entries {
		e := &n.entries[i]
		if e.node == nil && e.bits >= bits || e.node != nil && e.offers(want) {
			return true
		}
	}
	return false
}

// starts marks the first slots of the free blocks of length bits, from d+1 to
// d+6, that are made of whole slots.
func (n *node) starts(d, bits int) uint64 {
	free, alone := ^n.occupied(), uint64(0)
	for j := range d + stride - bits + 1 {
		free, alone = fold(free, j)
	}
	return alone
}
