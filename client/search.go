package cloudpam

import "context"

// Search answers an address or a CIDR with what is there in each scope, and words with what has all of them: Places or Hits.
func (c *Client) Search(ctx context.Context, ask SearchParams) (SearchResult, error) {
	resp, err := c.raw.Search(ctx, &ask)
	return answer[SearchResult](&call{}, resp, err)
}
