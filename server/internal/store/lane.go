package store

import (
	"slices"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// lane is the queue of the writes that may share a batch. It exists while it has work, or is stuck.
type lane struct {
	space   string
	queue   []*write // in the order they came
	again   []*write // to run again, each when its time has come
	drained bool     // somebody serves it
	wake    chan struct{}
	stuck   time.Time // since when locks of others have let no write through; zero: the last batch got somewhere
}

func (l *lane) waiting() int { return len(l.queue) + len(l.again) }

// batch takes the next writes out of the lane, or says how long to wait for the next; 0 and no batch is no work. What is to
// run again goes first.
func (l *lane) batch(now time.Time, limit int) (batch []*write, pause time.Duration) {
	if len(l.again) == 0 { // nearly always
		n := min(len(l.queue), limit)
		if n == 0 {
			return nil, 0
		}
		batch, l.queue = l.queue[:n:n], l.queue[n:]
		return batch, 0
	}
	var later []*write
	for i, w := range l.again {
		wait := w.next.Sub(now)
		switch {
		case wait > 0:
			later = append(later, w)
			if pause == 0 || wait < pause {
				pause = wait
			}
			continue
		case w.alone && len(batch) == 0:
			l.again = slices.Concat(later, l.again[i+1:])
			return []*write{w}, 0
		case w.alone || len(batch) == limit:
			later = append(later, w)
			continue
		}
		batch = append(batch, w)
	}
	l.again = later
	n := min(len(l.queue), limit-len(batch))
	batch, l.queue = append(batch, l.queue[:n]...), l.queue[n:]
	if len(batch) > 0 {
		return batch, 0
	}
	return nil, pause
}

// takeBack puts back into the lane what a batch left to do: what it did not come to, before all others, and what is to run again.
func (l *lane) takeBack(b *batch) {
	for _, w := range b.unrun {
		w.stage.CompareAndSwap(begun, waits)
	}
	for _, w := range b.again {
		w.stage.CompareAndSwap(begun, waits)
	}
	if len(b.unrun) > 0 {
		l.queue = slices.Concat(b.unrun, l.queue)
	}
	l.again = append(l.again, b.again...)
	switch {
	case b.done > 0 || !b.held:
		l.stuck = time.Time{}
	case l.stuck.IsZero():
		l.stuck = b.begun
	}
}

// giveUp takes out of the lane what locks of others have kept waiting for too long, and what nobody waits for any more.
func (l *lane) giveUp(now time.Time, limit time.Duration) (over []*write) {
	if l.stuck.IsZero() && len(l.again) == 0 {
		return nil
	}
	isOver := func(w *write) bool {
		held := w.held
		if held.IsZero() {
			held = l.stuck
		}
		if held.Before(w.since) {
			held = w.since
		}
		switch {
		case w.stage.Load() == left:
			w.err = w.ctx.Err()
		case limit > 0 && (!w.held.IsZero() || !l.stuck.IsZero()) && now.Sub(held) >= limit:
			w.err = &ipam.Error{Code: ipam.CodeOverloaded, Cause: errHeld, Detail: "waited " + limit.String() + " for " + l.what() +
				", in which another transaction has locked something; nothing was changed, try again. If it stays so, look for a transaction that does not end in the database"}
		default:
			return false
		}
		over = append(over, w)
		return true
	}
	l.again = slices.DeleteFunc(l.again, isOver)
	if !l.stuck.IsZero() {
		l.queue = slices.DeleteFunc(l.queue, isOver)
	}
	return over
}

// what names a lane's space for people.
func (l *lane) what() string {
	if scope, root := strings.CutPrefix(l.space, "/"); root {
		return "the scope " + scope
	}
	return "the pool " + l.space
}

// rest waits for a moment, or until a new write comes.
func (l *lane) rest(pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.wake:
	}
}
