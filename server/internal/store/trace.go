package store

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Trace is one thing that a pool knows of a name.
type Trace struct {
	Kind   TraceKind
	Pool   ipam.UID
	Name   string
	Length int       // of the block; 0 of what lives
	ID     string    // of what lives, or of what a hold may replace
	At     time.Time // when it was promised last, or left
}

// TraceKind says what a pool knows of a name.
type TraceKind string

// The kinds of traces. Only holds and what left have a time.
const (
	TraceLiving   TraceKind = "living"   // it has a block
	TraceHeld     TraceKind = "held"     // it is promised one, or was and lost it
	TraceLeft     TraceKind = "left"     // it had one
	TracePromised TraceKind = "promised" // a plan was promised one, which may be gone
)

// Traces lists what pools know of names of allocations or of pools in them. With a set, a set of that name lives, not its members.
func (tx *Tx) Traces(pools []ipam.UID, of ipam.Kind, set string, names []string) (all []Trace, err error) {
	query := tracesOfAllocations
	if of == ipam.KindPool {
		query = tracesOfPools
	}
	for some := range slices.Chunk(pools, askedAtOnce) {
		s := &listQuery{}
		query(s, s.oneOfUIDs(some), set, names)
		found, err := tx.traces(s)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

const askedAtOnce = 512 // pools in one statement

func tracesOfAllocations(s *listQuery, in, set string, names []string) {
	has, what, name := "allocations", allocationKey, names
	if set != "" {
		has, what, name = "allocation_sets", setKey, []string{set}
	}
	fmt.Fprintf(&s.text, "SELECT 'living' AS kind, '%s' AS what, pool_id, name, 0 AS length, CAST(id AS TEXT), 0 AS at FROM %s WHERE pool_id IN %s AND name IN %s", what, has, in, s.oneOf(name))
	if len(names) > 0 {
		named := s.oneOf(names)
		fmt.Fprintf(&s.text, " UNION ALL SELECT 'held', '', pool_id, name, length, replaces, renewed_at FROM holds WHERE pool_id IN %s AND name IN %s", in, named)
		fmt.Fprintf(&s.text, " UNION ALL SELECT 'left', '', space_id, name, length, '', left_at FROM last_blocks WHERE space_id IN %s AND kind = 'allocation' AND name IN %s", in, named)
		fmt.Fprintf(&s.text, " UNION ALL SELECT DISTINCT 'promised', '', space_id, name, length, '', 0 FROM promises WHERE space_id IN %s AND kind = 'hold' AND name IN %s", in, named)
	}
}

// A draft is what holds are to allocations.
func tracesOfPools(s *listQuery, in, _ string, names []string) {
	named := s.oneOf(names)
	fmt.Fprintf(&s.text, "SELECT 'living' AS kind, '%s' AS what, parent_id, name, 0 AS length, CAST(id AS TEXT), 0 AS at FROM pools WHERE parent_id IN %s AND name IN %s AND draft_until IS NULL", poolKey, in, named)
	fmt.Fprintf(&s.text, " UNION ALL SELECT 'held', '', parent_id, name, length, '', updated_at FROM pools WHERE parent_id IN %s AND name IN %s AND draft_until IS NOT NULL", in, named)
	fmt.Fprintf(&s.text, " UNION ALL SELECT 'left', '', space_id, name, length, '', left_at FROM last_blocks WHERE space_id IN %s AND kind = 'pool' AND name IN %s", in, named)
	fmt.Fprintf(&s.text, " UNION ALL SELECT DISTINCT 'promised', '', space_id, name, length, '', 0 FROM promises WHERE space_id IN %s AND kind = 'pool' AND name IN %s", in, named)
}

func (tx *Tx) traces(s *listQuery) ([]Trace, error) {
	type row struct {
		kind, what, name, id string
		pool, length, at     int64
	}
	return list(tx, s, func(r *row) []any { return []any{&r.kind, &r.what, &r.pool, &r.name, &r.length, &r.id, &r.at} }, func(r row) (Trace, error) {
		if TraceKind(r.kind) == TraceLiving {
			key, err := strconv.ParseInt(r.id, 10, 64)
			if err != nil {
				return Trace{}, err
			}
			r.id = id(r.what, key)
		}
		return Trace{Kind: TraceKind(r.kind), Pool: uid(poolKey, r.pool), Name: r.name, Length: int(r.length), ID: r.id, At: moment(r.at)}, nil
	})
}

// Room is what a pool could hand out.
type Room struct {
	Pool    ipam.UID
	Largest *int // the length of its largest free block; nil when nothing is free
	Expired bool // something in it has expired and may be taken
}

// Rooms says what each pool of a list could hand out.
func (tx *Tx) Rooms(pools []ipam.UID, now time.Time) (all []Room, err error) {
	for some := range slices.Chunk(pools, askedAtOnce) {
		found, err := tx.rooms(some, now)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (tx *Tx) rooms(pools []ipam.UID, now time.Time) ([]Room, error) {
	s := &listQuery{}
	fmt.Fprintf(&s.text, "SELECT p.id, (SELECT min(f.length) FROM free_blocks f WHERE f.pool_id = p.id),"+
		" EXISTS (SELECT 1 FROM reservations r WHERE r.pool_id = p.id AND r.expires_at <= %[1]s)"+
		" OR EXISTS (SELECT 1 FROM quarantines q WHERE q.space_id = p.id AND q.until <= %[1]s)"+
		" OR EXISTS (SELECT 1 FROM holds h WHERE h.pool_id = p.id AND h.kept = TRUE AND h.expires_at <= %[1]s)"+
		" OR EXISTS (SELECT 1 FROM pools d WHERE d.parent_id = p.id AND d.draft_until <= %[1]s)"+
		" FROM pools p WHERE p.id IN %[2]s", s.arg(micros(now)), s.oneOfUIDs(pools))
	type row struct {
		pool    int64
		largest *int64
		expired bool
	}
	return list(tx, s, func(r *row) []any { return []any{&r.pool, &r.largest, &r.expired} }, func(r row) (Room, error) {
		return Room{Pool: uid(poolKey, r.pool), Largest: lengthOf(r.largest), Expired: r.expired}, nil
	})
}

// TryName takes a name until the transaction ends, unless another transaction has it: then it is false, at once. Since
// nobody waits for a name with a lock in hand, nobody waits in a circle. SQLite has one writer, which has every name.
func (tx *Tx) TryName(name string) (bool, error) {
	if tx.engine == SQLite {
		return true, nil
	}
	var got bool
	err := tx.conn.QueryRowContext(tx.ctx, "SELECT pg_try_advisory_xact_lock($1)", nameKey(name)).Scan(&got)
	return got, err
}

// AwaitName waits until no other transaction has a name. Between two looks it has neither a lock nor a connection, so that
// many who wait for one name keep nobody else waiting. Errors: CodeOverloaded when the name is not free in time.
func (db *DB) AwaitName(ctx context.Context, name string) error {
	if db.engine == SQLite {
		return nil
	}
	begun := time.Now()
	for try := 0; ; try++ {
		pause := time.NewTimer(time.Millisecond << min(try+2, 8) * time.Duration(4+rand.IntN(4)) / 8)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return translate(ctx.Err())
		}
		var free bool
		err := db.Read(ctx, func(tx *Tx) error {
			// Shared, so that those who only look are not in each other's way.
			return tx.conn.QueryRowContext(ctx, "SELECT pg_try_advisory_xact_lock_shared($1)", nameKey(name)).Scan(&free)
		})
		if free || err != nil {
			return err
		}
		if limit := db.limits.lock; limit > 0 && time.Since(begun) > limit {
			return ipam.Errorf(ipam.CodeOverloaded, "another request has been placing this name for %s; nothing was changed, try again", limit)
		}
	}
}

// nameKey is what PostgreSQL knows a name by. Two names of one key only wait for each other.
func nameKey(name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return int64(h.Sum64())
}
