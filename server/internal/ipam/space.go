package ipam

import (
	"errors"
	"maps"
	"math/big"
	"net/netip"
)

// Utilization is how full a pool is, exactly. Counts of addresses are big: an IPv6 pool holds up to 2^128.
type Utilization struct {
	Used, Free, Total *big.Int
	Quarantined       *big.Int // of what is used
	LargestFree       *int     // length of the largest free block; nil when nothing is free
	Children          int64
	Allocations       int64
}

// UsedRatio is the taken share, 0 to 1.
func (u Utilization) UsedRatio() float64 { return ratio(u.Used, u.Total) }

// Fragmentation is 1 minus the share of the free space that lies in the largest free block; 0 when nothing is free.
func (u Utilization) Fragmentation(family int) float64 {
	if u.LargestFree == nil {
		return 0
	}
	return 1 - ratio(Size(family, *u.LargestFree), u.Free)
}

func ratio(a, b *big.Int) float64 {
	if b.Sign() == 0 {
		return 0
	}
	r, _ := new(big.Rat).SetFrac(a, b).Float64()
	return r
}

// Size is the number of addresses in a block.
func Size(family, length int) *big.Int {
	return new(big.Int).Lsh(big.NewInt(1), uint(width(family)-length))
}

// FreeSize is how much of a pool is free in blocks of one length.
type FreeSize struct {
	Length int
	Blocks int64        // free blocks of exactly this length
	First  netip.Prefix // the lowest of them
	Fits   *big.Int     // how many disjoint blocks of this length fit in all that is free
}

// Block is one piece of a pool's space map.
type Block struct {
	CIDR   netip.Prefix
	Prefix *Prefix      // nil when the block is free, or guarded
	Guard  *Observation // what a cloud has there, so that it is not handed out though nobody has it
}

// Segment is a stretch of a pool's space bar, 0 to 1.
type Segment struct {
	Start, End float64
	Kind       Kind
}

// TreeNode is a pool in its place in the tree.
type TreeNode struct {
	Pool        Pool
	Depth       int
	Utilization Utilization
	Bar         []Segment
}

// ScopeLane names the root space of a scope, for writes to queue in.
func ScopeLane(scope string) string { return "/" + scope }

// NoScope says that a scope named in a body is not there.
func NoScope(err error) error {
	if e, ok := errors.AsType[*Error](err); ok && e.Code == CodeNotFound {
		return Invalid("/scope", "%s", e.Detail)
	}
	return err
}

// Apply returns the scope with the settings of the patch.
func (s Scope) Apply(patch ScopePatch) Scope {
	set(&s.ID, patch.Name)
	set(&s.Description, patch.Description)
	if patch.Labels != nil {
		s.Labels = maps.Clone(*patch.Labels)
	}
	return s
}
