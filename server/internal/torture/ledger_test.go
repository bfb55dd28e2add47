package torture

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
)

// ledger is what the clients together hold at this moment, in address order: from the answer that hands a block out until
// the request that gives it up is sent. Two blocks of it that share an address were handed out twice, even if only for a
// moment.
type ledger struct {
	mu   sync.Mutex
	held []block
}

func (l *ledger) at(p netip.Prefix) (int, bool) {
	return slices.BinarySearchFunc(l.held, p.Addr(), func(b block, ip netip.Addr) int { return b.CIDR.Addr().Compare(ip) })
}

// change drops blocks and enters others; the error names two that overlap.
func (l *ledger) change(out, in []block) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range out {
		i, found := l.at(b.CIDR)
		if !found || l.held[i] != b {
			return fmt.Errorf("the test drops %+v, which it does not hold", b)
		}
		l.held = slices.Delete(l.held, i, i+1)
	}
	for _, b := range in {
		if err := l.enter(b); err != nil {
			return err
		}
	}
	return nil
}

func (l *ledger) enter(b block) error {
	if !b.CIDR.IsValid() {
		return fmt.Errorf("%s has no block", b.ID)
	}
	i, _ := l.at(b.CIDR)
	// The neighbours suffice: all others were disjoint from each other before.
	for _, j := range []int{i - 1, i} {
		if j >= 0 && j < len(l.held) && l.held[j].CIDR.Overlaps(b.CIDR) {
			return fmt.Errorf("%s %s and %s %s are held at the same time", b.ID, b.CIDR, l.held[j].ID, l.held[j].CIDR)
		}
	}
	l.held = slices.Insert(l.held, i, b)
	return nil
}

// compare demands that the server knows what is held, block by block, and nothing else.
func (l *ledger) compare(t testing.TB, known map[string]block) {
	t.Helper()
	lost := 0
	for _, b := range l.held {
		if known[b.ID] != b {
			lost++
			t.Errorf("%s %q %s was acknowledged; the server has %+v", b.ID, b.Name, b.CIDR, known[b.ID])
		}
		delete(known, b.ID)
	}
	for _, b := range known {
		t.Errorf("%s %q %s is there, but its release was acknowledged or nobody got it", b.ID, b.Name, b.CIDR)
	}
	if lost > 0 {
		t.Fatalf("%d acknowledged blocks are lost", lost)
	}
}

// tally counts what became of requests.
type tally struct {
	mu                 sync.Mutex
	done               map[string]int // by operation
	refused            int
	carriedOut, undone int // of the requests whose answer was lost
}

func (n *tally) count(r request, refused bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.done == nil {
		n.done = map[string]int{}
	}
	if refused {
		n.refused++
		return
	}
	n.done[r.what]++
}

// settle notes what a request, sent again, tells of the first time.
func (n *tally) settle(replayed bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if replayed {
		n.carriedOut++
	} else {
		n.undone++
	}
}

// report demands that every operation was carried out.
func (n *tally) report(t testing.TB) {
	t.Helper()
	all, text := 0, []string{}
	for _, what := range operations {
		if n.done[what] == 0 {
			t.Errorf("nobody could %s", what)
		}
		all += n.done[what]
		text = append(text, fmt.Sprintf("%s %d", what, n.done[what]))
	}
	t.Logf("%d operations: %s; %d refused for want of room", all, strings.Join(text, ", "), n.refused)
}
