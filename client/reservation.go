package cloudpam

import (
	"context"
	"iter"
)

// Reservations lists reservations, the oldest first.
func (c *Client) Reservations(ctx context.Context, filter ListReservationsParams) iter.Seq2[Reservation, error] {
	return pages(func(token *string) ([]Reservation, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListReservations(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListReservations reads one page of reservations. Use Reservations to walk all of them.
func (c *Client) ListReservations(ctx context.Context, filter ListReservationsParams) (ReservationPage, error) {
	resp, err := c.raw.ListReservations(ctx, &filter)
	return answer[ReservationPage](&call{}, resp, err)
}

// CreateReservation keeps a block of a pool out of use.
// It fails with ErrCIDRTaken, ErrPoolExhausted, ErrOutsidePool, ErrPolicyViolation or ErrNotFound (no such pool).
func (c *Client) CreateReservation(ctx context.Context, reservation NewReservation, opts ...CallOption) (Reservation, error) {
	call := newCall(opts)
	resp, err := c.raw.CreateReservation(ctx, nil, reservation, call.edit)
	return answer[Reservation](call, resp, err)
}

// GetReservation reads a reservation. It fails with ErrNotFound.
func (c *Client) GetReservation(ctx context.Context, id string, opts ...CallOption) (Reservation, error) {
	call := newCall(opts)
	resp, err := c.raw.GetReservation(ctx, id, call.edit)
	return answer[Reservation](call, resp, err)
}

// UpdateReservation changes why, for whom or until when a block is reserved. Without WithIfMatch it changes whatever version
// stands. It fails with ErrNotFound or ErrPreconditionFailed.
func (c *Client) UpdateReservation(ctx context.Context, id string, patch ReservationPatch, opts ...CallOption) (Reservation, error) {
	return current(opts,
		func(etag CallOption) error { _, err := c.GetReservation(ctx, id, etag); return err },
		func(call *call) (Reservation, error) {
			resp, err := c.raw.UpdateReservation(ctx, id, nil, patch, call.edit)
			return answer[Reservation](call, resp, err)
		})
}

// ReleaseReservation gives the block back. It fails with ErrNotFound, and with ErrPreconditionFailed when WithIfMatch was given
// and the reservation has changed since.
func (c *Client) ReleaseReservation(ctx context.Context, id string, opts ...CallOption) error {
	call := newCall(opts)
	return done(c.raw.ReleaseReservation(ctx, id, nil, call.edit))
}
