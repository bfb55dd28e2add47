package httpapi

import (
	"context"
	"errors"

	"github.com/cloudpam/cloudpam/server/api"
)

func (s *Server) ListDrafts(context.Context, api.ListDraftsRequestObject) (api.ListDraftsResponseObject, error) {
	return nil, errors.ErrUnsupported
}
