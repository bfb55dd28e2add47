package httpapi

import (
	"context"
	"encoding/hex"
	"encoding/json"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListEvents lists a page of events, the newest first.
func (s *Server) ListEvents(ctx context.Context, req api.ListEventsRequestObject) (api.ListEventsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	touched, err := prefixAt("query:within", req.Params.Within)
	if err != nil {
		return nil, err
	}
	if req.Params.Chain != nil {
		items, err := s.audit.Feed(ctx, caller(ctx).Sees(), ipam.UID(*req.Params.Chain), value(req.Params.After), p.Limit)
		return api.ListEvents200JSONResponse{Items: each(items, event)}, err
	}
	items, err := s.audit.Events(ctx, caller(ctx).Sees(), ipam.EventFilter{
		Scope: value(req.Params.Scope), Object: value(req.Params.Object), Actor: value(req.Params.Actor), Action: value(req.Params.Action),
		Since: value(req.Params.Since), Until: value(req.Params.Until), Within: touched,
	}, p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(e ipam.Event) ipam.Cursor { return ipam.Cursor{ID: e.ID} })
	return api.ListEvents200JSONResponse{Items: each(items, event), NextPageToken: next}, nil
}

func event(e ipam.Event) api.Event {
	return api.Event{
		ID: e.ID, Chain: string(e.Chain), Sequence: e.Seq, Scope: e.Scope, At: e.At, Principal: string(e.Principal), Actor: e.Actor, Action: e.Action, ObjectKind: e.ObjectKind, ObjectID: e.ObjectID,
		RequestID: e.RequestID, Source: e.Source, Address: e.Address, Reason: e.Reason, CIDR: optional(e.BlockText()), Before: state(e.Before), After: state(e.After), Hash: hex.EncodeToString(e.Hash),
	}
}

// GetHistory tells who had the addresses of a block.
func (s *Server) GetHistory(ctx context.Context, req api.GetHistoryRequestObject) (api.GetHistoryResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	within, err := prefixAt("query:within", &req.Params.Within)
	if err != nil {
		return nil, err
	}
	spans, next, err := s.audit.History(ctx, caller(ctx).Sees(), value(req.Params.Scope), within, value(req.Params.AsOf), ipam.UID(p.After.ID).Key(), p.Limit)
	if err != nil {
		return nil, err
	}
	answer := api.GetHistory200JSONResponse{Items: each(spans, span)}
	if next != 0 {
		answer.NextPageToken = cursorToken(ipam.Cursor{ID: string(ipam.KeyUID("object", next))})
	}
	return answer, nil
}

func span(s ipam.Span) api.Span {
	out := api.Span{Kind: api.SpanKind(s.Kind), ID: s.ID, Name: s.Name, Owner: s.Owner, Scope: s.Scope, Pool: optional(s.Pool), CIDR: s.CIDR.String(), From: turn(s.From)}
	if s.Until != nil {
		out.Until = new(turn(*s.Until))
	}
	return out
}

func turn(t ipam.Turn) api.Turn {
	return api.Turn{At: t.At, Event: t.Event, Actor: t.Actor, Action: t.Action, Source: t.Source, Address: t.Address, Reason: t.Reason}
}

func state(raw json.RawMessage) map[string]any {
	if raw == nil {
		return nil
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		return map[string]any{"unreadable": string(raw)}
	}
	return fields
}
