package alloc

import "net/netip"

// MaxBlockers bounds Reason.Blockers.
const MaxBlockers = 16

// Reason explains whether a request fits in a pool and, when it does not, what
// stands in the way.
type Reason struct {
	// Fits says that the request would succeed; Blockers is then empty.
	Fits bool
	// Outside says that what was asked for cannot be in the pool at all: it
	// lies outside, is larger than the pool, or is no block of its family.
	Outside bool
	// Fragmented says that there is as much free space as was asked for, but
	// in pieces.
	Fragmented bool
	// Largest is the length of the largest free block, or -1 in a full pool.
	Largest int
	// Near is the block that Blockers are in. For a block asked for by name it
	// is that block; for a length it is the block of this length around the
	// largest free block, the zero Prefix in a full pool.
	Near netip.Prefix
	// Blockers are the held parts of Near in ascending order, in the fewest
	// blocks, and no more than MaxBlockers of them.
	Blockers []netip.Prefix
	// More says that there are further blockers.
	More bool
}

// WhyNot explains whether a block of length bits fits. When some block fits,
// every strategy finds one. The cost is a search and a walk over Blockers.
func (t *Tree) WhyNot(bits int) Reason {
	r := t.reason()
	if bits < t.whole.bits || bits > t.width {
		r.Outside = true
		return r
	}
	if _, r.Fits = t.pick(BestFit, bits); r.Fits || r.Largest < 0 {
		return r
	}
	r.Fragmented = t.freeAddresses().Cmp(t.size(bits)) >= 0
	largest := t.lowest(r.Largest)
	t.blockers(&r, block{largest.at.and(first(bits)), bits})
	return r
}

// WhyNotAt explains whether p can be placed. The cost is a search and a walk
// over Blockers.
func (t *Tree) WhyNotAt(p netip.Prefix) Reason {
	r := t.reason()
	b, ok := t.inside(p)
	if !ok {
		r.Outside = true
		return r
	}
	if _, r.Fits = t.around(b); r.Fits {
		return r
	}
	r.Fragmented = t.freeAddresses().Cmp(t.size(b.bits)) >= 0
	t.blockers(&r, b)
	return r
}

func (t *Tree) reason() Reason {
	if n, ok := t.Largest(); ok {
		return Reason{Largest: n}
	}
	return Reason{Largest: -1}
}

func (t *Tree) blockers(r *Reason, near block) {
	r.Near = t.prefix(near)
	for p := range t.each(near, true) {
		if len(r.Blockers) == MaxBlockers {
			r.More = true
			return
		}
		r.Blockers = append(r.Blockers, p)
	}
}
