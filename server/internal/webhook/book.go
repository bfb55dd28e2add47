// Package webhook sends what happened to those who asked for it: signed, until it arrives, and in the order of each object.
//
// The events are the queue. A change writes them in its own transaction and knows of no webhook; the feed reads each chain where it
// stopped, which skips none and reads none twice, and makes deliveries; a sender sends what is due and notes how it went. Whoever dies
// between sending and noting sends again, so a message arrives at least once, always under the id of its event.
package webhook

import (
	"cmp"
	"context"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Book serves the webhooks. It is safe for concurrent use.
type Book struct {
	k      *change.Kernel
	guard  Guard
	sender *sender
	feed   look

	// URL, the address of the server as browsers know it, is set before the first call; "" where it is not known.
	URL string
}

// New makes a Book that sends to public addresses and to those that the guard allows. The version is what it names itself by.
func New(k *change.Kernel, guard Guard, version string) *Book {
	return &Book{k: k, guard: guard, sender: newSender(guard, version)}
}

// object is a webhook in the system's chain: what is told to whom belongs to no scope.
func object(w ipam.Webhook) change.Object { return change.Object{Kind: "webhook", ID: string(w.ID)} }

// Created is a webhook with the secret that was made for it; "" where the caller chose one, and in an answer that is given again.
type Created struct {
	ipam.Webhook
	Secret string `json:"-"` // so that no stored answer has it
}

// Webhooks lists a page of webhooks by age.
func (b *Book) Webhooks(ctx context.Context, see ipam.Visible, p ipam.Page) ([]ipam.Webhook, error) {
	return change.Read(ctx, b.k, func(tx *store.Tx) ([]ipam.Webhook, error) { return tx.Webhooks(see, p) })
}

// Webhook reads a webhook by its id or name; CodeNotFound when there is none to see.
func (b *Book) Webhook(ctx context.Context, see ipam.Visible, id string) (ipam.Webhook, error) {
	return change.Get(ctx, b.k, func(tx *store.Tx) (ipam.Webhook, error) { return tx.Webhook(see, id) })
}

// CreateWebhook adds a webhook for all events from now on. Errors: CodeInvalid, also for an address that the guard refuses and a scope
// that is not there, and CodeNameTaken.
func (b *Book) CreateWebhook(ctx context.Context, by ipam.Caller, in ipam.Webhook) (Created, error) {
	in = in.Filled()
	made, err := secretFor(&in)
	if err != nil {
		return Created{}, err
	}
	if err := in.Check(); err != nil {
		return Created{}, err
	}
	if err := b.guard.checkURL(ctx, in.URL); err != nil {
		return Created{}, err
	}
	created, err := change.Write(ctx, b.k, by, "system", func(c change.Change) (Created, error) {
		w := in
		if err := c.Tx.LockSystem(); err != nil {
			return Created{}, err
		}
		if w.Scope != "" {
			scope, err := ipam.RealScope(c.Tx.Scope(c.By.Sees(), w.Scope))
			if err != nil {
				return Created{}, ipam.NoScope(err)
			}
			w.Scope, w.ScopeUID = scope.ID, scope.UID
		}
		if err := cmp.Or(c.May(w.In()), free(c.Tx, w)); err != nil {
			return Created{}, err
		}
		w.ID, w.Version, w.CreatedAt, w.UpdatedAt = ipam.NewUID("webhook"), 1, c.At, c.At
		if err := c.Tx.InsertWebhook(w); err != nil {
			return Created{}, err
		}
		return Created{Webhook: w}, c.Record(object(w), "created", nil, w)
	})
	if by.Retry == nil || !by.Retry.Replayed {
		created.Secret = made
	}
	return created, err
}

// secretFor gives a webhook a secret if it has none, and returns what it made.
func secretFor(w *ipam.Webhook) (made string, err error) {
	if w.Secrets.Now != "" {
		return "", ipam.CheckWebhookSecret(w.Secrets.Now)
	}
	made = ipam.NewWebhookSecret()
	w.Secrets.Now = made
	return made, nil
}

// free makes sure that no other webhook has the name.
func free(tx *store.Tx, w ipam.Webhook) error {
	known, err := tx.Webhook(ipam.Everything, w.Name)
	switch {
	case ipam.CodeOf(err) == ipam.CodeNotFound || err == nil && known.ID == w.ID:
		return nil
	case err != nil:
		return err
	}
	e := ipam.Errorf(ipam.CodeNameTaken, "there is already a webhook %q", known.Name)
	e.Fields = []ipam.FieldError{{Pointer: "/name", Detail: e.Detail}}
	return e
}

// UpdateWebhook changes a webhook. Errors: those of CreateWebhook, CodeNotFound, CodePreconditionFailed, CodePreconditionRequired.
func (b *Book) UpdateWebhook(ctx context.Context, by ipam.Caller, id string, m ipam.Match, patch ipam.WebhookPatch) (ipam.Webhook, error) {
	known, err := b.Webhook(ctx, by.Reaches(), id)
	if err != nil {
		return change.OrReplay[ipam.Webhook](ctx, b.k, by, err)
	}
	after := known.Apply(patch)
	if err := after.Check(); err != nil {
		return known, err
	}
	if after.URL != known.URL { // one that is refused by now must not keep the webhook from being disabled
		if err := b.guard.checkURL(ctx, after.URL); err != nil { // a look at names takes time, and is not for a write
			return known, err
		}
	}
	return b.write(ctx, by, known, m, "updated", func(c change.Change, w ipam.Webhook) (ipam.Webhook, error) {
		w = w.Apply(patch)
		return w, free(c.Tx, w)
	})
}

// RotateSecret gives a webhook another secret; "" makes one. Errors: those of UpdateWebhook.
func (b *Book) RotateSecret(ctx context.Context, by ipam.Caller, id, secret string) (Created, error) {
	known, err := b.Webhook(ctx, by.Reaches(), id)
	if err != nil {
		w, err := change.OrReplay[ipam.Webhook](ctx, b.k, by, err)
		return Created{Webhook: w}, err
	}
	next := ipam.Webhook{Secrets: ipam.Secrets{Now: secret}}
	made, err := secretFor(&next)
	if err != nil {
		return Created{}, err
	}
	w, err := b.write(ctx, by, known, ipam.AnyVersion, "secret_changed", func(c change.Change, w ipam.Webhook) (ipam.Webhook, error) {
		w.Secrets = w.Secrets.Rotated(next.Secrets.Now, c.At)
		return w, nil
	})
	if by.Retry != nil && by.Retry.Replayed {
		made = ""
	}
	return Created{w, made}, err
}

// write changes a webhook under the system's lock, which is where its changes queue.
func (b *Book) write(ctx context.Context, by ipam.Caller, known ipam.Webhook, m ipam.Match, verb string, to func(change.Change, ipam.Webhook) (ipam.Webhook, error)) (ipam.Webhook, error) {
	return change.Write(ctx, b.k, by, "system", func(c change.Change) (ipam.Webhook, error) {
		before, err := lock(c, known, m)
		if err != nil {
			return before, err
		}
		after, err := to(c, before)
		if err != nil {
			return before, err
		}
		after.Version, after.UpdatedAt = before.Version+1, c.At
		if err := c.Tx.UpdateWebhook(after, c.At); err != nil {
			return before, err
		}
		return after, c.Record(object(after), verb, before, after)
	})
}

func lock(c change.Change, known ipam.Webhook, m ipam.Match) (ipam.Webhook, error) {
	if err := c.Tx.LockSystem(); err != nil {
		return known, err
	}
	w, err := c.Tx.Webhook(ipam.Everything, string(known.ID))
	if err != nil {
		return known, err
	}
	return w, cmp.Or(c.May(w.In()), m.Require("webhook", w.Name, w.ETag()))
}

// DeleteWebhook removes a webhook and what waits for it. Errors: CodeNotFound, CodePreconditionFailed, CodePreconditionRequired.
func (b *Book) DeleteWebhook(ctx context.Context, by ipam.Caller, id string, m ipam.Match) error {
	known, err := b.Webhook(ctx, by.Reaches(), id)
	if err != nil {
		return change.OrReplayMissing(ctx, b.k, by, err)
	}
	_, err = change.Write(ctx, b.k, by, "system", func(c change.Change) (struct{}, error) {
		none := struct{}{}
		w, err := lock(c, known, m)
		if err != nil {
			return none, err
		}
		if err := c.Tx.DeleteWebhook(w); err != nil {
			return none, err
		}
		return none, c.Record(object(w), "deleted", w, nil)
	})
	return err
}

// Deliveries lists a page of the deliveries of a webhook, the newest first. Errors: CodeNotFound.
func (b *Book) Deliveries(ctx context.Context, see ipam.Visible, id string, state ipam.DeliveryState, p ipam.Page) ([]ipam.Delivery, error) {
	return change.Read(ctx, b.k, func(tx *store.Tx) ([]ipam.Delivery, error) {
		w, err := tx.Webhook(see, id)
		if err != nil {
			return nil, err
		}
		return tx.Deliveries(w.ID, state, p)
	})
}

// maxReplay is how many events a replay sends again at most: one write has them all.
const maxReplay = 10_000

// Replay lets events wait to be sent again, and returns how many. Errors: CodeNotFound, CodeInvalid.
func (b *Book) Replay(ctx context.Context, by ipam.Caller, id string, what ipam.Replay) (int64, error) {
	if (what.Delivery == "") == what.Since.IsZero() {
		return 0, ipam.Invalid("/since", "say either which delivery to repeat or since when: {\"since\": %q}", b.k.Now().Add(-time.Hour).Format(time.RFC3339))
	}
	known, err := b.Webhook(ctx, by.Reaches(), id)
	if err != nil {
		return change.OrReplay[int64](ctx, b.k, by, err)
	}
	return change.Write(ctx, b.k, by, "system", func(c change.Change) (int64, error) {
		w, err := lock(c, known, ipam.AnyVersion)
		if err != nil {
			return 0, err
		}
		events, err := replayed(c.Tx, w, what)
		if err != nil {
			return 0, err
		}
		for _, e := range events {
			if err := c.Tx.RepeatDelivery(w.ID, e, c.At); err != nil {
				return 0, err
			}
		}
		return int64(len(events)), nil
	})
}

func replayed(tx *store.Tx, w ipam.Webhook, what ipam.Replay) (events []ipam.Event, err error) {
	if what.Delivery != "" {
		d, err := tx.Delivery(w.ID, string(what.Delivery))
		if err != nil {
			return nil, err
		}
		return tx.EventsByID([]string{d.Event})
	}
	filter := ipam.EventFilter{Scope: string(w.ScopeUID), Since: what.Since, Until: what.Until, OldestFirst: true}
	err = change.EachPage(
		func(p ipam.Page) ([]ipam.Event, error) { return tx.Events(ipam.Everything, filter, p) }, func(e ipam.Event) string { return e.ID },
		func(e ipam.Event) error {
			if w.Wants(e) {
				events = append(events, e)
			}
			if len(events) > maxReplay {
				return ipam.Invalid("/until", "these are more than %d events; replay them in parts, the first until %s", maxReplay, e.At.Format(time.RFC3339))
			}
			return nil
		})
	return events, err
}
