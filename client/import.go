package cloudpam

import (
	"context"
	"iter"
)

// Imports lists imports by age: those of the caller, and all to who sees everything. They are without their rows.
func (c *Client) Imports(ctx context.Context, filter ListImportsParams) iter.Seq2[Import, error] {
	return pages(func(token *string) ([]Import, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListImports(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListImports reads one page of imports. Use Imports to walk all of them.
func (c *Client) ListImports(ctx context.Context, filter ListImportsParams) (ImportPage, error) {
	resp, err := c.raw.ListImports(ctx, &filter)
	return answer[ImportPage](&call{}, resp, err)
}

// CreateImport makes and changes what the rows of a CSV file say, all or nothing. The digest is that of TryImport: where a verdict is
// another by now, it fails with ErrPreconditionFailed, and where a row is refused, as the single request for it would.
func (c *Client) CreateImport(ctx context.Context, file NewImport, opts ...CallOption) (Import, error) {
	call := newCall(opts)
	resp, err := c.raw.CreateImport(ctx, nil, file, call.edit)
	return answer[Import](call, resp, err)
}

// TryImport says what would become of each row of a CSV file. It changes nothing.
func (c *Client) TryImport(ctx context.Context, file NewImport, opts ...CallOption) (Import, error) {
	return c.CreateImport(ctx, file, append(opts, WithDryRun())...)
}

// GetImport reads an import, with the rows that made or changed something. It fails with ErrNotFound.
func (c *Client) GetImport(ctx context.Context, id string) (Import, error) {
	resp, err := c.raw.GetImport(ctx, id)
	return answer[Import](&call{}, resp, err)
}

// UndoImport takes back what an import did, all or nothing. It fails with ErrNotFound, and with ErrPreconditionFailed where something
// has changed since.
func (c *Client) UndoImport(ctx context.Context, id string, opts ...CallOption) (Import, error) {
	call := newCall(opts)
	resp, err := c.raw.UndoImport(ctx, id, nil, call.edit)
	return answer[Import](call, resp, err)
}
