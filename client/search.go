package cloudpam

import "context"

// Search answers an address or a CIDR with what is there in each scope, and words with what has all of them: Places or Hits.
func (c *Client) Search(ctx context.Context, ask SearchParams) (SearchResult, error) {
	resp, err := c.raw.Search(ctx, &ask)
	return answer[SearchResult](&call{}, resp, err)
}

// GetPrefixSet answers the fewest CIDRs of the allocations, or pools, of a scope that match. It fails with ErrInvalid when that is everything, or too much.
func (c *Client) GetPrefixSet(ctx context.Context, of GetPrefixSetParams) (PrefixSet, error) {
	resp, err := c.raw.GetPrefixSet(ctx, &of)
	return answer[PrefixSet](&call{}, resp, err)
}
