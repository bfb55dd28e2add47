package httpapi

import (
	"context"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/adopt"
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
		Scope: value(q.Scope), Account: value(q.Account), Cloud: ipam.Cloud(value(q.Cloud)), Kind: ipam.ObservationKind(value(q.Kind)), Region: value(q.Region), Network: value(q.Network), ID: value(q.ID),
		Unmapped: value(q.Unmapped), Text: value(q.Q),
	}
	if f.Labels, err = labelFilter(q.Label); err != nil {
		return nil, err
	}
	if f.Around, err = around(q.Within, q.Contains); err != nil {
		return nil, err
	}
	items, next, err := s.observer.Observations(ctx, caller(ctx).Sees(), f, q.Managed, p)
	if err != nil {
		return nil, err
	}
	answer := api.ListObservations200JSONResponse{Items: each(items, observation)}
	if next != nil {
		answer.NextPageToken = cursorToken(*next)
	}
	return answer, nil
}

func observation(o ipam.Shown) api.Observation {
	out := api.Observation{
		UID: string(o.UID), ID: o.ID(), Account: o.Account, Scope: o.Scope, Kind: api.ObservationKind(o.Kind), Part: o.Part, Network: o.Network, Region: o.Region, Zone: o.Zone,
		Name: o.Name, Owner: o.Owner, Default: o.Standard, CIDR: o.CIDR.String(), Family: familyName(o.CIDR), Allocation: o.Mark.Allocation, Labels: labels(o.Labels), Misses: o.Misses,
		Pool: o.Pool, SuggestedNames: adopt.Names(o.Observation), FirstSeenAt: o.FirstSeen, LastSeenAt: optional(o.LastSeen), ChangedAt: o.ChangedAt,
	}
	if by := o.By; by != nil {
		out.ManagedBy = &api.ObservationManager{Kind: api.ObservationManagerKind(by.Kind), ID: by.OwnerID(), Name: by.Name, Pool: by.Pool, CIDR: by.CIDR.String()}
	}
	return out
}

// ListNetworks lists a page of the networks that clouds showed.
func (s *Server) ListNetworks(ctx context.Context, req api.ListNetworksRequestObject) (api.ListNetworksResponseObject, error) {
	q := req.Params
	p, err := page(q.Limit, q.PageToken)
	if err != nil {
		return nil, err
	}
	f := ipam.NetworkFilter{Scope: value(q.Scope), Account: value(q.Account), Cloud: ipam.Cloud(value(q.Cloud)), Region: value(q.Region), ID: value(q.ID), Unmapped: value(q.Unmapped)}
	items, cursors, err := s.observer.Networks(ctx, caller(ctx).Sees(), f, p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, cursors, func(id string) ipam.Cursor { return ipam.Cursor{ID: id} })
	return api.ListNetworks200JSONResponse{Items: each(items, network), NextPageToken: next}, nil
}

func network(n ipam.Network) api.Network {
	return api.Network{
		ID: n.ID(), Network: &n.Network, Account: n.Account, Scope: n.Scope, MappedBy: api.NetworkMappedBy(n.MappedBy()), Name: n.Name, Region: n.Region, Owner: n.Owner, Default: n.Standard,
		Cidrs: each(n.CIDRs, netip.Prefix.String), Subnets: n.Subnets, SecondaryRanges: n.Secondary, Labels: labels(n.Labels), FirstSeenAt: n.FirstSeen,
	}
}
