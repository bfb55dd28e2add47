package insight

import (
	"context"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Pools lists a page of pools, without drafts.
func (v *Viewer) Pools(ctx context.Context, see ipam.Visible, f ipam.PoolFilter, p ipam.Page) ([]ipam.Pool, error) {
	return change.Get(ctx, v.k, func(tx *store.Tx) ([]ipam.Pool, error) { return tx.Pools(see, f, p) })
}

// PoolTotal counts the pools on all pages.
func (v *Viewer) PoolTotal(ctx context.Context, see ipam.Visible, f ipam.PoolFilter) (int64, error) {
	return change.Get(ctx, v.k, func(tx *store.Tx) (int64, error) { return tx.PoolTotal(see, f) })
}

// AllocationTotal counts the allocations on all pages.
func (v *Viewer) AllocationTotal(ctx context.Context, see ipam.Visible, f ipam.AllocationFilter) (int64, error) {
	return change.Get(ctx, v.k, func(tx *store.Tx) (int64, error) { return tx.AllocationTotal(see, f) })
}

// Pool reads a pool; CodeNotFound when there is none to see, or only a draft.
func (v *Viewer) Pool(ctx context.Context, see ipam.Visible, id string) (ipam.Pool, error) {
	return change.Get(ctx, v.k, func(tx *store.Tx) (ipam.Pool, error) { return ipam.RealPool(tx.Pool(see, id)) })
}

// Drafts lists a page of drafts by age; "" is every scope.
func (v *Viewer) Drafts(ctx context.Context, see ipam.Visible, scope string, p ipam.Page) ([]ipam.Pool, error) {
	return change.Get(ctx, v.k, func(tx *store.Tx) ([]ipam.Pool, error) { return tx.Drafts(see, scope, p) })
}

// Allocations lists a page of allocations.
func (v *Viewer) Allocations(ctx context.Context, see ipam.Visible, f ipam.AllocationFilter, p ipam.Page) ([]ipam.Allocation, error) {
	return change.Get(ctx, v.k, func(tx *store.Tx) ([]ipam.Allocation, error) { return tx.Allocations(see, f, p) })
}

// Allocation reads an allocation; CodeNotFound when there is none to see.
func (v *Viewer) Allocation(ctx context.Context, see ipam.Visible, id string) (ipam.Allocation, error) {
	return change.Get(ctx, v.k, func(tx *store.Tx) (ipam.Allocation, error) { return tx.Allocation(see, id) })
}

// AllocationSets lists a page of allocation sets with their members.
func (v *Viewer) AllocationSets(ctx context.Context, see ipam.Visible, f ipam.AllocationSetFilter, p ipam.Page) ([]ipam.AllocationSet, error) {
	return change.Read(ctx, v.k, func(tx *store.Tx) ([]ipam.AllocationSet, error) { return tx.AllocationSets(see, f, p) })
}

// AllocationSet reads an allocation set; CodeNotFound when there is none to see.
func (v *Viewer) AllocationSet(ctx context.Context, see ipam.Visible, id string) (ipam.AllocationSet, error) {
	return change.Read(ctx, v.k, func(tx *store.Tx) (ipam.AllocationSet, error) { return tx.AllocationSet(see, id) })
}

// Reservations lists a page of reservations, those that expired and were not ended yet too.
func (v *Viewer) Reservations(ctx context.Context, see ipam.Visible, f ipam.ReservationFilter, p ipam.Page) ([]ipam.Reservation, error) {
	return change.Get(ctx, v.k, func(tx *store.Tx) ([]ipam.Reservation, error) { return tx.Reservations(see, f, p) })
}

// Reservation reads a reservation; CodeNotFound when there is none to see, or none any more.
func (v *Viewer) Reservation(ctx context.Context, see ipam.Visible, id string) (ipam.Reservation, error) {
	return change.Get(ctx, v.k, func(tx *store.Tx) (ipam.Reservation, error) { return tx.Reservation(see, id) })
}

// Holds lists a page of holds, lost ones too.
func (v *Viewer) Holds(ctx context.Context, see ipam.Visible, f ipam.HoldFilter, p ipam.Page) ([]ipam.Hold, error) {
	return change.Get(ctx, v.k, func(tx *store.Tx) ([]ipam.Hold, error) { return tx.Holds(see, f, p) })
}

// Hold reads a hold; CodeNotFound when there is none to see.
func (v *Viewer) Hold(ctx context.Context, see ipam.Visible, id string) (ipam.Hold, error) {
	return change.Get(ctx, v.k, func(tx *store.Tx) (ipam.Hold, error) { return tx.Hold(see, id) })
}
