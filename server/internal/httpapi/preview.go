package httpapi

import (
	"context"
	"errors"

	"github.com/cloudpam/cloudpam/server/api"
)

func (s *Server) PreviewAllocation(context.Context, api.PreviewAllocationRequestObject) (api.PreviewAllocationResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) PreviewPool(context.Context, api.PreviewPoolRequestObject) (api.PreviewPoolResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) ListDrafts(context.Context, api.ListDraftsRequestObject) (api.ListDraftsResponseObject, error) {
	return nil, errors.ErrUnsupported
}
