package alloc

import (
	"errors"
	"math/big"
	"net/netip"
	"slices"
	"testing"

	"go4.org/netipx"
	"pgregory.net/rapid"
)

// pair runs every request on the tree, on the sorted slice and on the model.
type pair struct {
	*rapid.T
	tree   *Tree
	sorted *sorted
	model  *model
	known  []netip.Prefix
}

func (c *pair) place() {
	s, bits := drawStrategy(c.T), drawLength(c.T, c.model.root)
	want, fits := c.model.place(s, bits)
	reason := c.tree.WhyNot(bits)
	if reason.Fits != fits {
		c.Fatalf("WhyNot(%d).Fits = %v, and it is %v", bits, reason.Fits, fits)
	}
	for _, l := range []Leaves{c.tree, c.sorted} {
		got, err := Place(l, s, bits)
		switch {
		case fits && (err != nil || got != want):
			c.Fatalf("%T: Place(%v, %d) = %v, %v; want %v", l, s, bits, got, err, want)
		case !fits && !errors.Is(err, ErrNoFit):
			c.Fatalf("%T: Place(%v, %d) = %v, %v; want ErrNoFit", l, s, bits, got, err)
		}
	}
	if fits {
		c.known = append(c.known, want)
	}
}

func (c *pair) placeAt() {
	p := drawBlock(c.T, c.model.root, c.known)
	fits := c.model.placeAt(p)
	if got := c.tree.WhyNotAt(p).Fits; got != fits {
		c.Fatalf("WhyNotAt(%v).Fits = %v, and it is %v", p, got, fits)
	}
	for _, l := range []Leaves{c.tree, c.sorted} {
		err := PlaceAt(l, p)
		if fits && err != nil || !fits && !errors.Is(err, ErrTaken) {
			c.Fatalf("%T: PlaceAt(%v) = %v; free: %v", l, p, err, fits)
		}
	}
	if fits {
		c.known = append(c.known, p)
	}
}

func (c *pair) giveBack() {
	p := drawBlock(c.T, c.model.root, c.known)
	held := c.model.giveBack(p)
	for _, l := range []Leaves{c.tree, c.sorted} {
		err := Return(l, c.model.root, p)
		if held && err != nil || !held && !errors.Is(err, ErrNotHeld) {
			c.Fatalf("%T: Return(%v) = %v; held: %v", l, p, err, held)
		}
	}
}

func (c *pair) check() {
	want := c.model.leaves()
	if !slices.Equal(c.sorted.leaves, want) {
		c.Fatalf("sorted: free %v, want %v", c.sorted.leaves, want)
	}
	got := slices.Collect(c.tree.Free())
	if !slices.Equal(got, want) {
		c.Fatalf("tree: free %v, want %v", got, want)
	}
	held := c.model.held()
	if got := slices.Collect(c.tree.Held()); !slices.Equal(got, held) {
		c.Fatalf("tree: held %v, want %v", got, held)
	}
	if got, err := Cover(c.model.root, rapid.Permutation(held).Draw(c.T, "order")); err != nil || !slices.Equal(got, want) {
		c.Fatalf("Cover(%v) = %v, %v; want %v", held, got, err, want)
	}
	var count [129]uint64
	sum, largest := new(big.Int), 129
	for _, p := range want {
		count[p.Bits()]++
		sum.Add(sum, new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits())))
		largest = min(largest, p.Bits())
	}
	if got := c.tree.FreeByLength(); got != count {
		c.Fatalf("FreeByLength() = %v, want %v", got, count)
	}
	if got, ok := c.tree.Largest(); ok != (len(want) > 0) || ok && got != largest {
		c.Fatalf("Largest() = %v, %v; free %v", got, ok, want)
	}
	heldSize, total := c.tree.Addresses()
	if heldSize.Add(heldSize, sum).Cmp(total) != 0 {
		c.Fatalf("held and free addresses add up to %v, and there are %v", heldSize, total)
	}
	p := drawBlock(c.T, c.model.root, c.known)
	overlaps := slices.ContainsFunc(held, p.Overlaps)
	if got := c.tree.Overlaps(p); got != overlaps {
		c.Fatalf("Overlaps(%v) = %v; held %v", p, got, held)
	}
	host := netip.PrefixFrom(netipx.RangeOfPrefix(p).To(), p.Bits())
	if got := c.tree.Overlaps(host); got != overlaps {
		c.Fatalf("Overlaps(%v) = %v; held %v", host, got, held)
	}
	if c.tree.free != c.tree.top.lengths(c.tree.whole.bits) {
		c.Fatalf("the lengths of the root are out of date")
	}
	c.node(&c.tree.top, c.tree.whole.bits)
}

// node checks what a node promises of its kids.
func (c *pair) node(n *node, d int) {
	if n.used&n.hole|n.used&n.kid|n.hole&n.kid != 0 {
		c.Fatalf("a slot of a node at depth %d is in two states", d)
	}
	if rank(n.hole|n.kid, 64) != len(n.entries) {
		c.Fatalf("a node at depth %d has entries without a slot", d)
	}
	for s := range 64 {
		switch {
		case n.hole>>s&1 != 0:
			if h := n.entry(s); h.node != nil || h.bits <= d+stride || h.at.slot(d) != s {
				c.Fatalf("hole %v is not one of slot %d at depth %d", h.block, s, d)
			}
		case n.kid>>s&1 != 0:
			k := n.entry(s)
			if k.at != k.node.lengths(d+stride) {
				c.Fatalf("the lengths of a kid at depth %d are out of date", d)
			}
			if k.node.kid == 0 && len(k.node.entries)+runs(k.node.used) < 2 {
				c.Fatalf("a kid at depth %d is empty, full or one block", d)
			}
			c.node(k.node, d+stride)
		}
	}
}

// runs counts the aligned runs of 2^j slots that make up used.
func runs(used uint64) (n int) {
	for j := range stride {
		var alone uint64
		used, alone = fold(used, j)
		n += rank(alone, 64)
	}
	return n + int(used)
}

func freeSpaceEqualsTheModel(t *rapid.T) {
	root := drawRoot(t)
	c := &pair{T: t, tree: NewTree(root), sorted: &sorted{root, []netip.Prefix{root}}, model: newModel(root)}
	t.Repeat(map[string]func(*rapid.T){
		"place":      func(*rapid.T) { c.place() },
		"place more": func(*rapid.T) { c.place() },
		"place at":   func(*rapid.T) { c.placeAt() },
		"give back":  func(*rapid.T) { c.giveBack() },
		"":           func(*rapid.T) { c.check() },
	})
}

func TestFreeSpaceEqualsTheModelAfterEveryStep(t *testing.T) {
	rapid.Check(t, freeSpaceEqualsTheModel)
}

func FuzzFreeSpaceEqualsTheModelAfterEveryStep(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(freeSpaceEqualsTheModel))
}
