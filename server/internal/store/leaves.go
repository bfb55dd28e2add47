package store

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Leaves are the free blocks of a pool as rows. Changing them needs the pool's lock (LockPool) in the same transaction.
type Leaves struct {
	tx     *Tx
	pool   int64
	id     string // of the pool, for errors
	family int
}

var _ alloc.Carver = Leaves{}

// Leaves gives the free blocks of a pool.
func (tx *Tx) Leaves(p ipam.Pool) Leaves {
	return Leaves{tx: tx, pool: p.UID.Key(), id: p.ID, family: ipam.Family(p.CIDR)}
}

// Pick finds the free block that a strategy takes a /bits from.
func (l Leaves) Pick(s alloc.Strategy, bits int) (netip.Prefix, error) {
	switch s {
	case alloc.FirstFit:
		return l.lowest(bits)
	case alloc.LargestFit, alloc.Sparse:
		largest, err := l.Largest()
		if err == nil && largest.Bits() > bits {
			return netip.Prefix{}, alloc.ErrNoFit
		}
		return largest, err
	default:
		if best, known := l.window().pick(bits); known {
			return best, nil
		}
		var first []byte
		var length int64
		err := l.tx.conn.one(l.tx.ctx, query.SmallestFreeBlock, []any{l.pool, int64(bits)}, []any{&first, &length})
		best, err := l.leaf(first, length, err, alloc.ErrNoFit)
		if err == nil {
			l.opens(bits, best)
		}
		return best, err
	}
}

// lowest asks each size that is there for its lowest block, at most 129 steps of the index: the lowest that is large
// enough may stand behind any number of smaller ones.
func (l Leaves) lowest(bits int) (best netip.Prefix, err error) {
	for length := int64(bits); length >= 0; length-- {
		length, err = l.tx.rows.FreeLengthBelow(l.tx.ctx, query.FreeLengthBelowParams{PoolID: l.pool, Length: length})
		if noRows(err) {
			break
		}
		if err != nil {
			return best, err
		}
		first, err := l.tx.rows.LowestFreeBlock(l.tx.ctx, query.LowestFreeBlockParams{PoolID: l.pool, Length: length})
		leaf, err := l.leaf(first, length, err, alloc.ErrNoFit)
		if err != nil {
			return best, err
		}
		if !best.IsValid() || leaf.Addr().Less(best.Addr()) {
			best = leaf
		}
	}
	if !best.IsValid() {
		return best, alloc.ErrNoFit
	}
	return best, nil
}

// Largest is the largest free block, the lowest address first; alloc.ErrNoFit when nothing is free.
func (l Leaves) Largest() (netip.Prefix, error) {
	row, err := l.tx.rows.LargestFreeBlock(l.tx.ctx, l.pool)
	return l.leaf(row.FirstIp, row.Length, err, alloc.ErrNoFit)
}

// Around is the free block that contains p.
func (l Leaves) Around(p netip.Prefix) (netip.Prefix, error) {
	row, err := l.tx.rows.FreeBlockBelow(l.tx.ctx, query.FreeBlockBelowParams{PoolID: l.pool, FirstIp: firstIP(p)})
	leaf, err := l.leaf(row.FirstIp, row.Length, err, alloc.ErrTaken)
	if err != nil {
		return leaf, err
	}
	if leaf.Bits() > p.Bits() || !leaf.Contains(p.Addr()) {
		return netip.Prefix{}, alloc.ErrTaken
	}
	return leaf, nil
}

// FreeAround is the free block that contains p; the zero Prefix where p is not free.
func (l Leaves) FreeAround(p netip.Prefix) (netip.Prefix, error) {
	leaf, err := l.Around(p)
	if errors.Is(err, alloc.ErrTaken) {
		return netip.Prefix{}, nil
	}
	return leaf, err
}

// Remove takes one leaf away: whoever deletes its row has the space.
func (l Leaves) Remove(leaf netip.Prefix) error {
	there, err := l.Discard(leaf)
	if err == nil && !there {
		return alloc.ErrTaken
	}
	return err
}

// Carve takes p out of a leaf and leaves the rest of it: whoever changes the leaf's row has the space. The rest needs no look
// at what is free around it.
func (l Leaves) Carve(leaf, p netip.Prefix) error {
	defer l.tx.namesStay(l.tx.conn.written)
	rest := alloc.Buddies(leaf, p)
	if w := l.window(); w != nil && !w.carve(leaf, rest) {
		l.changes()
	}
	if len(rest) == 0 {
		return l.tx.conn.must(l.tx.ctx, alloc.ErrTaken, query.RemoveFreeBlock, l.pool, firstIP(leaf), int64(leaf.Bits()))
	}
	err := l.tx.conn.must(l.tx.ctx, alloc.ErrTaken, query.MoveFreeBlock, l.pool, firstIP(leaf), int64(leaf.Bits()), firstIP(rest[0]), int64(rest[0].Bits()))
	if err != nil {
		return err
	}
	return l.insert(rest[1:])
}

// Discard takes a leaf away if it is there.
func (l Leaves) Discard(leaf netip.Prefix) (bool, error) {
	l.changes()
	n, err := l.tx.rows.DeleteFreeBlock(l.tx.ctx, query.DeleteFreeBlockParams{PoolID: l.pool, FirstIp: firstIP(leaf), Length: int64(leaf.Bits())})
	return n == 1, err
}

// Add makes blocks free, in address order. It refuses with alloc.ErrNotHeld when something between them is free already.
func (l Leaves) Add(leaves ...netip.Prefix) error {
	if len(leaves) == 0 {
		return nil
	}
	l.changes()
	first, last := leaves[0], leaves[len(leaves)-1]
	n, err := l.tx.rows.FreeBlockBetween(l.tx.ctx, query.FreeBlockBetweenParams{PoolID: l.pool, FirstIp: firstIP(first), LastIp: lastIP(last)})
	if err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("free %s to %s of pool %s: %w", first, last, l.id, alloc.ErrNotHeld)
	}
	return l.insert(leaves)
}

func (l Leaves) insert(leaves []netip.Prefix) error {
	for _, leaf := range leaves {
		err := l.tx.rows.InsertFreeBlock(l.tx.ctx, query.InsertFreeBlockParams{PoolID: l.pool, FirstIp: firstIP(leaf), Length: int64(leaf.Bits())})
		if err != nil {
			return fmt.Errorf("free %s of pool %s: %w", leaf, l.id, err)
		}
	}
	return nil
}

// After lists up to limit free blocks behind an address, in address order; the zero Addr is the start.
func (l Leaves) After(a netip.Addr, limit int) ([]netip.Prefix, error) {
	from := []byte{}
	if a.IsValid() {
		from = ipBytes(a)
	}
	rows, err := l.tx.rows.FreeBlocks(l.tx.ctx, query.FreeBlocksParams{PoolID: l.pool, FirstIp: from, MaxRows: int32(limit)})
	return all(rows, err, func(r query.FreeBlocksRow) (netip.Prefix, error) { return block(r.FirstIp, l.family, r.Length) })
}

// LengthCount is how many free blocks have one length.
type LengthCount struct {
	Length int
	Blocks int64
}

// ByLength counts the free blocks of each length, the largest first.
func (l Leaves) ByLength() ([]LengthCount, error) {
	rows, err := l.tx.rows.FreeBlocksByLength(l.tx.ctx, l.pool)
	return all(rows, err, func(r query.FreeBlocksByLengthRow) (LengthCount, error) {
		return LengthCount{Length: int(r.Length), Blocks: r.Blocks}, nil
	})
}

// Lowest is the lowest free block of exactly this length.
func (l Leaves) Lowest(length int) (netip.Prefix, error) {
	first, err := l.tx.rows.LowestFreeBlock(l.tx.ctx, query.LowestFreeBlockParams{PoolID: l.pool, Length: int64(length)})
	return l.leaf(first, int64(length), err, alloc.ErrNoFit)
}

func (l Leaves) leaf(first []byte, length int64, err, none error) (netip.Prefix, error) {
	if noRows(err) {
		return netip.Prefix{}, none
	}
	if err != nil {
		return netip.Prefix{}, err
	}
	return block(first, l.family, length)
}
