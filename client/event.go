package cloudpam

import (
	"context"
	"iter"
)

// Events lists events, the newest first.
func (c *Client) Events(ctx context.Context, filter ListEventsParams) iter.Seq2[Event, error] {
	return pages(func(token *string) ([]Event, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListEvents(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListEvents reads one page of events. Use Events to walk all of them.
func (c *Client) ListEvents(ctx context.Context, filter ListEventsParams) (EventPage, error) {
	resp, err := c.raw.ListEvents(ctx, &filter)
	return answer[EventPage](&call{}, resp, err)
}
