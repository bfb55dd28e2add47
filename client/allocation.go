package cloudpam

import (
	"context"
	"iter"
)

// Allocations lists allocations, the oldest first.
func (c *Client) Allocations(ctx context.Context, filter ListAllocationsParams) iter.Seq2[Allocation, error] {
	return pages(func(token *string) ([]Allocation, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListAllocations(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListAllocations reads one page of allocations. Use Allocations to walk all of them.
func (c *Client) ListAllocations(ctx context.Context, filter ListAllocationsParams) (AllocationPage, error) {
	resp, err := c.raw.ListAllocations(ctx, &filter)
	return answer[AllocationPage](&call{}, resp, err)
}

// CreateAllocation hands out a block: the CIDR it names, or one of its prefix length where the pool has room.
// It fails with ErrNameTaken, ErrCIDRTaken, ErrPoolExhausted, ErrOutsidePool, ErrPolicyViolation or ErrNotFound (no such pool).
func (c *Client) CreateAllocation(ctx context.Context, allocation NewAllocation, opts ...CallOption) (Allocation, error) {
	call := newCall(opts)
	resp, err := c.raw.CreateAllocation(ctx, nil, allocation, call.edit)
	return answer[Allocation](call, resp, err)
}

// GetAllocation reads an allocation. It fails with ErrNotFound.
func (c *Client) GetAllocation(ctx context.Context, id string, opts ...CallOption) (Allocation, error) {
	call := newCall(opts)
	resp, err := c.raw.GetAllocation(ctx, id, call.edit)
	return answer[Allocation](call, resp, err)
}

// UpdateAllocation changes the fields that the patch names; a CIDR or prefix length resizes the allocation where it stands.
// Without WithIfMatch it changes whatever version stands. It fails with ErrNotFound, ErrNameTaken, ErrCIDRTaken,
// ErrPolicyViolation or ErrPreconditionFailed.
func (c *Client) UpdateAllocation(ctx context.Context, id string, patch AllocationPatch, opts ...CallOption) (Allocation, error) {
	return current(opts,
		func(etag CallOption) error { _, err := c.GetAllocation(ctx, id, etag); return err },
		func(call *call) (Allocation, error) {
			resp, err := c.raw.UpdateAllocation(ctx, id, nil, patch, call.edit)
			return answer[Allocation](call, resp, err)
		})
}

// ReleaseAllocation gives the block back. It fails with ErrNotFound, and with ErrPreconditionFailed when WithIfMatch
// was given and the allocation has changed since.
func (c *Client) ReleaseAllocation(ctx context.Context, id string, opts ...CallOption) error {
	call := newCall(opts)
	return done(c.raw.ReleaseAllocation(ctx, id, nil, call.edit))
}

// PreviewAllocation says what UpdateAllocation would make of an allocation, or fails as it would, to the plan that the parameters
// name. Nothing changes and nothing is promised.
func (c *Client) PreviewAllocation(ctx context.Context, id string, patch AllocationPatch, plan PreviewAllocationParams, opts ...CallOption) (Allocation, error) {
	call := newCall(opts)
	resp, err := c.raw.PreviewAllocation(ctx, id, &plan, patch, call.edit)
	return answer[Allocation](call, resp, err)
}
