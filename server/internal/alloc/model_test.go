package alloc

import (
	"cmp"
	"errors"
	"math/big"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// model is the free space of a pool as a set of addresses. Everything it
// answers, it reads off the canonical prefixes of that set.
type model struct {
	root netip.Prefix
	free *netipx.IPSet
}

func newModel(root netip.Prefix) *model {
	m := &model{root: root}
	m.change(func(b *netipx.IPSetBuilder) { b.AddPrefix(root) })
	return m
}

func (m *model) change(f func(*netipx.IPSetBuilder)) {
	var b netipx.IPSetBuilder
	if m.free != nil {
		b.AddSet(m.free)
	}
	f(&b)
	var err error
	if m.free, err = b.IPSet(); err != nil {
		panic(err)
	}
}

func (m *model) leaves() []netip.Prefix { return m.free.Prefixes() }

func (m *model) held() []netip.Prefix {
	var b netipx.IPSetBuilder
	b.AddPrefix(m.root)
	b.RemoveSet(m.free)
	s, err := b.IPSet()
	if err != nil {
		panic(err)
	}
	return s.Prefixes()
}

func (m *model) pick(s Strategy, bits int) (netip.Prefix, bool) {
	return pickFrom(m.leaves(), s, bits)
}

// pickFrom chooses among leaves in ascending order: the first of the best.
func pickFrom(leaves []netip.Prefix, s Strategy, bits int) (best netip.Prefix, ok bool) {
	for _, l := range leaves {
		if l.Bits() > bits || l.Addr().BitLen() < bits {
			continue
		}
		better := !ok
		switch s {
		case BestFit:
			better = better || l.Bits() > best.Bits()
		case LargestFit, Sparse:
			better = better || l.Bits() < best.Bits()
		}
		if better {
			best, ok = l, true
		}
	}
	return best, ok
}

// cut counts addresses where Cut sets bits.
func (m *model) cut(leaf netip.Prefix, s Strategy, bits int) netip.Prefix {
	start := new(big.Int).SetBytes(leaf.Addr().AsSlice())
	if s == Sparse && leaf.Bits() < bits {
		start.Add(start, new(big.Int).Exp(big.NewInt(2), big.NewInt(int64(leaf.Addr().BitLen()-leaf.Bits()-1)), nil))
	}
	a, ok := netip.AddrFromSlice(start.FillBytes(make([]byte, leaf.Addr().BitLen()/8)))
	if !ok {
		panic("no address")
	}
	return netip.PrefixFrom(a, bits)
}

func (m *model) place(s Strategy, bits int) (netip.Prefix, bool) {
	leaf, ok := m.pick(s, bits)
	if !ok {
		return netip.Prefix{}, false
	}
	p := m.cut(leaf, s, bits)
	m.change(func(b *netipx.IPSetBuilder) { b.RemovePrefix(p) })
	return p, true
}

func (m *model) placeAt(p netip.Prefix) bool {
	if !m.free.ContainsPrefix(p) {
		return false
	}
	m.change(func(b *netipx.IPSetBuilder) { b.RemovePrefix(p) })
	return true
}

func (m *model) giveBack(p netip.Prefix) bool {
	if !netipx.RangeOfPrefix(m.root).Prefixes()[0].Overlaps(p) || p.Bits() < m.root.Bits() || m.free.OverlapsPrefix(p) {
		return false
	}
	m.change(func(b *netipx.IPSetBuilder) { b.AddPrefix(p) })
	return true
}

// sorted is Leaves as a sorted slice. It splits and merges nothing, and takes
// offence at a caller that leaves two buddies lying side by side or looks for
// one above the root, where a storage keeps the blocks of other pools.
type sorted struct {
	root   netip.Prefix
	leaves []netip.Prefix
}

var (
	_          Leaves = (*sorted)(nil)
	errBuddies        = errors.New("two buddies are both free")
	errAbove          = errors.New("the block is not of this pool")
)

func (l *sorted) Pick(s Strategy, bits int) (netip.Prefix, error) {
	if p, ok := pickFrom(l.leaves, s, bits); ok {
		return p, nil
	}
	return netip.Prefix{}, ErrNoFit
}

func (l *sorted) Around(p netip.Prefix) (netip.Prefix, error) {
	for _, leaf := range l.leaves {
		if leaf.Overlaps(p) && leaf.Bits() <= p.Bits() {
			return leaf, nil
		}
	}
	return netip.Prefix{}, ErrTaken
}

func (l *sorted) Remove(leaf netip.Prefix) error {
	if ok, _ := l.Discard(leaf); !ok {
		return ErrTaken
	}
	return nil
}

func (l *sorted) Discard(leaf netip.Prefix) (bool, error) {
	if leaf.Bits() < l.root.Bits() || !l.root.Overlaps(leaf) {
		return false, errAbove
	}
	i := slices.Index(l.leaves, leaf)
	if i < 0 {
		return false, nil
	}
	l.leaves = slices.Delete(l.leaves, i, i+1)
	return true, nil
}

func (l *sorted) Add(leaves ...netip.Prefix) error {
	for _, p := range leaves {
		for _, have := range l.leaves {
			if have.Overlaps(p) {
				return ErrNotHeld
			}
			if have == Buddy(p) {
				return errBuddies
			}
		}
	}
	l.leaves = append(l.leaves, leaves...)
	slices.SortFunc(l.leaves, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	return nil
}
