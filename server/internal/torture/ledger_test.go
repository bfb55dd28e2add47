package torture

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
)

// ledger is what the clients together hold at this moment, in address order: from the answer to an allocation until the
// release is sent. Two blocks of it that share an address were handed out twice, even if only for a moment.
type ledger struct {
	mu   sync.Mutex
	held []allocation
}

func (l *ledger) at(p netip.Prefix) (int, bool) {
	return slices.BinarySearchFunc(l.held, p.Addr(), func(a allocation, ip netip.Addr) int { return a.CIDR.Addr().Compare(ip) })
}

// hold enters a block; the error names the one it overlaps.
func (l *ledger) hold(a allocation) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !a.CIDR.IsValid() {
		return fmt.Errorf("%s has no block", a.ID)
	}
	i, _ := l.at(a.CIDR)
	// The neighbours suffice: all others were disjoint from each other before.
	for _, j := range []int{i - 1, i} {
		if j >= 0 && j < len(l.held) && l.held[j].CIDR.Overlaps(a.CIDR) {
			return fmt.Errorf("%s %s and %s %s are held at the same time", a.ID, a.CIDR, l.held[j].ID, l.held[j].CIDR)
		}
	}
	l.held = slices.Insert(l.held, i, a)
	return nil
}

// let drops a block, before its release is sent.
func (l *ledger) let(a allocation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i, found := l.at(a.CIDR); found && l.held[i].ID == a.ID {
		l.held = slices.Delete(l.held, i, i+1)
	}
}

// compare demands that the server knows what is held, block by block, and nothing else.
func (l *ledger) compare(t testing.TB, known map[string]allocation) {
	t.Helper()
	lost := 0
	for _, a := range l.held {
		if known[a.ID] != a {
			lost++
			t.Errorf("%s %q %s was acknowledged; the server has %+v", a.ID, a.Name, a.CIDR, known[a.ID])
		}
		delete(known, a.ID)
	}
	for _, a := range known {
		t.Errorf("%s %q %s is there, but its release was acknowledged or nobody got it", a.ID, a.Name, a.CIDR)
	}
	if lost > 0 {
		t.Fatalf("%d acknowledged allocations are lost", lost)
	}
}
