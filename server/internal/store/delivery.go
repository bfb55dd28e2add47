package store

import (
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Unread is how far the events of a chain have been given to the webhooks. It has more.
type Unread struct {
	Chain ipam.UID
	Seq   int64
}

// UnreadChains lists up to limit chains that have events which no webhook was given.
func (tx *Tx) UnreadChains(limit int) ([]Unread, error) {
	rows, err := tx.rows.UnreadChains(tx.ctx, int32(limit))
	return all(rows, err, func(row query.UnreadChainsRow) (Unread, error) { return Unread{uid(chainKey, row.ID), row.Seq}, nil })
}

// NewestEvent is the highest key of an event, 0 where there is none. It may rise before events that have lower keys are there.
func (tx *Tx) NewestEvent() (int64, error) { return tx.rows.NewestEvent(tx.ctx) }

// SetFeed notes how far a chain was given to the webhooks.
func (tx *Tx) SetFeed(u Unread) error {
	return tx.rows.SetFeed(tx.ctx, query.SetFeedParams{ChainID: u.Chain.Key(), Seq: u.Seq})
}

// InsertDelivery adds a delivery that waits, unless the webhook was given its event before.
func (tx *Tx) InsertDelivery(webhook ipam.UID, e ipam.Event, at time.Time) error {
	return tx.rows.InsertDelivery(tx.ctx, query.InsertDeliveryParams{
		ID: ipam.NewUID(deliveryKey).Key(), WebhookID: webhook.Key(), EventID: ipam.KeyOf(eventKey, e.ID), ObjectID: ipam.UID(e.ObjectID).Key(), Action: e.Action, RetryAt: micros(at),
	})
}

// RepeatDelivery lets an event wait for a webhook behind all that waits, also if it was delivered or given up.
func (tx *Tx) RepeatDelivery(webhook ipam.UID, e ipam.Event, at time.Time) error {
	err := tx.rows.DropDelivery(tx.ctx, query.DropDeliveryParams{WebhookID: webhook.Key(), EventID: ipam.KeyOf(eventKey, e.ID)})
	if err != nil {
		return err
	}
	return tx.InsertDelivery(webhook, e, at)
}

// Delivery reads a delivery of a webhook; CodeNotFound when there is none.
func (tx *Tx) Delivery(webhook ipam.UID, id string) (ipam.Delivery, error) {
	row, err := tx.rows.Delivery(tx.ctx, ipam.KeyOf(deliveryKey, id))
	if err == nil && row.WebhookID != webhook.Key() {
		return ipam.Delivery{}, ipam.Errorf(ipam.CodeNotFound, "there is no delivery %q of this webhook", id)
	}
	if err != nil {
		return ipam.Delivery{}, absent(err, "delivery", id)
	}
	return delivery(row)
}

// Deliveries lists a page of the deliveries of a webhook, the newest first.
func (tx *Tx) Deliveries(webhook ipam.UID, state ipam.DeliveryState, p ipam.Page) ([]ipam.Delivery, error) {
	s := tx.from("deliveries", "id, webhook_id, event_id, object_id, action, state, attempts, status, error, retry_at, created_at, ended_at")
	s.and("webhook_id = ?", webhook.Key())
	s.equal("state", string(state))
	if p.After.ID != "" {
		s.and("id < ?", ipam.KeyOf(deliveryKey, p.After.ID))
	}
	s.text.WriteString(" ORDER BY id DESC LIMIT " + s.arg(p.Limit))
	return list(tx, s, func(d *query.Delivery) []any {
		return []any{&d.ID, &d.WebhookID, &d.EventID, &d.ObjectID, &d.Action, &d.State, &d.Attempts, &d.Status, &d.Error, &d.RetryAt, &d.CreatedAt, &d.EndedAt}
	}, delivery)
}

// DueDeliveries lists up to limit deliveries of a webhook that are due: of each object only the oldest that waits.
func (tx *Tx) DueDeliveries(webhook ipam.UID, now time.Time, limit int) ([]ipam.Delivery, error) {
	rows, err := tx.rows.DueDeliveries(tx.ctx, query.DueDeliveriesParams{WebhookID: webhook.Key(), Now: micros(now), MaxRows: int32(limit)})
	return all(rows, err, delivery)
}

// EventsByID reads events, in no order.
func (tx *Tx) EventsByID(ids []string) ([]ipam.Event, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	keys := make([]int64, len(ids))
	for i, id := range ids {
		keys[i] = ipam.KeyOf(eventKey, id)
	}
	s := tx.from("events", eventColumns(""))
	s.text.WriteString(" AND id IN " + oneOf(s, keys))
	return list(tx, s, eventFields, event)
}

// UpdateDelivery writes how an attempt ended.
func (tx *Tx) UpdateDelivery(d ipam.Delivery) error {
	return tx.rows.EndDelivery(tx.ctx, query.EndDeliveryParams{
		ID: d.ID.Key(), State: string(d.State), Attempts: int64(d.Attempts), Status: int64(d.Status), Error: d.Error, RetryAt: micros(d.RetryAt), EndedAt: optionalMicros(d.EndedAt),
	})
}

// WakeDeliveries lets all that waits for a webhook be tried now.
func (tx *Tx) WakeDeliveries(webhook ipam.UID, now time.Time) error {
	return tx.rows.WakeDeliveries(tx.ctx, query.WakeDeliveriesParams{WebhookID: webhook.Key(), Now: micros(now)})
}

// GiveUpDeliveries ends up to limit deliveries that have waited since before a time, and reports how many.
func (tx *Tx) GiveUpDeliveries(before, now time.Time, why string, limit int) (int64, error) {
	return tx.rows.GiveUpDeliveries(tx.ctx, query.GiveUpDeliveriesParams{Now: optionalMicros(&now), Error: why, Before: micros(before), MaxRows: int32(limit)})
}

// ForgetDeliveries drops up to limit deliveries that ended in a state before a time, and reports how many.
func (tx *Tx) ForgetDeliveries(state ipam.DeliveryState, before time.Time, limit int) (int64, error) {
	return tx.rows.ForgetDeliveries(tx.ctx, query.ForgetDeliveriesParams{State: string(state), Before: optionalMicros(&before), MaxRows: int32(limit)})
}

func delivery(row query.Delivery) (ipam.Delivery, error) {
	return ipam.Delivery{
		ID: uid(deliveryKey, row.ID), Webhook: uid(webhookKey, row.WebhookID), Event: id(eventKey, row.EventID), ObjectID: id(objectKey(kindOf(row.Action)), row.ObjectID),
		Action: row.Action, State: ipam.DeliveryState(row.State), Attempts: int(row.Attempts), Status: int(row.Status), Error: row.Error,
		RetryAt: moment(row.RetryAt), At: moment(row.CreatedAt), EndedAt: optionalMoment(row.EndedAt),
	}, nil
}
