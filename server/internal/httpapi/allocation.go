package httpapi

import (
	"context"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListAllocations lists a page of allocations.
func (s *Server) ListAllocations(ctx context.Context, req api.ListAllocationsRequestObject) (api.ListAllocationsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	f := ipam.AllocationFilter{
		Scope: value(req.Params.Scope), Pool: value(req.Params.Pool), Name: value(req.Params.Name), Set: value(req.Params.Set), Account: value(req.Params.Account),
		Owner: value(req.Params.Owner), Environment: value(req.Params.Environment), Region: value(req.Params.Region),
		Of: accountKind(req.Params.Cloud, req.Params.Platform, req.Params.Tier), Family: familyNumber(req.Params.Family), Text: value(req.Params.Q),
	}
	p.Order = ipam.Order(value(req.Params.Sort))
	if f.Around, err = around(req.Params.Within, req.Params.Contains); err != nil {
		return nil, err
	}
	if f.Labels, err = labelFilter(req.Params.Label); err != nil {
		return nil, err
	}
	items, err := s.insight.Allocations(ctx, caller(ctx).Sees(), f, p)
	if err != nil {
		return nil, err
	}
	total, err := counted(req.Params.Count, func() (int64, error) { return s.insight.AllocationTotal(ctx, caller(ctx).Sees(), f) })
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(a ipam.Allocation) ipam.Cursor { return ipam.Cursor{ID: a.ID, Prefix: a.CIDR} })
	return api.ListAllocations200JSONResponse{Items: each(items, allocation), NextPageToken: next, Total: total}, nil
}

// CreateAllocation hands out a block.
func (s *Server) CreateAllocation(ctx context.Context, req api.CreateAllocationRequestObject) (api.CreateAllocationResponseObject, error) {
	asked, err := newAllocation(*req.Body)
	if err != nil {
		return nil, err
	}
	if asked.Seen, err = s.seen(ctx, *req.Body); err != nil {
		return nil, err
	}
	created, err := s.registry.Allocate(ctx, caller(ctx), asked)
	if err != nil {
		return nil, err
	}
	return api.CreateAllocation201JSONResponse{Body: allocation(created), Headers: api.CreateAllocation201ResponseHeaders{ETag: etag(created.ETag())}}, nil
}

// seen is what of clouds must have been seen for an allocation. A look that is asked for is made here, and judged where the block is
// handed out, so that a request which is sent again has its answer whatever the cloud says by then.
func (s *Server) seen(ctx context.Context, b api.NewAllocation) (ipam.Seen, error) {
	want := ipam.Seen{MaxAge: time.Duration(value(b.MaxObservedAgeSeconds)) * time.Second}
	if b.Observe == nil {
		return want, nil
	}
	want.Account = value(b.Account)
	if want.Account == "" {
		return want, ipam.Invalid("/account", "observe looks at the account of the allocation first; name it")
	}
	looking, cancel := context.WithTimeout(ctx, freshPatience)
	defer cancel()
	var err error
	want.Since, err = s.clouds.Fresh(looking, caller(ctx), want.Account)
	return want, ipam.At("/account", err)
}

// freshPatience is how long an allocation waits for a look at its account.
const freshPatience = 20 * time.Second

func newAllocation(b api.NewAllocation) (ipam.NewAllocation, error) {
	size, err := blockSize(b.CIDR, b.PrefixLength, b.Hosts, b.Target)
	if err != nil {
		return ipam.NewAllocation{}, err
	}
	size.Placing, err = placing(b.Strategy, b.Exclude)
	return ipam.NewAllocation{
		Pool: b.Pool, Selector: poolSelector(b.PoolSelector), Name: b.Name, BlockSize: size,
		Details: ipam.Details{
			Description: value(b.Description), Owner: value(b.Owner), Account: value(b.Account), Region: value(b.Region), Environment: value(b.Environment), Labels: ipam.Labels(value(b.Labels)),
		},
		Purpose: value(b.Purpose), ExpiresAt: b.ExpiresAt,
	}, err
}

// GetAllocation reads an allocation.
func (s *Server) GetAllocation(ctx context.Context, req api.GetAllocationRequestObject) (api.GetAllocationResponseObject, error) {
	found, err := s.insight.Allocation(ctx, caller(ctx).Sees(), req.Allocation)
	if err != nil {
		return nil, err
	}
	return api.GetAllocation200JSONResponse{Body: allocation(found), Headers: api.GetAllocation200ResponseHeaders{ETag: etag(found.ETag())}}, nil
}

// UpdateAllocation renames, describes or resizes an allocation.
func (s *Server) UpdateAllocation(ctx context.Context, req api.UpdateAllocationRequestObject) (api.UpdateAllocationResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	patch, err := allocationPatch(*req.Body)
	if err != nil {
		return nil, err
	}
	changed, err := s.registry.UpdateAllocation(ctx, caller(ctx), req.Allocation, version, patch)
	if err != nil {
		return nil, err
	}
	return api.UpdateAllocation200JSONResponse{Body: allocation(changed), Headers: api.UpdateAllocation200ResponseHeaders{ETag: etag(changed.ETag())}}, nil
}

// PreviewAllocation says what UpdateAllocation would answer.
func (s *Server) PreviewAllocation(ctx context.Context, req api.PreviewAllocationRequestObject) (api.PreviewAllocationResponseObject, error) {
	patch, err := allocationPatch(*req.Body)
	if err != nil {
		return nil, err
	}
	would, err := s.registry.PreviewAllocation(ctx, caller(ctx), req.Allocation, patch, planOf(req.Params.Holder, req.Params.Run, req.Params.Applying))
	if err != nil {
		return nil, err
	}
	return api.PreviewAllocation200JSONResponse(allocation(would)), nil
}

func allocationPatch(b api.AllocationPatch) (ipam.AllocationPatch, error) {
	cidr, err := prefixPatch(b.CIDR)
	return ipam.AllocationPatch{
		Name: b.Name, CIDR: cidr, Length: b.PrefixLength, Hosts: value(b.Hosts), Target: ipam.Target(value(b.Target)),
		DetailsPatch: ipam.DetailsPatch{
			Description: b.Description, Owner: b.Owner, Account: b.Account, Region: b.Region, Environment: b.Environment, Labels: labelsPatch(b.Labels),
		},
		Purpose: b.Purpose, ExpiresAt: momentPatch(b.ExpiresAt),
	}, err
}

// ReleaseAllocation gives a block back.
func (s *Server) ReleaseAllocation(ctx context.Context, req api.ReleaseAllocationRequestObject) (api.ReleaseAllocationResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := s.registry.Release(ctx, caller(ctx), req.Allocation, version); err != nil {
		return nil, err
	}
	return api.ReleaseAllocation204Response{}, nil
}

func allocation(a ipam.Allocation) api.Allocation {
	return api.Allocation{
		ID: a.ID, Scope: a.Scope, Pool: a.Pool, Name: a.Name, Set: optional(a.Set), SetKey: optional(a.SetKey), CIDR: a.CIDR.String(), PrefixLength: a.CIDR.Bits(), Family: familyName(a.CIDR),
		Description: a.Description, Owner: a.Owner, Purpose: a.Purpose, Account: a.Account, Region: a.Region, Environment: a.Environment,
		Labels: labels(a.Labels), ExpiresAt: a.ExpiresAt, Superseded: optional(a.Superseded), Version: a.Version, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
}
