package store

import (
	"time"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Pool reads a pool; CodeNotFound when there is none.
func (tx *Tx) Pool(id string) (ipam.Pool, error) {
	row, err := tx.rows.Pool(tx.ctx, id)
	if err != nil {
		return ipam.Pool{}, absent(err, "pool", id)
	}
	return pool(row)
}

// LockPool reads a pool and holds its space until the transaction ends. Parents are locked before their children.
func (tx *Tx) LockPool(id string) (ipam.Pool, error) {
	row, err := tx.rows.LockPool(tx.ctx, id)
	if err != nil {
		return ipam.Pool{}, absent(err, "pool", id)
	}
	return pool(row)
}

// PoolsOfScope lists up to limit pools of a scope by id.
func (tx *Tx) PoolsOfScope(scope string, limit int) ([]ipam.Pool, error) {
	rows, err := tx.rows.PoolsOfScope(tx.ctx, query.PoolsOfScopeParams{ScopeID: scope, MaxRows: int32(limit)})
	return all(rows, err, pool)
}

// InsertPool adds a pool; its space is not free until its whole CIDR is added to its leaves.
func (tx *Tx) InsertPool(p ipam.Pool) error {
	return tx.rows.InsertPool(tx.ctx, query.InsertPoolParams{
		ID: p.ID, ScopeID: p.Scope, Name: p.Name, ParentID: orNull(p.Parent),
		Cidr: p.CIDR.String(), Family: family(p.CIDR), FirstIp: firstIP(p.CIDR), LastIp: lastIP(p.CIDR), Length: int64(p.CIDR.Bits()),
		Strategy: string(p.Strategy), MinLength: length64(p.Sizes.Min), MaxLength: length64(p.Sizes.Max), DefaultLength: length64(p.Sizes.Default),
		Description: p.Description, Owner: p.Owner, Account: p.Account, Region: p.Region, Environment: p.Environment,
		Labels: encodeLabels(p.Labels), DeletionProtection: p.DeletionProtection, CreatedAt: micros(p.CreatedAt),
	})
}

// UpdatePool writes a pool's settings, parent and CIDR, and moves its version.
func (tx *Tx) UpdatePool(p ipam.Pool, at time.Time) error {
	_, err := tx.rows.UpdatePool(tx.ctx, query.UpdatePoolParams{
		ID: p.ID, Cidr: p.CIDR.String(), Family: family(p.CIDR), FirstIp: firstIP(p.CIDR), LastIp: lastIP(p.CIDR), Length: int64(p.CIDR.Bits()),
		Strategy: string(p.Strategy), MinLength: length64(p.Sizes.Min), MaxLength: length64(p.Sizes.Max), DefaultLength: length64(p.Sizes.Default),
		Description: p.Description, Owner: p.Owner, Account: p.Account, Region: p.Region, Environment: p.Environment,
		Labels: encodeLabels(p.Labels), DeletionProtection: p.DeletionProtection, ParentID: orNull(p.Parent), UpdatedAt: micros(at),
	})
	return err
}

// DeletePool removes a pool that nothing occupies, with its free blocks and the memory of lost holds.
func (tx *Tx) DeletePool(id string) error {
	if err := tx.rows.DeleteFreeBlocks(tx.ctx, id); err != nil {
		return err
	}
	if err := tx.rows.DeleteHoldsOfPool(tx.ctx, id); err != nil {
		return err
	}
	_, err := tx.rows.DeletePool(tx.ctx, id)
	return err
}

// PoolWithRoom names another pool of the same scope and family that would fit a block of the length, or "".
func (tx *Tx) PoolWithRoom(near ipam.Pool, length int) (string, error) {
	id, err := tx.rows.PoolWithRoom(tx.ctx, query.PoolWithRoomParams{
		ScopeID: near.Scope, Family: family(near.CIDR), ID: near.ID, Length: length64(&length),
	})
	if noRows(err) {
		return "", nil
	}
	return id, err
}

func pool(row query.Pool) (ipam.Pool, error) {
	labels, err := decodeLabels(row.Labels)
	if err != nil {
		return ipam.Pool{}, err
	}
	prefix, err := cidr(row.Cidr)
	return ipam.Pool{
		ID: row.ID, Scope: row.ScopeID, Name: row.Name, Parent: orEmpty(row.ParentID), CIDR: prefix, Strategy: alloc.Strategy(row.Strategy),
		Sizes:       ipam.Sizes{Min: lengthOf(row.MinLength), Max: lengthOf(row.MaxLength), Default: lengthOf(row.DefaultLength)},
		Description: row.Description, Owner: row.Owner, Account: row.Account, Region: row.Region, Environment: row.Environment,
		Labels: labels, DeletionProtection: row.DeletionProtection, Version: row.Version, DraftUntil: optionalMoment(row.DraftUntil), DraftActor: row.DraftActor, DraftHolder: row.DraftHolder,
		CreatedAt: moment(row.CreatedAt), UpdatedAt: moment(row.UpdatedAt),
	}, err
}

// CountInPool counts a pool's direct children and its allocations.
func (tx *Tx) CountInPool(id string) (children, allocations int64, err error) {
	row, err := tx.rows.CountInPool(tx.ctx, query.CountInPoolParams{ID: &id, PoolID: id})
	return row.Children, row.Allocations, err
}
