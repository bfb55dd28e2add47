package store

import (
	"encoding/json"
	"net/netip"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Chain is the head of a chain of events.
type Chain struct {
	UID    ipam.UID
	Scope  ipam.UID // "" of the system's
	Length int64
	Hash   []byte // of the last event
	At     time.Time
}

// AppendEvent links an event to its chain and adds it, no earlier than the one before it: who waited for the lock has the time of
// its begin. The caller holds the lock of the space that the chain belongs to, or the system's.
func (tx *Tx) AppendEvent(e ipam.Event) error {
	head, err := tx.head(e.Chain, e.ScopeUID)
	if err != nil {
		return err
	}
	e.Seq = head.Length + 1
	if e.At.Before(head.At) {
		e.At = head.At
	}
	head.At, head.Length, head.Hash = e.At, e.Seq, e.Link(head.Hash)
	row := query.InsertEventParams{
		ID: ipam.KeyOf(eventKey, e.ID), ChainID: e.Chain.Key(), Seq: e.Seq, ScopeID: e.ScopeUID.Key(), Scope: e.Scope, At: micros(e.At),
		PrincipalID: e.Principal.Key(), Actor: e.Actor, Action: e.Action, ObjectKind: e.ObjectKind, ObjectID: ipam.UID(e.ObjectID).Key(),
		RequestID: e.RequestID, Before: string(e.Before), After: string(e.After), Hash: head.Hash, Source: e.Source, Address: e.Address, Reason: e.Reason,
	}
	if e.Block.IsValid() {
		row.Family, row.FirstIp, row.Length = new(family(e.Block)), firstIP(e.Block), new(int64(e.Block.Bits()))
	}
	defer tx.namesStay(tx.conn.written)
	if err := tx.rows.InsertEvent(tx.ctx, row); err != nil {
		return err
	}
	tx.fresh.heads[e.Chain], tx.fresh.event = head, e
	return nil
}

// head is the head of a chain in this transaction, read once under its lock.
func (tx *Tx) head(chain, scope ipam.UID) (Chain, error) {
	if head, ok := tx.fresh.heads[chain]; ok {
		return head, nil
	}
	if head, ok := tx.known.heads[chain]; ok {
		return head, nil
	}
	var row query.Chain
	err := tx.conn.one(tx.ctx, query.ChainHead, []any{chain.Key()}, []any{&row.ID, &row.ScopeID, &row.Length, &row.Hash, &row.At})
	if noRows(err) {
		return Chain{UID: chain, Scope: scope}, nil
	}
	return chainOf(row), err
}

// writeHeads stores the heads that the writes of a transaction moved.
func (tx *Tx) writeHeads() error {
	for _, head := range tx.known.heads {
		err := tx.rows.SetChain(tx.ctx, query.SetChainParams{ID: head.UID.Key(), ScopeID: head.Scope.Key(), Length: head.Length, Hash: head.Hash, At: micros(head.At)})
		if err != nil {
			return err
		}
	}
	return nil
}

// LockSystem holds the system's chain, which belongs to no space, until the transaction ends.
func (tx *Tx) LockSystem() error {
	_, err := tx.rows.LockSystemChain(tx.ctx)
	return err
}

// Head is the head of the chain of a key; false when it has none.
func (tx *Tx) Head(chain int64) (Chain, bool, error) {
	row, err := tx.rows.Chain(tx.ctx, chain)
	return found(row, err, func(row query.Chain) (Chain, error) { return chainOf(row), nil })
}

// ChainsSince lists the heads of chains that have an event of a time or of a later one.
func (tx *Tx) ChainsSince(at time.Time) ([]Chain, error) {
	rows, err := tx.rows.ChainsSince(tx.ctx, micros(at))
	return all(rows, err, func(row query.Chain) (Chain, error) { return chainOf(row), nil })
}

// SeqBefore is the sequence number of the last event of a chain that is no later than a time; 0 where all are later.
func (tx *Tx) SeqBefore(chain ipam.UID, at time.Time) (int64, error) {
	rows, err := tx.rows.SeqBefore(tx.ctx, query.SeqBeforeParams{ChainID: chain.Key(), At: micros(at)})
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return rows[0], nil
}

// SeesChain reports whether a chain can be seen: its key is that of its space.
func (tx *Tx) SeesChain(see ipam.Visible, head Chain) (bool, error) {
	if see.All() {
		return true, nil
	}
	return tx.sees(see, ipam.In{ScopeUID: head.Scope, PoolUID: uid(poolKey, head.UID.Key())})
}

// EventsOfChain lists up to limit events of a chain after a sequence number, in order; none of a chain that is not there to see.
func (tx *Tx) EventsOfChain(see ipam.Visible, chain ipam.UID, after int64, limit int) ([]ipam.Event, error) {
	if !see.All() {
		head, known, err := tx.Head(chain.Key())
		if err != nil || !known {
			return nil, err
		}
		if is, err := tx.SeesChain(see, head); err != nil || !is {
			return nil, err
		}
	}
	rows, err := tx.rows.EventsOfChain(tx.ctx, query.EventsOfChainParams{ChainID: chain.Key(), Seq: after, MaxRows: int32(limit)})
	return all(rows, err, event)
}

// Events lists a page of events, the newest first, or the oldest first where the filter says so.
func (tx *Tx) Events(see ipam.Visible, f ipam.EventFilter, p ipam.Page) ([]ipam.Event, error) {
	s := tx.events(see, f)
	order, beyond := "id DESC", "id < ?"
	if f.OldestFirst {
		order, beyond = "id", "id > ?"
	}
	if p.After.ID != "" {
		s.and(beyond, ipam.KeyOf(eventKey, p.After.ID))
	}
	s.inOrder(order, p.Limit)
	return list(tx, s, eventFields, event)
}

// EventsInChains lists up to limit events behind one, chain by chain and each in its own order; the zero event is the start.
func (tx *Tx) EventsInChains(see ipam.Visible, f ipam.EventFilter, after ipam.Event, limit int) ([]ipam.Event, error) {
	s := tx.events(see, f)
	if after.ID != "" {
		s.and("(chain_id, seq) > (?, ?)", after.Chain.Key(), after.Seq)
	}
	s.text.WriteString(" ORDER BY chain_id, seq LIMIT " + s.arg(limit))
	return list(tx, s, eventFields, event)
}

func (tx *Tx) events(see ipam.Visible, f ipam.EventFilter) *listQuery {
	s := tx.from("events", eventColumns(""))
	s.sees(see, "scope_id", "chain_id") // the key of a chain is that of its space
	s.inScope("scope_id", f.Scope)
	if f.Object != "" {
		s.and("object_id = ?", ipam.UID(f.Object).Key())
	}
	s.principal("principal_id", f.Actor)
	s.equal("action", f.Action)
	if f.Within.IsValid() {
		s.touches(f.Within)
	}
	if !f.Since.IsZero() {
		s.and("at >= ?", micros(f.Since))
	}
	if !f.Until.IsZero() {
		s.and("at < ?", micros(f.Until))
	}
	return s
}

// ObjectsOf lists up to limit objects behind a key that ever had a block which shares an address with one: allocations, reservations,
// quarantines and pools, by key. Scope "" is every one.
func (tx *Tx) ObjectsOf(see ipam.Visible, scope string, within netip.Prefix, after int64, limit int) ([]int64, error) {
	s := &listQuery{engine: tx.engine, head: "SELECT DISTINCT object_id FROM ", table: "events"}
	s.text.WriteString(" WHERE object_kind IN ('allocation', 'reservation', 'quarantine', 'pool')")
	s.seesAll(see, "scope_id", "chain_id")
	s.and("object_id > ?", after)
	s.inScope("scope_id", scope)
	s.touches(within)
	s.text.WriteString(" ORDER BY object_id LIMIT " + s.arg(limit))
	return list(tx, s, func(id *int64) []any { return []any{id} }, func(id int64) (int64, error) { return id, nil })
}

func chainOf(row query.Chain) Chain {
	c := Chain{UID: uid(chainKey, row.ID), Length: row.Length, Hash: row.Hash, At: moment(row.At)}
	if row.ScopeID != 0 {
		c.Scope = uid(scopeKey, row.ScopeID)
	}
	return c
}

func event(row query.Event) (ipam.Event, error) {
	e := ipam.Event{
		ID: id(eventKey, row.ID), Chain: uid(chainKey, row.ChainID), Seq: row.Seq, Scope: row.Scope, At: moment(row.At),
		Principal: uid(principalKey, row.PrincipalID), Actor: row.Actor, Action: row.Action, ObjectKind: row.ObjectKind, ObjectID: id(objectKey(row.ObjectKind), row.ObjectID),
		RequestID: row.RequestID, Source: row.Source, Address: row.Address, Reason: row.Reason, Before: state(row.Before), After: state(row.After), Hash: row.Hash,
	}
	if row.ScopeID != 0 {
		e.ScopeUID = uid(scopeKey, row.ScopeID)
	}
	if row.Family == nil && row.FirstIp == nil && row.Length == nil {
		return e, nil
	}
	e.Block = netip.PrefixFrom(netip.IPv6Unspecified(), -1) // no block, and not none either: what verify finds
	if row.Family != nil && row.Length != nil {
		if b, err := block(row.FirstIp, int(*row.Family), *row.Length); err == nil {
			e.Block = b
		}
	}
	return e, nil
}

// kindOf is what kind of object an action is about.
func kindOf(action string) string {
	kind, _, _ := strings.Cut(action, ".")
	return kind
}

func state(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

// LastMoment is when the newest event was written; the zero time when there is none.
func (tx *Tx) LastMoment() (time.Time, error) {
	events, err := tx.Events(ipam.Everything, ipam.EventFilter{}, ipam.Page{Limit: 1})
	if err != nil || len(events) == 0 {
		return time.Time{}, err
	}
	return events[0].At, nil
}
