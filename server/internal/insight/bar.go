package insight

import (
	"math/bits"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// mostCells is the resolution of a space bar; a pool with fewer addresses has a cell for each.
const mostCells = 200

// bar draws what occupies a pool, in cells of equal size. It needs the free blocks and the few things that are no allocation:
// so a pool with a million allocations costs what its free blocks do. A cell is free when all of it is, and otherwise shows the
// first of what was marked in it: an allocation where nothing was.
type bar struct {
	pool  netip.Prefix
	cells []ipam.Kind // "" of one that is free
	run   span        // of free blocks next to each other, which has not been drawn yet
}

func newBar(pool netip.Prefix) bar {
	n := mostCells
	if size := pool.Addr().BitLen() - pool.Bits(); size < 8 {
		n = min(n, 1<<size)
	}
	b := bar{pool: pool, cells: make([]ipam.Kind, n)}
	for i := range b.cells {
		b.cells[i] = ipam.KindAllocation
	}
	return b
}

// span is a stretch of a pool in parts of 2^62 of it; blocks smaller than that share one.
type span struct{ start, end uint64 }

const whole = 1 << 62

func (b *bar) span(block netip.Prefix) span {
	if block.Bits() <= b.pool.Bits() {
		return span{0, whole}
	}
	raw := block.Addr().As16()
	skip := b.pool.Bits()
	if block.Addr().Is4() {
		skip += 96
	}
	var start uint64
	for i := range 62 { // the bits of the address behind the pool's
		start <<= 1
		if at := skip + i; at < 128 {
			start |= uint64(raw[at/8]>>(7-at%8)) & 1
		}
	}
	return span{start, start + max(1, uint64(whole)>>min(62, block.Bits()-b.pool.Bits()))}
}

// cell is n parts of the pool's cells, rounded down or up.
func (b *bar) cell(at uint64, up bool) int {
	high, low := bits.Mul64(at, uint64(len(b.cells)))
	cell := int(high<<2 | low>>62)
	if up && low<<2 != 0 {
		cell++
	}
	return cell
}

// free draws free blocks, which come in address order.
func (b *bar) free(block netip.Prefix) {
	s := b.span(block)
	if s.start == b.run.end && b.run.end != 0 {
		b.run.end = s.end
		return
	}
	b.draw()
	b.run = s
}

func (b *bar) draw() {
	for i := b.cell(b.run.start, true); i < b.cell(b.run.end, false); i++ {
		b.cells[i] = ""
	}
	b.run = span{}
}

// mark says what kind of thing has a block. It comes after all that is free.
func (b *bar) mark(block netip.Prefix, kind ipam.Kind) {
	b.draw()
	s := b.span(block)
	for i := b.cell(s.start, false); i < min(b.cell(s.end, true), len(b.cells)); i++ {
		if b.cells[i] == ipam.KindAllocation {
			b.cells[i] = kind
		}
	}
}

// segments joins neighbours of one kind.
func (b *bar) segments() []ipam.Segment {
	b.draw()
	var out []ipam.Segment
	n := float64(len(b.cells))
	for i, kind := range b.cells {
		switch last := len(out) - 1; {
		case kind == "":
		case last >= 0 && out[last].Kind == kind && out[last].End == float64(i)/n:
			out[last].End = float64(i+1) / n
		default:
			out = append(out, ipam.Segment{Start: float64(i) / n, End: float64(i+1) / n, Kind: kind})
		}
	}
	return out
}
