package alloc

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"go4.org/netipx"
	"pgregory.net/rapid"
)

func TestWholePoolIsHandedOutOnceAndComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		root, s := drawRoot(t), drawStrategy(t)
		bits := min(root.Bits()+rapid.IntRange(0, 9).Draw(t, "below"), root.Addr().BitLen())
		tree := NewTree(root)
		var held []netip.Prefix
		for {
			p, err := tree.Allocate(s, bits)
			if errors.Is(err, ErrNoFit) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if p.Bits() != bits || !root.Overlaps(p) || p != p.Masked() {
				t.Fatalf("a /%d of %v was placed at %v", bits, root, p)
			}
			held = append(held, p)
		}
		if len(held) != 1<<(bits-root.Bits()) {
			t.Fatalf("%v held %d blocks of length %d", root, len(held), bits)
		}
		ascending := slices.SortedFunc(slices.Values(held), netip.Prefix.Compare)
		if len(slices.Compact(ascending)) != len(held) {
			t.Fatal("one block was handed out twice")
		}
		if _, ok := tree.Largest(); ok || tree.Utilization() != 1 || tree.Fragmentation() != 0 {
			t.Fatal("a full pool has room")
		}
		for p := range tree.Free() {
			t.Fatalf("%v is free in a full pool", p)
		}
		for _, p := range rapid.Permutation(held).Draw(t, "order") {
			if err := tree.Release(p); err != nil {
				t.Fatal(err)
			}
		}
		if free := slices.Collect(tree.Free()); !slices.Equal(free, []netip.Prefix{root}) {
			t.Fatalf("%v came back as %v", root, free)
		}
		if tree.Utilization() != 0 || tree.top.occupied() != 0 {
			t.Fatal("an empty pool is in use")
		}
	})
}

func TestReleaseUndoesAllocate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, _ := drawTree(t)
		before := slices.Collect(tree.Free())
		s, bits := drawStrategy(t), drawLength(t, tree.Root())
		p, err := tree.Allocate(s, bits)
		if err == nil {
			if !tree.Overlaps(p) {
				t.Fatalf("%v was placed and is not held", p)
			}
			err = tree.Release(p)
		} else if errors.Is(err, ErrNoFit) {
			err = nil
		}
		if err != nil {
			t.Fatal(err)
		}
		if after := slices.Collect(tree.Free()); !slices.Equal(before, after) {
			t.Fatalf("free space went from %v to %v", before, after)
		}
	})
}

func TestReturnOfFreeSpaceIsRefusedAndChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, m := drawTree(t)
		slice := &sorted{m.root, m.leaves()}
		free := m.leaves()
		if len(free) == 0 {
			return
		}
		p := drawBlock(t, tree.Root(), free)
		if !slices.ContainsFunc(free, p.Overlaps) {
			return
		}
		for _, l := range []Leaves{tree, slice} {
			if err := Return(l, tree.Root(), p); !errors.Is(err, ErrNotHeld) {
				t.Fatalf("%T: Return(%v) = %v with %v free", l, p, err, free)
			}
		}
		if after := slices.Collect(tree.Free()); !slices.Equal(after, free) || !slices.Equal(slice.leaves, free) {
			t.Fatalf("a refusal changed %v to %v and %v", free, after, slice.leaves)
		}
	})
}

// A few hundred steps of rapid never fill a node; thousands of blocks do.
func TestTreeChoosesAsTheSortedSliceDoesUnderLongChurn(t *testing.T) {
	for _, l := range []load{loadV4, loadV6} {
		r := rand.New(rand.NewPCG(3, 4))
		tree, slice := NewTree(l.root), &sorted{l.root, []netip.Prefix{l.root}}
		var held []netip.Prefix
		for step := range 6000 {
			if len(held) > 0 && r.IntN(100) < 30+step/150 {
				i := r.IntN(len(held))
				p := held[i]
				held = slices.Delete(held, i, i+1)
				if err := errors.Join(Return(tree, l.root, p), Return(slice, l.root, p)); err != nil {
					t.Fatal(err)
				}
				continue
			}
			s, bits := strategies[r.IntN(2)], l.low+r.IntN(l.high-l.low+1)
			if r.IntN(50) == 0 {
				s = strategies[2+r.IntN(2)]
			}
			got, err := Place(tree, s, bits)
			want, err2 := Place(slice, s, bits)
			if err != nil || err2 != nil || got != want {
				t.Fatalf("step %d: the tree places a /%d %s at %v (%v), the slice at %v (%v)", step, bits, s, got, err, want, err2)
			}
			held = append(held, got)
		}
		if got := slices.Collect(tree.Free()); !slices.Equal(got, slice.leaves) {
			t.Fatalf("free: %d blocks in the tree, %d in the slice", len(got), len(slice.leaves))
		}
	}
}

func TestAddTakesAnyHeldSpaceOrChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, m := drawTree(t)
		before, counts := m.leaves(), tree.FreeByLength()
		var back []netip.Prefix
		fits := true
		for range rapid.IntRange(1, 4).Draw(t, "blocks") {
			p := drawBlock(t, tree.Root(), m.held())
			back = append(back, p)
			fits = m.giveBack(p) && fits
		}
		err := tree.Add(back...)
		want := m.leaves()
		if !fits {
			want = before
		}
		if (err == nil) != fits || err != nil && !errors.Is(err, ErrNotHeld) || errors.Is(err, ErrTaken) {
			t.Fatalf("Add(%v) = %v with %v free", back, err, before)
		}
		if got := slices.Collect(tree.Free()); !slices.Equal(got, want) {
			t.Fatalf("Add(%v) made %v of %v", back, got, before)
		}
		if !fits && tree.FreeByLength() != counts {
			t.Fatalf("a refused Add(%v) changed the counts", back)
		}
		c := &pair{T: t, tree: tree, sorted: &sorted{m.root, want}, model: m}
		if fits {
			c.check()
		}
	})
}

func TestRemoveTakesNothingButAWholeLeaf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, m := drawTree(t)
		free := m.leaves()
		p := drawBlock(t, tree.Root(), append(m.held(), free...))
		i := slices.Index(free, p)
		if err := tree.Remove(p); (err == nil) != (i >= 0) || err != nil && !errors.Is(err, ErrTaken) {
			t.Fatalf("Remove(%v) = %v with %v free", p, err, free)
		}
		if i >= 0 {
			free = slices.Delete(slices.Clone(free), i, i+1)
		}
		if got := slices.Collect(tree.Free()); !slices.Equal(got, free) {
			t.Fatalf("Remove(%v) left %v, want %v", p, got, free)
		}
		if ok, err := tree.Discard(p); ok || err != nil {
			t.Fatalf("Discard(%v) = %v, %v right after Remove", p, ok, err)
		}
	})
}

// broken fails at a given call, as a storage does whose connection is gone.
type broken struct {
	Leaves
	calls int
}

var errBroken = errors.New("the connection is gone")

func (b *broken) fails() bool { b.calls--; return b.calls == 0 }

func (b *broken) Pick(s Strategy, bits int) (netip.Prefix, error) {
	if b.fails() {
		return netip.Prefix{}, errBroken
	}
	return b.Leaves.Pick(s, bits)
}

func (b *broken) Around(p netip.Prefix) (netip.Prefix, error) {
	if b.fails() {
		return netip.Prefix{}, errBroken
	}
	return b.Leaves.Around(p)
}

func (b *broken) Remove(leaf netip.Prefix) error {
	if b.fails() {
		return errBroken
	}
	return b.Leaves.Remove(leaf)
}

func (b *broken) Discard(leaf netip.Prefix) (bool, error) {
	if b.fails() {
		return false, errBroken
	}
	return b.Leaves.Discard(leaf)
}

func (b *broken) Add(leaves ...netip.Prefix) error {
	if b.fails() {
		return errBroken
	}
	return b.Leaves.Add(leaves...)
}

func TestStorageErrorsComeThrough(t *testing.T) {
	root, p := netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16")
	for name, c := range map[string]struct {
		calls int
		do    func(Leaves) error
	}{
		"Place":   {3, func(l Leaves) error { _, err := Place(l, BestFit, 24); return err }},
		"PlaceAt": {3, func(l Leaves) error { return PlaceAt(l, netip.MustParsePrefix("10.9.0.0/24")) }},
		"Return":  {9, func(l Leaves) error { return Return(l, root, p) }},
	} {
		for failing := 1; failing <= c.calls+1; failing++ {
			tree := NewTree(root)
			if err := errors.Join(tree.AllocateAt(p), tree.AllocateAt(netip.MustParsePrefix("10.64.0.0/16"))); err != nil {
				t.Fatal(err)
			}
			err := c.do(&broken{tree, failing})
			if failing <= c.calls && !errors.Is(err, errBroken) || failing > c.calls && err != nil {
				t.Errorf("%s with call %d failing: %v", name, failing, err)
			}
		}
	}
}

// wrong is Leaves that pick a block smaller than asked.
type wrong struct{ *Tree }

func (wrong) Pick(Strategy, int) (netip.Prefix, error) {
	return netip.MustParsePrefix("10.0.0.0/25"), nil
}

func TestPlaceTakesNothingFromALeafThatIsTooSmall(t *testing.T) {
	tree := NewTree(netip.MustParsePrefix("10.0.0.0/8"))
	if p, err := Place(wrong{tree}, BestFit, 24); !errors.Is(err, ErrNoFit) || tree.Utilization() != 0 {
		t.Fatalf("a /24 was placed in a /25 at %v (%v)", p, err)
	}
}

func TestErrorsNameTheBlockAndThePool(t *testing.T) {
	tree := NewTree(netip.MustParsePrefix("10.0.0.0/8"))
	in, out, host := netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("11.0.0.0/16"), netip.MustParsePrefix("10.0.0.1/24")
	_, tooLarge := tree.Allocate(BestFit, 7)
	_, tooSmall := tree.Allocate(BestFit, 33)
	_, negative := tree.Allocate(BestFit, -1)
	_, around := tree.Around(host)
	_, unknown := tree.Allocate("", 24)
	for _, c := range []struct {
		err   error
		kind  error
		words []string
	}{
		{tooLarge, ErrNoFit, []string{"/7", "10.0.0.0/8"}},
		{tooSmall, ErrNoFit, []string{"/33", "10.0.0.0/8"}},
		{negative, ErrNoFit, []string{"/-1"}},
		{around, ErrTaken, []string{"10.0.0.1/24", "10.0.0.0/8"}},
		{unknown, unknown, []string{"/24", `""`}},
		{tree.AllocateAt(out), ErrTaken, []string{"11.0.0.0/16", "10.0.0.0/8"}},
		{tree.AllocateAt(host), ErrTaken, []string{"10.0.0.1/24"}},
		{tree.AllocateAt(netip.Prefix{}), ErrTaken, []string{"invalid Prefix"}},
		{tree.Release(in), ErrNotHeld, []string{"10.1.0.0/16", "10.0.0.0/8"}},
		{tree.Release(out), ErrNotHeld, []string{"11.0.0.0/16", "10.0.0.0/8"}},
		{tree.Release(host), ErrNotHeld, []string{"10.0.0.1/24"}},
		{tree.Remove(in), ErrTaken, []string{"10.1.0.0/16", "10.0.0.0/8"}},
		{tree.Add(in), ErrNotHeld, []string{"10.1.0.0/16", "10.0.0.0/8"}},
	} {
		if c.err == nil || !errors.Is(c.err, c.kind) {
			t.Errorf("got %v, want %v", c.err, c.kind)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(c.err.Error(), w) {
				t.Errorf("%q does not name %s", c.err, w)
			}
		}
	}
}

func TestBuddiesAreWhatTheBlockLeavesOfTheLeaf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaf := drawRoot(t)
		p := drawBlock(t, leaf, []netip.Prefix{leaf})
		m := newModel(leaf)
		inside := m.placeAt(p)
		if got := Buddies(leaf, p); inside && !slices.Equal(got, m.leaves()) || !inside && got != nil {
			t.Fatalf("Buddies(%v, %v) = %v", leaf, p, got)
		}
		b := Buddy(p)
		if p.Bits() == 0 {
			if b.IsValid() {
				t.Fatalf("Buddy(%v) = %v", p, b)
			}
			return
		}
		both := newModel(p)
		both.change(func(s *netipx.IPSetBuilder) { s.AddPrefix(b) })
		if Buddy(b) != p || p.Overlaps(b) || !slices.Equal(both.leaves(), []netip.Prefix{parent(p)}) {
			t.Fatalf("Buddy(%v) = %v", p, b)
		}
	})
}

func TestCutLiesInTheLeafOrIsTheZeroPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaf, s := drawRoot(t), drawStrategy(t)
		bits := drawLength(t, leaf)
		got := Cut(leaf, s, bits)
		var want netip.Prefix
		if leaf.Bits() <= bits && bits <= leaf.Addr().BitLen() {
			want = newModel(leaf).cut(leaf, s, bits)
		}
		if got != want || want.IsValid() && !leaf.Contains(got.Addr()) {
			t.Fatalf("Cut(%v, %v, %d) = %v, want %v", leaf, s, bits, got, want)
		}
	})
	if p := Cut(netip.Prefix{}, BestFit, 0); p.IsValid() {
		t.Fatalf("Cut of no leaf is %v", p)
	}
}

func TestCoverTakesBlocksInAnyOrderNestedAndRepeated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		root := drawRoot(t)
		m := newModel(root)
		var used []netip.Prefix
		outside := false
		for range rapid.IntRange(0, 8).Draw(t, "blocks") {
			p := drawBlock(t, root, used)
			used = append(used, p)
			outside = outside || p.Bits() < root.Bits() || !root.Overlaps(p)
			m.change(func(b *netipx.IPSetBuilder) { b.RemovePrefix(p) })
		}
		got, err := Cover(root, used)
		if outside {
			if !errors.Is(err, ErrOutside) {
				t.Fatalf("Cover(%v, %v) = %v, %v", root, used, got, err)
			}
			return
		}
		if err != nil || !slices.Equal(got, m.leaves()) {
			t.Fatalf("Cover(%v, %v) = %v, %v; want %v", root, used, got, err, m.leaves())
		}
	})
	if _, err := Cover(netip.Prefix{}, nil); !errors.Is(err, ErrOutside) {
		t.Fatalf("Cover of no root: %v", err)
	}
}

func TestOnlyTheFourStrategiesAreValid(t *testing.T) {
	for _, s := range strategies {
		if !s.Valid() {
			t.Errorf("%s is not valid", s)
		}
	}
	for _, s := range []Strategy{"", "BEST_FIT", "best-fit", "worst_fit"} {
		if s.Valid() {
			t.Errorf("%q is valid", s)
		}
	}
}
