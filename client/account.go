package cloudpam

import (
	"context"
	"iter"
)

// Accounts lists accounts by id.
func (c *Client) Accounts(ctx context.Context, filter ListAccountsParams) iter.Seq2[Account, error] {
	return pages(func(token *string) ([]Account, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListAccounts(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListAccounts reads one page of accounts. Use Accounts to walk all of them.
func (c *Client) ListAccounts(ctx context.Context, filter ListAccountsParams) (AccountPage, error) {
	resp, err := c.raw.ListAccounts(ctx, &filter)
	return answer[AccountPage](&call{}, resp, err)
}

// CreateAccount registers an account. It fails with ErrNameTaken when the cloud's account is registered already.
func (c *Client) CreateAccount(ctx context.Context, account NewAccount, opts ...CallOption) (Account, error) {
	call := newCall(opts)
	resp, err := c.raw.CreateAccount(ctx, nil, account, call.edit)
	return answer[Account](call, resp, err)
}

// GetAccount reads an account, by an id such as aws:123456789012. It fails with ErrNotFound.
func (c *Client) GetAccount(ctx context.Context, id string, opts ...CallOption) (Account, error) {
	call := newCall(opts)
	resp, err := c.raw.GetAccount(ctx, id, call.edit)
	return answer[Account](call, resp, err)
}

// UpdateAccount changes what is known of an account. Without WithIfMatch it changes whatever version stands. It fails with
// ErrNotFound or ErrPreconditionFailed.
func (c *Client) UpdateAccount(ctx context.Context, id string, patch AccountPatch, opts ...CallOption) (Account, error) {
	return current(opts,
		func(etag CallOption) error { _, err := c.GetAccount(ctx, id, etag); return err },
		func(call *call) (Account, error) {
			resp, err := c.raw.UpdateAccount(ctx, id, nil, patch, call.edit)
			return answer[Account](call, resp, err)
		})
}

// DeleteAccount forgets an account. Without WithIfMatch it forgets whatever version stands. It fails with ErrNotFound or
// ErrPreconditionFailed.
func (c *Client) DeleteAccount(ctx context.Context, id string, opts ...CallOption) error {
	_, err := current(opts,
		func(etag CallOption) error { _, err := c.GetAccount(ctx, id, etag); return err },
		func(call *call) (struct{}, error) {
			return struct{}{}, done(c.raw.DeleteAccount(ctx, id, nil, call.edit))
		})
	return err
}
