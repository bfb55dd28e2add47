package change

import (
	"context"
	"sync"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/store"
)

// clock tells two times. Now is that of all that is written, and never goes back. Due is the time by which promises have run out:
// it does not believe a jump before that has lasted for a while, so that a clock that is wrong for a moment gives nothing away.
//
// The time comes from the database where that has a clock: PostgreSQL's, which all its servers share. On SQLite it is the server's
// own.
type clock struct {
	own     func() time.Time
	counter func() time.Duration // rises with the time, and nobody sets it

	mu      sync.Mutex
	told    time.Time     // the latest that was told by this server, or that the database knows of
	theirs  mark          // what the database's clock said last
	due     mark          // where the time is believed to be
	bound   time.Duration // how far ahead of that the clock may be
	doubted time.Duration // since when it has been farther; 0: it is not
	differs time.Duration // how far the server's own clock is ahead of the database's
}

// mark is a time at a state of the counter.
type mark struct {
	at   time.Time
	when time.Duration
}

func (m mark) now(counter time.Duration) time.Time { return m.at.Add(counter - m.when) }

const (
	// jump is how far a running clock may go ahead of the counter and be believed at once, and patience how long it is to last where
	// it goes farther.
	jump     = time.Hour
	patience = time.Hour
	// absence is how long no server may have run, and the time be believed at the start.
	absence = 24 * time.Hour
)

func newClock(own func() time.Time) *clock {
	begun := time.Now()
	return &clock{own: own, bound: jump, counter: func() time.Duration { return time.Since(begun) }}
}

// times are now and due, where the database says it was at some time ago; the zero time is that it does not say.
func (c *clock) times(at time.Time, ago time.Duration) (now, due time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	counter := c.counter()
	if !at.IsZero() && c.theirs.when <= counter-ago {
		c.theirs = mark{at, counter - ago}
		c.differs = c.ownTime().Sub(c.theirs.now(counter))
	}
	current := c.current(counter)
	if at.IsZero() {
		at = current
	}
	c.believe(current, counter)
	if c.told.Before(at) {
		c.told = at
	}
	now, due = stored(c.told), stored(c.due.at)
	if now.Before(due) {
		due = now // of a transaction that began a while ago
	}
	return now, due
}

// current is what the clock that counts shows.
func (c *clock) current(counter time.Duration) time.Time {
	if c.theirs.at.IsZero() {
		return c.ownTime()
	}
	return c.theirs.now(counter)
}

// ownTime is what the server's clock shows, without the counter that Go compares times by where both have one.
func (c *clock) ownTime() time.Time { return stored(c.own()) }

// believe moves due to where the clock is, unless it jumped ahead a short while ago.
func (c *clock) believe(at time.Time, counter time.Duration) {
	expected := c.due.now(counter)
	ahead := !c.due.at.IsZero() && at.Sub(expected) > c.bound
	c.bound = jump
	if ahead && c.doubted == 0 {
		c.doubted = max(counter, 1)
	}
	if ahead && counter-c.doubted < patience {
		c.due = mark{expected, counter}
		return
	}
	c.due, c.doubted = mark{at, counter}, 0
}

// remember takes in what the database knows of the time: the latest that was told, and the latest that was believed.
func (c *clock) remember(told, believed time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told.Before(told) {
		c.told = told
	}
	if c.due.at.IsZero() && !believed.IsZero() {
		c.due, c.bound = mark{believed, c.counter()}, absence
	}
}

// stored is a time as both engines keep it: in microseconds, UTC.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// Clock is what there is to say of the time.
type Clock struct {
	Now     time.Time
	Differs time.Duration // how far the server's own clock is ahead of the database's; 0 on SQLite
	Behind  time.Duration // how far the clock is behind a time that it has told
	Doubted time.Duration // how far it is ahead of where it is believed to be; 0: it is believed
}

// Clock says how the time is.
func (k *Kernel) Clock() Clock {
	now := k.Now()
	c := k.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.current(c.counter())
	s := Clock{Now: now, Differs: c.differs, Behind: max(0, now.Sub(at))}
	if c.doubted != 0 {
		s.Doubted = at.Sub(c.due.at)
	}
	return s
}

// ReadClock asks the database for the time, and for what it knows of earlier times. A kernel that has not asked yet takes the
// clock of the server for that of PostgreSQL.
func (k *Kernel) ReadClock(ctx context.Context) error {
	return k.DB.Glance(ctx, func(tx *store.Tx) error {
		told, believed, err := tx.KnownTimes()
		if err != nil {
			return err
		}
		k.clock.remember(told, believed)
		at, ago, err := tx.ReadClock()
		if err == nil {
			k.clock.times(at, ago)
		}
		return err
	})
}

// KeepClock is ReadClock, and keeps the time in the database: no server that starts later goes back behind it.
func (k *Kernel) KeepClock(ctx context.Context) error {
	if err := k.ReadClock(ctx); err != nil {
		return err
	}
	return k.DB.Write(ctx, "clock", func(tx *store.Tx) error {
		_, due := k.at(tx)
		return tx.SeeTime(due)
	})
}
