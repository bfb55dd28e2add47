package httpapi

import (
	"context"
	"maps"
	"slices"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListAllocationSets lists a page of allocation sets.
func (s *Server) ListAllocationSets(ctx context.Context, req api.ListAllocationSetsRequestObject) (api.ListAllocationSetsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	f := ipam.AllocationSetFilter{
		Scope: value(req.Params.Scope), Pool: value(req.Params.Pool), Name: value(req.Params.Name), Text: value(req.Params.Q), Account: value(req.Params.Account),
		Owner: value(req.Params.Owner), Environment: value(req.Params.Environment), Region: value(req.Params.Region), Of: accountKind(req.Params.Cloud, req.Params.Platform, req.Params.Tier),
	}
	if f.Labels, err = labelFilter(req.Params.Label); err != nil {
		return nil, err
	}
	items, err := s.insight.AllocationSets(ctx, caller(ctx).Sees(), f, p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(s ipam.AllocationSet) ipam.Cursor { return ipam.Cursor{ID: s.ID} })
	return api.ListAllocationSets200JSONResponse{Items: each(items, allocationSet), NextPageToken: next}, nil
}

// CreateAllocationSet hands out a map of blocks.
func (s *Server) CreateAllocationSet(ctx context.Context, req api.CreateAllocationSetRequestObject) (api.CreateAllocationSetResponseObject, error) {
	b := req.Body
	sizes, err := setSizes(b.Members, b.Bundle, b.Strategy, b.Exclude)
	if err != nil {
		return nil, err
	}
	created, err := s.registry.AllocateSet(ctx, caller(ctx), ipam.NewAllocationSet{
		Pool: b.Pool, Selector: poolSelector(b.PoolSelector), Name: b.Name, SetSizes: sizes,
		Details: ipam.Details{
			Description: value(b.Description), Owner: value(b.Owner), Account: value(b.Account), Region: value(b.Region), Environment: value(b.Environment), Labels: ipam.Labels(value(b.Labels)),
		},
		Purpose: value(b.Purpose),
		Adopt:   value(b.Adopt),
	})
	if err != nil {
		return nil, err
	}
	return api.CreateAllocationSet201JSONResponse{Body: allocationSet(created), Headers: api.CreateAllocationSet201ResponseHeaders{ETag: etag(created.ETag())}}, nil
}

// GetAllocationSet reads an allocation set.
func (s *Server) GetAllocationSet(ctx context.Context, req api.GetAllocationSetRequestObject) (api.GetAllocationSetResponseObject, error) {
	found, err := s.insight.AllocationSet(ctx, caller(ctx).Sees(), req.Set)
	if err != nil {
		return nil, err
	}
	return api.GetAllocationSet200JSONResponse{Body: allocationSet(found), Headers: api.GetAllocationSet200ResponseHeaders{ETag: etag(found.ETag())}}, nil
}

// UpdateAllocationSet describes a set, or adds, removes and resizes members.
func (s *Server) UpdateAllocationSet(ctx context.Context, req api.UpdateAllocationSetRequestObject) (api.UpdateAllocationSetResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	b := req.Body
	sizes, err := setSizes(b.Members, b.Bundle, b.Strategy, b.Exclude)
	if err != nil {
		return nil, err
	}
	changed, err := s.registry.UpdateAllocationSet(ctx, caller(ctx), req.Set, version, ipam.AllocationSetPatch{
		Name: b.Name, SetSizes: sizes,
		DetailsPatch: ipam.DetailsPatch{
			Description: b.Description, Owner: b.Owner, Account: b.Account, Region: b.Region, Environment: b.Environment, Labels: labelsPatch(b.Labels),
		},
		Purpose: b.Purpose, Renamed: ipam.Renames(value(b.Renamed)), Adopt: value(b.Adopt),
	})
	if err != nil {
		return nil, err
	}
	return api.UpdateAllocationSet200JSONResponse{Body: allocationSet(changed), Headers: api.UpdateAllocationSet200ResponseHeaders{ETag: etag(changed.ETag())}}, nil
}

// ReleaseAllocationSet gives the blocks of all members back.
func (s *Server) ReleaseAllocationSet(ctx context.Context, req api.ReleaseAllocationSetRequestObject) (api.ReleaseAllocationSetResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := s.registry.ReleaseSet(ctx, caller(ctx), req.Set, version); err != nil {
		return nil, err
	}
	return api.ReleaseAllocationSet204Response{}, nil
}

// PlaceSetHolds promises a plan the blocks of a set.
func (s *Server) PlaceSetHolds(ctx context.Context, req api.PlaceSetHoldsRequestObject) (api.PlaceSetHoldsResponseObject, error) {
	asked, err := newSetHolds(*req.Body)
	if err != nil {
		return nil, err
	}
	promised, err := s.registry.PromiseSet(ctx, caller(ctx), asked)
	if err != nil {
		return nil, err
	}
	return api.PlaceSetHolds200JSONResponse(setPlan(promised)), nil
}

func newSetHolds(b api.NewSetHolds) (ipam.NewSetHolds, error) {
	sizes, err := setSizes(b.Members, b.Bundle, b.Strategy, b.Exclude)
	return ipam.NewSetHolds{
		Meant: meant(b.MeantFor),
		Pool:  b.Pool, Selector: poolSelector(b.PoolSelector), Name: b.Name, SetSizes: sizes, Updates: value(b.Updates), Replaces: value(b.Replaces),
		Renamed: ipam.Renames(value(b.Renamed)), Adopt: value(b.Adopt),
		Plan: plan(b.TTLSeconds, b.Holder, b.Run, b.Applying, b.PlanID),
	}, err
}

func setPlan(p ipam.SetPlan) api.SetPlan {
	return api.SetPlan{Pool: p.Pool, Members: each(p.Members, func(m ipam.PlannedMember) api.PlannedMember {
		return api.PlannedMember{Key: m.Key, CIDR: m.CIDR.String(), PrefixLength: m.CIDR.Bits(), Hold: optional(m.Hold), Allocation: optional(m.Allocation), ShownBefore: shownBefore(m.Before)}
	})}
}

// setSizes reads the members and the bundle of a set; what a bundle leaves out is as the contract says.
func setSizes(members *api.MemberSizes, b *api.Bundle, strategy *api.Strategy, exclude *api.Exclude) (sizes ipam.SetSizes, err error) {
	if sizes.Placing, err = placing(strategy, exclude); err != nil {
		return sizes, err
	}
	if members != nil {
		sizes.Members = map[string]ipam.BlockSize{}
		for _, key := range slices.Sorted(maps.Keys(*members)) {
			m := (*members)[key]
			size, err := blockSize(m.CIDR, m.PrefixLength, m.Hosts, m.Target)
			if err != nil {
				return sizes, ipam.SetSizes{Members: map[string]ipam.BlockSize{key: {}}}.At(key, err)
			}
			sizes.Members[key] = size
		}
	}
	if b == nil {
		return sizes, nil
	}
	sizes.Bundle = &ipam.Bundle{}
	if b.Gke != nil {
		sizes.Bundle.GKE = &ipam.GKEBundle{Nodes: int64(b.Gke.Nodes), MaxPodsPerNode: or(b.Gke.MaxPodsPerNode, 110), Services: or(b.Gke.Services, 4096)}
	}
	if b.Eks != nil {
		sizes.Bundle.EKS = &ipam.EKSBundle{Zones: b.Eks.Zones, NodesPerZone: int64(b.Eks.NodesPerZone), MaxPodsPerNode: or(b.Eks.MaxPodsPerNode, 110)}
	}
	return sizes, nil
}

func or(n *int, absent int64) int64 {
	if n == nil {
		return absent
	}
	return int64(*n)
}

func allocationSet(s ipam.AllocationSet) api.AllocationSet {
	return api.AllocationSet{
		ID: s.ID, Scope: s.Scope, Pool: s.Pool, Name: s.Name, Description: s.Description, Owner: s.Owner, Purpose: s.Purpose, Account: s.Account,
		Region: s.Region, Environment: s.Environment, Labels: labels(s.Labels), Version: s.Version, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
		Members: each(s.Members, func(m ipam.SetMember) api.SetMember {
			return api.SetMember{Key: m.Key, Allocation: m.Allocation, CIDR: m.CIDR.String(), PrefixLength: m.CIDR.Bits()}
		}),
	}
}
