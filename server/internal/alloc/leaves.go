package alloc

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Strategy names the rule that chooses among the free blocks of a pool. The
// zero value is not a strategy: callers write BestFit where nothing was asked.
type Strategy string

// The strategies. Ties always go to the lowest address, so one state of a pool
// and one request have exactly one answer.
const (
	// BestFit takes the smallest free block that is large enough. It keeps the
	// large blocks whole and is the default.
	BestFit Strategy = "best_fit"
	// FirstFit takes the lowest-address free block that is large enough.
	FirstFit Strategy = "first_fit"
	// LargestFit takes the start of the largest free block.
	LargestFit Strategy = "largest_fit"
	// Sparse takes the start of the second half of the largest free block, or
	// the whole block when it is exactly as large as asked, so that the block
	// handed out has room to grow and so has its neighbour below.
	Sparse Strategy = "sparse"
)

// Valid reports whether s is one of the four strategies.
func (s Strategy) Valid() bool {
	switch s {
	case BestFit, FirstFit, LargestFit, Sparse:
		return true
	}
	return false
}

// What can be wrong with a request. Every error of this package wraps one of
// these, except those an implementation of Leaves brings from its storage and
// the one for a strategy that does not exist.
var (
	// ErrNoFit says that no free block is large enough.
	ErrNoFit = errors.New("no free block is large enough")
	// ErrTaken says that a named block is not wholly free, or lies outside.
	ErrTaken = errors.New("block is not free")
	// ErrNotHeld says that returned space was free already, in whole or in
	// part, or lies outside.
	ErrNotHeld = errors.New("block is not held")
	// ErrOutside says that a block lies outside the root it was named under.
	ErrOutside = errors.New("block lies outside")
)

// Leaves is the set of free blocks of one pool: disjoint, all of one family,
// and canonical, which means that no two buddies are both present. Blocks are
// masked prefixes; IPv4-mapped IPv6 addresses never appear.
//
// Place, PlaceAt and Return keep the set canonical through these five methods
// and nothing else, so an implementation never splits or merges on its own.
type Leaves interface {
	// Pick names the free block from which s takes a block of length bits,
	// and changes nothing. It returns ErrNoFit when none is large enough.
	Pick(s Strategy, bits int) (netip.Prefix, error)
	// Around names the free block that holds all of p, which may be p itself.
	// It returns ErrTaken when there is none.
	Around(p netip.Prefix) (netip.Prefix, error)
	// Remove takes out exactly one leaf. It returns ErrTaken when that leaf is
	// not present, which is how a storage reports that another writer won.
	Remove(leaf netip.Prefix) error
	// Discard takes out leaf if it is present and reports whether it was.
	Discard(leaf netip.Prefix) (bool, error)
	// Add puts leaves in. An implementation refuses with ErrNotHeld, before it
	// changes anything, leaves that overlap one present: this is the only
	// guard against returning a block of which a part is free already.
	Add(leaves ...netip.Prefix) error
}

// Carver is a set of leaves that takes p out of a leaf, and puts back what p
// leaves of it, cheaper than by Remove and Add. It returns what they would.
type Carver interface {
	Leaves
	Carve(leaf, p netip.Prefix) error
}

// Cut names the block of length bits that s takes out of leaf: its start, or
// for Sparse the start of its second half when leaf is larger than asked. It
// returns the zero Prefix when leaf is too small or bits exceeds the length of
// an address.
func Cut(leaf netip.Prefix, s Strategy, bits int) netip.Prefix {
	if !leaf.IsValid() || bits < leaf.Bits() || bits > leaf.Addr().BitLen() {
		return netip.Prefix{}
	}
	if s != Sparse || bits == leaf.Bits() {
		return netip.PrefixFrom(leaf.Addr(), bits)
	}
	return keyOf(leaf.Addr()).or(nth(leaf.Bits()+1)).block(leaf.Addr().BitLen(), bits)
}

// Buddies lists what is left of leaf once p is carved out of it, in ascending
// address order: one block of each length from leaf's plus one to p's. The
// list is canonical, and empty when p is leaf. It is nil when leaf does not
// hold p.
func Buddies(leaf, p netip.Prefix) []netip.Prefix {
	if !contains(leaf, p) {
		return nil
	}
	n := p.Bits() - leaf.Bits()
	if n == 0 {
		return nil
	}
	k, width := keyOf(p.Addr()), p.Addr().BitLen()
	out := make([]netip.Prefix, n)
	// From the largest to the smallest: one that lies below p goes to the
	// front, one that lies above goes to the back.
	low, high := 0, n
	for bits := leaf.Bits() + 1; bits <= p.Bits(); bits++ {
		b := k.and(first(bits)).xor(nth(bits)).block(width, bits)
		if k.and(nth(bits)).zero() {
			high--
			out[high] = b
		} else {
			out[low] = b
			low++
		}
	}
	return out
}

// Border lists what changes hands when a block becomes another that contains it or lies in it.
func Border(from, to netip.Prefix) (rest []netip.Prefix, grows bool) {
	if to.Bits() < from.Bits() {
		return Buddies(to, from), true
	}
	return Buddies(from, to), false
}

// Buddy names the other half of the block one bit shorter than p. A /0 has no
// buddy and gives the zero Prefix.
func Buddy(p netip.Prefix) netip.Prefix {
	if !p.IsValid() || p.Bits() == 0 {
		return netip.Prefix{}
	}
	n := p.Bits()
	return keyOf(p.Addr()).and(first(n)).xor(nth(n)).block(p.Addr().BitLen(), n)
}

// parent is the block one bit shorter that holds p; p must not be a /0.
func parent(p netip.Prefix) netip.Prefix {
	return keyOf(p.Addr()).and(first(p.Bits()-1)).block(p.Addr().BitLen(), p.Bits()-1)
}

// Cover lists the free blocks of root when the blocks in used are taken: the
// fewest prefixes that cover root minus used, in ascending address order. It
// is what a pool starts from, and what its leaves become when it is resized.
//
// The blocks in used may come in any order and may repeat or nest; host bits
// beyond their length are ignored. One that lies outside root, is of another
// family or is not valid gives ErrOutside, as does a root that is not valid.
// The cost is a sort plus one step per bit between root and each used block.
func Cover(root netip.Prefix, used []netip.Prefix) ([]netip.Prefix, error) {
	if !root.IsValid() {
		return nil, fmt.Errorf("cover %v: %w: the root is not a block", root, ErrOutside)
	}
	root = root.Masked()
	taken := make([]netip.Prefix, len(used))
	for i, u := range used {
		taken[i] = u.Masked()
		if !contains(root, taken[i]) {
			return nil, fmt.Errorf("cover %v around %v: %w", root, u, ErrOutside)
		}
	}
	slices.SortFunc(taken, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	return cover(nil, root, taken), nil
}

// cover appends the free blocks of block to out. All of taken lies inside
// block, sorted by address and then from large to small, so that a block taken
// as a whole shows in the first element.
func cover(out []netip.Prefix, block netip.Prefix, taken []netip.Prefix) []netip.Prefix {
	if len(taken) == 0 {
		return append(out, block)
	}
	if taken[0].Bits() == block.Bits() {
		return out
	}
	lower := netip.PrefixFrom(block.Addr(), block.Bits()+1)
	upper := Buddy(lower)
	n, _ := slices.BinarySearchFunc(taken, upper.Addr(), func(p netip.Prefix, a netip.Addr) int {
		return p.Addr().Compare(a)
	})
	out = cover(out, lower, taken[:n])
	return cover(out, upper, taken[n:])
}
