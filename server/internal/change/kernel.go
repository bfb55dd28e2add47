package change

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/trace"
)

// Kernel reads and writes one database. It keeps no state that could grow stale, so any number of replicas may run. It is
// safe for concurrent use.
type Kernel struct {
	DB      *store.DB
	clock   *clock
	pretend func() time.Time
	id      string // of this server, among those that share the database

	// File is asked when a write is refused for want of an approval; nil where nobody keeps requests. It is set before the first call.
	File File
	// Changed, where there is one, is told of the action of each event that a write of this server has made. It is set before the first call.
	Changed func(action string)
}

// New makes a Kernel of a server with a clock. That is SQLite's time; PostgreSQL has its own, and the server's is only compared.
func New(db *store.DB, own func() time.Time) *Kernel {
	return &Kernel{DB: db, clock: newClock(own), id: NewID("server")}
}

// Pretend lets a test tell the time, whatever the clocks say. It may go to and fro.
func (k *Kernel) Pretend(now func() time.Time) *Kernel {
	k.pretend = now
	return k
}

// Now is the time. It never goes back.
func (k *Kernel) Now() time.Time {
	now, _ := k.at(nil)
	return now
}

// Due is the time by which what has an end has come to it.
func (k *Kernel) Due() time.Time {
	_, due := k.at(nil)
	return due
}

// at is now and due: in a write, as of the begin of its transaction, if the database has a clock.
func (k *Kernel) at(tx *store.Tx) (now, due time.Time) {
	if k.pretend != nil {
		now = stored(k.pretend())
		return now, now
	}
	if tx == nil {
		return k.clock.times(time.Time{}, 0)
	}
	return k.clock.times(tx.Clock())
}

// Change is one write under way.
type Change struct {
	Tx  *store.Tx
	By  ipam.Caller
	At  time.Time // of all that is written
	Due time.Time // what has an end by then has run out; it may be long before At when a clock has just jumped

	review *review
	told   *[]ipam.Event // of a change of several doors: what it has recorded
}

func (k *Kernel) change(tx *store.Tx, by ipam.Caller) Change {
	at, due := k.at(tx)
	return Change{Tx: tx, By: by, At: at, Due: due, review: &review{}}
}

// Write runs a body in one transaction in a lane of the database. A caller that repeats a request with its Idempotency-Key
// gets the stored answer. A dry run is a Preview. What needs approval that nobody gave is undone, and asked for. Errors: those of the body,
// CodeApprovalRequired, CodeApprovalRefused, CodeIdempotencyMismatch for a key that was used for another request.
func Write[T any](ctx context.Context, k *Kernel, by ipam.Caller, lane string, body func(Change) (T, error)) (T, error) {
	return WriteNamed(ctx, k, by, lane, "", body)
}

// WriteNamed is Write of a body that asks what the space of the lane knows of the name of an allocation: those of many writes are
// looked for at once.
func WriteNamed[T any](ctx context.Context, k *Kernel, by ipam.Caller, lane, name string, body func(Change) (T, error)) (T, error) {
	if c, part := partOf(ctx, by); part {
		return body(c)
	}
	ctx, span := trace.Start(ctx, "change")
	answer, err := write(ctx, k, by, lane, name, body)
	span.End(err)
	return answer, err
}

func write[T any](ctx context.Context, k *Kernel, by ipam.Caller, lane, name string, body func(Change) (T, error)) (T, error) {
	if by.DryRun {
		return Preview(ctx, k, by, lane, func(c Change) (T, error) {
			answer, err := body(c)
			if err == nil {
				err = c.settle()
			}
			return answer, err
		})
	}
	var answer T
	var actions []string
	caller := by
	look := store.Look{Name: name}
	if by.Retry != nil {
		look.Principal, look.Key = by.UID, by.Retry.Key
		// A body may go on when its caller has left, so it has a copy of what the caller looks at.
		by.Retry = &ipam.Retry{Key: by.Retry.Key, Fingerprint: by.Retry.Fingerprint}
	}
	err := k.DB.WriteAfter(ctx, lane, look, func(tx *store.Tx) error {
		if err := holdLease(ctx, tx); err != nil {
			return err
		}
		if found, err := answered(tx, by, &answer); found || err != nil {
			return err
		}
		c := k.change(tx, by)
		var err error
		answer, err = body(c)
		if err == nil {
			err = c.settle()
		}
		actions = c.review.actions
		if err != nil || by.Retry == nil {
			return err
		}
		text, err := json.Marshal(answer)
		if err != nil {
			return fmt.Errorf("encode an answer: %w", err)
		}
		return tx.InsertAnswer(by.UID, by.Retry.Key, store.Answer{Fingerprint: by.Retry.Fingerprint[:], Body: string(text)}, c.At)
	})
	if err != nil {
		// The request may have met itself: its first sending ran on another replica and was done while this one waited for
		// the lock. This transaction has been undone, whatever it had begun, and the answer can be read.
		answer, err := OrReplay[T](ctx, k, caller, err)
		return answer, k.ask(ctx, caller, err)
	}
	if caller.Retry != nil {
		caller.Retry.Replayed = by.Retry.Replayed
	}
	if k.Changed != nil {
		for _, action := range actions {
			k.Changed(action)
		}
	}
	return answer, nil
}

// errUndo ends a write whose answer is all that was wanted.
var errUndo = errors.New("undo this write")

// Preview runs a body as Write does and undoes it: an answer can then never differ from what the change itself would be. It
// leaves nothing behind, no event and no stored answer.
func Preview[T any](ctx context.Context, k *Kernel, by ipam.Caller, lane string, body func(Change) (T, error)) (T, error) {
	var answer T
	err := k.DB.Undo(ctx, lane, func(tx *store.Tx) (err error) {
		if answer, err = body(k.change(tx, by)); err != nil {
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

// Read runs a query on one snapshot.
func Read[T any](ctx context.Context, k *Kernel, body func(*store.Tx) (T, error)) (T, error) {
	if c, part := partOf(ctx, ipam.Caller{}); part {
		return body(c.Tx)
	}
	var answer T
	err := k.DB.Read(ctx, func(tx *store.Tx) (err error) {
		answer, err = body(tx)
		return err
	})
	return answer, err
}

// Get is a Read of one question, which needs no snapshot.
func Get[T any](ctx context.Context, k *Kernel, body func(*store.Tx) (T, error)) (T, error) {
	if c, part := partOf(ctx, ipam.Caller{}); part {
		return body(c.Tx)
	}
	var answer T
	err := k.DB.Get(ctx, func(tx *store.Tx) (err error) {
		answer, err = body(tx)
		return err
	})
	return answer, err
}

// Glance is a Read of a row or two that every request waits for. It never waits behind lists.
func Glance[T any](ctx context.Context, k *Kernel, body func(*store.Tx) (T, error)) (T, error) {
	var answer T
	err := k.DB.Glance(ctx, func(tx *store.Tx) (err error) {
		answer, err = body(tx)
		return err
	})
	return answer, err
}

// PageSize is how many items EachPage reads at a time.
const PageSize = 1000

// EachPage visits all items of a list that has pages; id is where the next page goes on.
func EachPage[T any](list func(ipam.Page) ([]T, error), id func(T) string, visit func(T) error) error {
	page := ipam.Page{Limit: PageSize}
	for {
		items, err := list(page)
		if err != nil {
			return err
		}
		for _, item := range items {
			if err := visit(item); err != nil {
				return err
			}
		}
		if len(items) < PageSize {
			return nil
		}
		page.After.ID = id(items[len(items)-1])
	}
}
