package registry_test

import (
	"context"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// What tests look at, they see all of.

func (r lab) Pool(ctx context.Context, id string) (ipam.Pool, error) {
	return r.Viewer.Pool(ctx, ipam.Everything, id)
}

func (r lab) Pools(ctx context.Context, f ipam.PoolFilter, p ipam.Page) ([]ipam.Pool, error) {
	return r.Viewer.Pools(ctx, ipam.Everything, f, p)
}

func (r lab) Drafts(ctx context.Context, of string, p ipam.Page) ([]ipam.Pool, error) {
	return r.Viewer.Drafts(ctx, ipam.Everything, of, p)
}

func (r lab) Allocation(ctx context.Context, id string) (ipam.Allocation, error) {
	return r.Viewer.Allocation(ctx, ipam.Everything, id)
}

func (r lab) Allocations(ctx context.Context, f ipam.AllocationFilter, p ipam.Page) ([]ipam.Allocation, error) {
	return r.Viewer.Allocations(ctx, ipam.Everything, f, p)
}

func (r lab) AllocationSet(ctx context.Context, id string) (ipam.AllocationSet, error) {
	return r.Viewer.AllocationSet(ctx, ipam.Everything, id)
}

func (r lab) AllocationSets(ctx context.Context, f ipam.AllocationSetFilter, p ipam.Page) ([]ipam.AllocationSet, error) {
	return r.Viewer.AllocationSets(ctx, ipam.Everything, f, p)
}

func (r lab) Reservation(ctx context.Context, id string) (ipam.Reservation, error) {
	return r.Viewer.Reservation(ctx, ipam.Everything, id)
}

func (r lab) Reservations(ctx context.Context, f ipam.ReservationFilter, p ipam.Page) ([]ipam.Reservation, error) {
	return r.Viewer.Reservations(ctx, ipam.Everything, f, p)
}

func (r lab) Hold(ctx context.Context, id string) (ipam.Hold, error) {
	return r.Viewer.Hold(ctx, ipam.Everything, id)
}

func (r lab) Holds(ctx context.Context, f ipam.HoldFilter, p ipam.Page) ([]ipam.Hold, error) {
	return r.Viewer.Holds(ctx, ipam.Everything, f, p)
}

func (r lab) Prefixes(ctx context.Context, f ipam.PrefixFilter, p ipam.Page) ([]ipam.Prefix, error) {
	return r.Viewer.Prefixes(ctx, ipam.Everything, f, p)
}

func (r lab) Utilization(ctx context.Context, id string) (ipam.Pool, ipam.Utilization, error) {
	return r.Viewer.Utilization(ctx, ipam.Everything, id)
}

func (r lab) FreeSizes(ctx context.Context, id string) ([]ipam.FreeSize, error) {
	return r.Viewer.FreeSizes(ctx, ipam.Everything, id)
}

func (r lab) Space(ctx context.Context, id string, p ipam.Page) ([]ipam.Block, error) {
	return r.Viewer.Space(ctx, ipam.Everything, id, p)
}

func (r lab) Tree(ctx context.Context, scope string) ([]ipam.TreeNode, bool, error) {
	return r.Viewer.Tree(ctx, ipam.Everything, scope)
}

func (r lab) Scope(ctx context.Context, id string) (ipam.Scope, error) {
	return r.scopeBook.Scope(ctx, ipam.Everything, id)
}

func (r lab) Scopes(ctx context.Context, p ipam.Page) ([]ipam.Scope, error) {
	return r.scopeBook.Scopes(ctx, ipam.Everything, p)
}

func (r lab) Account(ctx context.Context, id string) (ipam.Account, error) {
	return r.accountBook.Account(ctx, ipam.Everything, id)
}

func (r lab) Events(ctx context.Context, f ipam.EventFilter, p ipam.Page) ([]ipam.Event, error) {
	return r.Auditor.Events(ctx, ipam.Everything, f, p)
}

func (r lab) Feed(ctx context.Context, chain ipam.UID, after int64, limit int) ([]ipam.Event, error) {
	return r.Auditor.Feed(ctx, ipam.Everything, chain, after, limit)
}
