package bulk

import (
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// order is in which order rows are done: as they come, but a pool after those that are around it.
func order(rows []Row) []int {
	type place struct {
		scope string
		cidr  netip.Prefix
	}
	byID, byPlace := map[string]int{}, map[place]int{}
	for n, r := range rows {
		p, is := r.Ask.(*Pool)
		if !is || r.Problem != nil {
			continue
		}
		byID[ipam.PoolID(p.scope(), p.New.Name)] = n
		if at := (place{p.scope(), p.New.CIDR}); p.New.CIDR.IsValid() {
			if _, twice := byPlace[at]; !twice {
				byPlace[at] = n
			}
		}
	}
	all, begun := make([]int, 0, len(rows)), make([]bool, len(rows))
	var visit func(n int)
	visit = func(n int) {
		if begun[n] {
			return
		}
		begun[n] = true
		if p, is := rows[n].Ask.(*Pool); is && rows[n].Problem == nil {
			if parent, is := byID[p.New.Parent]; is {
				visit(parent)
			}
			for bits := p.New.CIDR.Bits() - 1; bits >= 0; bits-- {
				if around, is := byPlace[place{p.scope(), netip.PrefixFrom(p.New.CIDR.Addr(), bits).Masked()}]; is {
					visit(around)
				}
			}
		}
		all = append(all, n)
	}
	for n := range rows {
		visit(n)
	}
	return all
}
