package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// behind opens a database through a proxy.
func behind(t *testing.T, settings ...string) (*storetest.Proxy, *store.DB, string) {
	t.Helper()
	url := storetest.Postgres(t)
	p := storetest.NewProxy(t, url)
	return p, storetest.Open(t, p.URL(append(settings, awake[1:])...)), url
}

// warm has every connection for writes and some for reads in use once.
func warm(t *testing.T, db *store.DB) {
	t.Helper()
	var in, done sync.WaitGroup
	n := store.DefaultConnections.Write
	in.Add(n)
	for i := range n {
		done.Go(func() {
			err := db.Write(t.Context(), fmt.Sprint("warm", i), func(tx *store.Tx) error {
				in.Done()
				in.Wait()
				_, err := tx.Text("SELECT 'warm'")
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	var reads sync.WaitGroup
	for range 4 {
		reads.Go(func() { _ = db.Ping(t.Context()); scopes(t, db) })
	}
	reads.Wait()
}

func TestADatabaseThatVanishesHealsByItself(t *testing.T) {
	p, db, _ := behind(t)
	warm(t, db)
	p.Swallow()
	begun := time.Now()
	var done sync.WaitGroup
	for i := range 20 {
		done.Go(func() { // these need what is dead now; they are all answered
			for try := 0; ; try++ {
				err := db.Write(context.Background(), fmt.Sprint("lane", i), insert(fmt.Sprintf("after-%d", i)))
				if err == nil || ipam.CodeOf(err) == ipam.CodeNameTaken && try > 0 {
					return
				}
				if ipam.CodeOf(err) != ipam.CodeUnavailable && ipam.CodeOf(err) != ipam.CodeOverloaded {
					t.Errorf("err = %v", err)
					return
				}
			}
		})
	}
	done.Go(func() { scopes(t, db) })
	done.Go(func() {
		if err := db.Ping(context.Background()); err != nil {
			t.Error(err)
		}
	})
	done.Wait()
	took := time.Since(begun)
	t.Logf("everybody was served %s after the database vanished", took.Round(time.Millisecond))
	if bound := store.BoundOf() + 3*time.Second; took > bound {
		t.Errorf("that is more than %s", bound)
	}
}

func TestAStatementThatGetsNoAnswerEnds(t *testing.T) {
	p, db, _ := behind(t, "statement_timeout=1s")
	runs := 0
	err := db.Write(t.Context(), "a", func(tx *store.Tx) error {
		if runs++; runs == 1 {
			p.Swallow()
		}
		return insert("x")(tx)
	})
	if err != nil || runs != 2 || !scopes(t, db)["x"] {
		t.Errorf("nothing of the first run was committed, so there should be a second: %d runs, %v", runs, err)
	}
	err = db.Read(t.Context(), func(tx *store.Tx) error {
		p.Swallow()
		_, err := tx.Text("SELECT 'x'")
		return err
	})
	if ipam.CodeOf(err) != ipam.CodeUnavailable {
		t.Errorf("a read: %v", err)
	}
	scopes(t, db)
}

func TestACommitWithoutAnAnswerIsToldAsOpenAndNeverRunAgain(t *testing.T) {
	for how, end := range map[string]bool{"the connection ends": true, "nothing more comes": false} {
		t.Run(how, func(t *testing.T) {
			p, db, _ := behind(t, "statement_timeout=5s")
			inside, release := make(chan struct{}), make(chan struct{})
			var done sync.WaitGroup
			done.Go(func() {
				_ = db.Write(context.Background(), "a", func(*store.Tx) error { close(inside); <-release; return nil })
			})
			<-inside
			var runs atomic.Int32
			for i := range 4 {
				done.Go(func() {
					err := db.Write(context.Background(), "a", func(tx *store.Tx) error {
						runs.Add(1)
						return insert(fmt.Sprint("open", i))(tx)
					})
					if ipam.CodeOf(err) != ipam.CodeUnavailable || !strings.Contains(err.Error(), "may or may not have been done") {
						t.Errorf("err = %v", err)
					}
				})
			}
			eventually(t, "they wait", func() bool { return db.Stats().Waiting == 5 })
			p.LoseCommit(2, end) // the first is that of the write before them, which has changed nothing but commits
			close(release)
			done.Wait()
			if p.Lost() != 1 || runs.Load() != 4 {
				t.Errorf("%d answers lost, %d runs of 4 writes", p.Lost(), runs.Load())
			}
			found := scopes(t, db)
			for i := range 4 {
				if !found[fmt.Sprint("open", i)] {
					t.Errorf("open%d was committed and is not there", i)
				}
			}
		})
	}
}

func TestConnectionsThatWereEndedAreReplacedUnnoticed(t *testing.T) {
	_, db, url := behind(t)
	warm(t, db)
	exec(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
	var done sync.WaitGroup
	for i := range 12 {
		done.Go(func() {
			if err := db.Write(context.Background(), fmt.Sprint("lane", i), insert(fmt.Sprintf("new-%d", i))); err != nil {
				t.Errorf("a write: %v", err)
			}
			if err := db.Ping(context.Background()); err != nil {
				t.Errorf("a ping: %v", err)
			}
			scopes(t, db)
		})
	}
	done.Wait()
}

func TestConnectionsToWhatIsReadOnlyNowAreLeft(t *testing.T) {
	url := storetest.Postgres(t)
	storetest.Open(t, url)
	name := url[strings.LastIndex(url[:strings.Index(url, "?")], "/")+1 : strings.Index(url, "?")]
	exec(t, url, "ALTER DATABASE "+name+" SET default_transaction_read_only = on")
	db, err := store.Open(t.Context(), url+awake, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	warm(t, db)
	// From here on new connections reach what takes writes; those that exist do not.
	exec(t, strings.Replace(url, name, "postgres", 1), "ALTER DATABASE "+name+" RESET default_transaction_read_only")
	for i := range 4 {
		if err := db.Write(t.Context(), "a", insert(fmt.Sprint("moved", i))); err != nil {
			t.Errorf("write %d: %v", i, err)
		}
	}
}

func TestAServerThatFreezesInATransactionLosesItsLocksAndRunsAgain(t *testing.T) {
	url := storetest.Postgres(t)
	frozen := storetest.Open(t, url+"&idle_in_transaction_session_timeout=300ms")
	healthy := storetest.Open(t, url)
	filled(t, healthy, 1)
	locked, thaw := make(chan struct{}), make(chan struct{})
	runs := 0
	ended := make(chan error, 1)
	go func() {
		ended <- frozen.Write(context.Background(), "s0", func(tx *store.Tx) error {
			if err := lockScope("s0")(tx); err != nil {
				return err
			}
			if runs++; runs == 1 {
				close(locked)
				<-thaw
			}
			return insert("late")(tx)
		})
	}()
	<-locked
	if err := healthy.Write(t.Context(), "s0", lockScope("s0")); err != nil {
		t.Errorf("another server, which waits for the lock: %v", err)
	}
	close(thaw)
	if err := <-ended; err != nil || runs != 2 {
		t.Errorf("the frozen one: %d runs, %v", runs, err)
	}
}

func TestTooManyConnectionsAreWaitedFor(t *testing.T) {
	url := storetest.Postgres(t)
	storetest.Open(t, url)
	role := fmt.Sprintf("few_%d", time.Now().UnixNano())
	exec(t, url, "CREATE ROLE "+role+" LOGIN CONNECTION LIMIT 2", "GRANT ALL ON ALL TABLES IN SCHEMA public TO "+role)
	t.Cleanup(func() { exec(t, url, "DROP OWNED BY "+role, "DROP ROLE "+role) })
	own := strings.Replace(url, "cloudpam@", role+"@", 1)
	db, err := store.Open(t.Context(), own, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	others := hands(t, own)
	a, err := others.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := others.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- db.Write(context.Background(), "a", insert("x")) }()
	if err := db.Ping(t.Context()); ipam.CodeOf(err) != ipam.CodeUnavailable { // which has waited for as long as it may
		t.Errorf("a ping without a connection: %v", err)
	}
	if err := <-written; ipam.CodeOf(err) != ipam.CodeUnavailable {
		t.Errorf("a write without a connection: %v", err)
	}
	go func() { written <- db.Write(context.Background(), "a", insert("y")) }()
	eventually(t, "it waits", func() bool { return db.Stats().Waiting == 1 })
	if err := errors.Join(a.Close(), b.Close(), others.Close()); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Errorf("once there is a connection: %v", err)
	}
}

func TestAStandbyThatIsPromotedTakesTheWritesOver(t *testing.T) {
	pair := storetest.NewPair(t)
	p := storetest.NewProxy(t, pair.Primary())
	db := storetest.Open(t, p.URL("target_session_attrs=read-write", awake[1:]))
	if err := db.Write(t.Context(), "a", insert("before")); err != nil {
		t.Fatal(err)
	}
	warm(t, db)
	pair.Promote(t)
	p.Swallow()
	p.Point(t, pair.Standby())
	begun := time.Now()
	for try := 0; ; try++ {
		err := db.Write(t.Context(), "a", insert(fmt.Sprint("after", try)))
		if err == nil {
			break
		}
		if ipam.CodeOf(err) != ipam.CodeUnavailable && ipam.CodeOf(err) != ipam.CodeOverloaded {
			t.Fatal(err)
		}
		if time.Since(begun) > soon {
			t.Fatalf("no write after %s: %v", soon, err)
		}
	}
	t.Logf("the first write was done %s after the switch", time.Since(begun).Round(time.Millisecond))
	if !scopes(t, db)["before"] {
		t.Error("what was there before is not")
	}
}
