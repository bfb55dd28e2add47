package httpapi

import (
	"context"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/insight"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// mostSteps bounds how many steps are counted at once.
const mostSteps = 1000

func part(scope, pool *string) insight.Part {
	return insight.Part{Scope: value(scope), Pool: value(pool)}
}

// GetUtilization tells how pools are used.
func (s *Server) GetUtilization(ctx context.Context, req api.GetUtilizationRequestObject) (api.GetUtilizationResponseObject, error) {
	use, err := s.insight.Use(ctx, caller(ctx).Sees(), part(req.Params.Scope, req.Params.Pool))
	if err != nil {
		return nil, err
	}
	return api.GetUtilization200JSONResponse{Pools: each(use.Pools, poolUse), Ipv4: split(use.IPv4), Ipv6: split(use.IPv6), Truncated: use.Truncated}, nil
}

func poolUse(u ipam.PoolUse) api.PoolUse {
	space, _ := ipam.Amount(ipam.Family(u.CIDR), u.CIDR.Bits()).Float64()
	return api.PoolUse{
		Pool: u.ID, Scope: u.Scope, Parent: optional(u.Parent), CIDR: u.CIDR.String(), Family: familyName(u.CIDR), Depth: u.Depth, Space: space, Direct: split(u.Direct), Rolled: split(u.Rolled),
	}
}

func split(s ipam.Split) api.SpaceSplit {
	return api.SpaceSplit{
		Delegated: amount(s.Delegated), Allocated: amount(s.Allocated), Reserved: amount(s.Reserved), Held: amount(s.Held), Quarantined: amount(s.Quarantined), Free: amount(s.Free),
	}
}

func amount(b ipam.Blocks) api.Amount { return api.Amount{Blocks: b.Count, Space: b.Float()} }

// GetSpace tells how much is allocated, by what allocations have in common.
func (s *Server) GetSpace(ctx context.Context, req api.GetSpaceRequestObject) (api.GetSpaceResponseObject, error) {
	groups, rest, err := s.insight.Groups(ctx, caller(ctx).Sees(), part(req.Params.Scope, req.Params.Pool), ipam.Dimension(req.Params.By))
	if err != nil {
		return nil, err
	}
	out := api.GetSpace200JSONResponse{By: req.Params.By, Groups: each(groups, group)}
	if rest != nil {
		out.Rest = new(group(*rest))
	}
	return out, nil
}

func group(g ipam.Group) api.SpaceGroup {
	return api.SpaceGroup{Key: g.Key, Ipv4: amount(g.IPv4), Ipv6: amount(g.IPv6)}
}

// GetRunway tells how long the space of pools lasts.
func (s *Server) GetRunway(ctx context.Context, req api.GetRunwayRequestObject) (api.GetRunwayResponseObject, error) {
	now := s.insight.Now()
	since := now.AddDate(0, 0, -30)
	if req.Params.Since != nil {
		since = *req.Params.Since
	}
	if !since.Before(now) {
		return nil, ipam.Invalid("query:since", "%s is not past; the pace is that of the time since then", since.Format(time.RFC3339))
	}
	pools, err := s.insight.Runway(ctx, caller(ctx).Sees(), part(req.Params.Scope, req.Params.Pool), since)
	if err != nil {
		return nil, err
	}
	return api.GetRunway200JSONResponse{Since: since, Pools: each(pools, func(r ipam.Runway) api.PoolRunway {
		use := poolUse(r.PoolUse)
		return api.PoolRunway{
			Pool: use.Pool, Scope: use.Scope, Parent: use.Parent, CIDR: use.CIDR, Family: use.Family, Space: use.Space, Free: use.Rolled.Free, Since: r.Since, Grown: amount(r.Grown), Days: r.Days,
		}
	})}, nil
}

// GetEndings tells what ends by itself.
func (s *Server) GetEndings(ctx context.Context, req api.GetEndingsRequestObject) (api.GetEndingsResponseObject, error) {
	q, now := req.Params, s.insight.Now()
	until, limit := now.AddDate(0, 0, 7), 100
	if q.Until != nil {
		until = *q.Until
	}
	if q.Limit != nil {
		limit = *q.Limit
	}
	if !now.Before(until) {
		return nil, ipam.Invalid("query:until", "%s has passed: it is %s now", until.Format(time.RFC3339), now.Format(time.RFC3339))
	}
	all, more, err := s.insight.Endings(ctx, caller(ctx).Sees(), part(q.Scope, q.Pool), until, limit)
	if err != nil {
		return nil, err
	}
	return api.GetEndings200JSONResponse{Until: until, More: more, Items: each(all, func(e ipam.Ending) api.Ending {
		return api.Ending{Kind: api.PrefixKind(e.Kind), ID: e.ID, Name: e.Name, Scope: e.Scope, Pool: optional(e.Pool), CIDR: e.CIDR.String(), At: e.At}
	})}, nil
}

// GetCreations tells when what is there now was made.
func (s *Server) GetCreations(ctx context.Context, req api.GetCreationsRequestObject) (api.GetCreationsResponseObject, error) {
	q := req.Params
	until, step := s.insight.Now().Add(time.Microsecond), ipam.StepDay
	if q.Until != nil {
		until = *q.Until
	}
	since := until.AddDate(0, 0, -90)
	if q.Since != nil {
		since = *q.Since
	}
	if q.Step != nil {
		step = ipam.Step(*q.Step)
	}
	if !since.Before(until) {
		return nil, ipam.Invalid("query:since", "%s is not before until, %s", since.Format(time.RFC3339), until.Format(time.RFC3339))
	}
	n := 0
	for at := step.Begin(since); at.Before(until); at = step.Next(at) {
		if n++; n > mostSteps {
			return nil, ipam.Invalid("query:since", "that is more than %d steps; ask for less time, or for weeks or months", mostSteps)
		}
	}
	made, err := s.insight.Made(ctx, caller(ctx).Sees(), part(q.Scope, q.Pool), since, until, step)
	if err != nil {
		return nil, err
	}
	return api.GetCreations200JSONResponse{Steps: each(made, func(m ipam.Made) api.CreationStep {
		return api.CreationStep{
			Start: m.Start, Pools: m.Count[ipam.KindPool], Allocations: m.Count[ipam.KindAllocation], Reservations: m.Count[ipam.KindReservation],
			Holds: m.Count[ipam.KindHold], Quarantines: m.Count[ipam.KindQuarantine],
		}
	})}, nil
}

// GetFreeClasses tells how many free blocks of each size pools have together.
func (s *Server) GetFreeClasses(ctx context.Context, req api.GetFreeClassesRequestObject) (api.GetFreeClassesResponseObject, error) {
	classes, err := s.insight.FreeClasses(ctx, caller(ctx).Sees(), part(req.Params.Scope, req.Params.Pool), familyNumber(req.Params.Family))
	if err != nil {
		return nil, err
	}
	return api.GetFreeClasses200JSONResponse{Items: each(classes, func(c ipam.FreeClass) api.FreeClass {
		family := api.FamilyIpv4
		if c.Family == 6 {
			family = api.FamilyIpv6
		}
		return api.FreeClass{Family: family, PrefixLength: c.Length, Count: c.Blocks, Fits: c.Fits.String()}
	})}, nil
}
