package httpapi

import (
	"context"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListQuarantines lists a page of quarantines.
func (s *Server) ListQuarantines(ctx context.Context, req api.ListQuarantinesRequestObject) (api.ListQuarantinesResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	f := ipam.QuarantineFilter{
		Scope: value(req.Params.Scope), Pool: value(req.Params.Pool), Allocation: value(req.Params.Allocation), Owner: value(req.Params.Owner),
		Family: familyNumber(req.Params.Family), Text: value(req.Params.Q),
	}
	p.Order = ipam.Order(value(req.Params.Sort))
	if f.Around, err = around(req.Params.Within, req.Params.Contains); err != nil {
		return nil, err
	}
	items, err := s.ward.Quarantines(ctx, caller(ctx).Sees(), f, p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(q ipam.Quarantine) ipam.Cursor { return ipam.Cursor{ID: q.ID, Prefix: q.CIDR} })
	return api.ListQuarantines200JSONResponse{Items: each(items, quarantine), NextPageToken: next}, nil
}

// GetQuarantine reads a quarantine.
func (s *Server) GetQuarantine(ctx context.Context, req api.GetQuarantineRequestObject) (api.GetQuarantineResponseObject, error) {
	found, err := s.ward.Quarantine(ctx, caller(ctx).Sees(), req.Quarantine)
	if err != nil {
		return nil, err
	}
	return api.GetQuarantine200JSONResponse(quarantine(found)), nil
}

// EndQuarantine makes a block free before its time.
func (s *Server) EndQuarantine(ctx context.Context, req api.EndQuarantineRequestObject) (api.EndQuarantineResponseObject, error) {
	if err := s.registry.EndQuarantine(ctx, caller(ctx), req.Quarantine); err != nil {
		return nil, err
	}
	return api.EndQuarantine204Response{}, nil
}

// RestoreAllocation brings an allocation back out of quarantine.
func (s *Server) RestoreAllocation(ctx context.Context, req api.RestoreAllocationRequestObject) (api.RestoreAllocationResponseObject, error) {
	back, err := s.registry.Restore(ctx, caller(ctx), req.Allocation)
	if err != nil {
		return nil, err
	}
	return api.RestoreAllocation200JSONResponse{Body: allocation(back), Headers: api.RestoreAllocation200ResponseHeaders{ETag: etag(back.ETag())}}, nil
}

func quarantine(q ipam.Quarantine) api.Quarantine {
	return api.Quarantine{
		ID: q.ID, Scope: q.Scope, Pool: optional(q.Pool), CIDR: q.CIDR.String(), PrefixLength: q.CIDR.Bits(), Family: familyName(q.CIDR), Allocation: q.Allocation, Name: q.Name, Owner: q.Owner,
		Cause: api.QuarantineCause(q.Cause), Restorable: q.Restorable(), Until: q.Until, CreatedAt: q.CreatedAt,
	}
}
