package httpapi

import (
	"context"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListBindings lists a page of bindings.
func (s *Server) ListBindings(ctx context.Context, req api.ListBindingsRequestObject) (api.ListBindingsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	f := ipam.BindingFilter{Scope: value(req.Params.Scope), Pool: value(req.Params.Pool)}
	if req.Params.Principal != nil {
		f.Principals = []ipam.UID{ipam.UID(*req.Params.Principal)}
	}
	items, err := s.access.Bindings(ctx, caller(ctx).Reaches(), f, p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(b ipam.Binding) ipam.Cursor { return ipam.Cursor{ID: b.ID} })
	return api.ListBindings200JSONResponse{Items: each(items, binding), NextPageToken: next}, nil
}

// CreateBinding gives a principal a role.
func (s *Server) CreateBinding(ctx context.Context, req api.CreateBindingRequestObject) (api.CreateBindingResponseObject, error) {
	b := req.Body
	made, err := s.access.Bind(ctx, caller(ctx), ipam.NewBinding{
		Principal: ipam.UID(value(b.Principal)), Issuer: value(b.Issuer), Subject: value(b.Subject), Role: ipam.Role(b.Role), Scope: value(b.Scope), Pool: value(b.Pool), Largest: b.LargestPrefixLength, Labels: ipam.Labels(value(b.Labels)),
	})
	if err != nil {
		return nil, err
	}
	return api.CreateBinding201JSONResponse(binding(made)), nil
}

// GetBinding reads a binding.
func (s *Server) GetBinding(ctx context.Context, req api.GetBindingRequestObject) (api.GetBindingResponseObject, error) {
	found, err := s.access.Binding(ctx, caller(ctx).Reaches(), req.Binding)
	if err != nil {
		return nil, err
	}
	return api.GetBinding200JSONResponse(binding(found)), nil
}

// DeleteBinding takes a role away.
func (s *Server) DeleteBinding(ctx context.Context, req api.DeleteBindingRequestObject) (api.DeleteBindingResponseObject, error) {
	if err := s.access.Unbind(ctx, caller(ctx), req.Binding); err != nil {
		return nil, err
	}
	return api.DeleteBinding204Response{}, nil
}

func binding(b ipam.Binding) api.Binding {
	out := api.Binding{
		ID: b.ID, Principal: string(b.Principal), Actor: b.Actor, Issuer: optional(b.Issuer), Subject: optional(b.Subject), Role: api.Role(b.Role), Scope: optional(b.Scope), ScopeUID: optional(string(b.ScopeUID)),
		Labels: labels(b.Labels), CreatedAt: b.CreatedAt,
	}
	if b.PoolUID != "" {
		out.Pool, out.PoolUID = new(b.Pool), new(string(b.PoolUID))
	}
	if b.Largest > 0 {
		out.LargestPrefixLength = new(b.Largest)
	}
	return out
}
