package alloc

import (
	"iter"
	"math/big"
	"math/bits"
	"net/netip"
)

// Free yields the free blocks in ascending address order. The tree must not
// change while it runs.
func (t *Tree) Free() iter.Seq[netip.Prefix] { return t.each(t.whole, false) }

// Held yields the fewest blocks that cover what is held, in ascending address
// order; these need not be the blocks that were placed. The tree must not
// change while it runs.
func (t *Tree) Held() iter.Seq[netip.Prefix] { return t.each(t.whole, true) }

// each yields the held or the free blocks of within, cut off at its ends.
func (t *Tree) each(within block, held bool) iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		t.walk(within, func(b block, isHeld bool) bool {
			return isHeld != held || yield(t.prefix(b))
		})
	}
}

// walk shows visit the held and the free blocks of within, which lies inside
// the root, in ascending address order until visit says false.
func (t *Tree) walk(within block, visit func(b block, held bool) bool) {
	n, d := &t.top, t.whole.bits
	for within.bits > d+stride {
		s := within.at.slot(d)
		bit := uint64(1) << uint(s)
		switch {
		case n.kid&bit != 0:
			n, d = n.entry(s).node, d+stride
			continue
		case n.hole&bit != 0:
			h := n.entry(s).block
			if within.overlaps(h) && h.bits > within.bits {
				h.walk(within.bits, visit)
			} else {
				visit(within, within.overlaps(h))
			}
		default:
			visit(within, n.used&bit != 0)
		}
		return
	}
	s := within.at.slot(d)
	n.walk(d, within.at.and(first(d)), s, s+1<<uint(d+stride-within.bits), visit)
}

// walk shows the blocks of the slots from one up to, and not with, another.
func (n *node) walk(d int, at key, from, to int, visit func(block, bool) bool) bool {
	held := n.occupied()
	for s := from; s < to; {
		bit := uint64(1) << uint(s)
		switch {
		case n.hole&bit != 0:
			if !n.entry(s).walk(d+stride, visit) {
				return false
			}
			s++
		case n.kid&bit != 0:
			below := at.or(atSlot(s, d))
			if !n.entry(s).node.walk(d+stride, below, 0, 64, visit) {
				return false
			}
			s++
		default:
			alike, width := n.used, 1
			if held&bit == 0 {
				alike = ^held
			}
			for s&(2*width-1) == 0 && s+2*width <= to && alike&run(s, 2*width) == run(s, 2*width) {
				width *= 2
			}
			b := block{at.or(atSlot(s, d)), d + stride - bits.TrailingZeros(uint(width))}
			if !visit(b, held&bit != 0) {
				return false
			}
			s += width
		}
	}
	return true
}

// walk shows the blocks of the slot of length d < h.bits in which only h is
// held: the larger free ones below it first, and those above it last.
func (h block) walk(d int, visit func(block, bool) bool) bool {
	for n := d + 1; n <= h.bits; n++ {
		if !h.at.and(nth(n)).zero() && !visit(h.beside(n), false) {
			return false
		}
	}
	if !visit(h, true) {
		return false
	}
	for n := h.bits; n > d; n-- {
		if h.at.and(nth(n)).zero() && !visit(h.beside(n), false) {
			return false
		}
	}
	return true
}

// FreeByLength counts the free blocks of each length. The counts are kept up
// to date, so this costs a copy. A count cannot overflow: each block held
// leaves at most one free block of each length beside it.
func (t *Tree) FreeByLength() [129]uint64 { return t.count }

// Largest gives the length of the largest free block, and false when the pool
// is full.
func (t *Tree) Largest() (bits int, ok bool) {
	switch {
	case t.top.occupied() == 0:
		return t.whole.bits, true
	case t.free.zero():
		return 0, false
	}
	return t.free.lead() + 1, true
}

// Addresses gives exactly how many addresses are held and how many there are;
// in IPv6 both reach 2^128.
func (t *Tree) Addresses() (held, total *big.Int) {
	total = t.size(t.whole.bits)
	return new(big.Int).Sub(total, t.freeAddresses()), total
}

// size is the number of addresses in a block of length n.
func (t *Tree) size(n int) *big.Int {
	return new(big.Int).Lsh(big.NewInt(1), uint(t.width-n))
}

func (t *Tree) freeAddresses() *big.Int {
	sum := new(big.Int)
	for n, c := range t.count {
		if c != 0 {
			part := new(big.Int).SetUint64(c)
			sum.Add(sum, part.Lsh(part, uint(t.width-n)))
		}
	}
	return sum
}

// Utilization is the held fraction of the pool, from 0 to 1: the float64
// nearest to the exact quotient of Addresses.
func (t *Tree) Utilization() float64 {
	held, total := t.Addresses()
	u, _ := new(big.Rat).SetFrac(held, total).Float64()
	return u
}

// Fragmentation is 1 minus the largest free block over all free space: 0 when
// what is free is one block, or nothing is, and near 1 when it is spread over
// many small ones.
func (t *Tree) Fragmentation() float64 {
	n, ok := t.Largest()
	if !ok {
		return 0
	}
	free := t.freeAddresses()
	f, _ := new(big.Rat).SetFrac(new(big.Int).Sub(free, t.size(n)), free).Float64()
	return f
}
