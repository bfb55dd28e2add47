package cloudpam

import (
	"context"
	"iter"
)

// Scopes lists scopes by name.
func (c *Client) Scopes(ctx context.Context, filter ListScopesParams) iter.Seq2[Scope, error] {
	return pages(func(token *string) ([]Scope, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListScopes(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListScopes reads one page of scopes. Use Scopes to walk all of them.
func (c *Client) ListScopes(ctx context.Context, filter ListScopesParams) (ScopePage, error) {
	resp, err := c.raw.ListScopes(ctx, &filter)
	return answer[ScopePage](&call{}, resp, err)
}

// CreateScope creates a scope. It fails with ErrNameTaken.
func (c *Client) CreateScope(ctx context.Context, scope NewScope, opts ...CallOption) (Scope, error) {
	call := newCall(opts)
	resp, err := c.raw.CreateScope(ctx, nil, scope, call.edit)
	return answer[Scope](call, resp, err)
}

// GetScope reads a scope. It fails with ErrNotFound.
func (c *Client) GetScope(ctx context.Context, id string, opts ...CallOption) (Scope, error) {
	call := newCall(opts)
	resp, err := c.raw.GetScope(ctx, id, call.edit)
	return answer[Scope](call, resp, err)
}

// UpdateScope changes the fields that the patch names. Without WithIfMatch it changes whatever version stands.
func (c *Client) UpdateScope(ctx context.Context, id string, patch ScopePatch, opts ...CallOption) (Scope, error) {
	return current(opts,
		func(etag CallOption) error { _, err := c.GetScope(ctx, id, etag); return err },
		func(call *call) (Scope, error) {
			resp, err := c.raw.UpdateScope(ctx, id, nil, patch, call.edit)
			return answer[Scope](call, resp, err)
		})
}

// DeleteScope deletes a scope without pools. Without WithIfMatch it deletes whatever version stands.
// It fails with ErrNotFound, ErrScopeNotEmpty or ErrPreconditionFailed.
func (c *Client) DeleteScope(ctx context.Context, id string, opts ...CallOption) error {
	_, err := current(opts,
		func(etag CallOption) error { _, err := c.GetScope(ctx, id, etag); return err },
		func(call *call) (struct{}, error) {
			return struct{}{}, done(c.raw.DeleteScope(ctx, id, nil, call.edit))
		})
	return err
}
