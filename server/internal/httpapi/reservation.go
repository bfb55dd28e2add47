package httpapi

import (
	"context"
	"errors"

	"github.com/cloudpam/cloudpam/server/api"
)

func (s *Server) ListReservations(context.Context, api.ListReservationsRequestObject) (api.ListReservationsResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) CreateReservation(context.Context, api.CreateReservationRequestObject) (api.CreateReservationResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) GetReservation(context.Context, api.GetReservationRequestObject) (api.GetReservationResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) UpdateReservation(context.Context, api.UpdateReservationRequestObject) (api.UpdateReservationResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) ReleaseReservation(context.Context, api.ReleaseReservationRequestObject) (api.ReleaseReservationResponseObject, error) {
	return nil, errors.ErrUnsupported
}
