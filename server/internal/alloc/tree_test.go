package alloc

import (
	"math"
	"math/big"
	"net/netip"
	"slices"
	"testing"

	"go4.org/netipx"
	"pgregory.net/rapid"
)

// drawTree draws a pool in use and its model.
func drawTree(t *rapid.T) (*Tree, *model) {
	root := drawRoot(t)
	c := &pair{T: t, tree: NewTree(root), sorted: &sorted{root, []netip.Prefix{root}}, model: newModel(root)}
	for range rapid.IntRange(0, 40).Draw(t, "steps") {
		switch rapid.IntRange(0, 3).Draw(t, "step") {
		case 0:
			c.giveBack()
		case 1:
			c.placeAt()
		default:
			c.place()
		}
	}
	return c.tree, c.model
}

func size(blocks []netip.Prefix) *big.Int {
	sum := new(big.Int)
	for _, p := range blocks {
		sum.Add(sum, new(big.Int).Exp(big.NewInt(2), big.NewInt(int64(p.Addr().BitLen()-p.Bits())), nil))
	}
	return sum
}

func TestReasonNamesWhatStandsInTheWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, m := drawTree(t)
		free := m.leaves()
		largest := -1
		for _, p := range free {
			if largest < 0 || p.Bits() < largest {
				largest = p.Bits()
			}
		}
		var r Reason
		var near netip.Prefix
		width := tree.Root().Addr().BitLen()
		if rapid.Bool().Draw(t, "by name") {
			near = drawBlock(t, tree.Root(), append(m.held(), free...))
			r = tree.WhyNotAt(near)
			if outside := !contains(tree.Root(), near); r.Outside != outside {
				t.Fatalf("WhyNotAt(%v).Outside = %v", near, r.Outside)
			}
			if !r.Fits && !r.Outside && r.Near != near {
				t.Fatalf("WhyNotAt(%v) looks at %v", near, r.Near)
			}
		} else {
			bits := drawLength(t, tree.Root())
			r = tree.WhyNot(bits)
			if outside := bits < tree.Root().Bits() || bits > width; r.Outside != outside {
				t.Fatalf("WhyNot(%d).Outside = %v", bits, r.Outside)
			}
			if r.Near.IsValid() {
				i := slices.IndexFunc(free, func(p netip.Prefix) bool { return p.Bits() == largest })
				if r.Near.Bits() != bits || !r.Near.Overlaps(free[i]) {
					t.Fatalf("WhyNot(%d) looks at %v, and %v is the largest of %v", bits, r.Near, free[i], free)
				}
			} else if !r.Fits && !r.Outside && largest >= 0 {
				t.Fatalf("WhyNot(%d) = %+v in a pool with %v free", bits, r, free)
			}
		}
		if r.Largest != largest {
			t.Fatalf("%+v with %v free", r, free)
		}
		if !r.Near.IsValid() {
			if r.Blockers != nil || r.More || r.Fragmented {
				t.Fatalf("%+v has blockers of nothing", r)
			}
			return
		}
		if want := size(free).Cmp(size([]netip.Prefix{r.Near})) >= 0; r.Fragmented != want {
			t.Fatalf("%+v with %v free", r, free)
		}
		in := newModel(r.Near)
		in.change(func(b *netipx.IPSetBuilder) { b.RemoveSet(m.free) })
		want := in.leaves()
		if r.More != (len(want) > MaxBlockers) || !slices.Equal(r.Blockers, want[:min(len(want), MaxBlockers)]) {
			t.Fatalf("%+v; want blockers %v", r, want)
		}
	})
}

func TestMoreThanMaxBlockersAreCutOff(t *testing.T) {
	tree := NewTree(netip.MustParsePrefix("10.0.0.0/24"))
	for i := range MaxBlockers + 1 {
		if err := tree.AllocateAt(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(4 * i)}), 32)); err != nil {
			t.Fatal(err)
		}
	}
	r := tree.WhyNot(24)
	if len(r.Blockers) != MaxBlockers || !r.More || r.Blockers[0].String() != "10.0.0.0/32" {
		t.Fatalf("%+v", r)
	}
}

func TestPoolIsFragmentedForWhatItsPiecesJustAddUpTo(t *testing.T) {
	tree := NewTree(netip.MustParsePrefix("10.0.0.0/24"))
	for _, p := range []string{"10.0.0.0/26", "10.0.0.128/26"} {
		if err := tree.AllocateAt(netip.MustParsePrefix(p)); err != nil {
			t.Fatal(err)
		}
	}
	for bits, want := range map[int]bool{24: false, 25: true} {
		if r := tree.WhyNot(bits); r.Fragmented != want || r.Fits {
			t.Errorf("WhyNot(%d) = %+v", bits, r)
		}
	}
	for name, want := range map[string]bool{"10.0.0.0/24": false, "10.0.0.0/25": true} {
		if r := tree.WhyNotAt(netip.MustParsePrefix(name)); r.Fragmented != want || r.Fits {
			t.Errorf("WhyNotAt(%s) = %+v", name, r)
		}
	}
	if r := tree.WhyNotAt(netip.MustParsePrefix("10.0.0.65/26")); !r.Outside || r.Fits {
		t.Errorf("a block with host bits: %+v", r)
	}
}

func TestUtilizationAndFragmentationAreTheNearestFloats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, m := drawTree(t)
		held, free := size(m.held()), size(m.leaves())
		total := new(big.Int).Add(held, free)
		if h, all := tree.Addresses(); h.Cmp(held) != 0 || all.Cmp(total) != 0 {
			t.Fatalf("Addresses() = %v, %v; want %v, %v", h, all, held, total)
		}
		want, _ := new(big.Rat).SetFrac(held, total).Float64()
		if got := tree.Utilization(); got != want {
			t.Fatalf("Utilization() = %v, want %v", got, want)
		}
		largest := new(big.Int)
		for _, p := range m.leaves() {
			if s := size([]netip.Prefix{p}); s.Cmp(largest) > 0 {
				largest = s
			}
		}
		got := tree.Fragmentation()
		if free.Sign() == 0 {
			if got != 0 {
				t.Fatalf("a full pool is fragmented by %v", got)
			}
			return
		}
		share, _ := new(big.Rat).SetFrac(largest, free).Float64()
		if math.Abs(got+share-1) > 1e-15 || got < 0 || got >= 1 {
			t.Fatalf("Fragmentation() = %v where the largest block is %v of what is free", got, share)
		}
	})
}

func TestIteratorsStopWhenAskedTo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, m := drawTree(t)
		stop := rapid.IntRange(1, 20).Draw(t, "stop")
		for name, c := range map[string]struct {
			got  func(func(netip.Prefix) bool)
			want []netip.Prefix
		}{"Free": {tree.Free(), m.leaves()}, "Held": {tree.Held(), m.held()}} {
			var got []netip.Prefix
			for p := range c.got {
				got = append(got, p)
				if len(got) == stop {
					break
				}
			}
			if !slices.Equal(got, c.want[:min(stop, len(c.want))]) {
				t.Fatalf("%s up to %d = %v, want the start of %v", name, stop, got, c.want)
			}
		}
	})
}

func TestTreeRootIsMaskedAndValid(t *testing.T) {
	if got := NewTree(netip.MustParsePrefix("10.1.2.3/8")).Root().String(); got != "10.0.0.0/8" {
		t.Errorf("the root is %s", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("a tree without a root was made")
		}
	}()
	NewTree(netip.Prefix{})
}
