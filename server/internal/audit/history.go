package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// History tells who had the addresses of a block, from when to when: a page of up to so many objects, by key, each with all its spans in the
// order of time. Scope "" is every one; the zero time is all times. Next is the key of the object behind which the next page goes
// on, 0 when there is none.
func (a *Auditor) History(ctx context.Context, see ipam.Visible, scope string, within netip.Prefix, at time.Time, after int64, limit int) (spans []ipam.Span, next int64, err error) {
	spans, err = change.Read(ctx, a.k, func(tx *store.Tx) ([]ipam.Span, error) {
		objects, err := tx.ObjectsOf(see, scope, within, after, limit)
		if err != nil {
			return nil, err
		}
		var found []ipam.Span
		for _, object := range objects {
			all, err := spansOf(tx, see, object)
			if err != nil {
				return nil, err
			}
			for _, s := range all {
				if s.CIDR.Overlaps(within) && (at.IsZero() || s.At(at)) {
					found = append(found, s)
				}
			}
		}
		if len(objects) == limit {
			next = objects[limit-1]
		}
		return found, nil
	})
	return spans, next, err
}

// spansOf reads all visible events of an object and tells what it had.
func spansOf(tx *store.Tx, see ipam.Visible, object int64) ([]ipam.Span, error) {
	var all []ipam.Event
	f := ipam.EventFilter{Object: string(ipam.KeyUID("object", object)), OldestFirst: true}
	err := change.EachPage(func(p ipam.Page) ([]ipam.Event, error) { return tx.Events(see, f, p) }, func(e ipam.Event) string { return e.ID }, func(e ipam.Event) error {
		all = append(all, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	// Keys of events are made before their commit and by several servers.
	slices.SortStableFunc(all, func(a, b ipam.Event) int {
		if a.Chain == b.Chain {
			return cmp.Compare(a.Seq, b.Seq)
		}
		return a.At.Compare(b.At)
	})
	return spans(all)
}

// spans are what the events of one object, in their order, say that it had.
func spans(events []ipam.Event) (all []ipam.Span, err error) {
	var now *ipam.Span
	for _, e := range events {
		next, err := spanAfter(e)
		if err != nil {
			return nil, err
		}
		turn := ipam.Turn{At: e.At, Event: e.ID, Actor: e.Actor, Action: e.Action, Source: e.Source, Address: e.Address, Reason: e.Reason}
		if now != nil {
			if next != nil && next.Name == now.Name && next.Owner == now.Owner && next.In == now.In && next.CIDR == now.CIDR {
				continue // something else has changed
			}
			now.Until = &turn
			if now.From.At.Before(turn.At) {
				all = append(all, *now)
			}
		}
		if now = next; now != nil {
			now.From = turn
		}
	}
	if now != nil {
		all = append(all, *now)
	}
	return all, nil
}

// spanAfter is what an object has after an event; nil when it has nothing.
func spanAfter(e ipam.Event) (*ipam.Span, error) {
	if e.After == nil {
		return nil, nil
	}
	var state struct {
		ipam.In
		Name       string       `json:"name"`
		Reason     string       `json:"reason"`
		Owner      string       `json:"owner"`
		CIDR       netip.Prefix `json:"cidr"`
		Parent     string       `json:"parent"`
		ParentUID  ipam.UID     `json:"parent_uid"`
		Superseded bool         `json:"superseded"`
		DraftUntil *time.Time   `json:"draft_until"`
	}
	if err := json.Unmarshal(e.After, &state); err != nil {
		return nil, fmt.Errorf("read event %s: %w", e.ID, err)
	}
	if state.Superseded || state.DraftUntil != nil { // its block is its successor's; or only a plan knows it
		return nil, nil
	}
	s := &ipam.Span{Kind: ipam.Kind(e.ObjectKind), ID: e.ObjectID, Name: cmp.Or(state.Name, state.Reason), Owner: state.Owner, In: state.In, CIDR: state.CIDR}
	if s.Kind == ipam.KindPool {
		s.Pool, s.PoolUID = state.Parent, state.ParentUID
	}
	return s, nil
}
