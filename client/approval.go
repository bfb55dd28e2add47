package cloudpam

import (
	"context"
	"iter"
)

// Approvals lists requests for approval, the newest first.
func (c *Client) Approvals(ctx context.Context, filter ListApprovalsParams) iter.Seq2[Approval, error] {
	return pages(func(token *string) ([]Approval, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListApprovals(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListApprovals reads one page of requests. Use Approvals to walk all of them.
func (c *Client) ListApprovals(ctx context.Context, filter ListApprovalsParams) (ApprovalPage, error) {
	resp, err := c.raw.ListApprovals(ctx, &filter)
	return answer[ApprovalPage](&call{}, resp, err)
}

// GetApproval reads a request. It fails with ErrNotFound.
func (c *Client) GetApproval(ctx context.Context, id string, opts ...CallOption) (Approval, error) {
	call := newCall(opts)
	resp, err := c.raw.GetApproval(ctx, id, call.edit)
	return answer[Approval](call, resp, err)
}

// WithdrawApproval ends a request of the caller's own, with what is held for it. It fails with ErrNotFound, ErrForbidden or
// ErrPreconditionFailed (it is over).
func (c *Client) WithdrawApproval(ctx context.Context, id string, opts ...CallOption) error {
	call := newCall(opts)
	return done(c.raw.WithdrawApproval(ctx, id, nil, call.edit))
}

// DecideApprovals approves or refuses requests, each answered by itself, in their order: with the request, or with a problem.
func (c *Client) DecideApprovals(ctx context.Context, in NewDecisions, opts ...CallOption) (Decisions, error) {
	call := newCall(opts)
	resp, err := c.raw.DecideApprovals(ctx, nil, in, call.edit)
	return answer[Decisions](call, resp, err)
}
