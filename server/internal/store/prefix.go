package store

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// InsertPrefix records what occupies a block. The storage refuses one that overlaps another of its space.
func (tx *Tx) InsertPrefix(p ipam.Prefix) error {
	defer tx.namesStay(tx.conn.written)
	return tx.rows.InsertPrefix(tx.ctx, query.InsertPrefixParams{
		ID: ipam.UID(p.Owner).Key(), ScopeID: p.ScopeUID.Key(), SpaceID: p.Space().Key(), Kind: string(p.Kind), Status: string(p.Status), Name: p.Name,
		Cidr: p.CIDR.String(), Family: family(p.CIDR), FirstIp: firstIP(p.CIDR), LastIp: lastIP(p.CIDR), Length: int64(p.CIDR.Bits()), CreatedAt: micros(p.CreatedAt),
	})
}

// DeletePrefix removes the prefix of an owner.
func (tx *Tx) DeletePrefix(owner string) error {
	n, err := tx.rows.DeletePrefix(tx.ctx, ipam.UID(owner).Key())
	return oneOfOwner(n, err, owner)
}

// MovePrefix gives the prefix of an owner another block.
func (tx *Tx) MovePrefix(owner string, to netip.Prefix) error {
	n, err := tx.rows.MovePrefix(tx.ctx, query.MovePrefixParams{
		ID: ipam.UID(owner).Key(), Cidr: to.String(), FirstIp: firstIP(to), LastIp: lastIP(to), Length: int64(to.Bits()),
	})
	return oneOfOwner(n, err, owner)
}

// RenamePrefix gives the prefix of an owner another name.
func (tx *Tx) RenamePrefix(owner, name string) error {
	n, err := tx.rows.RenamePrefix(tx.ctx, query.RenamePrefixParams{ID: ipam.UID(owner).Key(), Name: name})
	return oneOfOwner(n, err, owner)
}

// SetPrefixStatus changes how the prefix of an owner occupies its space.
func (tx *Tx) SetPrefixStatus(owner string, s ipam.Status) error {
	n, err := tx.rows.SetPrefixStatus(tx.ctx, query.SetPrefixStatusParams{ID: ipam.UID(owner).Key(), Status: string(s)})
	return oneOfOwner(n, err, owner)
}

// oneOfOwner fails where a change of the prefix of an owner met none: the books would no longer balance.
func oneOfOwner(n int64, err error, owner string) error {
	if err == nil && n != 1 {
		return fmt.Errorf("%q has %d prefixes, not one", owner, n)
	}
	return err
}

// PrefixesAfter lists up to limit prefixes of a space and family (4 or 6) behind an address, in address order; the zero
// Addr is the start.
func (tx *Tx) PrefixesAfter(space ipam.UID, family int, a netip.Addr, limit int) ([]ipam.Prefix, error) {
	from := []byte{}
	if a.IsValid() {
		from = ipBytes(a)
	}
	rows, err := tx.rows.PrefixesAfter(tx.ctx, query.PrefixesAfterParams{SpaceID: space.Key(), Family: int64(family), FirstIp: from, MaxRows: int32(limit)})
	return all(rows, err, prefix)
}

// PrefixesIn lists up to limit prefixes of a space that share an address with a CIDR, in address order.
func (tx *Tx) PrefixesIn(space ipam.UID, p netip.Prefix, limit int) ([]ipam.Prefix, error) {
	return tx.PrefixesFrom(space, p.Addr(), ipam.LastIP(p), limit)
}

// PrefixesFrom lists up to limit prefixes of a space that share an address with a range, in address order.
func (tx *Tx) PrefixesFrom(space ipam.UID, first, last netip.Addr, limit int) ([]ipam.Prefix, error) {
	fam := int64(6)
	if first.Is4() {
		fam = 4
	}
	var found []ipam.Prefix
	below, err := tx.rows.PrefixBelow(tx.ctx, query.PrefixBelowParams{SpaceID: space.Key(), Family: fam, FirstIp: ipBytes(first)})
	if err != nil && !noRows(err) {
		return nil, err
	}
	if err == nil {
		around, err := prefix(below)
		if err != nil {
			return nil, err
		}
		if around.CIDR.Contains(first) {
			found = append(found, around)
		}
	}
	rows, err := tx.rows.PrefixesFrom(tx.ctx, query.PrefixesFromParams{
		SpaceID: space.Key(), Family: fam, FirstIp: ipBytes(first), LastIp: ipBytes(last), MaxRows: int32(limit - len(found)),
	})
	inside, err := all(rows, err, prefix)
	return append(found, inside...), err
}

// EachPrefix visits the prefixes of a space that share an address with a block, in address order, until visit returns an error.
func (tx *Tx) EachPrefix(space ipam.UID, at netip.Prefix, visit func(ipam.Prefix) error) error {
	const limit = 100
	for from, last := at.Addr(), ipam.LastIP(at); from.IsValid() && !last.Less(from); {
		some, err := tx.PrefixesFrom(space, from, last, limit)
		if err != nil {
			return err
		}
		for _, p := range some {
			if err := visit(p); err != nil {
				return err
			}
		}
		if len(some) < limit {
			return nil
		}
		from = ipam.LastIP(some[limit-1].CIDR).Next()
	}
	return nil
}

// LastLeft is when a name of a kind last left a space with this length; zero when it never had a block there.
func (tx *Tx) LastLeft(space ipam.UID, kind ipam.Kind, name string, length int) (time.Time, error) {
	at, err := tx.rows.LastLeft(tx.ctx, query.LastLeftParams{SpaceID: space.Key(), Kind: string(kind), Name: name, Length: int64(length)})
	if noRows(err) {
		return time.Time{}, nil
	}
	return moment(at), err
}

// LastBlock is the block that a name of a kind last had in a space with this length; false when it never had one.
func (tx *Tx) LastBlock(space ipam.UID, kind ipam.Kind, name string, fam, length int) (netip.Prefix, bool, error) {
	if kind == ipam.KindAllocation {
		if known, err := tx.name(space, name); err != nil || !known.left {
			return netip.Prefix{}, false, err
		}
	}
	first, err := tx.rows.LastBlock(tx.ctx, query.LastBlockParams{SpaceID: space.Key(), Kind: string(kind), Name: name, Length: int64(length)})
	if noRows(err) {
		return netip.Prefix{}, false, nil
	}
	if err != nil {
		return netip.Prefix{}, false, err
	}
	p, err := block(first, fam, int64(length))
	if err != nil { // the pool was of the other family then: nothing to come back to
		return netip.Prefix{}, false, nil
	}
	return p, true, nil
}

// RememberBlock keeps where a name stood, so that it can have the same block again.
func (tx *Tx) RememberBlock(space ipam.UID, kind ipam.Kind, name string, p netip.Prefix, at time.Time) error {
	return tx.rows.RememberBlock(tx.ctx, query.RememberBlockParams{
		SpaceID: space.Key(), Kind: string(kind), Name: name, Length: int64(p.Bits()), FirstIp: firstIP(p), LeftAt: micros(at),
	})
}

// ForgetLastBlocks drops up to limit of the blocks that were left before a time, and reports how many.
func (tx *Tx) ForgetLastBlocks(before time.Time, limit int) (int64, error) {
	return tx.rows.ForgetLastBlocks(tx.ctx, query.ForgetLastBlocksParams{LeftAt: micros(before), MaxRows: int32(limit)})
}

// Prefixes lists a page of prefixes by age, or by address.
func (tx *Tx) Prefixes(see ipam.Visible, f ipam.PrefixFilter, p ipam.Page) ([]ipam.Prefix, error) {
	s := tx.from("named_prefixes", prefixColumns)
	s.sees(see, "scope_id", "space_id")
	s.inScope("scope_id", f.Scope)
	s.inPool("space_id", f.Pool)
	s.equal("status", string(f.Status))
	s.equal("kind", string(f.Kind))
	s.family(f.Family)
	s.around(f.Around)
	s.page(p, anyKey, f.Around.Given())
	return list(tx, s, prefixFields, prefix)
}

const prefixColumns = "id, scope_id, scope_name, space_id, pool_name, kind, status, name, cidr, family, first_ip, length, created_at"

func prefixFields(r *query.NamedPrefix) []any {
	return []any{&r.ID, &r.ScopeID, &r.ScopeName, &r.SpaceID, &r.PoolName, &r.Kind, &r.Status, &r.Name, &r.Cidr, &r.Family, &r.FirstIp, &r.Length, &r.CreatedAt}
}

func prefix(row query.NamedPrefix) (ipam.Prefix, error) {
	cidr, err := block(row.FirstIp, int(row.Family), row.Length)
	p := ipam.Prefix{
		Owner: id(ownerKey(ipam.Kind(row.Kind)), row.ID), In: ipam.In{Scope: row.ScopeName, ScopeUID: uid(scopeKey, row.ScopeID)}, CIDR: cidr,
		Status: ipam.Status(row.Status), Kind: ipam.Kind(row.Kind), Name: row.Name, CreatedAt: moment(row.CreatedAt),
	}
	if row.SpaceID != row.ScopeID {
		p.In = inPool(row.ScopeID, row.ScopeName, row.SpaceID, row.PoolName)
	}
	return p, err
}
