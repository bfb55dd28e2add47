package audit

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Line is one line of an NDJSON export: an event with all that its hash covers, a signed head, or the end.
type Line struct {
	ID         string          `json:"id,omitempty"`
	Chain      ipam.UID        `json:"chain,omitempty"`
	Sequence   int64           `json:"sequence,omitempty"`
	Scope      string          `json:"scope,omitempty"`
	ScopeUID   ipam.UID        `json:"scope_uid,omitempty"`
	At         *time.Time      `json:"at,omitempty"`
	Principal  ipam.UID        `json:"principal,omitempty"`
	Actor      string          `json:"actor,omitempty"`
	Action     string          `json:"action,omitempty"`
	ObjectKind string          `json:"object_kind,omitempty"`
	ObjectID   string          `json:"object_id,omitempty"`
	RequestID  string          `json:"request_id,omitempty"`
	Source     string          `json:"source,omitempty"`
	Address    string          `json:"address,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	CIDR       string          `json:"cidr,omitempty"`
	Before     json.RawMessage `json:"before,omitempty"`
	After      json.RawMessage `json:"after,omitempty"`
	Hash       string          `json:"hash,omitempty"`

	Seal *ipam.Seal `json:"seal,omitempty"` // before the events
	End  *End       `json:"end,omitempty"`  // of the last line alone
}

// End is what the last line of an export says: without it, something is missing.
type End struct {
	Events int  `json:"events"`
	Whole  bool `json:"whole"` // nothing was filtered: each chain begins with its first event
}

func lineOf(e ipam.Event) Line {
	return Line{
		ID: e.ID, Chain: e.Chain, Sequence: e.Seq, Scope: e.Scope, ScopeUID: e.ScopeUID, At: &e.At, Principal: e.Principal, Actor: e.Actor, Action: e.Action,
		ObjectKind: e.ObjectKind, ObjectID: e.ObjectID, RequestID: e.RequestID, Source: e.Source, Address: e.Address, Reason: e.Reason,
		CIDR: e.BlockText(), Before: e.Before, After: e.After, Hash: hex.EncodeToString(e.Hash),
	}
}

// event is the event of a line.
func (l Line) event() (e ipam.Event, err error) {
	e = ipam.Event{
		ID: l.ID, Chain: l.Chain, Seq: l.Sequence, Scope: l.Scope, ScopeUID: l.ScopeUID, Principal: l.Principal, Actor: l.Actor, Action: l.Action,
		ObjectKind: l.ObjectKind, ObjectID: l.ObjectID, RequestID: l.RequestID, Source: l.Source, Address: l.Address, Reason: l.Reason, Before: l.Before, After: l.After,
	}
	if l.At != nil {
		e.At = *l.At
	}
	e.Hash, err = hex.DecodeString(l.Hash)
	return e, err
}

// WriteNDJSON writes the seals and then events, one a line, chain by chain and each in its own order, and at last how many. It reads a page at a time, so its
// memory does not grow, and holds no connection while it writes.
func (a *Auditor) WriteNDJSON(ctx context.Context, see ipam.Visible, w io.Writer, f ipam.EventFilter) error {
	out := bufio.NewWriterSize(w, 1<<16)
	lines := json.NewEncoder(out)
	if err := a.EachSeal(ctx, see, func(s ipam.Seal) error { return lines.Encode(Line{Seal: &s}) }); err != nil {
		return err
	}
	n := 0
	err := a.EachEvent(ctx, see, f, func(e ipam.Event) error {
		n++
		return lines.Encode(lineOf(e))
	})
	if err != nil {
		return err
	}
	if err := lines.Encode(Line{End: &End{n, see.All() && f == ipam.EventFilter{}}}); err != nil {
		return err
	}
	return out.Flush()
}

var csvColumns = []string{
	"at", "actor", "source", "address", "action", "object_kind", "object_id", "scope", "cidr", "reason", "request_id", "chain", "sequence", "id", "before", "after", "hash",
}

// WriteCSV writes events as WriteNDJSON does, with the names of the columns first.
func (a *Auditor) WriteCSV(ctx context.Context, see ipam.Visible, w io.Writer, f ipam.EventFilter) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvColumns); err != nil {
		return err
	}
	err := a.EachEvent(ctx, see, f, func(e ipam.Event) error {
		l := lineOf(e)
		row := []string{
			e.At.Format(time.RFC3339Nano), l.Actor, l.Source, l.Address, l.Action, l.ObjectKind, l.ObjectID, l.Scope, l.CIDR, l.Reason, l.RequestID, string(l.Chain),
			strconv.FormatInt(l.Sequence, 10), l.ID, string(l.Before), string(l.After), l.Hash,
		}
		for i := range row {
			row[i] = plain(row[i])
		}
		return out.Write(row)
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// plain is a cell that no spreadsheet takes for a formula (OWASP: CSV injection).
func plain(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// EachEvent visits events, chain by chain and each in its own order. It reads a page at a time.
func (a *Auditor) EachEvent(ctx context.Context, see ipam.Visible, f ipam.EventFilter, visit func(ipam.Event) error) error {
	const some = 500
	var last ipam.Event
	f, known, err := a.named(ctx, see, f)
	if err != nil || !known {
		return err
	}
	for {
		events, err := change.Get(ctx, a.k, func(tx *store.Tx) ([]ipam.Event, error) { return tx.EventsInChains(see, f, last, some) })
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := visit(e); err != nil {
				return err
			}
		}
		if len(events) < some {
			return nil
		}
		last = events[some-1]
	}
}

// EachSeal visits all seals in their order. They tell of every chain, so who does not see everything sees none.
func (a *Auditor) EachSeal(ctx context.Context, see ipam.Visible, visit func(ipam.Seal) error) error {
	const some = 100
	if !see.All() {
		return nil
	}
	for after := int64(0); ; {
		seals, err := change.Get(ctx, a.k, func(tx *store.Tx) ([]ipam.Seal, error) { return tx.Seals(after, some) })
		if err != nil {
			return err
		}
		for _, s := range seals {
			if err := visit(s); err != nil {
				return err
			}
			after = s.Number
		}
		if len(seals) < some {
			return nil
		}
	}
}

// named is a filter whose object is a key; false when nothing has, or had, its name.
func (a *Auditor) named(ctx context.Context, see ipam.Visible, f ipam.EventFilter) (ipam.EventFilter, bool, error) {
	if f.Object == "" || ipam.UID(f.Object).Key() != 0 {
		return f, true, nil
	}
	found, err := change.Read(ctx, a.k, func(tx *store.Tx) (ipam.UID, error) { return tx.KeyNamed(see, f.Object) })
	f.Object = string(found)
	return f, found != "", err
}

// blockIn is the CIDR that an event's states say that it is about; zero where they say none.
func blockIn(e ipam.Event) netip.Prefix {
	for _, state := range []json.RawMessage{e.After, e.Before} {
		var has struct {
			CIDR netip.Prefix `json:"cidr"`
		}
		if state != nil && json.Unmarshal(state, &has) == nil {
			return has.CIDR
		}
	}
	return netip.Prefix{}
}
