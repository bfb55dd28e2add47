package httpapi

import (
	"context"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/drift"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListObservations lists a page of what clouds showed.
func (s *Server) ListObservations(ctx context.Context, req api.ListObservationsRequestObject) (api.ListObservationsResponseObject, error) {
	q := req.Params
	p, err := page(q.Limit, q.PageToken)
	if err != nil {
		return nil, err
	}
	f := ipam.ObservationFilter{
		Scope: value(q.Scope), Account: value(q.Account), Kind: ipam.ObservationKind(value(q.Kind)), Region: value(q.Region), Network: value(q.Network), ID: value(q.ID),
		Unmapped: value(q.Unmapped), Text: value(q.Q),
	}
	if f.Labels, err = labelFilter(q.Label); err != nil {
		return nil, err
	}
	if f.Around, err = around(q.Within, q.Contains); err != nil {
		return nil, err
	}
	items, err := s.observer.Observations(ctx, caller(ctx).Sees(), f, p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(o ipam.Observation) ipam.Cursor { return ipam.Cursor{ID: string(o.UID), Prefix: o.CIDR} })
	return api.ListObservations200JSONResponse{Items: each(items, observation), NextPageToken: next}, nil
}

func observation(o ipam.Observation) api.Observation {
	return api.Observation{
		UID: string(o.UID), ID: o.ID(), Account: o.Account, Scope: o.Scope, Kind: api.ObservationKind(o.Kind), Part: o.Part, Network: o.Network, Region: o.Region, Zone: o.Zone,
		Name: o.Name, Owner: o.Owner, Default: o.Standard, CIDR: o.CIDR.String(), Family: familyName(o.CIDR), Allocation: o.Mark.Allocation, Labels: labels(o.Labels), Misses: o.Misses,
		FirstSeenAt: o.FirstSeen, ChangedAt: o.ChangedAt,
	}
}

// ListDrifts lists a page of drifts. They are not stored: each page is of the facts as they are.
func (s *Server) ListDrifts(ctx context.Context, req api.ListDriftsRequestObject) (api.ListDriftsResponseObject, error) {
	q := req.Params
	p, err := page(q.Limit, q.PageToken)
	if err != nil {
		return nil, err
	}
	scope := value(q.Scope)
	if scope == "" {
		scope = ipam.DefaultScope
	}
	all, err := s.observer.Drifts(ctx, caller(ctx).Sees(), scope)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(d drift.Drift) bool {
		return d.ID <= p.After.ID || q.Kind != nil && drift.Kind(*q.Kind) != d.Kind || q.Account != nil && *q.Account != d.Account
	})
	slices.SortFunc(all, func(a, b drift.Drift) int { return strings.Compare(a.ID, b.ID) })
	items := all[:min(p.Limit, len(all))]
	next := nextPage(p, items, func(d drift.Drift) ipam.Cursor { return ipam.Cursor{ID: d.ID} })
	return api.ListDrifts200JSONResponse{Items: each(items, driftOut), NextPageToken: next}, nil
}

func driftOut(d drift.Drift) api.Drift {
	out := api.Drift{
		ID: d.ID, Kind: api.DriftKind(d.Kind), Scope: d.Scope, Account: d.Account, Region: d.Region, CIDR: d.CIDR.String(), Desired: d.Desired, Observed: d.Observed, Pool: d.Pool,
		Detail: d.Detail, Task: string(d.Task), Facts: d.Facts,
	}
	if !d.Since.IsZero() {
		out.Since = &d.Since
	}
	return out
}
