package cloudpam

import (
	"context"
	"iter"
)

// Prefixes lists what occupies space, the oldest first.
func (c *Client) Prefixes(ctx context.Context, filter ListPrefixesParams) iter.Seq2[Prefix, error] {
	return pages(func(token *string) ([]Prefix, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListPrefixes(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListPrefixes reads one page of prefixes. Use Prefixes to walk all of them.
func (c *Client) ListPrefixes(ctx context.Context, filter ListPrefixesParams) (PrefixPage, error) {
	resp, err := c.raw.ListPrefixes(ctx, &filter)
	return answer[PrefixPage](&call{}, resp, err)
}
