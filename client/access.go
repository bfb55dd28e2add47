package cloudpam

import (
	"context"
	"iter"
)

// GetMe says who asks, and what he may do.
func (c *Client) GetMe(ctx context.Context) (Me, error) {
	resp, err := c.raw.GetMe(ctx)
	return answer[Me](&call{}, resp, err)
}

// Tokens lists tokens, the oldest first: those that may do nothing beyond where the caller is admin.
func (c *Client) Tokens(ctx context.Context, filter ListTokensParams) iter.Seq2[Token, error] {
	return pages(func(token *string) ([]Token, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListTokens(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListTokens reads one page of tokens. Use Tokens to walk all of them.
func (c *Client) ListTokens(ctx context.Context, filter ListTokensParams) (TokenPage, error) {
	resp, err := c.raw.ListTokens(ctx, &filter)
	return answer[TokenPage](&call{}, resp, err)
}

// CreateToken makes a token. Its secret is told this once: the answer to a repeat under one Idempotency-Key has none, also when this
// client repeats by itself what it got no answer to.
// It fails with ErrNameTaken, ErrNotFound (a scope or a pool) or ErrForbidden (it would be wider than the caller).
func (c *Client) CreateToken(ctx context.Context, token NewToken, opts ...CallOption) (CreatedToken, error) {
	call := newCall(opts)
	resp, err := c.raw.CreateToken(ctx, nil, token, call.edit)
	return answer[CreatedToken](call, resp, err)
}

// RevokeToken ends a token. It fails with ErrNotFound, also when it has ended.
func (c *Client) RevokeToken(ctx context.Context, id string, opts ...CallOption) error {
	call := newCall(opts)
	return done(c.raw.RevokeToken(ctx, id, nil, call.edit))
}

// Bindings lists bindings, the oldest first: those in places where the caller is admin.
func (c *Client) Bindings(ctx context.Context, filter ListBindingsParams) iter.Seq2[Binding, error] {
	return pages(func(token *string) ([]Binding, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListBindings(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListBindings reads one page of bindings. Use Bindings to walk all of them.
func (c *Client) ListBindings(ctx context.Context, filter ListBindingsParams) (BindingPage, error) {
	resp, err := c.raw.ListBindings(ctx, &filter)
	return answer[BindingPage](&call{}, resp, err)
}

// CreateBinding gives a principal a role in a place. It fails with ErrNotFound (the principal, a scope or a pool) or ErrForbidden.
func (c *Client) CreateBinding(ctx context.Context, binding NewBinding, opts ...CallOption) (Binding, error) {
	call := newCall(opts)
	resp, err := c.raw.CreateBinding(ctx, nil, binding, call.edit)
	return answer[Binding](call, resp, err)
}

// GetBinding reads a binding. It fails with ErrNotFound.
func (c *Client) GetBinding(ctx context.Context, id string) (Binding, error) {
	resp, err := c.raw.GetBinding(ctx, id)
	return answer[Binding](&call{}, resp, err)
}

// DeleteBinding takes a role away. It fails with ErrNotFound.
func (c *Client) DeleteBinding(ctx context.Context, id string, opts ...CallOption) error {
	call := newCall(opts)
	return done(c.raw.DeleteBinding(ctx, id, nil, call.edit))
}

// Sessions lists the sessions of browsers, the oldest first: one's own, and to who is admin everywhere those of all.
func (c *Client) Sessions(ctx context.Context, filter ListSessionsParams) iter.Seq2[Session, error] {
	return pages(func(token *string) ([]Session, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListSessions(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListSessions reads one page of sessions. Use Sessions to walk all of them.
func (c *Client) ListSessions(ctx context.Context, filter ListSessionsParams) (SessionPage, error) {
	resp, err := c.raw.ListSessions(ctx, &filter)
	return answer[SessionPage](&call{}, resp, err)
}

// EndSession ends a session. It fails with ErrNotFound, also when it has ended.
func (c *Client) EndSession(ctx context.Context, id string, opts ...CallOption) error {
	call := newCall(opts)
	return done(c.raw.EndSession(ctx, id, nil, call.edit))
}
