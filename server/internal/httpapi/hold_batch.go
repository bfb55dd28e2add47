package httpapi

import (
	"context"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/approval"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// PlaceHolds promises a plan several things at once, each answered by itself.
func (s *Server) PlaceHolds(ctx context.Context, req api.PlaceHoldsRequestObject) (api.PlaceHoldsResponseObject, error) {
	answers := make([]api.HoldItem, len(req.Body.Items))
	var asks []ipam.Ask
	var at []int // the item of each ask
	for i, item := range req.Body.Items {
		ask, err := newAsk(item)
		if err != nil {
			answers[i].Problem = new(problem(ctx, s.log, err))
			continue
		}
		asks, at = append(asks, ask), append(at, i)
	}
	promises := make([][]approval.Promised, len(asks))
	for n, p := range s.registry.PromiseAll(ctx, caller(ctx), asks) {
		answer := &answers[at[n]]
		switch {
		case p.Err != nil:
			answer.Problem = new(problem(ctx, s.log, p.Err))
		case asks[n].Draft != nil:
			answer.Draft, promises[n] = new(pool(p.Draft)), approval.OfDraft(p.Draft)
		case asks[n].Hold != nil:
			answer.Hold, promises[n] = new(hold(p.Hold)), approval.OfHold(p.Hold, asks[n].Hold.Meant)
		default:
			answer.Set, promises[n] = new(setPlan(p.Set)), approval.OfSet(asks[n].Set.Name, p.Set)
		}
	}
	forecasts, err := s.approvals.Forecast(ctx, caller(ctx), promises)
	if err != nil {
		return nil, err
	}
	for n, f := range forecasts {
		if f != nil {
			answers[at[n]].Approval = &api.ApprovalForecast{Blocks: each(f.Blocks, needed), Deciders: f.Deciders(), URL: f.URL}
		}
	}
	return api.PlaceHolds200JSONResponse{Items: answers}, nil
}

func newAsk(item api.NewHoldItem) (ask ipam.Ask, err error) {
	switch {
	case item.Draft != nil:
		pool, plan, err := newDraft(*item.Draft)
		return ipam.Ask{Draft: &pool, Plan: plan}, err
	case item.Hold != nil:
		hold, err := newHold(*item.Hold)
		return ipam.Ask{Hold: &hold}, err
	}
	set, err := newSetHolds(*item.Set)
	return ipam.Ask{Set: &set}, err
}
