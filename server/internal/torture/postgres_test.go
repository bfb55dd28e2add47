package torture

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// patient is for requests that may have to wait for a database.
var patient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// ask sends a request and says its status; 0 is no answer.
func ask(t testing.TB, method, url, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := patient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if res.StatusCode == http.StatusServiceUnavailable && strings.Contains(url, "/api/") && res.Header.Get("Retry-After") == "" {
		t.Errorf("%s %s: 503 without Retry-After", method, url)
	}
	return res.StatusCode, string(text)
}

func makePools(t testing.TB, url string, n int) {
	t.Helper()
	for i := range n {
		body := fmt.Sprintf(`{"name":"p%d","cidr":"10.%d.0.0/16","labels":{"for":"test"}}`, i, i)
		if status, answer := ask(t, "POST", url+"/api/v1/pools", body); status != http.StatusCreated {
			t.Fatalf("make a pool: %d %s", status, answer)
		}
	}
}

func allocate(t testing.TB, url, pool, name string) (int, string) {
	t.Helper()
	return ask(t, "POST", url+"/api/v1/allocations", fmt.Sprintf(`{"pool":%q,"name":%q,"prefix_length":28}`, pool, name))
}

// gaps remembers when something last worked, and the longest time without.
type gaps struct {
	mu      sync.Mutex
	last    time.Time
	longest time.Duration
	done    int
}

func (g *gaps) worked() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if !g.last.IsZero() {
		g.longest = max(g.longest, now.Sub(g.last))
	}
	g.last = now
	g.done++
}

func TestAFrozenServerStopsTheOthersForSecondsOnly(t *testing.T) {
	database := storetest.Postgres(t)
	var all []*server
	for i := range 3 {
		all = append(all, start(t, fmt.Sprintf("%s&application_name=server-%d", database, i)))
	}
	frozen := all[2]
	makePools(t, all[0].URL, 2)
	var healthy gaps
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for c := range 12 {
		s := all[c%3]
		clients.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				status, answer := allocate(t, s.URL, fmt.Sprint("p", c/3%2), fmt.Sprintf("c%d-%d", c, i))
				switch {
				case status == http.StatusInternalServerError:
					t.Errorf("server %d answers 500: %s", c%3, answer)
				case status == http.StatusCreated && s != frozen:
					healthy.worked()
				}
			}
		})
	}
	inTransaction := func() bool {
		const open = "SELECT count(*) FILTER (WHERE state = 'idle in transaction' AND query NOT LIKE 'BEGIN%') FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'server-2'"
		return storetest.Value(t, database, open) != "0"
	}
	wait := func(what string, happened func() bool) {
		for limit := time.Now().Add(time.Minute); !happened(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatalf("%s: not within a minute", what)
			}
		}
	}
	signal := func(s syscall.Signal) {
		if err := frozen.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	wait("the servers work", func() bool { healthy.mu.Lock(); defer healthy.mu.Unlock(); return healthy.done > 50 })
	wait("it freezes inside a transaction", func() bool {
		signal(syscall.SIGSTOP)
		// What it had sent is done with after two looks.
		if first := inTransaction(); first && inTransaction() {
			return true
		}
		signal(syscall.SIGCONT)
		return false
	})
	at := time.Now()
	wait("PostgreSQL ends what the frozen server holds", func() bool { return !inTransaction() })
	held := time.Since(at)
	healthy.mu.Lock()
	before := healthy.done
	healthy.mu.Unlock()
	wait("the others go on", func() bool { healthy.mu.Lock(); defer healthy.mu.Unlock(); return healthy.done > before+50 })
	signal(syscall.SIGCONT)
	wait("the frozen one serves again", func() bool {
		status, _ := allocate(t, frozen.URL, "p0", fmt.Sprint("again-", time.Now().UnixNano()))
		return status == http.StatusCreated
	})
	close(stop)
	clients.Wait()
	t.Logf("frozen inside a transaction; PostgreSQL ended it after %s; longest time without a success on the other servers: %s", held.Round(10*time.Millisecond), healthy.longest.Round(10*time.Millisecond))
	// They wait for as long as PostgreSQL lets it hold what it has, and then for their turn.
	if healthy.longest > 3*held {
		t.Errorf("the others stood still for %s", healthy.longest)
	}
	verify(t, database)
}

// took is how long requests took, by what they asked.
type took map[string][]time.Duration

func (all took) median(what string) time.Duration {
	return slices.Sorted(slices.Values(all[what]))[len(all[what])/2]
}

func (all took) slowest() (slowest time.Duration, count int) {
	for _, some := range all {
		slowest, count = max(slowest, slices.Max(some)), count+len(some)
	}
	return slowest, count
}

// others does what everybody else does.
func (all took) others(t *testing.T, url, pool string, round int) {
	t.Helper()
	for _, r := range []struct{ method, path, body string }{
		{"GET", "/readyz", ""},
		{"GET", "/api/v1/pools", ""},
		{"POST", "/api/v1/allocations", fmt.Sprintf(`{"pool":%q,"name":"other-%d","prefix_length":30}`, pool, round)},
	} {
		begun := time.Now()
		if status, answer := ask(t, r.method, url+r.path, r.body); status < 200 || status > 299 {
			t.Errorf("%s %s: %d %s", r.method, r.path, status, answer)
		}
		what := r.method + " " + r.path
		all[what] = append(all[what], time.Since(begun))
	}
}

// Twenty requests for one name that another server is placing, eighteen pools that somebody has locked, a primary that vanishes
// and a standby that takes over: whoever needs none of it is served as if nothing were, and all heals without a restart. How fast
// a machine is says another server, on a database beside it, which is asked the same in turn.
func TestAServerOutlivesWhateverItsPostgreSQLDoes(t *testing.T) {
	const locked = 18
	pair := storetest.NewPair(t)
	proxy := storetest.NewProxy(t, pair.Primary())
	s := start(t, proxy.URL("target_session_attrs=read-write"))
	makePools(t, s.URL, locked+1)
	free := fmt.Sprint("p", locked)
	if err := storetest.Exec(pair.Primary(), "CREATE DATABASE undisturbed"); err != nil {
		t.Fatal(err)
	}
	undisturbed := start(t, strings.Replace(pair.Primary(), "/postgres?", "/undisturbed?", 1))
	makePools(t, undisturbed.URL, locked+1)

	elsewhere := func(body func(*store.Tx) error) (release func()) {
		db, err := store.Open(t.Context(), pair.Primary()+"&idle_in_transaction_session_timeout=0", store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		has, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			_ = db.Write(context.Background(), "elsewhere", func(tx *store.Tx) error {
				if err := body(tx); err != nil {
					t.Error(err)
				}
				close(has)
				<-end
				return nil
			})
		}()
		<-has
		release = sync.OnceFunc(func() {
			close(end)
			<-ended
			_ = db.Close()
		})
		t.Cleanup(release)
		return release
	}
	elsewhere(func(tx *store.Tx) error {
		got, err := tx.TryName("default/false/hot")
		if err == nil && !got {
			t.Error("the name is taken")
		}
		return err
	})
	elsewhere(func(tx *store.Tx) error {
		for i := range locked {
			if _, err := tx.LockPool(ipam.Everything, fmt.Sprint("p", i)); err != nil {
				return err
			}
		}
		return nil
	})
	stop := make(chan struct{})
	var blocked sync.WaitGroup
	var refused gaps
	shortest := time.Hour // wait of a request that was refused for what it waited for
	send := func(name, body string) {
		blocked.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				begun := time.Now()
				status, answer := ask(t, "POST", s.URL+"/api/v1/allocations", body)
				switch status {
				case http.StatusInternalServerError:
					t.Errorf("%s: %d %s", name, status, answer)
				case http.StatusServiceUnavailable:
					refused.worked()
					refused.mu.Lock()
					shortest = min(shortest, time.Since(begun))
					refused.mu.Unlock()
				}
				if status == http.StatusCreated || status == http.StatusConflict {
					return // served, or its name was while its answer was lost
				}
			}
		})
	}
	for range 20 {
		send("the hot name", `{"pool_selector":{"labels":{"for":"test"}},"name":"hot","prefix_length":28}`)
	}
	for i := range locked {
		send("a locked pool", fmt.Sprintf(`{"pool":"p%d","name":"late","prefix_length":28}`, i))
	}
	beside, alone := took{}, took{}
	for round, done := 0, 0; done < locked; round++ { // until as many have been refused
		beside.others(t, s.URL, free, round)
		alone.others(t, undisturbed.URL, free, round)
		refused.mu.Lock()
		done = refused.done
		refused.mu.Unlock()
	}
	refused.mu.Lock()
	least := shortest
	refused.mu.Unlock()
	slowest, count := beside.slowest()
	usual, _ := alone.slowest()
	t.Logf("20 requests wait for a name and %d for locked pools, each for %s at least: the slowest of %d other requests took %s, and %s on a server without any of that",
		locked, least.Round(time.Millisecond), count, slowest.Round(time.Millisecond), usual.Round(time.Millisecond))
	if slowest > least+usual {
		t.Error("one of the others waited as long as those who need what is locked")
	}
	for what := range beside {
		if here, there := beside.median(what), alone.median(what); here > 10*there {
			t.Errorf("%s: %s at the median, and %s without any of that; it is not as if nothing were", what, here.Round(time.Millisecond), there.Round(time.Millisecond))
		}
	}

	pair.Promote(t)
	proxy.Swallow()
	proxy.Point(t, pair.Standby())
	begun := time.Now()
	refusals := 0
	for _, pool := range []string{free, "p0", "p17"} {
		for status := 0; status != http.StatusCreated; {
			var answer string
			switch status, answer = allocate(t, s.URL, pool, fmt.Sprintf("new-%d", time.Now().UnixNano())); status {
			case http.StatusCreated:
			case http.StatusServiceUnavailable:
				refusals++
			default: // also none at all: every wait of the server has an end long before that of this client
				t.Fatalf("after the switch: %d %s", status, answer)
			}
		}
	}
	for status := 0; status != http.StatusOK; status, _ = ask(t, "GET", s.URL+"/readyz", "") {
		if status == http.StatusServiceUnavailable {
			refusals++
		}
	}
	healed := time.Since(begun)
	blocked.Wait()
	if t.Failed() {
		for line := range strings.SplitSeq(s.Log(), "\n") {
			if strings.Contains(line, `"level":"ERROR"`) {
				t.Log(line)
			}
		}
	}
	t.Logf("the primary vanished and a standby took over: all is served again after %s and %d refusals, what had waited too after %s", healed.Round(10*time.Millisecond), refusals, time.Since(begun).Round(10*time.Millisecond))
	if most := 10; refusals > most { // each after a wait that has its end, so this is how long it took, on whatever machine
		t.Errorf("that is more than %d", most)
	}
	close(stop)
	verify(t, pair.Standby())
}
