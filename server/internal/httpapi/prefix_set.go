package httpapi

import (
	"cmp"
	"context"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// GetPrefixSet collects the addresses of what matches in the fewest CIDRs.
func (s *Server) GetPrefixSet(ctx context.Context, req api.GetPrefixSetRequestObject) (api.GetPrefixSetResponseObject, error) {
	q := req.Params
	of := accountKind(q.Cloud, q.Platform, q.Tier)
	labels, err := labelFilter(q.Label)
	if err != nil {
		return nil, err
	}
	at, err := around(q.Within, nil)
	if err != nil {
		return nil, err
	}
	if len(labels) == 0 && !at.Given() && of == (ipam.AccountKind{}) && cmp.Or(value(q.Pool), value(q.Account), value(q.Owner), value(q.Environment), value(q.Region)) == "" {
		return nil, ipam.Invalid("query:label", "that would be everything; say what is wanted: by label, pool, account, owner, environment, region or CIDR")
	}
	scope := cmp.Or(value(q.Scope), ipam.DefaultScope)
	var set []netip.Prefix
	var matched int
	if value(q.Of) == api.GetPrefixSetParamsOfPools {
		set, matched, err = s.insight.PoolPrefixes(ctx, caller(ctx).Sees(), ipam.PoolFilter{
			Scope: scope, Parent: value(q.Pool), Account: value(q.Account), Owner: value(q.Owner), Environment: value(q.Environment), Region: value(q.Region), Of: of,
			Family: familyNumber(q.Family), Labels: labels, Around: at,
		})
	} else {
		set, matched, err = s.insight.AllocationPrefixes(ctx, caller(ctx).Sees(), ipam.AllocationFilter{
			Scope: scope, Pool: value(q.Pool), Account: value(q.Account), Owner: value(q.Owner), Environment: value(q.Environment), Region: value(q.Region), Of: of,
			Family: familyNumber(q.Family), Labels: labels, Around: at,
		})
	}
	if err != nil {
		return nil, err
	}
	return api.GetPrefixSet200JSONResponse{Cidrs: each(set, netip.Prefix.String), Matched: int64(matched)}, nil
}
