package httpapi

import (
	"context"
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListHolds lists a page of holds.
func (s *Server) ListHolds(ctx context.Context, req api.ListHoldsRequestObject) (api.ListHoldsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	p.Order = ipam.Order(value(req.Params.Sort))
	items, err := s.insight.Holds(ctx, caller(ctx).Sees(), ipam.HoldFilter{
		Scope: value(req.Params.Scope), Pool: value(req.Params.Pool), Holder: value(req.Params.Holder), Actor: value(req.Params.Actor), Kept: req.Params.Kept,
	}, p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(h ipam.Hold) ipam.Cursor { return ipam.Cursor{ID: h.ID, Prefix: h.CIDR} })
	return api.ListHolds200JSONResponse{Items: each(items, hold), NextPageToken: next}, nil
}

// PlaceHold promises a plan a block.
func (s *Server) PlaceHold(ctx context.Context, req api.PlaceHoldRequestObject) (api.PlaceHoldResponseObject, error) {
	asked, err := newHold(*req.Body)
	if err != nil {
		return nil, err
	}
	held, err := s.registry.Promise(ctx, caller(ctx), asked)
	if err != nil {
		return nil, err
	}
	return api.PlaceHold200JSONResponse(hold(held)), nil
}

func newHold(b api.NewHold) (ipam.NewHold, error) {
	size, err := blockSize(b.CIDR, b.PrefixLength, b.Hosts, b.Target)
	if err != nil {
		return ipam.NewHold{}, err
	}
	size.Placing, err = placing(b.Strategy, b.Exclude)
	return ipam.NewHold{
		Pool: b.Pool, Selector: poolSelector(b.PoolSelector), Name: b.Name, BlockSize: size, Replaces: value(b.Replaces), Meant: meant(b.MeantFor), Plan: plan(b.TTLSeconds, b.Holder, b.Run, b.Applying, b.PlanID),
	}, err
}

func meant(m *api.MeantFor) *ipam.Meant {
	if m == nil {
		return nil
	}
	return &ipam.Meant{
		Owner: value(m.Owner), Purpose: value(m.Purpose), Account: value(m.Account), Region: value(m.Region), Environment: value(m.Environment), Labels: ipam.Labels(value(m.Labels)),
	}
}

// GetHold reads a hold.
func (s *Server) GetHold(ctx context.Context, req api.GetHoldRequestObject) (api.GetHoldResponseObject, error) {
	found, err := s.insight.Hold(ctx, caller(ctx).Sees(), req.Hold)
	if err != nil {
		return nil, err
	}
	return api.GetHold200JSONResponse(hold(found)), nil
}

// ReleaseHold gives up a hold.
func (s *Server) ReleaseHold(ctx context.Context, req api.ReleaseHoldRequestObject) (api.ReleaseHoldResponseObject, error) {
	if err := s.registry.ReleaseHold(ctx, caller(ctx), req.Hold); err != nil {
		return nil, err
	}
	return api.ReleaseHold204Response{}, nil
}

// DraftPool promises a plan a pool.
func (s *Server) DraftPool(ctx context.Context, req api.DraftPoolRequestObject) (api.DraftPoolResponseObject, error) {
	asked, with, err := newDraft(*req.Body)
	if err != nil {
		return nil, err
	}
	drafted, err := s.registry.DraftPool(ctx, caller(ctx), asked, with)
	if err != nil {
		return nil, err
	}
	return api.DraftPool200JSONResponse(pool(drafted)), nil
}

func newDraft(b api.NewDraft) (ipam.NewPool, ipam.Plan, error) {
	asked, err := newPool(b.Pool)
	with := plan(b.TTLSeconds, b.Holder, b.Run, b.Applying, b.PlanID)
	with.NewScope = value(b.NewScope)
	return asked, with, err
}

// ListDrafts lists a page of drafts.
func (s *Server) ListDrafts(ctx context.Context, req api.ListDraftsRequestObject) (api.ListDraftsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	items, err := s.insight.Drafts(ctx, caller(ctx).Sees(), value(req.Params.Scope), p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(p ipam.Pool) ipam.Cursor { return ipam.Cursor{ID: string(p.UID)} })
	return api.ListDrafts200JSONResponse{Items: each(items, draft), NextPageToken: next}, nil
}

func draft(p ipam.Pool) api.Draft {
	return api.Draft{Pool: pool(p), Actor: p.DraftActor, Holder: p.DraftHolder, Grows: optional(string(p.DraftGrows)), ExpiresAt: *p.DraftUntil}
}

// ReleaseDraft gives up a draft.
func (s *Server) ReleaseDraft(ctx context.Context, req api.ReleaseDraftRequestObject) (api.ReleaseDraftResponseObject, error) {
	if err := s.registry.ReleaseDraft(ctx, caller(ctx), req.Pool); err != nil {
		return nil, err
	}
	return api.ReleaseDraft204Response{}, nil
}

func plan(seconds *int, holder, run *string, applying *bool, id *string) ipam.Plan {
	p := planOf(holder, run, applying)
	p.ID, p.TTL = value(id), time.Duration(value(seconds))*time.Second
	return p
}

func planOf(holder, run *string, applying *bool) ipam.Plan {
	return ipam.Plan{Holder: value(holder), Run: value(run), Applying: applying}
}

// shownBefore is the block that an earlier plan was shown; nil for none.
func shownBefore(p netip.Prefix) *string {
	if !p.IsValid() {
		return nil
	}
	return new(p.String())
}

func hold(h ipam.Hold) api.Hold {
	return api.Hold{
		ID: h.ID, Scope: h.Scope, Pool: h.Pool, Name: h.Name, CIDR: h.CIDR.String(), PrefixLength: h.CIDR.Bits(), Actor: h.Actor, Holder: h.Holder,
		Replaces: h.Replaces, Inherits: optional(h.Inherits), Kept: h.Kept, ShownBefore: shownBefore(h.Before), ExpiresAt: h.ExpiresAt, CreatedAt: h.CreatedAt, RenewedAt: h.RenewedAt,
	}
}
