// Package powercut rehearses the loss of power, which kill -9 does not: what a process has written the kernel still has. It
// records what SQLite writes and syncs while clients work, cuts that off at any point, and opens what a disk may then have. What
// must hold is what docs/reliability.md promises.
package powercut

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"

	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/audit"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// -powercut.cuts=1000 takes some minutes.
var (
	cuts = flag.Int("powercut.cuts", 40, "at how many points the power is cut")
	seed = flag.Uint64("powercut.seed", 7, "what the clients' changes, the points and what the disk has then are drawn from")
)

const (
	clients = 8
	changes = 60 // of each client, in each of two runs of the server
)

func TestMain(m *testing.M) { storetest.Main(m) }

// The rehearsal itself is tried: a disk that forgets what it said it had flushed, which is what synchronous=OFF makes of any, must be
// found out.
func TestNothingAcknowledgedIsLostToAPowerCut(t *testing.T) {
	t.Logf("-powercut.cuts=%d -powercut.seed=%d", *cuts, *seed)
	h := recorded(t)
	if lost, damaged := h.cutAll(t, *cuts, true); lost > 0 || damaged > 0 {
		t.Errorf("of %d cuts %d lost what was acknowledged, and %d damaged the database", *cuts, lost, damaged)
	}
	few := max(15, *cuts/5)
	if lost, damaged := h.cutAll(t, few, false); lost == 0 || damaged == 0 {
		t.Errorf("without flushes %d of %d cuts lost what was acknowledged, and %d damaged the database; the rehearsal finds nothing", lost, few, damaged)
	}
}

// history is what a disk was told while clients worked.
type history struct {
	disk  *disk
	begun map[string][]byte // the files of its folder at first
	ops   []op
}

func init() {
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, _ string) error {
		if told.Load() == nil {
			return nil
		}
		_, err := conn.ExecContext(context.Background(), "PRAGMA wal_autocheckpoint=500", nil) // so that the log is moved often by little work
		return err
	})
}

// recorded lets clients work on a server, stops that, starts it and lets them work again.
func recorded(t *testing.T) history {
	t.Helper()
	url := storetest.SQLite(t)
	h := history{disk: &disk{folder: filepath.Dir(strings.TrimPrefix(url, "sqlite://"))}}
	h.begun = contents(t, h.disk.folder)
	told.Store(h.disk)
	defer told.Store(nil)
	all := make([]*client, clients)
	for i := range all {
		all[i] = &client{n: i, pool: fmt.Sprint("pool-", i%2), draw: rand.New(rand.NewPCG(*seed, uint64(i)))}
	}
	var mu sync.Mutex
	for run := range 2 {
		db, k := open(t, url)
		r := registry.New(k)
		if run == 0 {
			setUp(t, k)
		}
		var working sync.WaitGroup
		for _, c := range all {
			working.Go(func() {
				for range changes {
					mu.Lock()
					n := len(h.ops)
					h.ops = append(h.ops, op{client: c.n})
					mu.Unlock()
					h.disk.begin(n)
					made, err := c.change(r)
					if err != nil {
						t.Errorf("client %d: %v", c.n, err)
						return
					}
					h.disk.answer(n)
					mu.Lock()
					h.ops[n].made = made
					mu.Unlock()
				}
			})
		}
		working.Wait()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	moved := 0 // the log into the file, after which its beginning is written over
	for i, e := range h.disk.log {
		if e.what == writes && e.file == "cloudpam.db-wal" && e.offset == 0 && i > 0 {
			moved++
		}
	}
	if moved < 4 {
		t.Fatalf("the log began %d times only, so little of what moves it is cut", moved)
	}
	return h
}

func open(t *testing.T, url string) (*store.DB, *change.Kernel) {
	t.Helper()
	db, k, err := tryOpen(url)
	if err != nil {
		t.Fatal(err)
	}
	return db, k
}

// tryOpen opens a database as a server does.
func tryOpen(url string) (*store.DB, *change.Kernel, error) {
	db, err := store.Open(context.Background(), url, store.Options{})
	if err != nil {
		return nil, nil, err
	}
	if err := db.Start(context.Background()); err != nil {
		_ = db.Close()
		return nil, nil, err
	}
	return db, change.New(db, time.Now), nil
}

// setUp makes what the clients work on. It is acknowledged when the first of them asks for something.
func setUp(t *testing.T, k *change.Kernel) {
	t.Helper()
	if _, err := access.New(k).SetUp(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		pool := ipam.NewPool{Scope: ipam.DefaultScope, Name: fmt.Sprint("pool-", i), CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i)}), 16)}
		if _, err := registry.New(k).CreatePool(t.Context(), by, pool); err != nil {
			t.Fatal(err)
		}
	}
}

// cutAll cuts the power at so many points, and says how many cuts lost something, and how many left no database that opens and is
// whole. What they did is an error on a disk that is honest.
func (h history) cutAll(t *testing.T, n int, honest bool) (lost, damaged int) {
	t.Helper()
	draw := rand.New(rand.NewPCG(*seed, 1000))
	points := make([]int, n)
	for i := range points {
		points[i] = draw.IntN(len(h.disk.log) + 1)
	}
	slices.Sort(points)
	s := newState(h.begun, honest)
	done, unsynced := 0, 0
	has := &ledger{ops: h.ops, has: map[string]string{}, open: map[int]op{}}
	for i, point := range points {
		for ; done < point; done++ {
			if e := h.disk.log[done]; e.what == begins || e.what == answers {
				has.apply(e)
			} else {
				s.apply(e)
			}
		}
		for _, f := range s.files {
			unsynced += len(f.since)
		}
		// A seed for each, so that one can be looked at alone.
		folder := t.TempDir()
		s.cut(t, rand.New(rand.NewPCG(*seed, uint64(2000+i))), folder)
		missing, faults := examine(t, has, "sqlite://"+filepath.Join(folder, "cloudpam.db"))
		if len(missing) > 0 {
			lost++
		}
		if len(faults) > 0 {
			damaged++
		}
		if honest && len(missing)+len(faults) > 0 {
			t.Errorf("cut %d, at %d of %d: %q %q", i, point, len(h.disk.log), missing[:min(3, len(missing))], faults[:min(3, len(faults))])
		}
	}
	t.Logf("flushes count: %t; %d cuts in what %d changes did to the disk (%d writes and syncs), with %d writes not synced on average: %d cuts lost what was acknowledged, %d damaged the database",
		honest, n, len(h.ops), len(h.disk.log)-2*len(h.ops), unsynced/n, lost, damaged)
	return lost, damaged
}

// examine opens what was left, and says what of the ledger is not there, and what is not whole.
func examine(t *testing.T, has *ledger, url string) (missing, faults []string) {
	t.Helper()
	db, k, err := tryOpen(url)
	if err != nil {
		return nil, []string{err.Error()}
	}
	defer db.Close()
	report, err := audit.New(k).Verify(t.Context())
	if err != nil {
		return nil, []string{err.Error()}
	}
	for _, f := range report.Findings {
		faults = append(faults, f.Object+": "+f.Detail)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return has.differences(known(t, k)), nil
}
