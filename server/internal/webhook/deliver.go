package webhook

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

const (
	atOnce   = 8                // messages to one receiver
	some     = 500              // events that one write gives to the webhooks
	pause    = time.Second      // between two looks
	turn     = 10 * time.Second // how long a server has this work before it must take it again
	attempts = 12               // of a message before it is given up, if that took more than a day
	patience = 7 * 24 * time.Hour
	absence  = time.Minute // of a receiver after which all is tried at once that waits for it

	forgetDelivered, forgetDead = 7 * 24 * time.Hour, 30 * 24 * time.Hour
)

// delays are the waits after the first failures; then the last again and again.
var delays = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour,
}

// restAtMost is how long a receiver that fails is left alone: it hears of what it missed soon after it is back.
const restAtMost = 10 * time.Minute

// delay is the wait after a number of failures, a tenth more or less, so that what failed together does not come together.
func delay(failures int) time.Duration {
	d := delays[min(max(failures, 1), len(delays))-1]
	return d - d/10 + rand.N(d/5)
}

// Deliver feeds and sends for as long as anything waits, ctx lasts and no other server does it. It returns how many messages arrived.
// Where nothing waits it writes nothing.
func (b *Book) Deliver(ctx context.Context) (delivered int64, err error) {
	for ctx.Err() == nil {
		if waits, err := b.waits(ctx); err != nil || !waits {
			return delivered, err
		}
		leased, mine, err := b.k.Lease(ctx, "deliver webhooks", turn)
		if err != nil || !mine {
			return delivered, err
		}
		for end, waits := time.Now().Add(turn/2), true; waits && time.Now().Before(end); {
			n, err := b.once(leased)
			delivered += n
			if err != nil {
				return delivered, err
			}
			select {
			case <-ctx.Done():
				return delivered, nil
			case <-time.After(pause):
			}
			if waits, err = b.waits(ctx); err != nil {
				return delivered, err
			}
		}
	}
	return delivered, nil
}

// waits reports whether there is somebody to tell of anything: an event that no webhook was given, or a message that is due. Each server
// asks each second, and it takes no lock.
func (b *Book) waits(ctx context.Context) (bool, error) {
	return change.Read(ctx, b.k, func(tx *store.Tx) (bool, error) {
		hooks, err := everyone(tx)
		if err != nil || len(hooks) == 0 {
			return false, err
		}
		newest, err := tx.NewestEvent()
		if err != nil {
			return false, err
		}
		if b.feed.due(newest, time.Now()) {
			if chains, err := tx.UnreadChains(1); err != nil || len(chains) > 0 {
				return err == nil, err
			}
		}
		now := b.k.Now()
		for _, w := range hooks {
			by, _, rests := next(w, now)
			if !w.Enabled || rests {
				continue
			}
			if due, err := tx.DueDeliveries(w.ID, by, 1); err != nil || len(due) > 0 {
				return err == nil, err
			}
		}
		return false, nil
	})
}

// next is until when messages must be due to be sent to a webhook now, and how many at once, or whether it rests. One that has failed is
// tried with one message.
func next(w ipam.Webhook, now time.Time) (by time.Time, limit int, rests bool) {
	switch {
	case w.Health.RetryAt != nil && now.Before(*w.Health.RetryAt):
		return now, 0, true
	case w.Health.Failures > 0: // whatever waits, first what has failed the least: one message alone may be what fails
		return now.Add(patience), 1, false
	}
	return now, atOnce, false
}

// once gives new events to the webhooks, and sends what is due until nothing is.
func (b *Book) once(ctx context.Context) (delivered int64, err error) {
	var hooks []ipam.Webhook
	if _, err := change.Read(ctx, b.k, func(tx *store.Tx) (none struct{}, err error) {
		hooks, err = everyone(tx)
		return none, err
	}); err != nil {
		return 0, err
	}
	if err := b.Feed(ctx); err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	counts, errs := make([]int64, len(hooks)), make([]error, len(hooks))
	for i, w := range hooks {
		if w.Enabled {
			all.Go(func() { counts[i], errs[i] = b.deliver(ctx, w) })
		}
	}
	all.Wait()
	for _, n := range counts {
		delivered += n
	}
	return delivered, errors.Join(errs...)
}

func everyone(tx *store.Tx) (hooks []ipam.Webhook, err error) {
	err = change.EachPage(func(p ipam.Page) ([]ipam.Webhook, error) { return tx.Receivers(ipam.Everything, p) }, func(w ipam.Webhook) string { return string(w.ID) }, func(w ipam.Webhook) error {
		hooks = append(hooks, w)
		return nil
	})
	return hooks, err
}

// deliver sends what is due of a webhook until nothing is, or its receiver fails: it then rests.
func (b *Book) deliver(ctx context.Context, w ipam.Webhook) (delivered int64, err error) {
	for ctx.Err() == nil {
		now := b.k.Now()
		by, limit, rests := next(w, now)
		if rests {
			return delivered, nil
		}
		due, events, err := b.due(ctx, w, by, limit)
		if err != nil || len(due) == 0 {
			return delivered, err
		}
		outcomes := make([]outcome, len(due))
		var all sync.WaitGroup
		for i, d := range due {
			all.Go(func() { outcomes[i] = b.post(ctx, w, events[d.Event], now) })
		}
		all.Wait()
		if ctx.Err() != nil {
			return delivered, nil // an attempt that was cut off says nothing of the receiver
		}
		var n int64
		if w.Health, n, err = b.note(ctx, w, due, outcomes); err != nil {
			return delivered, err
		}
		delivered += n
	}
	return delivered, nil
}

// due reads what to send now, and the events that it is about.
func (b *Book) due(ctx context.Context, w ipam.Webhook, by time.Time, limit int) (due []ipam.Delivery, events map[string]ipam.Event, err error) {
	events = map[string]ipam.Event{}
	_, err = change.Read(ctx, b.k, func(tx *store.Tx) (none struct{}, err error) {
		if due, err = tx.DueDeliveries(w.ID, by, limit); err != nil {
			return none, err
		}
		ids := make([]string, len(due))
		for i, d := range due {
			ids[i] = d.Event
		}
		found, err := tx.EventsByID(ids)
		for _, e := range found {
			events[e.ID] = e
		}
		return none, err
	})
	return due, events, err
}

func (b *Book) post(ctx context.Context, w ipam.Webhook, e ipam.Event, now time.Time) outcome {
	if e.ID == "" {
		return outcome{status: 410, err: errors.New("its event is not there any more")}
	}
	message, err := b.body(w.Format, e)
	if err != nil {
		return outcome{err: err}
	}
	return b.sender.send(ctx, w, e.ID, now, message)
}

// note writes how attempts went, and how the receiver is. A message that its receiver refuses waits by itself; where the receiver
// fails as a whole, all wait with it.
func (b *Book) note(ctx context.Context, w ipam.Webhook, due []ipam.Delivery, outcomes []outcome) (health ipam.WebhookHealth, delivered int64, err error) {
	now := b.k.Now()
	health = w.Health
	var works, fails bool
	for i, o := range outcomes {
		d := &due[i]
		d.Attempts, d.Status, d.Error, d.RetryAt = d.Attempts+1, o.status, "", now
		if o.err == nil {
			d.State, d.EndedAt = ipam.Delivered, &now
			works, delivered = true, delivered+1
			continue
		}
		d.Error, d.RetryAt = o.err.Error(), now.Add(max(delay(d.Attempts), o.after))
		health.LastError = d.Error
		if d.Attempts >= attempts && now.Sub(d.At) > 24*time.Hour {
			d.State, d.EndedAt = ipam.DeliveryDead, &now
		}
		if o.refused() {
			works = true
		} else {
			fails = true
		}
	}
	recovered := works && !fails && health.FailingSince != nil && now.Sub(*health.FailingSince) >= absence
	switch {
	case fails:
		health.Failures++
		after := slices.MaxFunc(outcomes, func(a, b outcome) int { return int(a.after - b.after) }).after
		retry := now.Add(max(min(delay(health.Failures), restAtMost), after))
		health.RetryAt = &retry
		if health.FailingSince == nil {
			health.FailingSince = &now
		}
	case works:
		health.Failures, health.FailingSince, health.RetryAt = 0, nil, nil
	}
	if delivered == int64(len(due)) {
		health.LastError = ""
	}
	err = b.k.Work(ctx, "webhooks", func(tx *store.Tx) error {
		for _, d := range due {
			if err := tx.UpdateDelivery(d); err != nil {
				return err
			}
		}
		if recovered {
			if err := tx.WakeDeliveries(w.ID, now); err != nil {
				return err
			}
		}
		return tx.SetWebhookHealth(w.ID, health)
	})
	return health, delivered, err
}

// Forget gives up what has waited too long, and forgets what ended long ago.
func (b *Book) Forget(ctx context.Context) (int64, error) {
	now := b.k.Due()
	return 0, errors.Join(
		b.k.Forget(ctx, func(tx *store.Tx, limit int) (int64, error) {
			return tx.GiveUpDeliveries(now.Add(-patience), now, "it waited for a week", limit)
		}),
		b.k.Forget(ctx, func(tx *store.Tx, limit int) (int64, error) {
			return tx.ForgetDeliveries(ipam.Delivered, now.Add(-forgetDelivered), limit)
		}),
		b.k.Forget(ctx, func(tx *store.Tx, limit int) (int64, error) {
			return tx.ForgetDeliveries(ipam.DeliveryDead, now.Add(-forgetDead), limit)
		}),
	)
}
