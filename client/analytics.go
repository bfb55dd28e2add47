package cloudpam

import "context"

// GetUtilization tells how pools are used, each by itself and with what is below it. It fails with ErrNotFound.
func (c *Client) GetUtilization(ctx context.Context, of GetUtilizationParams) (SpaceUse, error) {
	resp, err := c.raw.GetUtilization(ctx, &of)
	return answer[SpaceUse](&call{}, resp, err)
}

// GetSpace tells how much is allocated, by what allocations have in common. It fails with ErrNotFound.
func (c *Client) GetSpace(ctx context.Context, of GetSpaceParams) (SpaceGroups, error) {
	resp, err := c.raw.GetSpace(ctx, &of)
	return answer[SpaceGroups](&call{}, resp, err)
}

// GetRunway tells how long the space of pools lasts at the pace of late. It fails with ErrNotFound.
func (c *Client) GetRunway(ctx context.Context, of GetRunwayParams) (Runway, error) {
	resp, err := c.raw.GetRunway(ctx, &of)
	return answer[Runway](&call{}, resp, err)
}

// GetEndings tells what ends by itself, the soonest first. It fails with ErrNotFound.
func (c *Client) GetEndings(ctx context.Context, of GetEndingsParams) (Endings, error) {
	resp, err := c.raw.GetEndings(ctx, &of)
	return answer[Endings](&call{}, resp, err)
}

// GetCreations tells how much of what is there now was made when. It fails with ErrNotFound.
func (c *Client) GetCreations(ctx context.Context, of GetCreationsParams) (Creations, error) {
	resp, err := c.raw.GetCreations(ctx, &of)
	return answer[Creations](&call{}, resp, err)
}

// GetFreeClasses tells how many free blocks of each size pools have together. It fails with ErrNotFound.
func (c *Client) GetFreeClasses(ctx context.Context, of GetFreeClassesParams) (FreeClasses, error) {
	resp, err := c.raw.GetFreeClasses(ctx, &of)
	return answer[FreeClasses](&call{}, resp, err)
}
