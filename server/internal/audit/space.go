package audit

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// prefixes looks for prefixes that nothing owns.
func (v *verifier) prefixes() error {
	return v.rows("prefixes", change.PageSize, func(tx *store.Tx, rows []store.Row) error {
		v.Prefixes += len(rows)
		keys := map[string][]int64{}
		for _, row := range rows {
			kind, _ := row["kind"].(string)
			keys[kind] = append(keys[kind], row.Key())
		}
		for kind, keys := range keys {
			n := nouns[kind]
			if !n.owns {
				v.find("prefixes", "%d prefixes are of the kind %q, which there is not, among them %d", len(keys), kind, keys[0])
				continue
			}
			present, err := tx.Present(n.table, keys)
			if err != nil {
				return err
			}
			for _, key := range keys {
				if !present[key] {
					v.find(ipam.KeyUID(n.what, key), "has a prefix, but no row in %s", n.table)
				}
			}
		}
		return nil
	})
}

// spaces walks what is taken and what is free in each pool, and what is taken at the root of each scope, together. A pool is
// one slice: its border and its blocks must be of one moment.
func (v *verifier) spaces() error {
	for _, n := range []noun{scopes, pools} {
		err := v.byKey(func(tx *store.Tx, after int64) (int64, bool, error) {
			rows, err := tx.RowsAfter(n.table, after, 1)
			if err != nil || len(rows) == 0 {
				return after, false, err
			}
			row := rows[0]
			s := space{v: v, tx: tx, key: row.Key(), id: n.id(row)}
			if n.table == "pools" {
				first, last, ok := bounds(row.Int("family"), bytesIn(row, "first_ip"), row.Int("length"))
				if !ok {
					v.find(s.id, "is no block, so its free blocks cannot be known")
					return row.Key(), true, nil
				}
				s.family, s.pool, s.first, s.last = row.Int("family"), true, first, last
				s.rest = free{first, last, false}
			}
			return row.Key(), true, s.walk()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func bytesIn(row store.Row, column string) []byte {
	b, _ := row[column].([]byte)
	return b
}

// space is a walk through one space in the order of addresses.
type space struct {
	v      *verifier
	tx     *store.Tx
	key    int64
	id     ipam.UID
	pool   bool // false: the root of a scope, which has no border and no free blocks
	told   bool // that its free blocks differ: one difference moves all that follow
	family int64
	first  netip.Addr // of the pool
	last   netip.Addr
	rest   free // what is not known to be taken yet

	stored []store.Place // the next free blocks
	after  []byte
	ended  bool
}

// free is a range of addresses. Done is when it is behind the last address that there is.
type free struct {
	from, to netip.Addr
	done     bool
}

func (s *space) walk() error {
	var before store.Place
	var reached netip.Addr // the last address that is taken
	for more := true; more; {
		places, err := s.tx.PlacesAfter(s.key, before, change.PageSize)
		if err != nil {
			return err
		}
		for _, p := range places {
			if !further(p, before) {
				return errStuck
			}
			if p.Family != before.Family {
				reached = netip.Addr{}
			}
			before = p
			first, last, ok := bounds(p.Family, p.First, p.Length)
			if !ok {
				s.v.find(s.id, "a prefix (key %d) is no block: %x/%d", p.Key, p.First, p.Length)
				continue
			}
			if reached.IsValid() && !reached.Less(first) {
				s.v.find(s.id, "%s/%d and the prefix before it overlap", first, p.Length)
			}
			if !reached.IsValid() || reached.Less(last) {
				reached = last
			}
			if !s.pool {
				continue
			}
			if p.Family != s.family || first.Less(s.first) || s.last.Less(last) {
				s.v.find(s.id, "%s/%d lies outside %s to %s", first, p.Length, s.first, s.last)
				continue
			}
			if err := s.take(first, last); err != nil {
				return err
			}
		}
		more = len(places) == change.PageSize
	}
	if !s.pool {
		return nil
	}
	if err := s.expect(s.rest); err != nil {
		return err
	}
	extra, more, err := s.next()
	if more && !s.told {
		s.wrong(extra, "is free, though it is taken, or outside")
	}
	return err
}

func further(p, before store.Place) bool {
	if before.First == nil || p.Family != before.Family {
		return p.Family > before.Family
	}
	if c := bytes.Compare(p.First, before.First); c != 0 {
		return c > 0
	}
	return p.Key > before.Key
}

// take notes that a range is taken: what is before it is free.
func (s *space) take(first, last netip.Addr) error {
	if s.rest.done || first.Less(s.rest.from) {
		s.pass(last) // overlaps what was before it, which has been said
		return nil
	}
	if s.rest.from.Less(first) {
		if err := s.expect(free{s.rest.from, first.Prev(), false}); err != nil {
			return err
		}
	}
	s.pass(last)
	return nil
}

func (s *space) pass(last netip.Addr) {
	if s.rest.done || last.Less(s.rest.from) {
		return
	}
	if s.rest.from = last.Next(); !s.rest.from.IsValid() || s.rest.to.Less(s.rest.from) {
		s.rest.done = true
	}
}

// expect compares the free blocks that make up a range with those that are stored next.
func (s *space) expect(r free) error {
	for !r.done && !s.told {
		block := largestAt(r.from, r.to)
		have, more, err := s.next()
		if err != nil {
			return err
		}
		if want := bytesOf(block.Addr()); !more || !bytes.Equal(have.First, want) || have.Length != int64(block.Bits()) {
			if !more {
				s.v.find(s.id, "its free blocks are not what its prefixes leave: %s is missing", block)
			} else {
				s.wrong(have, "is stored where "+block.String()+" is free")
			}
			s.told = true
			return nil
		}
		r.from = ipam.LastIP(block).Next()
		r.done = !r.from.IsValid() || r.to.Less(r.from)
	}
	return nil
}

func (s *space) wrong(have store.Place, why string) {
	block := fmt.Sprintf("%x/%d", have.First, have.Length)
	if first, _, ok := bounds(s.family, have.First, have.Length); ok {
		block = netip.PrefixFrom(first, int(have.Length)).String()
	}
	s.v.find(s.id, "its free blocks are not what its prefixes leave: %s %s", block, why)
}

// next is the next free block that is stored.
func (s *space) next() (store.Place, bool, error) {
	if len(s.stored) == 0 && !s.ended {
		page, err := s.tx.FreeAfter(s.key, s.after, change.PageSize)
		if err != nil {
			return store.Place{}, false, err
		}
		for _, p := range page {
			if bytes.Compare(p.First, s.after) <= 0 {
				return p, false, errStuck
			}
			s.after = p.First
		}
		s.stored, s.ended = page, len(page) < change.PageSize
	}
	if len(s.stored) == 0 {
		return store.Place{}, false, nil
	}
	p := s.stored[0]
	s.stored = s.stored[1:]
	return p, true, nil
}

// largestAt is the largest block that begins at an address and does not reach beyond another.
func largestAt(from, to netip.Addr) netip.Prefix {
	b := from.As16()
	zeros := 0
	for i := 15; i >= 0; i-- {
		if b[i] != 0 {
			zeros += bits.TrailingZeros8(b[i])
			break
		}
		zeros += 8
	}
	length := max(0, from.BitLen()-zeros)
	for ; length < from.BitLen(); length++ {
		if p := netip.PrefixFrom(from, length); !to.Less(ipam.LastIP(p)) {
			break
		}
	}
	return netip.PrefixFrom(from, length)
}

// bounds are the first and last address of a block as it is stored; false when it is none.
func bounds(family int64, first []byte, length int64) (from, to netip.Addr, ok bool) {
	if len(first) != 16 || length < 0 || length > math.MaxUint8 {
		return from, to, false
	}
	from = netip.AddrFrom16([16]byte(first))
	if family == 4 {
		from = from.Unmap()
	}
	p := netip.PrefixFrom(from, int(length))
	if !p.IsValid() || p.Masked() != p || int64(ipam.Family(p)) != family {
		return from, to, false
	}
	return from, ipam.LastIP(p), true
}

// freeBlocks looks for free blocks of no pool.
func (v *verifier) freeBlocks() error {
	return v.byKey(func(tx *store.Tx, after int64) (int64, bool, error) {
		pool, more, err := tx.NextValue("free_blocks", "pool_id", after)
		if err != nil || !more {
			return after, false, err
		}
		present, err := tx.Present("pools", []int64{pool})
		if err == nil && !present[pool] {
			v.find(ipam.KeyUID("pool", pool), "is not there, but has free blocks")
		}
		return pool, true, err
	})
}

// observations looks for what would guard nothing: guards are no rows but what is observed, asked for at each placement, so a row that is
// no block, or is in a scope that is not there, keeps nobody off what a cloud uses.
func (v *verifier) observations() error {
	return v.rows("observations", change.PageSize, func(tx *store.Tx, rows []store.Row) error {
		var scopes []int64
		for _, row := range rows {
			if _, _, ok := bounds(row.Int("family"), bytesIn(row, "first_ip"), row.Int("length")); !ok {
				v.find(ipam.KeyUID("obs", row.Key()), "is no block, so it guards nothing")
			}
			if row["scope_id"] != nil {
				scopes = append(scopes, row.Int("scope_id"))
			}
		}
		present, err := tx.Present("scopes", scopes)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row["scope_id"] != nil && !present[row.Int("scope_id")] {
				v.find(ipam.KeyUID("obs", row.Key()), "is in a scope that is not there, so it guards nothing")
			}
		}
		return nil
	})
}

// looks looks for accounts that are said to have been seen completely later than any view of them was whole: pools that ask for a young
// view would hand out what nobody has looked at.
func (v *verifier) looks() error {
	return v.byKey(func(tx *store.Tx, after int64) (int64, bool, error) {
		account, more, err := tx.NextValue("looks", "account_id", after)
		if err != nil || !more {
			return after, false, err
		}
		uid := ipam.KeyUID("account", account)
		_, seen, err := tx.LookAt(uid)
		if err != nil {
			return account, true, err
		}
		states, err := tx.SyncStates(uid)
		if err != nil {
			return account, true, err
		}
		for _, s := range states {
			if !s.Seen[0].Before(seen) {
				return account, true, nil
			}
		}
		if !seen.IsZero() {
			v.find(uid, "is said to have been seen completely at %s, and no view of it is as young", seen)
		}
		return account, true, nil
	})
}
