package change

import (
	"testing"
	"time"
)

var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

// hands are a clock whose time and counter a test sets. Time passes on both.
type hands struct {
	*clock
	wall    time.Time
	elapsed time.Duration
}

func newHands() *hands {
	h := &hands{wall: noon, elapsed: time.Minute}
	h.clock = newClock(func() time.Time { return h.wall })
	h.counter = func() time.Duration { return h.elapsed }
	return h
}

func (h *hands) pass(d time.Duration) { h.wall, h.elapsed = h.wall.Add(d), h.elapsed+d }

func (h *hands) want(t *testing.T, what string, now, due time.Duration) {
	t.Helper()
	gotNow, gotDue := h.times(time.Time{}, 0)
	if gotNow.Sub(noon) != now || gotDue.Sub(noon) != due {
		t.Errorf("%s: now is noon + %s and due noon + %s; want %s and %s", what, gotNow.Sub(noon), gotDue.Sub(noon), now, due)
	}
}

func TestTheTimeNeverGoesBack(t *testing.T) {
	h := newHands()
	h.want(t, "at first", 0, 0)
	h.pass(time.Minute)
	h.want(t, "a minute later", time.Minute, time.Minute)
	h.wall = noon.Add(-25 * time.Hour)
	h.want(t, "after a jump back", time.Minute, -25*time.Hour)
	h.pass(25*time.Hour + 2*time.Minute)
	h.want(t, "once that is past", 2*time.Minute, 2*time.Minute)
}

func TestAJumpAheadGivesNothingAwayBeforeItHasLasted(t *testing.T) {
	h := newHands()
	h.want(t, "at first", 0, 0)
	h.wall = h.wall.Add(jump)
	h.want(t, "after a small jump", jump, jump)
	h.wall = h.wall.Add(25 * time.Hour)
	h.want(t, "after a large one", jump+25*time.Hour, jump)
	h.pass(patience - time.Second)
	h.want(t, "before it has lasted", jump+25*time.Hour+patience-time.Second, jump+patience-time.Second)
	h.pass(time.Second)
	h.want(t, "once it has", jump+25*time.Hour+patience, jump+25*time.Hour+patience)
}

func TestAJumpAheadThatEndsWasNone(t *testing.T) {
	h := newHands()
	h.want(t, "at first", 0, 0)
	h.wall = h.wall.Add(25 * time.Hour)
	h.want(t, "after the jump", 25*time.Hour, 0)
	h.pass(patience / 2)
	h.wall = h.wall.Add(-25 * time.Hour)
	h.want(t, "after its end", 25*time.Hour, patience/2)
	h.wall = h.wall.Add(25 * time.Hour)
	h.pass(patience * 3 / 4)
	h.want(t, "another one is doubted anew", 25*time.Hour+patience*5/4, patience*5/4)
}

func TestATimeLongAfterTheLastServerIsDoubtedAtTheStart(t *testing.T) {
	for _, away := range []time.Duration{absence, absence + time.Second} {
		h := newHands()
		h.remember(noon.Add(-away), noon.Add(-away))
		due := time.Duration(0)
		if away > absence {
			due = -away
		}
		h.want(t, "at the start", 0, due)
		h.pass(patience)
		h.want(t, "once it has lasted", patience, patience)
	}
}

func TestATimeThatIsInTheDatabaseIsNotToldAgain(t *testing.T) {
	h := newHands()
	h.remember(noon.Add(time.Hour), noon)
	h.want(t, "at the start", time.Hour, 0)
}

// A transaction has the time of its begin, and the time goes on by the counter from what the database said last.
func TestTheDatabasesClockIsTheTimeAndTheServersIsOnlyCompared(t *testing.T) {
	h := newHands()
	h.wall = noon.Add(25 * time.Hour)
	if now, due := h.times(noon, 0); !now.Equal(noon) || !due.Equal(noon) {
		t.Errorf("the time is %s and due %s, and the database's %s", now, due, noon)
	}
	h.pass(time.Minute)
	h.want(t, "a minute later", time.Minute, time.Minute)
	if h.differs != 25*time.Hour {
		t.Errorf("the server's clock is %s ahead", h.differs)
	}
	h.elapsed += time.Minute
	if now, _ := h.times(noon.Add(90*time.Second), 30*time.Second); now.Sub(noon) != 90*time.Second {
		t.Errorf("a transaction that began at noon + 90s has the time %s", now)
	}
	h.want(t, "half a minute after that", 2*time.Minute, 2*time.Minute)
}
