package httpapi

import (
	"context"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Search answers an address, a CIDR or words.
func (s *Server) Search(ctx context.Context, req api.SearchRequestObject) (api.SearchResponseObject, error) {
	limit := 20
	if req.Params.Limit != nil {
		limit = *req.Params.Limit
	}
	found, err := s.insight.Search(ctx, caller(ctx).Sees(), req.Params.Q, value(req.Params.Scope), limit)
	if err != nil {
		return nil, err
	}
	out := api.Search200JSONResponse{Places: each(found.Places, placeOut), Hits: each(found.Hits, hit), More: found.More}
	if found.Block.IsValid() {
		out.CIDR = new(found.Block.String())
	}
	return out, nil
}

func placeOut(p ipam.Place) api.Place {
	out := api.Place{
		Scope: p.Scope, Status: api.PlaceStatus(p.Status), Pools: each(p.Pools, pool), Inside: each(p.Inside, prefix), Observations: each(p.Observed, observation), More: p.More,
	}
	if p.Free.IsValid() {
		out.Free = new(p.Free.String())
	}
	if h := p.Holder; h != nil {
		out.Holder = &api.PlaceHolder{
			Kind: api.PrefixKind(h.Kind), Status: api.PrefixStatus(h.Status), ID: h.OwnerID(), Name: h.Name, Pool: optional(h.Pool), CIDR: h.CIDR.String(),
			Owner: h.Who, Purpose: h.Purpose, Account: h.Account, Region: h.Region, Environment: h.Environment, Labels: labels(h.Labels), CreatedAt: h.CreatedAt, Until: h.Until,
		}
	}
	return out
}

func hit(h ipam.Hit) api.Hit {
	out := api.Hit{
		Kind: api.HitKind(h.Kind), ID: h.ID, Name: h.Name, Scope: optional(h.Scope), Pool: optional(h.Pool), Owner: h.Owner, Account: h.Account, Labels: labels(h.Labels),
	}
	if h.CIDR.IsValid() {
		out.CIDR = new(h.CIDR.String())
	}
	return out
}
