package ipam

import (
	"net/netip"
	"time"
)

// Span is a time for which somebody had a block under one name.
type Span struct {
	Kind  Kind // allocation, reservation, quarantine or pool
	ID    string
	Name  string // of the holder at the time; the reason of a reservation without a name
	Owner string
	In    // the scope and the pool by their names at the time
	CIDR  netip.Prefix
	From  Turn
	Until *Turn // nil: to this day
}

// Turn is the event with which a span begins or ends.
type Turn struct {
	At      time.Time
	Event   string
	Actor   string
	Action  string
	Source  string
	Address string
	Reason  string
}

// At reports whether it was so at a time.
func (s Span) At(t time.Time) bool {
	return !t.Before(s.From.At) && (s.Until == nil || t.Before(s.Until.At))
}
