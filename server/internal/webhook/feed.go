package webhook

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// look remembers when events were looked for, so that a quiet server need not compare all chains each second.
type look struct {
	mu      sync.Mutex
	newest  int64
	changed time.Time
	last    time.Time
}

// settle is how long after its key was made an event may still appear, and the rest between two looks where nothing is new.
const settle = time.Minute

// due reports whether chains must be compared: something is new, or was within settle, or the last look was longer ago. An event may
// appear after one that has a higher key, so what is newest is a hint alone.
func (l *look) due(newest int64, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if newest != l.newest {
		l.newest, l.changed = newest, now
	}
	if now.Sub(l.changed) > settle && now.Sub(l.last) < settle {
		return false
	}
	l.last = now
	return true
}

// Feed makes a delivery of each new event for each webhook that wants it, and returns when no chain has more.
func (b *Book) Feed(ctx context.Context) error {
	for {
		more, err := b.feedSome(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// read is what a look at the chains found: events in the order of their time, and how far the chains were read.
type read struct {
	events []ipam.Event
	marks  []store.Unread
	hooks  []ipam.Webhook
}

func (b *Book) feedSome(ctx context.Context) (more bool, err error) {
	found, err := change.Read(ctx, b.k, func(tx *store.Tx) (r read, err error) {
		if r.hooks, err = everyone(tx); err != nil {
			return r, err
		}
		chains, err := tx.UnreadChains(some)
		if err != nil {
			return r, err
		}
		for _, c := range chains {
			events, err := tx.EventsOfChain(ipam.Everything, c.Chain, c.Seq, some-len(r.events))
			if err != nil {
				return r, err
			}
			if len(events) == 0 {
				break // the rest in another write
			}
			r.events = append(r.events, events...)
			r.marks = append(r.marks, store.Unread{Chain: c.Chain, Seq: events[len(events)-1].Seq})
			if len(r.events) >= some {
				break
			}
		}
		return r, nil
	})
	if err != nil || len(found.marks) == 0 {
		return false, err
	}
	// An object that moves has events in two chains.
	slices.SortStableFunc(found.events, func(a, b ipam.Event) int { return a.At.Compare(b.At) })
	now := b.k.Now()
	return true, b.k.Work(ctx, "webhooks", func(tx *store.Tx) error {
		for _, e := range found.events {
			for _, w := range found.hooks {
				if e.At.Before(w.CreatedAt) || !w.Wants(e) {
					continue
				}
				if err := tx.InsertDelivery(w.ID, e, now); err != nil {
					return err
				}
			}
		}
		for _, m := range found.marks {
			if err := tx.SetFeed(m); err != nil {
				return err
			}
		}
		return nil
	})
}
