package audit

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// lag is how long before it is there an event may have got its time: the longest that a transaction takes, and some more. What is
// older than that is all there.
const lag = change.TogetherTime + 2*time.Minute

// skew is how far the clocks of servers are apart, at most; lag has room for it.
const skew = time.Minute

// memory is how old a position may be that is gone on from, and marked how many chains one names.
const (
	memory = time.Hour
	marked = 64
)

// batch is how many events Next answers at most.
const batch = 500

// Tail reads on in all chains that its reader sees. It is of one reader, and not safe for concurrent use.
//
// Each chain is in the order of its commits, but there is none over all of them, and there are as many chains as pools. So a position
// is a time up to which everything was read, and of those chains that have moved since, how far they were read. Any server can go on
// from it, and no event is missed or told twice.
type Tail struct {
	a     *Auditor
	since time.Time
	marks map[ipam.UID]mark // of chains that moved since
	// passed are the lengths of chains that moved and cannot be seen: no position tells of them.
	passed map[ipam.UID]int64

	newest          int64 // event, and since when; looked is when chains were compared
	changed, looked time.Time
}

type mark struct {
	seq int64
	at  time.Time // of the event
}

// position is how a Tail is written. Marks are by chain; nil where there were too many to name.
type position struct {
	Since int64              `json:"s"`
	Made  int64              `json:"n"`
	Marks map[ipam.UID]int64 `json:"m"`
	Many  bool               `json:"x,omitempty"`
}

// Tail goes on from a position, or from now where that is "". Whether it is a new begin instead, because the position is too old or
// was of too many chains, is lost: what happened in between is to be read elsewhere. Errors: CodeInvalid for what is no position.
func (a *Auditor) Tail(ctx context.Context, see ipam.Visible, from string) (t *Tail, lost bool, err error) {
	t = &Tail{a: a, marks: map[ipam.UID]mark{}, passed: map[ipam.UID]int64{}}
	if from != "" {
		var p position
		raw, err := base64.RawURLEncoding.DecodeString(from)
		if err == nil {
			err = json.Unmarshal(raw, &p)
		}
		if err != nil || len(p.Marks) > marked {
			return nil, false, ipam.Invalid("query:after", "this is the id of no message of this stream; pass on the id of the last one that was read, as it is")
		}
		t.since = time.UnixMicro(p.Since).UTC()
		if lost = p.Many || a.k.Now().Sub(t.since) > memory+lag; !lost {
			// What was told is no later than the position, whose server may have had another clock.
			latest := time.UnixMicro(p.Made).UTC().Add(skew)
			for chain, seq := range p.Marks {
				t.marks[chain] = mark{seq, latest}
			}
			return t, false, nil
		}
	}
	t.since = a.k.Now().Add(-lag)
	_, err = change.Read(ctx, a.k, func(tx *store.Tx) (struct{}, error) {
		heads, err := tx.ChainsSince(t.since)
		for _, head := range heads {
			is, err := tx.SeesChain(see, head)
			if err != nil {
				return struct{}{}, err
			}
			t.note(head.UID, is, head.Length, head.At)
		}
		return struct{}{}, err
	})
	return t, lost, err
}

// note remembers how far a chain was read.
func (t *Tail) note(chain ipam.UID, seen bool, seq int64, at time.Time) {
	delete(t.marks, chain)
	delete(t.passed, chain)
	if seen {
		t.marks[chain] = mark{seq, at}
	} else {
		t.passed[chain] = seq
	}
}

// Next answers events that were committed since, some at a time and those of a chain in its order; none where nothing is new. What is
// seen is asked anew each time.
func (t *Tail) Next(ctx context.Context, see ipam.Visible) ([]ipam.Event, error) {
	now := t.a.k.Now()
	events, err := change.Read(ctx, t.a.k, func(tx *store.Tx) (events []ipam.Event, err error) {
		newest, err := tx.NewestEvent()
		if err != nil || !t.due(newest, now) {
			return nil, err
		}
		heads, err := tx.ChainsSince(t.since)
		for _, head := range heads {
			if err != nil || len(events) >= batch {
				return events, err
			}
			some, err := t.read(tx, see, head, batch-len(events))
			if err != nil {
				return nil, err
			}
			events = append(events, some...)
		}
		return events, err
	})
	if err == nil && len(events) < batch {
		t.forget(now.Add(-lag))
	}
	return events, err
}

// due reports whether chains must be compared: something is new, or was a moment ago, or the last look is a while back. An event may
// appear after one that has a higher key, so what is newest is a hint alone.
func (t *Tail) due(newest int64, now time.Time) bool {
	const settle, rest = 30 * time.Second, 10 * time.Second
	if newest != t.newest {
		t.newest, t.changed = newest, now
	}
	if now.Sub(t.changed) > settle && now.Sub(t.looked) < rest {
		return false
	}
	t.looked = now
	return true
}

// read answers what is new of a chain.
func (t *Tail) read(tx *store.Tx, see ipam.Visible, head store.Chain, most int) ([]ipam.Event, error) {
	was, known := t.marks[head.UID]
	if known && was.seq >= head.Length || !known && t.passed[head.UID] >= head.Length {
		return nil, nil
	}
	is, err := tx.SeesChain(see, head)
	if err != nil {
		return nil, err
	}
	if !is {
		t.note(head.UID, false, head.Length, head.At)
		return nil, nil
	}
	if !known {
		if was.seq, err = tx.SeqBefore(head.UID, t.since); err != nil {
			return nil, err
		}
		was.seq = max(was.seq, t.passed[head.UID])
	}
	events, err := tx.EventsOfChain(ipam.Everything, head.UID, was.seq, most)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	last := events[len(events)-1]
	t.note(head.UID, true, last.Seq, last.At)
	return events, nil
}

// forget moves on to a time up to which everything was read.
func (t *Tail) forget(to time.Time) {
	if !to.After(t.since) {
		return
	}
	t.since = to
	for chain, m := range t.marks {
		if m.at.Before(to) {
			delete(t.marks, chain)
		}
	}
}

// Position is where the reader is, for Tail. It says nothing of chains that he does not see.
func (t *Tail) Position() string {
	p := position{Since: t.since.UnixMicro(), Made: t.a.k.Now().UnixMicro(), Marks: map[ipam.UID]int64{}}
	for chain, m := range t.marks {
		p.Marks[chain] = m.seq
	}
	if len(p.Marks) > marked {
		p.Marks, p.Many = nil, true
	}
	raw, err := json.Marshal(p)
	if err != nil {
		panic(err) // it is texts and numbers
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}
