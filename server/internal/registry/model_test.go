package registry_test

import (
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// model is what a registry should do, done the obvious way: sets of addresses, and a walk over all of their blocks.
type model struct {
	roots map[string]*modelPool // by name
	pools map[string]*modelPool // all of them, by id
	last  map[lastKey]netip.Prefix
}

type modelPool struct {
	ipam.Pool
	taken map[holder]netip.Prefix
	ids   map[string]string // of the allocations, by name
}

type holder struct {
	kind ipam.Kind
	name string
}

type lastKey struct {
	space string
	holder
	length int
}

func newModel() *model {
	return &model{roots: map[string]*modelPool{}, pools: map[string]*modelPool{}, last: map[lastKey]netip.Prefix{}}
}

// cover is the fewest blocks that hold what is in all and not in taken, in address order.
func cover(all netip.Prefix, taken ...netip.Prefix) []netip.Prefix {
	var b netipx.IPSetBuilder
	b.AddPrefix(all)
	for _, p := range taken {
		b.RemovePrefix(p)
	}
	set, err := b.IPSet()
	if err != nil {
		panic(err)
	}
	return set.Prefixes()
}

func (p *modelPool) free() []netip.Prefix {
	var taken []netip.Prefix
	for _, block := range p.taken {
		taken = append(taken, block)
	}
	return cover(p.CIDR, taken...)
}

func (p *modelPool) isFree(block netip.Prefix) bool {
	for _, other := range p.taken {
		if other.Overlaps(block) {
			return false
		}
	}
	return inside(block, p.CIDR)
}

func inside(inner, outer netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Overlaps(inner)
}

// pick says where a name goes; false when it fits nowhere.
func (m *model) pick(p *modelPool, who holder, length int) (netip.Prefix, bool) {
	if last, known := m.last[lastKey{p.ID, who, length}]; known && last.Addr().BitLen() == p.CIDR.Addr().BitLen() && p.isFree(last) {
		return last, true
	}
	var best netip.Prefix
	for _, leaf := range p.free() { // in address order
		if leaf.Bits() > length {
			continue
		}
		better := !best.IsValid()
		switch p.Strategy {
		case alloc.BestFit:
			better = better || leaf.Bits() > best.Bits()
		case alloc.LargestFit, alloc.Sparse:
			better = better || leaf.Bits() < best.Bits()
		}
		if better {
			best = leaf
		}
	}
	if !best.IsValid() {
		return best, false
	}
	if p.Strategy == alloc.Sparse && best.Bits() < length {
		_, upper := halves(best)
		return netip.PrefixFrom(upper.Addr(), length), true
	}
	return netip.PrefixFrom(best.Addr(), length), true
}

func halves(p netip.Prefix) (lower, upper netip.Prefix) {
	lower = netip.PrefixFrom(p.Addr(), p.Bits()+1)
	return lower, netip.PrefixFrom(netipx.RangeOfPrefix(lower).To().Next(), p.Bits()+1)
}

func (m *model) leave(p *modelPool, who holder) {
	m.last[lastKey{p.ID, who, p.taken[who].Bits()}] = p.taken[who]
	delete(p.taken, who)
}

// around is the pool whose space a pool occupies; nil for a root.
func (m *model) around(p *modelPool) *modelPool { return m.pools[p.Parent] }

// mayBecome reports whether a pool can be resized.
func (m *model) mayBecome(p *modelPool, to netip.Prefix) bool {
	for _, block := range p.taken {
		if !inside(block, to) {
			return false
		}
	}
	parent := m.around(p)
	if parent == nil {
		for _, other := range m.roots {
			if other != p && other.CIDR.Overlaps(to) {
				return false
			}
		}
		return true
	}
	for who, block := range parent.taken {
		if who != (holder{ipam.KindPool, p.Name}) && block.Overlaps(to) {
			return false
		}
	}
	return inside(to, parent.CIDR)
}

// mayRegrow reports whether an allocation can be resized.
func (m *model) mayRegrow(p *modelPool, who holder, to netip.Prefix) bool {
	for other, block := range p.taken {
		if other != who && block.Overlaps(to) {
			return false
		}
	}
	return inside(to, p.CIDR) && to.Overlaps(p.taken[who])
}

func (m *model) ids() []string {
	ids := make([]string, 0, len(m.pools))
	for id := range m.pools {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
