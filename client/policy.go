package cloudpam

import (
	"context"
	"iter"
)

// GetPolicy reads the policy that a pool has itself. It fails with ErrNotFound where it has none.
func (c *Client) GetPolicy(ctx context.Context, pool string, opts ...CallOption) (Policy, error) {
	call := newCall(opts)
	resp, err := c.raw.GetPolicy(ctx, pool, call.edit)
	return answer[Policy](call, resp, err)
}

// SetPolicy gives a pool a policy. Where it has one, that is replaced: of the version that WithIfMatch names, and refused with
// ErrPreconditionRequired without. It fails with ErrNotFound, or ErrInvalid where policies around or below contradict it.
func (c *Client) SetPolicy(ctx context.Context, pool string, policy NewPolicy, opts ...CallOption) (Policy, error) {
	call := newCall(opts)
	resp, err := c.raw.SetPolicy(ctx, pool, nil, policy, call.edit)
	return answer[Policy](call, resp, err)
}

// DeletePolicy takes the policy of a pool away. Without WithIfMatch it deletes whatever version stands. It fails with ErrNotFound or
// ErrPreconditionFailed.
func (c *Client) DeletePolicy(ctx context.Context, pool string, opts ...CallOption) error {
	_, err := current(opts,
		func(etag CallOption) error { _, err := c.GetPolicy(ctx, pool, etag); return err },
		func(call *call) (struct{}, error) {
			return struct{}{}, done(c.raw.DeletePolicy(ctx, pool, nil, call.edit))
		})
	return err
}

// GetEffectivePolicy lists the policies that hold in a pool, its own and those around it, the outermost first.
func (c *Client) GetEffectivePolicy(ctx context.Context, pool string) (EffectivePolicy, error) {
	resp, err := c.raw.GetEffectivePolicy(ctx, pool)
	return answer[EffectivePolicy](&call{}, resp, err)
}

// PolicyViolations walks what stands in a pool and below, and would not be allowed today.
func (c *Client) PolicyViolations(ctx context.Context, pool string, filter ListPolicyViolationsParams) iter.Seq2[PolicyViolator, error] {
	return pages(func(token *string) ([]PolicyViolator, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListPolicyViolations(ctx, pool, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListPolicyViolations reads one page. Use PolicyViolations to walk all of them.
func (c *Client) ListPolicyViolations(ctx context.Context, pool string, filter ListPolicyViolationsParams) (PolicyViolationPage, error) {
	resp, err := c.raw.ListPolicyViolations(ctx, pool, &filter)
	return answer[PolicyViolationPage](&call{}, resp, err)
}
