package cloudpam

import (
	"context"
	"iter"
)

// AllocationSets lists allocation sets, the oldest first.
func (c *Client) AllocationSets(ctx context.Context, filter ListAllocationSetsParams) iter.Seq2[AllocationSet, error] {
	return pages(func(token *string) ([]AllocationSet, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListAllocationSets(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListAllocationSets reads one page of allocation sets. Use AllocationSets to walk all of them.
func (c *Client) ListAllocationSets(ctx context.Context, filter ListAllocationSetsParams) (AllocationSetPage, error) {
	resp, err := c.raw.ListAllocationSets(ctx, &filter)
	return answer[AllocationSetPage](&call{}, resp, err)
}

// CreateAllocationSet hands out a map of blocks, all or nothing.
// It fails with ErrNameTaken (the set's or a member's), ErrPoolExhausted, ErrPolicyViolation, ErrInvalid or ErrNotFound (no such pool).
func (c *Client) CreateAllocationSet(ctx context.Context, set NewAllocationSet, opts ...CallOption) (AllocationSet, error) {
	call := newCall(opts)
	resp, err := c.raw.CreateAllocationSet(ctx, nil, set, call.edit)
	return answer[AllocationSet](call, resp, err)
}

// GetAllocationSet reads an allocation set. It fails with ErrNotFound.
func (c *Client) GetAllocationSet(ctx context.Context, id string, opts ...CallOption) (AllocationSet, error) {
	call := newCall(opts)
	resp, err := c.raw.GetAllocationSet(ctx, id, call.edit)
	return answer[AllocationSet](call, resp, err)
}

// UpdateAllocationSet describes a set, or adds, removes and resizes members: the members of the patch are the whole set as it shall
// be. Without WithIfMatch it changes whatever version stands. It fails with ErrNotFound, ErrNameTaken, ErrPoolExhausted or
// ErrPreconditionFailed.
func (c *Client) UpdateAllocationSet(ctx context.Context, id string, patch AllocationSetPatch, opts ...CallOption) (AllocationSet, error) {
	return current(opts,
		func(etag CallOption) error { _, err := c.GetAllocationSet(ctx, id, etag); return err },
		func(call *call) (AllocationSet, error) {
			resp, err := c.raw.UpdateAllocationSet(ctx, id, nil, patch, call.edit)
			return answer[AllocationSet](call, resp, err)
		})
}

// ReleaseAllocationSet gives the blocks of all members back. It fails with ErrNotFound, and with ErrPreconditionFailed when
// WithIfMatch was given and the set has changed since.
func (c *Client) ReleaseAllocationSet(ctx context.Context, id string, opts ...CallOption) error {
	call := newCall(opts)
	return done(c.raw.ReleaseAllocationSet(ctx, id, nil, call.edit))
}
