package cloudpam

import (
	"context"
	"iter"
)

// Pools lists pools by id.
func (c *Client) Pools(ctx context.Context, filter ListPoolsParams) iter.Seq2[Pool, error] {
	return pages(func(token *string) ([]Pool, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListPools(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListPools reads one page of pools by id. Use Pools to walk all of them.
func (c *Client) ListPools(ctx context.Context, filter ListPoolsParams) (PoolPage, error) {
	resp, err := c.raw.ListPools(ctx, &filter)
	return answer[PoolPage](&call{}, resp, err)
}

// CreatePool creates a pool: a root pool with its CIDR, or a child pool with its parent and a CIDR or a prefix length.
// It fails with ErrNameTaken, ErrCIDRTaken, ErrOutsidePool, ErrPoolExhausted or ErrPolicyViolation.
func (c *Client) CreatePool(ctx context.Context, pool NewPool, opts ...CallOption) (Pool, error) {
	call := newCall(opts)
	resp, err := c.raw.CreatePool(ctx, nil, pool, call.edit)
	return answer[Pool](call, resp, err)
}

// GetPool reads a pool. It fails with ErrNotFound.
func (c *Client) GetPool(ctx context.Context, id string, opts ...CallOption) (Pool, error) {
	call := newCall(opts)
	resp, err := c.raw.GetPool(ctx, id, call.edit)
	return answer[Pool](call, resp, err)
}

// UpdatePool changes the fields that the patch names; a CIDR or prefix length resizes the pool in place.
// Without WithIfMatch it changes whatever version stands. It fails with ErrNotFound, ErrPreconditionFailed, ErrCIDRTaken,
// ErrPoolNotEmpty, ErrOutsidePool or ErrPolicyViolation.
func (c *Client) UpdatePool(ctx context.Context, id string, patch PoolPatch, opts ...CallOption) (Pool, error) {
	return current(opts,
		func(etag CallOption) error { _, err := c.GetPool(ctx, id, etag); return err },
		func(call *call) (Pool, error) {
			resp, err := c.raw.UpdatePool(ctx, id, nil, patch, call.edit)
			return answer[Pool](call, resp, err)
		})
}

// DeletePool deletes an empty pool. Without WithIfMatch it deletes whatever version stands.
// It fails with ErrNotFound, ErrPoolNotEmpty (naming the first holders), ErrDeletionProtected or ErrPreconditionFailed.
func (c *Client) DeletePool(ctx context.Context, id string, opts ...CallOption) error {
	_, err := current(opts,
		func(etag CallOption) error { _, err := c.GetPool(ctx, id, etag); return err },
		func(call *call) (struct{}, error) {
			return struct{}{}, done(c.raw.DeletePool(ctx, id, nil, call.edit))
		})
	return err
}

// DissolvePool deletes a pool as DeletePool does, but the pools in it stay where they are: children of the pool around it, or root
// pools. It fails with ErrPoolNotEmpty while anything else is in it.
func (c *Client) DissolvePool(ctx context.Context, id string, opts ...CallOption) error {
	_, err := current(opts,
		func(etag CallOption) error { _, err := c.GetPool(ctx, id, etag); return err },
		func(call *call) (struct{}, error) {
			return struct{}{}, done(c.raw.DeletePool(ctx, id, &DeletePoolParams{KeepChildren: new(true)}, call.edit))
		})
	return err
}

// GetPoolTree reads every pool of a scope, or of all scopes, in tree order with its utilization.
func (c *Client) GetPoolTree(ctx context.Context, filter GetPoolTreeParams) (PoolTree, error) {
	resp, err := c.raw.GetPoolTree(ctx, &filter)
	return answer[PoolTree](&call{}, resp, err)
}

// PoolSpace lists every block of the pool in address order, the free ones included.
func (c *Client) PoolSpace(ctx context.Context, id string, filter ListPoolSpaceParams) iter.Seq2[SpaceBlock, error] {
	return pages(func(token *string) ([]SpaceBlock, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListPoolSpace(ctx, id, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListPoolSpace reads one page of the pool's space map. Use PoolSpace to walk all of it.
func (c *Client) ListPoolSpace(ctx context.Context, id string, filter ListPoolSpaceParams) (SpacePage, error) {
	call := newCall(nil)
	resp, err := c.raw.ListPoolSpace(ctx, id, &filter, call.edit)
	return answer[SpacePage](call, resp, err)
}

// GetPoolUtilization says exactly how full the pool is.
func (c *Client) GetPoolUtilization(ctx context.Context, id string) (Utilization, error) {
	call := newCall(nil)
	resp, err := c.raw.GetPoolUtilization(ctx, id, call.edit)
	return answer[Utilization](call, resp, err)
}

// ListFreeBlocks counts the pool's free blocks by size, the largest first. It is advice, not a reservation.
func (c *Client) ListFreeBlocks(ctx context.Context, id string) ([]FreeBlock, error) {
	call := newCall(nil)
	resp, err := c.raw.ListFreeBlocks(ctx, id, call.edit)
	blocks, err := answer[FreeBlocks](call, resp, err)
	return blocks.Items, err
}

// PlanPool answers what PreviewPool does, and keeps the space that the change needs until it is made or the promise ends. It fails
// with ErrPlanAgain besides.
func (c *Client) PlanPool(ctx context.Context, id string, plan NewPoolPlan, opts ...CallOption) (Pool, error) {
	call := newCall(opts)
	resp, err := c.raw.PlanPool(ctx, id, nil, plan, call.edit)
	return answer[Pool](call, resp, err)
}

// PreviewPool says what UpdatePool would make of a pool, or fails as it would, to the plan that the parameters name. Nothing changes
// and nothing is promised.
func (c *Client) PreviewPool(ctx context.Context, id string, patch PoolPatch, plan PreviewPoolParams, opts ...CallOption) (Pool, error) {
	call := newCall(opts)
	resp, err := c.raw.PreviewPool(ctx, id, &plan, patch, call.edit)
	return answer[Pool](call, resp, err)
}
