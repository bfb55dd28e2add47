package ipam

import (
	"net/netip"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
)

// Placing is how a request wants its block chosen. It is about this choice alone: what stands, or was promised and is not excluded,
// stays.
type Placing struct {
	Strategy alloc.Strategy // "": the pool's
	Exclude  []netip.Prefix // the block shares no address with these
	Guarded  []netip.Prefix // nor with these, which no request says: clouds use them, or policies keep them
	Barred   []netip.Prefix // what policies keep out of use
	BarredBy []string       // the pools whose policies those are
	Seen     Seen           // what of clouds must have been seen
}

// Excludes reports whether a block shares an address with what the request or a policy excludes.
func (p Placing) Excludes(block netip.Prefix) bool {
	for _, x := range slices.Concat(p.Exclude, p.Barred) {
		if x.Overlaps(block) {
			return true
		}
	}
	return false
}

// Outside is what is left of a block without what is excluded.
func (p Placing) Outside(block netip.Prefix) ([]netip.Prefix, error) {
	var inside []netip.Prefix
	for _, x := range slices.Concat(p.Exclude, p.Guarded) {
		switch {
		case !x.Overlaps(block):
		case x.Bits() <= block.Bits():
			return nil, nil
		default:
			inside = append(inside, x)
		}
	}
	return alloc.Cover(block, inside)
}

// Anywhere reports whether all of a pool may serve.
func (p Placing) Anywhere() bool { return len(p.Exclude)+len(p.Guarded) == 0 }

// check refuses what cannot be meant, of a request that may name its CIDR.
func (p Placing) check(cidr netip.Prefix) error {
	switch {
	case p.Strategy != "" && !p.Strategy.Valid():
		return Invalid("/strategy", "%q is not a strategy; use best_fit, first_fit, largest_fit or sparse", p.Strategy)
	case cidr.IsValid() && Placing{Exclude: p.Exclude}.Excludes(cidr):
		return Invalid("/exclude", "%s is asked for and excluded; leave one out", cidr)
	}
	return nil
}
