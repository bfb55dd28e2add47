package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Registry serves the use cases on one database. It keeps no state that could grow stale, so any number of replicas may run.
type Registry struct {
	db       *store.DB
	now      func() time.Time
	newID    func(kind string) string
	tokenKey atomic.Pointer[[]byte] // of the installation, which never changes; nil before it was read

	// HoldQuota is the most blocks of one pool that promises to one actor may take at a time; 0 is no limit. It is set
	// before the first call.
	HoldQuota int
}

// New makes a Registry; now tells the time of all that is written.
func New(db *store.DB, now func() time.Time) *Registry {
	return &Registry{db: db, now: now, newID: newID}
}

// newID makes ids that sort by age: a UUIDv7 (RFC 9562) in base32 with an order-preserving alphabet.
func newID(kind string) string {
	const digits = "0123456789abcdefghijklmnopqrstuv"
	id := uuid.Must(uuid.NewV7())
	var b strings.Builder
	b.WriteString(kind)
	b.WriteByte('_')
	var bits, held uint
	for _, octet := range id {
		bits, held = bits<<8|uint(octet), held+8
		for held >= 5 {
			held -= 5
			b.WriteByte(digits[bits>>held&31])
		}
	}
	b.WriteByte(digits[bits<<(5-held)&31])
	return b.String()
}

// change is one write under way.
type change struct {
	*store.Tx
	r  *Registry
	by ipam.Caller
	at time.Time
}

// write runs a use case in one transaction in the lane of a space. A caller that repeats a request with its
// Idempotency-Key gets the stored answer: the effect, its event and the answer are durable together or not at all.
func write[T any](ctx context.Context, r *Registry, by ipam.Caller, space string, body func(change) (T, error)) (T, error) {
	var answer T
	caller := by
	if by.Retry != nil {
		// A body may go on when its caller has left, so it has a copy of what the caller looks at.
		by.Retry = &ipam.Retry{Key: by.Retry.Key, Fingerprint: by.Retry.Fingerprint}
	}
	err := r.db.Write(ctx, space, func(tx *store.Tx) error {
		if found, err := answered(tx, by, &answer); found || err != nil {
			return err
		}
		var err error
		// Microseconds are what both engines keep.
		answer, err = body(change{Tx: tx, r: r, by: by, at: r.now().UTC().Truncate(time.Microsecond)})
		if err != nil || by.Retry == nil {
			return err
		}
		text, err := json.Marshal(answer)
		if err != nil {
			return fmt.Errorf("encode an answer: %w", err)
		}
		return tx.InsertAnswer(by.Actor, by.Retry.Key, store.Answer{Fingerprint: by.Retry.Fingerprint[:], Body: string(text)}, r.now())
	})
	if err != nil {
		var none, stored T
		// The request may have met itself: its first sending ran on another replica and was done while this one waited for
		// the lock. This transaction has been undone, whatever it had begun, and the answer can be read.
		if err = r.repeated(ctx, caller, err, &stored); err != nil {
			return none, err
		}
		return stored, nil
	}
	if caller.Retry != nil {
		caller.Retry.Replayed = by.Retry.Replayed
	}
	return answer, nil
}

// errUndo ends a write whose answer is all that was wanted.
var errUndo = errors.New("undo this write")

// preview runs a use case as write does and undoes it: an answer can then never differ from what the change itself would
// be. It leaves nothing behind, no event and no stored answer.
func preview[T any](ctx context.Context, r *Registry, by ipam.Caller, space string, body func(change) (T, error)) (T, error) {
	var answer T
	err := r.db.Write(ctx, space, func(tx *store.Tx) (err error) {
		if answer, err = body(change{Tx: tx, r: r, by: by, at: r.now().UTC().Truncate(time.Microsecond)}); err != nil {
			return err
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		var none T
		return none, err
	}
	return answer, nil
}

// answered fills in the stored answer of a request that was carried out before, if it was.
func answered(tx *store.Tx, by ipam.Caller, answer any) (bool, error) {
	if by.Retry == nil {
		return false, nil
	}
	by.Retry.Replayed = false
	stored, found, err := tx.Answer(by.Actor, by.Retry.Key)
	if err != nil || !found {
		return false, err
	}
	return true, replay(by.Retry, stored, answer)
}

func replay(retry *ipam.Retry, stored store.Answer, answer any) error {
	if string(stored.Fingerprint) != string(retry.Fingerprint[:]) {
		return ipam.Errorf(ipam.CodeIdempotencyMismatch, "the Idempotency-Key %q was used for another request; use a new key for a new request", retry.Key)
	}
	retry.Replayed = true
	if err := json.Unmarshal([]byte(stored.Body), answer); err != nil {
		return fmt.Errorf("decode a stored answer: %w", err)
	}
	return nil
}

// repeated answers a request that failed: it may have failed because this very request was carried out before, and then
// the stored answer is the answer. Otherwise failure is.
func (r *Registry) repeated(ctx context.Context, by ipam.Caller, failure error, answer any) error {
	if by.Retry == nil || ipam.CodeOf(failure) == ipam.CodeIdempotencyMismatch {
		return failure
	}
	looked := false
	err := r.db.Read(ctx, func(tx *store.Tx) error {
		looked = true
		if found, err := answered(tx, by, answer); found {
			return err
		}
		return failure // which says more than an error of this second look
	})
	if !looked {
		return failure
	}
	return err
}

// gone answers a request about something that is not there, perhaps because this request was carried out before.
func (r *Registry) gone(ctx context.Context, by ipam.Caller, missing error) error {
	if ipam.CodeOf(missing) != ipam.CodeNotFound {
		return missing
	}
	return r.repeated(ctx, by, missing, &struct{}{})
}

// read runs a query on one snapshot.
func read[T any](ctx context.Context, r *Registry, body func(*store.Tx) (T, error)) (T, error) {
	var answer T
	err := r.db.Read(ctx, func(tx *store.Tx) (err error) {
		answer, err = body(tx)
		return err
	})
	return answer, err
}

// object is what an event is about.
type object struct {
	kind  string
	id    string
	chain string // the space whose lock this change holds
	scope string
}

// record adds the event of a change; nil is the state of what does not exist.
func (c change) record(o object, verb string, before, after any) error {
	event := ipam.Event{
		ID: c.r.newID("event"), Chain: o.chain, Scope: o.scope, At: c.at, Actor: c.by.Actor, Action: o.kind + "." + verb,
		ObjectKind: o.kind, ObjectID: o.id, RequestID: c.by.RequestID,
	}
	var err error
	if event.Before, err = stateOf(before); err != nil {
		return err
	}
	if event.After, err = stateOf(after); err != nil {
		return err
	}
	return c.AppendEvent(event)
}

func stateOf(noun any) (json.RawMessage, error) {
	if noun == nil {
		return nil, nil
	}
	text, err := json.Marshal(noun)
	if err != nil {
		return nil, fmt.Errorf("encode an event: %w", err)
	}
	return text, nil
}

// Version is what an If-Match header names; 0 is no header.
type Version int64

// anyVersion is whatever stands.
const anyVersion Version = -1

func (v Version) check(what, id string, current int64) error {
	if v != 0 && v != anyVersion && int64(v) != current {
		return ipam.Errorf(ipam.CodePreconditionFailed, "%s %q has changed: it is at version %d, the request is about version %d; read it again", what, id, current, v)
	}
	return nil
}

func (v Version) require(what, id string, current int64) error {
	if v == 0 {
		return ipam.Errorf(ipam.CodePreconditionRequired, "say which version of %s %q this is about: send If-Match with the ETag of your last read", what, id)
	}
	return v.check(what, id, current)
}
