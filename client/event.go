package cloudpam

import (
	"context"
	"io"
	"iter"
	"net/http"
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

// ExportEvents writes events as NDJSON or CSV, however many there are, and returns how many bytes. WithRequestTimeout bounds all of it. What
// fails in the middle is an error: the export is then not whole.
func (c *Client) ExportEvents(ctx context.Context, filter ExportEventsParams, w io.Writer) (int64, error) {
	resp, err := c.raw.ExportEvents(ctx, &filter)
	if err != nil || resp.StatusCode != http.StatusOK {
		_, err = read(resp, err)
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	return io.Copy(w, resp.Body)
}

// History tells who had the addresses of a block, from when to when, the oldest object first.
func (c *Client) History(ctx context.Context, filter GetHistoryParams) iter.Seq2[Span, error] {
	return pages(func(token *string) ([]Span, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.GetHistory(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// GetHistory reads one page of spans. Use History to walk all of them.
func (c *Client) GetHistory(ctx context.Context, filter GetHistoryParams) (SpanPage, error) {
	resp, err := c.raw.GetHistory(ctx, &filter)
	return answer[SpanPage](&call{}, resp, err)
}

// Seals lists signed statements of where the chains of events ended, in their order.
func (c *Client) Seals(ctx context.Context, filter ListSealsParams) iter.Seq2[Seal, error] {
	return pages(func(token *string) ([]Seal, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListSeals(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListSeals reads one page of seals. Use Seals to walk all of them.
func (c *Client) ListSeals(ctx context.Context, filter ListSealsParams) (SealPage, error) {
	resp, err := c.raw.ListSeals(ctx, &filter)
	return answer[SealPage](&call{}, resp, err)
}

// StreamEvents opens the stream of events, as server-sent events: who reads it closes it. WithRequestTimeout bounds all of it. After is the
// id of the last message that was read: with it, the stream goes on where it ended.
func (c *Client) StreamEvents(ctx context.Context, after string) (io.ReadCloser, error) {
	params := StreamEventsParams{}
	if after != "" {
		params.After = &after
	}
	resp, err := c.raw.StreamEvents(ctx, &params)
	if err != nil || resp.StatusCode != http.StatusOK {
		_, err = read(resp, err)
		return nil, err
	}
	return resp.Body, nil
}
