package store

import (
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Allocation reads an allocation; CodeNotFound when there is none.
func (tx *Tx) Allocation(id string) (ipam.Allocation, error) {
	row, err := tx.rows.Allocation(tx.ctx, id)
	if err != nil {
		return ipam.Allocation{}, absent(err, "allocation", id)
	}
	return allocation(row)
}

// AllocationNamed reads the living allocation of a name; CodeNotFound when there is none.
func (tx *Tx) AllocationNamed(pool, name string) (ipam.Allocation, error) {
	row, err := tx.rows.AllocationNamed(tx.ctx, query.AllocationNamedParams{PoolID: pool, Name: name})
	if err != nil {
		return ipam.Allocation{}, absent(err, "allocation", pool+"/"+name)
	}
	return allocation(row)
}

// InsertAllocation adds an allocation; its prefix is a row of its own.
func (tx *Tx) InsertAllocation(a ipam.Allocation) error {
	return tx.rows.InsertAllocation(tx.ctx, query.InsertAllocationParams{
		ID: a.ID, ScopeID: a.Scope, PoolID: a.Pool, Name: a.Name, Cidr: a.CIDR.String(), Family: family(a.CIDR), FirstIp: firstIP(a.CIDR), LastIp: lastIP(a.CIDR),
		Length: int64(a.CIDR.Bits()), Description: a.Description, Owner: a.Owner, Purpose: a.Purpose, Account: a.Account, Region: a.Region,
		Environment: a.Environment, Labels: encodeLabels(a.Labels), SetID: orNull(a.Set), SetKey: a.SetKey, CreatedAt: micros(a.CreatedAt),
	})
}

// UpdateAllocation writes an allocation's settings and CIDR, and moves its version.
func (tx *Tx) UpdateAllocation(a ipam.Allocation, at time.Time) error {
	_, err := tx.rows.UpdateAllocation(tx.ctx, query.UpdateAllocationParams{
		ID: a.ID, Name: a.Name, Description: a.Description, Owner: a.Owner, Purpose: a.Purpose, Account: a.Account, Region: a.Region,
		Environment: a.Environment, Labels: encodeLabels(a.Labels), Cidr: a.CIDR.String(), FirstIp: firstIP(a.CIDR), LastIp: lastIP(a.CIDR),
		Length: int64(a.CIDR.Bits()), UpdatedAt: micros(at),
	})
	return err
}

// DeleteAllocation removes an allocation.
func (tx *Tx) DeleteAllocation(id string) error {
	_, err := tx.rows.DeleteAllocation(tx.ctx, id)
	return err
}

func allocation(row query.Allocation) (ipam.Allocation, error) {
	labels, err := decodeLabels(row.Labels)
	if err != nil {
		return ipam.Allocation{}, err
	}
	p, err := cidr(row.Cidr)
	return ipam.Allocation{
		ID: row.ID, Scope: row.ScopeID, Pool: row.PoolID, Name: row.Name, Set: orEmpty(row.SetID), SetKey: row.SetKey, CIDR: p, Description: row.Description, Owner: row.Owner, Purpose: row.Purpose,
		Account: row.Account, Region: row.Region, Environment: row.Environment, Labels: labels, Version: row.Version,
		CreatedAt: moment(row.CreatedAt), UpdatedAt: moment(row.UpdatedAt),
	}, err
}
