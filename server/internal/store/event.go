package store

import (
	"encoding/json"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// AppendEvent links an event to its chain and adds it. The caller holds the lock of the pool or scope the chain belongs to.
func (tx *Tx) AppendEvent(e ipam.Event) error {
	head, err := tx.rows.ChainHead(tx.ctx, e.Chain)
	if err != nil && !noRows(err) {
		return err
	}
	e.Seq = head.Seq + 1
	return tx.rows.InsertEvent(tx.ctx, query.InsertEventParams{
		ID: e.ID, ChainID: e.Chain, Seq: e.Seq, ScopeID: e.Scope, At: micros(e.At), Actor: e.Actor, Action: e.Action, ObjectKind: e.ObjectKind,
		ObjectID: e.ObjectID, RequestID: e.RequestID, Before: string(e.Before), After: string(e.After), Hash: e.Link(head.Hash),
	})
}

// EventsOfChain lists up to limit events of a chain after a sequence number, in order.
func (tx *Tx) EventsOfChain(chain string, after int64, limit int) ([]ipam.Event, error) {
	rows, err := tx.rows.EventsOfChain(tx.ctx, query.EventsOfChainParams{ChainID: chain, Seq: after, MaxRows: int32(limit)})
	return all(rows, err, event)
}

// Chains lists up to limit chains after one, by name.
func (tx *Tx) Chains(after string, limit int) ([]string, error) {
	return tx.rows.Chains(tx.ctx, query.ChainsParams{After: after, MaxRows: int32(limit)})
}

func event(row query.Event) (ipam.Event, error) {
	return ipam.Event{
		ID: row.ID, Chain: row.ChainID, Seq: row.Seq, Scope: row.ScopeID, At: moment(row.At), Actor: row.Actor, Action: row.Action,
		ObjectKind: row.ObjectKind, ObjectID: row.ObjectID, RequestID: row.RequestID, Before: state(row.Before), After: state(row.After), Hash: row.Hash,
	}, nil
}

func state(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}
