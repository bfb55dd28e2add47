package audit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// check compares the rows of a noun with their last events, with their prefixes and with the scopes of their pools.
func (n noun) check(v *verifier) error {
	return v.rows(n.table, n.some, func(tx *store.Tx, rows []store.Row) error {
		*n.count(&v.Report) += len(rows)
		keys := keysOf(rows)
		histories, err := tx.Histories(keys)
		if err != nil {
			return err
		}
		prefixes := map[int64]store.Row{}
		if n.owns {
			if prefixes, err = byKey(tx.RowsWhere("prefixes", "id", keys)); err != nil {
				return err
			}
		}
		for _, row := range rows {
			if err := n.compare(tx, v, row, histories[row.Key()], prefixes[row.Key()]); err != nil {
				return err
			}
		}
		return n.place(tx, v, rows)
	})
}

func (n noun) id(row store.Row) ipam.UID { return ipam.KeyUID(n.what, row.Key()) }

// compare compares a row and its prefix with what the object's last event says.
func (n noun) compare(tx *store.Tx, v *verifier, row store.Row, h store.History, prefix store.Row) error {
	if h.Last.ID == "" {
		if n.table == bindings.table && ofMigration(row) {
			return nil
		}
		v.find(n.id(row), "has a row, but no event")
		if n.owns && prefix == nil {
			v.find(n.id(row), "has no prefix")
		}
		return nil
	}
	say, wrong := n.differs(h.Last, row)
	if len(wrong) > 0 {
		// Keys of events are made before their commit and by several servers, so the one with the highest key is not always the last.
		last, err := n.last(tx, row.Key())
		if err != nil {
			return err
		}
		say, wrong = n.differs(last, row)
	}
	for _, w := range wrong {
		v.find(n.id(row), "%s", w)
	}
	if say.version != 0 && say.version != h.After {
		v.find(n.id(row), "has version %d, and %d events of changes", say.version, h.After)
	}
	if !n.owns || say.row == nil {
		return nil
	}
	return v.prefix(tx, n, row, prefix, say.prefix)
}

// differs says what an event says that a row should be, and where it differs.
func (n noun) differs(last ipam.Event, row store.Row) (say said, wrong []string) {
	switch {
	case last.ObjectKind != n.kind:
		return say, []string{fmt.Sprintf("has a row of %s, but its last event (%s) is about a %s", n.table, last.ID, last.ObjectKind)}
	case last.After == nil:
		return say, []string{fmt.Sprintf("has a row, but its last event (%s, %s) ended it", last.ID, last.Action)}
	}
	say, err := n.say(last.After)
	if err != nil {
		return said{}, []string{fmt.Sprintf("its last event (%s) cannot be read: %v", last.ID, err)}
	}
	return say, differences(n.table, row, say.row, "its last event ("+last.ID+") says")
}

// differences says in which columns a row is not what it should be.
func differences(table string, row, want store.Row, who string) (wrong []string) {
	for _, column := range slices.Sorted(maps.Keys(want)) {
		have, want := row[column], want[column]
		if blind[table+"."+column] && (have == nil) == (want == nil) {
			continue
		}
		if !same(have, want) {
			wrong = append(wrong, fmt.Sprintf("%s.%s is %s, but %s %s", table, column, shown(have), who, shown(want)))
		}
	}
	return wrong
}

func same(a, b any) bool {
	if x, ok := a.([]byte); ok {
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y)
	}
	if x, ok := a.(int64); ok { // a boolean that a hand wrote
		if y, ok := b.(bool); ok {
			return x == 1 && y || x == 0 && !y
		}
	}
	if _, ok := b.([]byte); ok {
		return false
	}
	return a == b
}

func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "empty"
	case []byte:
		return fmt.Sprintf("%x", v)
	case string:
		return fmt.Sprintf("%q", v)
	default:
		return fmt.Sprint(v)
	}
}

// last is the event of an object that was committed last: that with its highest version, or its end; of holds, which count no
// versions and stay in one chain, the last of the chain.
func (n noun) last(tx *store.Tx, object int64) (last ipam.Event, err error) {
	var highest [3]int64
	for e, err := range eventsOf(tx, object) {
		if err != nil {
			return last, err
		}
		if order := orderOf(e); last.ID == "" || slices.Compare(order[:], highest[:]) > 0 {
			last, highest = e, order
		}
	}
	return last, nil
}

// eventsOf visits the events of an object by key, page by page, and ends with the error that it meets.
func eventsOf(tx *store.Tx, object int64) iter.Seq2[ipam.Event, error] {
	return func(yield func(ipam.Event, error) bool) {
		for after, more := int64(-1), true; more; {
			events, err := tx.EventsOf(object, after, change.PageSize)
			if err != nil {
				yield(ipam.Event{}, err)
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
				after = ipam.UID(e.ID).Key()
			}
			more = len(events) == change.PageSize
		}
	}
}

func orderOf(e ipam.Event) [3]int64 {
	var ended int64
	state := e.After
	if state == nil {
		state, ended = e.Before, 1
	}
	var of struct{ Version int64 }
	_ = json.Unmarshal(state, &of) // what cannot be read is said where it is compared
	return [3]int64{of.Version, ended, e.Seq}
}

// prefix compares the prefix of an owner with what it should be.
func (v *verifier) prefix(tx *store.Tx, n noun, owner, prefix, want store.Row) error {
	switch {
	case prefix == nil && want == nil:
		return nil
	case want == nil:
		v.find(n.id(owner), "has a prefix (%v), but keeps no block", prefix["cidr"])
		return nil
	case prefix == nil:
		v.find(n.id(owner), "has no prefix")
		return nil
	}
	if !same(prefix["created_at"], want["created_at"]) {
		// A pool that moved, or a hold that was lost and had again, got its prefix later: by an event of that moment.
		made, err := madeAt(tx, owner.Key(), prefix.Int("created_at"))
		if err != nil {
			return err
		}
		if made {
			want["created_at"] = prefix["created_at"]
		}
	}
	for _, w := range differences("prefixes", prefix, want, "its owner says") {
		v.find(n.id(owner), "%s", w)
	}
	return nil
}

// longestWait is how much later than its rows an event may be: they have the time at which their transaction began, and an event that of
// the one before it in its chain where that is later, which is so after a wait for the lock.
const longestWait = time.Minute

// told reports whether an event is that of what was written with a time.
func told(e ipam.Event, micros int64) bool {
	late := e.At.UnixMicro() - micros
	return late >= 0 && late <= longestWait.Microseconds()
}

// madeAt reports whether an object has an event of a moment.
func madeAt(tx *store.Tx, object, micros int64) (bool, error) {
	for e, err := range eventsOf(tx, object) {
		if err != nil || told(e, micros) {
			return err == nil, err
		}
	}
	return false, nil
}

// place looks for rows that are in no pool, or in another scope than their pool.
func (n noun) place(tx *store.Tx, v *verifier, rows []store.Row) error {
	above, column := "pools", cmp.Or(n.space, "scope_id")
	switch {
	case n.table == "scopes", n.table == bindings.table, n.table == sessions.table, n.table == webhooks.table, n.table == approvals.table, n.table == imports.table, n.table == rules.table: // which outlive their place, or have none
		return nil
	case n.space == "":
		above = "scopes"
	}
	var keys []int64
	for _, row := range rows {
		if row[column] != nil {
			keys = append(keys, row.Int(column))
		}
	}
	slices.Sort(keys)
	spaces, err := byKey(tx.RowsWhere(above, "id", slices.Compact(keys)))
	for _, row := range rows {
		space, known := spaces[row.Int(column)]
		switch {
		case err != nil || row[column] == nil:
		case !known:
			v.find(n.id(row), "%s is %v, which is not there", column, row[column])
		case above == "pools" && !same(space["scope_id"], row["scope_id"]):
			v.find(n.id(row), "is in scope %v, and its pool in %v", row["scope_id"], space["scope_id"])
		}
	}
	return err
}

// lost looks for objects that have no row though their last event says that they exist.
func (v *verifier) lost() error {
	return v.byKey(func(tx *store.Tx, after int64) (int64, bool, error) {
		told, err := tx.ToldAfter(after, change.PageSize)
		if err != nil || len(told) == 0 {
			return after, false, err
		}
		there := map[string][]int64{}
		for _, t := range told {
			if t.Exists || t.Kind == "token" { // a token that was revoked keeps its row
				there[t.Kind] = append(there[t.Kind], t.Object)
			}
		}
		for _, kind := range slices.Sorted(maps.Keys(there)) {
			if err := v.missing(tx, kind, there[kind]); err != nil {
				return after, false, err
			}
		}
		return told[len(told)-1].Object, len(told) == change.PageSize, nil
	})
}

func (v *verifier) missing(tx *store.Tx, kind string, keys []int64) error {
	n, known := nouns[kind]
	if !known {
		v.find(ipam.KeyUID("event", 0), "there are events about a %q, which is nothing that has rows", kind)
		return nil
	}
	present, err := tx.Present(n.table, keys)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if present[key] {
			continue
		}
		last, err := n.last(tx, key)
		if err != nil {
			return err
		}
		var hold struct{ Kept *bool }
		_ = json.Unmarshal(last.After, &hold)
		switch {
		case kind == "hold" && hold.Kept != nil && !*hold.Kept: // forgotten without an event
		case last.After == nil && kind != "token": // ended by an event that has a lower key
		default:
			v.find(ipam.KeyUID(n.what, key), "has no row in %s, but its last event (%s, %s) did not end it", n.table, last.ID, last.Action)
		}
	}
	return nil
}

func byKey(rows []store.Row, err error) (map[int64]store.Row, error) {
	keyed := make(map[int64]store.Row, len(rows))
	for _, r := range rows {
		keyed[r.Key()] = r
	}
	return keyed, err
}
