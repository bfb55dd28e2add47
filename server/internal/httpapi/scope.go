package httpapi

import (
	"context"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// GetVersion says what this server is.
func (s *Server) GetVersion(context.Context, api.GetVersionRequestObject) (api.GetVersionResponseObject, error) {
	return api.GetVersion200JSONResponse(s.version), nil
}

// ListScopes lists a page of scopes.
func (s *Server) ListScopes(ctx context.Context, req api.ListScopesRequestObject) (api.ListScopesResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	items, err := s.scopes.Scopes(ctx, caller(ctx).Sees(), p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(s ipam.Scope) ipam.Cursor { return ipam.Cursor{ID: string(s.UID)} })
	return api.ListScopes200JSONResponse{Items: each(items, scope), NextPageToken: next}, nil
}

// CreateScope creates a scope.
func (s *Server) CreateScope(ctx context.Context, req api.CreateScopeRequestObject) (api.CreateScopeResponseObject, error) {
	created, err := s.scopes.CreateScope(ctx, caller(ctx), ipam.Scope{
		ID: req.Body.Name, Description: value(req.Body.Description), Labels: ipam.Labels(value(req.Body.Labels)),
	})
	if err != nil {
		return nil, err
	}
	return api.CreateScope201JSONResponse{Body: scope(created), Headers: api.CreateScope201ResponseHeaders{ETag: etag(created.ETag())}}, nil
}

// GetScope reads a scope.
func (s *Server) GetScope(ctx context.Context, req api.GetScopeRequestObject) (api.GetScopeResponseObject, error) {
	found, err := s.scopes.Scope(ctx, caller(ctx).Sees(), req.Scope)
	if err != nil {
		return nil, err
	}
	return api.GetScope200JSONResponse{Body: scope(found), Headers: api.GetScope200ResponseHeaders{ETag: etag(found.ETag())}}, nil
}

// UpdateScope changes a scope.
func (s *Server) UpdateScope(ctx context.Context, req api.UpdateScopeRequestObject) (api.UpdateScopeResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	changed, err := s.scopes.UpdateScope(ctx, caller(ctx), req.Scope, version, ipam.ScopePatch{
		Name:        req.Body.Name,
		Description: req.Body.Description, Labels: labelsPatch(req.Body.Labels),
	})
	if err != nil {
		return nil, err
	}
	return api.UpdateScope200JSONResponse{Body: scope(changed), Headers: api.UpdateScope200ResponseHeaders{ETag: etag(changed.ETag())}}, nil
}

// DeleteScope deletes an empty scope.
func (s *Server) DeleteScope(ctx context.Context, req api.DeleteScopeRequestObject) (api.DeleteScopeResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := s.scopes.DeleteScope(ctx, caller(ctx), req.Scope, version); err != nil {
		return nil, err
	}
	return api.DeleteScope204Response{}, nil
}

func scope(s ipam.Scope) api.Scope {
	return api.Scope{
		ID: s.ID, UID: string(s.UID), Description: s.Description, Labels: labels(s.Labels), Version: s.Version, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
	}
}
