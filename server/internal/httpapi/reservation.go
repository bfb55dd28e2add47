package httpapi

import (
	"context"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListReservations lists a page of reservations.
func (s *Server) ListReservations(ctx context.Context, req api.ListReservationsRequestObject) (api.ListReservationsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	f := ipam.ReservationFilter{
		Scope: value(req.Params.Scope), Pool: value(req.Params.Pool), Owner: value(req.Params.Owner), Family: familyNumber(req.Params.Family), Text: value(req.Params.Q),
	}
	p.Order = ipam.Order(value(req.Params.Sort))
	if f.Around, err = around(req.Params.Within, req.Params.Contains); err != nil {
		return nil, err
	}
	if f.Labels, err = labelFilter(req.Params.Label); err != nil {
		return nil, err
	}
	items, err := s.insight.Reservations(ctx, caller(ctx).Sees(), f, p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(v ipam.Reservation) ipam.Cursor { return ipam.Cursor{ID: v.ID, Prefix: v.CIDR} })
	return api.ListReservations200JSONResponse{Items: each(items, reservation), NextPageToken: next}, nil
}

// CreateReservation keeps a block out of use.
func (s *Server) CreateReservation(ctx context.Context, req api.CreateReservationRequestObject) (api.CreateReservationResponseObject, error) {
	asked, err := newReservation(*req.Body)
	if err != nil {
		return nil, err
	}
	created, err := s.registry.Reserve(ctx, caller(ctx), asked)
	if err != nil {
		return nil, err
	}
	return api.CreateReservation201JSONResponse{Body: reservation(created), Headers: api.CreateReservation201ResponseHeaders{ETag: etag(created.ETag())}}, nil
}

func newReservation(b api.NewReservation) (ipam.NewReservation, error) {
	cidr, err := prefixAt("/cidr", b.CIDR)
	return ipam.NewReservation{
		Pool: b.Pool, Name: value(b.Name), CIDR: cidr, Length: b.PrefixLength, Reason: b.Reason, Owner: value(b.Owner), Labels: ipam.Labels(value(b.Labels)), ExpiresAt: b.ExpiresAt,
	}, err
}

// GetReservation reads a reservation.
func (s *Server) GetReservation(ctx context.Context, req api.GetReservationRequestObject) (api.GetReservationResponseObject, error) {
	found, err := s.insight.Reservation(ctx, caller(ctx).Sees(), req.Reservation)
	if err != nil {
		return nil, err
	}
	return api.GetReservation200JSONResponse{Body: reservation(found), Headers: api.GetReservation200ResponseHeaders{ETag: etag(found.ETag())}}, nil
}

// UpdateReservation changes a reservation.
func (s *Server) UpdateReservation(ctx context.Context, req api.UpdateReservationRequestObject) (api.UpdateReservationResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	changed, err := s.registry.UpdateReservation(ctx, caller(ctx), req.Reservation, version, reservationPatch(*req.Body))
	if err != nil {
		return nil, err
	}
	return api.UpdateReservation200JSONResponse{Body: reservation(changed), Headers: api.UpdateReservation200ResponseHeaders{ETag: etag(changed.ETag())}}, nil
}

func reservationPatch(b api.ReservationPatch) ipam.ReservationPatch {
	return ipam.ReservationPatch{Name: b.Name, Reason: b.Reason, Owner: b.Owner, Labels: labelsPatch(b.Labels), ExpiresAt: momentPatch(b.ExpiresAt)}
}

// ReleaseReservation gives a kept block back.
func (s *Server) ReleaseReservation(ctx context.Context, req api.ReleaseReservationRequestObject) (api.ReleaseReservationResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := s.registry.ReleaseReservation(ctx, caller(ctx), req.Reservation, version); err != nil {
		return nil, err
	}
	return api.ReleaseReservation204Response{}, nil
}

// momentPatch tells "leave it" (nil) from "take it away" (a pointer to nil).
func momentPatch(n nullable.Nullable[time.Time]) **time.Time {
	if !n.IsSpecified() {
		return nil
	}
	var at *time.Time
	if !n.IsNull() {
		at = new(n.MustGet())
	}
	return &at
}

func reservation(v ipam.Reservation) api.Reservation {
	return api.Reservation{
		ID: v.ID, Scope: v.Scope, Pool: v.Pool, Name: optional(v.Name), CIDR: v.CIDR.String(), PrefixLength: v.CIDR.Bits(), Family: familyName(v.CIDR), Reason: v.Reason, Owner: v.Owner,
		Labels: labels(v.Labels), ExpiresAt: v.ExpiresAt, Version: v.Version, CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt,
	}
}
