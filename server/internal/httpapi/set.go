package httpapi

import (
	"context"
	"errors"

	"github.com/cloudpam/cloudpam/server/api"
)

func (s *Server) ListAllocationSets(context.Context, api.ListAllocationSetsRequestObject) (api.ListAllocationSetsResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) CreateAllocationSet(context.Context, api.CreateAllocationSetRequestObject) (api.CreateAllocationSetResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) GetAllocationSet(context.Context, api.GetAllocationSetRequestObject) (api.GetAllocationSetResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) UpdateAllocationSet(context.Context, api.UpdateAllocationSetRequestObject) (api.UpdateAllocationSetResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) ReleaseAllocationSet(context.Context, api.ReleaseAllocationSetRequestObject) (api.ReleaseAllocationSetResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) PlaceSetHolds(context.Context, api.PlaceSetHoldsRequestObject) (api.PlaceSetHoldsResponseObject, error) {
	return nil, errors.ErrUnsupported
}
