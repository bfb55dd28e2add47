package httpapi

import (
	"context"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/adopt"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// AdoptObservations makes what clouds have desired.
func (s *Server) AdoptObservations(ctx context.Context, req api.AdoptObservationsRequestObject) (api.AdoptObservationsResponseObject, error) {
	b := req.Body
	items, err := s.adopter.Adopt(ctx, caller(ctx), adopt.Ask{
		IDs: b.Ids, Account: value(b.Account), Region: value(b.Region), Network: value(b.Network), Networks: adopt.Networks(value(b.Networks)),
		Labels: ipam.Labels(value(b.Labels)), Tags: b.Tags, DryRun: value(b.DryRun),
	})
	if err != nil {
		return nil, err
	}
	out := api.AdoptObservations200JSONResponse{DryRun: value(b.DryRun), Items: make([]api.AdoptionItem, len(items))}
	for n, i := range items {
		switch i.Verdict {
		case adopt.Adopted:
			out.Adopted++
		case adopt.Already:
			out.Already++
		case adopt.Inside:
			out.Inside++
		case adopt.Refused:
			out.Refused++
		}
		out.Items[n] = s.adoptionItem(ctx, i)
	}
	return out, nil
}

func (s *Server) adoptionItem(ctx context.Context, i adopt.Item) api.AdoptionItem {
	out := api.AdoptionItem{
		ID: i.ID, UID: string(i.Observation.UID), Observed: string(i.Observation.Kind), Account: i.Observation.Account, Verdict: api.AdoptionItemVerdict(i.Verdict),
		Kind: (*api.AdoptionItemKind)(optional(string(i.Kind))), Object: optional(i.Object), Name: optional(i.Name), Pool: optional(i.Pool),
	}
	if i.Observation.CIDR.IsValid() {
		out.CIDR = i.Observation.CIDR.String()
	}
	if i.Problem != nil {
		out.Problem = new(problem(ctx, s.log, i.Problem))
	}
	return out
}
