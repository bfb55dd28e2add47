package cloudpam

import "context"

// GetVersion says what the server is. It needs no token.
func (c *Client) GetVersion(ctx context.Context) (Version, error) {
	resp, err := c.raw.GetVersion(ctx)
	return answer[Version](&call{}, resp, err)
}
