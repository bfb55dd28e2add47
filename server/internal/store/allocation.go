package store

import (
	"database/sql"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Allocation reads an allocation; CodeNotFound when there is none to see.
func (tx *Tx) Allocation(see ipam.Visible, id string) (ipam.Allocation, error) {
	row, err := tx.rows.Allocation(tx.ctx, ipam.KeyOf(allocationKey, id))
	if err != nil {
		return ipam.Allocation{}, absent(err, "allocation", id)
	}
	a, err := allocation(row)
	return seen(tx, see, a, a.In, err, "allocation", id)
}

// AllocationNamed reads the allocation of a name; CodeNotFound when there is none.
func (tx *Tx) AllocationNamed(pool ipam.UID, name string) (ipam.Allocation, error) {
	known, err := tx.name(pool, name)
	if err == nil && known.allocation == nil {
		err = sql.ErrNoRows
	}
	if err != nil {
		return ipam.Allocation{}, absent(err, "allocation", name)
	}
	row, err := tx.rows.Allocation(tx.ctx, *known.allocation)
	if err != nil {
		return ipam.Allocation{}, absent(err, "allocation", name)
	}
	return allocation(row)
}

// Held reports whether anything is held for a name of an allocation in a pool.
func (tx *Tx) Held(pool ipam.UID, name string) (bool, error) {
	known, err := tx.name(pool, name)
	return known.held, err
}

// name is what a pool knows of a name. A new allocation asks for all of it, so one look serves until the next change.
func (tx *Tx) name(pool ipam.UID, name string) (nameLook, error) {
	if tx.looked.pool == pool && tx.looked.name == name && tx.looked.written == tx.conn.written {
		return tx.looked, nil
	}
	k, known, err := tx.nameAhead(pool, name)
	if err != nil {
		return nameLook{}, err
	}
	if known {
		k.written = tx.conn.written
		tx.looked = k
		return k, nil
	}
	k = nameLook{pool: pool, name: name, written: tx.conn.written}
	err = tx.conn.one(tx.ctx, query.Name, []any{pool.Key(), name}, []any{&k.allocation, &k.held, &k.left})
	if err != nil {
		return nameLook{}, err
	}
	tx.looked = k
	return k, nil
}

// nameLook is what a look for a name found when so many statements had written.
type nameLook struct {
	pool       ipam.UID
	name       string
	written    int
	allocation *int64 // that has it
	held       bool
	left       bool // an allocation had it before
}

// InsertAllocation adds an allocation; its prefix is a row of its own.
func (tx *Tx) InsertAllocation(a ipam.Allocation) error {
	tx.nameTaken(a.PoolUID, a.Name)
	defer tx.namesStay(tx.conn.written)
	return tx.rows.InsertAllocation(tx.ctx, query.InsertAllocationParams{
		ID: ipam.KeyOf(allocationKey, a.ID), ScopeID: a.ScopeUID.Key(), PoolID: a.PoolUID.Key(), Name: a.Name, Family: family(a.CIDR), FirstIp: firstIP(a.CIDR),
		Length: int64(a.CIDR.Bits()), Description: a.Description, Owner: a.Owner, Purpose: a.Purpose, Account: a.Account, Region: a.Region,
		Environment: a.Environment, Labels: encodeLabels(a.Labels), SetID: keyOrNull(ipam.UID(a.Set)), SetKey: a.SetKey, ExpiresAt: optionalMicros(a.ExpiresAt), Version: a.Version, CreatedAt: micros(a.CreatedAt), UpdatedAt: micros(a.UpdatedAt),
	})
}

// UpdateAllocation writes an allocation's settings and CIDR, and moves its version.
func (tx *Tx) UpdateAllocation(a ipam.Allocation, at time.Time) error {
	_, err := tx.rows.UpdateAllocation(tx.ctx, query.UpdateAllocationParams{
		ID: ipam.KeyOf(allocationKey, a.ID), Name: a.Name, Description: a.Description, Owner: a.Owner, Purpose: a.Purpose, Account: a.Account, Region: a.Region,
		Environment: a.Environment, Labels: encodeLabels(a.Labels), FirstIp: firstIP(a.CIDR), Length: int64(a.CIDR.Bits()), Superseded: a.Superseded, ExpiresAt: optionalMicros(a.ExpiresAt), UpdatedAt: micros(at),
	})
	return err
}

// PutInSet makes an allocation the member of its set that it is under its key and its name. UpdateAllocation, with which it goes, does
// not write those two.
func (tx *Tx) PutInSet(a ipam.Allocation) error {
	return tx.rows.PutInSet(tx.ctx, query.PutInSetParams{ID: ipam.KeyOf(allocationKey, a.ID), Name: a.Name, SetID: keyOrNull(ipam.UID(a.Set)), SetKey: a.SetKey})
}

// DeleteAllocation removes an allocation.
func (tx *Tx) DeleteAllocation(id string) error {
	_, err := tx.rows.DeleteAllocation(tx.ctx, ipam.KeyOf(allocationKey, id))
	return err
}

// ExpiredAllocations lists up to limit allocations that have come to their end by then.
func (tx *Tx) ExpiredAllocations(now time.Time, limit int) ([]ipam.Allocation, error) {
	rows, err := tx.rows.ExpiredAllocations(tx.ctx, query.ExpiredAllocationsParams{ExpiresAt: optionalMicros(&now), MaxRows: int32(limit)})
	return all(rows, err, allocation)
}

// Allocations lists a page of allocations by age, or by address.
func (tx *Tx) Allocations(see ipam.Visible, f ipam.AllocationFilter, p ipam.Page) ([]ipam.Allocation, error) {
	s := tx.allocations(see, f)
	s.page(p, allocationKey, f.Around.Given())
	return list(tx, s, allocationFields, allocation)
}

// AllocationTotal counts the allocations on all pages.
func (tx *Tx) AllocationTotal(see ipam.Visible, f ipam.AllocationFilter) (int64, error) {
	return tx.allocations(see, f).total(tx)
}

func (tx *Tx) allocations(see ipam.Visible, f ipam.AllocationFilter) *listQuery {
	s := tx.from("named_allocations", allocationColumns)
	s.sees(see, "scope_id", "pool_id")
	s.inScope("scope_id", f.Scope)
	s.inPool("pool_id", f.Pool)
	s.equal("name", f.Name)
	s.key("set_id", setKey, f.Set)
	s.begins(see, f.Begins)
	s.said("account", f.Account)
	s.said("owner", f.Owner)
	s.equal("environment", f.Environment)
	s.equal("region", f.Region)
	s.ofAccounts(see, f.Of)
	s.family(f.Family)
	s.labels(f.Labels)
	s.contains(f.Text, "name", "owner", "account", "environment", "region", "purpose", "description", "labels")
	s.around(f.Around)
	return s
}

const allocationColumns = "id, scope_id, scope_name, pool_id, pool_name, name, set_id, set_key, family, first_ip, length," +
	" description, owner, purpose, account, region, environment, labels, expires_at, superseded, version, created_at, updated_at"

func allocationFields(r *query.NamedAllocation) []any {
	return []any{
		&r.ID, &r.ScopeID, &r.ScopeName, &r.PoolID, &r.PoolName, &r.Name, &r.SetID, &r.SetKey, &r.Family, &r.FirstIp, &r.Length,
		&r.Description, &r.Owner, &r.Purpose, &r.Account, &r.Region, &r.Environment, &r.Labels, &r.ExpiresAt, &r.Superseded, &r.Version, &r.CreatedAt, &r.UpdatedAt,
	}
}

func allocation(row query.NamedAllocation) (ipam.Allocation, error) {
	labels, err := decodeLabels(row.Labels)
	if err != nil {
		return ipam.Allocation{}, err
	}
	cidr, err := block(row.FirstIp, int(row.Family), row.Length)
	return ipam.Allocation{
		ID: id(allocationKey, row.ID), In: inPool(row.ScopeID, row.ScopeName, row.PoolID, row.PoolName), Name: row.Name,
		Set: string(optionalUID(setKey, row.SetID)), SetKey: row.SetKey, CIDR: cidr,
		Details: ipam.Details{
			Description: row.Description, Owner: row.Owner, Account: row.Account, Region: row.Region, Environment: row.Environment, Labels: labels,
		},
		Purpose: row.Purpose, ExpiresAt: optionalMoment(row.ExpiresAt), Superseded: row.Superseded, Version: row.Version,
		CreatedAt: moment(row.CreatedAt), UpdatedAt: moment(row.UpdatedAt),
	}, err
}
