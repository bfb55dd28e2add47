package alloc

import (
	"net/netip"

	"pgregory.net/rapid"
)

var strategies = []Strategy{BestFit, FirstFit, LargestFit, Sparse}

// load is a pool that takes a million blocks of mixed lengths.
type load struct {
	name      string
	root      netip.Prefix
	low, high int // the lengths asked for
}

var (
	loadV4 = load{"V4", netip.MustParsePrefix("0.0.0.0/0"), 20, 28}
	loadV6 = load{"V6", netip.MustParsePrefix("2001::/20"), 52, 64}
)

func drawStrategy(t *rapid.T) Strategy {
	return rapid.SampledFrom(strategies).Draw(t, "strategy")
}

// drawRoot draws a pool of either family: any length, with the ends and the
// small pools that fill up quickly drawn often.
func drawRoot(t *rapid.T) netip.Prefix {
	width := rapid.SampledFrom([]int{32, 128}).Draw(t, "width")
	n := rapid.OneOf(
		rapid.Just(0), rapid.Just(width), rapid.Just(width-1),
		rapid.IntRange(width-9, width),
		rapid.IntRange(0, width),
	).Draw(t, "root length")
	return drawInside(t, netip.PrefixFrom(key{}.block(width, 0).Addr(), 0), n)
}

// drawInside draws a block of length n inside outer.
func drawInside(t *rapid.T, outer netip.Prefix, n int) netip.Prefix {
	k := key{rapid.Uint64().Draw(t, "high"), rapid.Uint64().Draw(t, "low")}
	inner := k.andNot(first(outer.Bits())).and(first(n))
	return keyOf(outer.Addr()).or(inner).block(outer.Addr().BitLen(), n)
}

// drawLength draws a length to ask of root: mostly ones that a few requests
// exhaust, and now and then one that no block can have.
func drawLength(t *rapid.T, root netip.Prefix) int {
	width := root.Addr().BitLen()
	return rapid.OneOf(
		rapid.IntRange(root.Bits(), min(root.Bits()+4, width)),
		rapid.IntRange(root.Bits(), min(root.Bits()+14, width)),
		rapid.IntRange(root.Bits(), width),
		rapid.IntRange(-1, 130),
	).Draw(t, "length")
}

// drawBlock draws a block to name: anywhere in root, outside it, or a relative
// of one in known, which is where merges and refusals happen.
func drawBlock(t *rapid.T, root netip.Prefix, known []netip.Prefix) netip.Prefix {
	width := root.Addr().BitLen()
	if len(known) == 0 || rapid.IntRange(0, 3).Draw(t, "relative") == 0 {
		if rapid.IntRange(0, 15).Draw(t, "outside") == 0 {
			w := rapid.SampledFrom([]int{32, 128}).Draw(t, "width")
			all := netip.PrefixFrom(key{}.block(w, 0).Addr(), 0)
			return drawInside(t, all, rapid.IntRange(0, w).Draw(t, "length"))
		}
		return drawInside(t, root, rapid.IntRange(root.Bits(), width).Draw(t, "length"))
	}
	p := rapid.SampledFrom(known).Draw(t, "known")
	switch rapid.SampledFrom([]string{"same", "buddy", "parent", "child"}).Draw(t, "kin") {
	case "buddy":
		if p.Bits() > 0 {
			return Buddy(p)
		}
	case "parent":
		up := rapid.IntRange(1, 8).Draw(t, "up")
		return netip.PrefixFrom(p.Addr(), max(p.Bits()-up, 0)).Masked()
	case "child":
		down := rapid.IntRange(1, 20).Draw(t, "down")
		return drawInside(t, p, min(p.Bits()+down, p.Addr().BitLen()))
	}
	return p
}
