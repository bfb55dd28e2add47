package torture

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

// block is what occupies a pool, as the client that got it knows it.
type block struct {
	Kind  string // as prefixes have it
	ID    string // of what owns it
	Space string // the pool that it stands in
	CIDR  netip.Prefix
	Until time.Time // when its promise ends by itself; zero when it does not
}

// ended reports whether its promise has run out: from then on others may have the block, and nobody need be told.
func (b block) ended() bool { return !b.Until.IsZero() && !time.Now().Before(b.Until) }

// ledger is what the clients together hold at this moment, by pool in address order: from the answer to a request until the
// request that gives it back is sent. Two blocks of one pool that share an address were handed out twice, even if only for a
// moment. It keeps which events there must be, too.
type ledger struct {
	mu     sync.Mutex
	spaces map[string][]block
	events map[string]int // by action and object
}

// at finds the place of an address in a space.
func (l *ledger) at(space string, ip netip.Addr) (int, bool) {
	return slices.BinarySearchFunc(l.spaces[space], ip, func(b block, ip netip.Addr) int { return b.CIDR.Addr().Compare(ip) })
}

// hold enters a block; the error names the one it overlaps.
func (l *ledger) hold(b block) error { return l.swap(nil, []block{b}) }

// let drops a block, before its release is sent.
func (l *ledger) let(b block) { _ = l.swap([]block{b}, nil) }

// swap drops blocks for others in one step: what changes hands is nobody's at no time.
func (l *ledger) swap(old, fresh []block) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range old {
		if i, found := l.at(b.Space, b.CIDR.Addr()); found && l.spaces[b.Space][i].ID == b.ID {
			l.spaces[b.Space] = slices.Delete(l.spaces[b.Space], i, i+1)
		}
	}
	if l.spaces == nil {
		l.spaces = map[string][]block{}
	}
	for _, b := range fresh {
		if err := l.enter(b); err != nil {
			return err
		}
	}
	return nil
}

func (l *ledger) enter(b block) error {
	if !b.CIDR.IsValid() || b.ID == "" {
		return fmt.Errorf("%s %q has no block or no id", b.Kind, b.ID)
	}
	// What ended there has made way. All blocks are disjoint, so those that share an address with this one stand together.
	i, _ := l.at(b.Space, b.CIDR.Addr())
	for _, j := range []int{i, i - 1} {
		for j >= 0 && j < len(l.spaces[b.Space]) && l.spaces[b.Space][j].CIDR.Overlaps(b.CIDR) {
			other := l.spaces[b.Space][j]
			if !other.ended() {
				return fmt.Errorf("in %s, %s %s %s and %s %s %s are held at the same time", b.Space, b.Kind, b.ID, b.CIDR, other.Kind, other.ID, other.CIDR)
			}
			l.spaces[b.Space] = slices.Delete(l.spaces[b.Space], j, j+1)
		}
	}
	i, _ = l.at(b.Space, b.CIDR.Addr())
	l.spaces[b.Space] = slices.Insert(l.spaces[b.Space], i, b)
	return nil
}

// tell enters an event that an answer implies.
func (l *ledger) tell(action, object string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.events == nil {
		l.events = map[string]int{}
	}
	l.events[action+" "+object]++
}

func (l *ledger) size() int {
	n := 0
	for _, blocks := range l.spaces {
		n += len(blocks)
	}
	return n
}

// compare demands that the server knows what is held, block by block, and nothing else. What has ended may be there or not.
func (l *ledger) compare(t testing.TB, known map[string]block) {
	t.Helper()
	lost := 0
	for _, blocks := range l.spaces {
		for _, b := range blocks {
			has, found := known[b.ID]
			delete(known, b.ID)
			ended := b.ended()
			b.Until = time.Time{}
			if has != b && (found || !ended) {
				lost++
				t.Errorf("%s %s %s in %s was acknowledged; the server has %+v", b.Kind, b.ID, b.CIDR, b.Space, has)
			}
		}
	}
	for _, b := range known {
		t.Errorf("%s %s %s is in %s, but its release was acknowledged or nobody got it", b.Kind, b.ID, b.CIDR, b.Space)
	}
	if lost > 0 {
		t.Fatalf("%d acknowledged blocks are lost", lost)
	}
}

// compareEvents demands one event for each acknowledged change, and no change that nobody asked for. Holds and reservations
// end by themselves too, and a pool that was only planned makes way, so of those only what was acknowledged counts.
func (l *ledger) compareEvents(t testing.TB, known map[string]int) {
	t.Helper()
	for event, n := range l.events {
		if known[event] != n {
			t.Errorf("%s: %d acknowledged, %d events", event, n, known[event])
		}
		delete(known, event)
	}
	for event, n := range known {
		t.Errorf("%s: %d events that nobody asked for", event, n)
	}
}
