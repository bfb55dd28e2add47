package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// soon is far above what anything takes here that does not wait for what the test keeps waiting.
const soon = 60 * time.Second

// awake is for bodies that a test lets wait inside a transaction: on a busy machine PostgreSQL could end that.
const awake = "&idle_in_transaction_session_timeout=0"

// hands are somebody's own connections to the database, like those of another server or of psql.
func hands(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// lockedBy takes locks until the returned function is called.
func lockedBy(t *testing.T, url, statement string, args ...any) (release func()) {
	t.Helper()
	tx, err := hands(t, url).Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(statement, args...); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() { _ = tx.Rollback() })
	t.Cleanup(release)
	return release
}

func exec(t *testing.T, url string, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if err := storetest.Exec(url, s); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually waits for something that another process does.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for limit := time.Now().Add(soon); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%s: not after %s", what, soon)
		}
	}
}

func lockScope(id string) func(*store.Tx) error {
	return func(tx *store.Tx) error { _, err := tx.LockScope(ipam.Everything, id); return err }
}

// filled makes scopes to lock.
func filled(t *testing.T, db *store.DB, n int) {
	t.Helper()
	for i := range n {
		if err := db.Write(t.Context(), "fill", insert(fmt.Sprint("s", i))); err != nil {
			t.Fatal(err)
		}
	}
}

// othersGoOn does what everybody else does, each within the time of an impatient caller, and says how long the longest took.
func othersGoOn(t *testing.T, db *store.DB, space string) (longest time.Duration) {
	t.Helper()
	for what, do := range map[string]func(context.Context) error{
		"a read": func(ctx context.Context) error {
			return db.Read(ctx, func(tx *store.Tx) error { _, err := tx.Scopes(ipam.Everything, false, ipam.Page{Limit: 1}); return err })
		},
		"a ping":  db.Ping,
		"a write": func(ctx context.Context) error { return db.Write(ctx, space, lockScope(space)) },
	} {
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		if err := do(ctx); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		cancel()
		longest = max(longest, time.Since(begun))
	}
	return longest
}

func TestPoolsThatAreLockedElsewhereKeepOnlyTheirOwnWritesWaiting(t *testing.T) {
	const locked = 18 // more than there are connections
	url := storetest.Postgres(t)
	db := storetest.Open(t, url+"&lock_timeout=5min")
	filled(t, db, locked+1)
	release := lockedBy(t, url, fmt.Sprintf("SELECT 1 FROM scopes WHERE name <> 's%d' FOR UPDATE", locked))
	var done sync.WaitGroup
	errs := make([]error, locked)
	for i := range locked {
		id := fmt.Sprint("s", i)
		done.Go(func() { errs[i] = db.Write(context.Background(), id, lockScope(id)) })
	}
	eventually(t, "the locked pools wait", func() bool { return db.Stats().Waiting == locked })
	var longest time.Duration
	for range 20 {
		longest = max(longest, othersGoOn(t, db, fmt.Sprint("s", locked)))
	}
	t.Logf("while %d pools wait for locks, the longest of 60 other requests took %s", locked, longest.Round(time.Millisecond))
	if n := db.Stats().Waiting; n != locked {
		t.Errorf("%d writes wait, not the %d that are locked", n, locked)
	}
	release()
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Errorf("once the locks are gone: %v", err)
	}
}

func TestAWriteThatALockKeepsTooLongIsRefusedWithTheReason(t *testing.T) {
	url := storetest.Postgres(t)
	db := storetest.Open(t, url+"&lock_timeout=600ms")
	filled(t, db, 1)
	lockedBy(t, url, "SELECT 1 FROM scopes FOR UPDATE")
	var done sync.WaitGroup
	for range 5 { // they share a batch, which must not wait once for each
		done.Go(func() {
			err := db.Write(context.Background(), "pool-x", lockScope("s0"))
			if ipam.CodeOf(err) != ipam.CodeOverloaded || !strings.Contains(err.Error(), "waited 600ms for the pool pool-x") {
				t.Errorf("err = %v", err)
			}
		})
	}
	done.Wait()
}

func TestThoseWhoWaitForANameTakeNoConnections(t *testing.T) {
	url := storetest.Postgres(t)
	db := storetest.Open(t, url+"&lock_timeout=5min")
	filled(t, db, 1)
	taken, release := make(chan struct{}), make(chan struct{})
	other := storetest.Open(t, url+awake)
	var done sync.WaitGroup
	done.Go(func() {
		err := other.Write(context.Background(), "a", func(tx *store.Tx) error {
			if got, err := tx.TryName("hot"); !got || err != nil {
				t.Errorf("the name is not free: %v", err)
			}
			close(taken)
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-taken
	for range 20 {
		done.Go(func() {
			if err := db.AwaitName(context.Background(), "hot"); err != nil {
				t.Error(err)
			}
		})
	}
	var longest time.Duration
	for range 20 {
		longest = max(longest, othersGoOn(t, db, "s0"))
	}
	t.Logf("while 20 wait for a name, the longest of 60 other requests took %s", longest.Round(time.Millisecond))
	close(release)
	done.Wait()
	if err := other.AwaitName(t.Context(), "hot"); err != nil {
		t.Error(err)
	}
}

func TestWaitingForANameEnds(t *testing.T) {
	url := storetest.Postgres(t)
	db := storetest.Open(t, url+"&lock_timeout=300ms")
	err := db.Write(t.Context(), "a", func(tx *store.Tx) error {
		if _, err := tx.TryName("hot"); err != nil {
			return err
		}
		if err := db.AwaitName(t.Context(), "hot"); ipam.CodeOf(err) != ipam.CodeOverloaded {
			t.Errorf("err = %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestACallerThatLeavesDoesNotWaitForTheBatch(t *testing.T) {
	callerLeaves := func(t *testing.T, db *store.DB) {
		ctx, leave := context.WithCancel(t.Context())
		inside, release, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
		left := make(chan error, 2)
		go func() {
			left <- db.Write(ctx, "a", func(*store.Tx) error {
				close(inside)
				<-release
				close(ended)
				return nil
			})
		}()
		<-inside
		ran := false
		go func() { left <- db.Write(ctx, "a", func(*store.Tx) error { ran = true; return nil }) }()
		eventually(t, "the second waits", func() bool { return db.Stats().Waiting == 2 })
		leave()
		for range 2 { // both, while the first still runs
			err := <-left
			if ipam.CodeOf(err) != ipam.CodeUnavailable {
				t.Errorf("err = %v", err)
			}
		}
		select {
		case <-ended:
			t.Error("they were answered only once the body had ended")
		default:
		}
		close(release)
		if err := db.Write(t.Context(), "a", insert("next")); err != nil || ran {
			t.Errorf("the next write: %v; the one that had not begun ran: %v", err, ran)
		}
	}
	t.Run("sqlite", func(t *testing.T) { callerLeaves(t, storetest.Open(t, storetest.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { callerLeaves(t, storetest.Open(t, storetest.Postgres(t)+awake)) })
}

func TestALaneThatIsFullRefusesOnlyItsOwn(t *testing.T) {
	db := storetest.Open(t, storetest.Postgres(t)+awake)
	filled(t, db, 1)
	inside, release := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		_ = db.Write(context.Background(), "full", func(*store.Tx) error { close(inside); <-release; return nil })
	})
	<-inside
	for range store.MaxQueued {
		done.Go(func() {
			if err := db.Write(context.Background(), "full", func(*store.Tx) error { return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "the lane is full", func() bool { return db.Stats().Waiting == store.MaxQueued+1 })
	if err := db.Write(t.Context(), "full", lockScope("s0")); ipam.CodeOf(err) != ipam.CodeOverloaded {
		t.Errorf("one more: %v", err)
	}
	othersGoOn(t, db, "s0")
	close(release)
	done.Wait()
}

func TestABatchOnPostgreSQLHasFewSavepoints(t *testing.T) {
	db := storetest.Open(t, storetest.Postgres(t)+awake)
	inside, release := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		_ = db.Write(context.Background(), "a", func(*store.Tx) error { close(inside); <-release; return nil })
	})
	<-inside
	const writes = 200
	var mu sync.Mutex
	shared := map[string]int{}
	for range writes {
		done.Go(func() {
			err := db.Write(context.Background(), "a", func(tx *store.Tx) error {
				id, err := tx.Text("SELECT txid_current()::text")
				mu.Lock()
				shared[id]++
				mu.Unlock()
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "all wait", func() bool { return db.Stats().Waiting == writes+1 })
	close(release)
	done.Wait()
	for id, n := range shared {
		if n > store.MaxSavepoints {
			t.Errorf("transaction %s has %d savepoints", id, n)
		}
	}
}

func TestAWriteThatRunsAgainKeepsNoNeighbourWaiting(t *testing.T) {
	db := storetest.Open(t, storetest.Postgres(t)+awake)
	inside, release := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		_ = db.Write(context.Background(), "a", func(*store.Tx) error { close(inside); <-release; return nil })
	})
	<-inside
	answered := make(chan struct{})
	runs := 0
	done.Go(func() {
		err := db.Write(context.Background(), "a", func(tx *store.Tx) error {
			if runs++; runs == 1 {
				return tx.Exec("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
			}
			select {
			case <-answered:
			case <-time.After(20 * time.Second):
				t.Error("its neighbour, which is durable, has no answer while this one runs again")
			}
			return nil
		})
		if err != nil || runs != 2 {
			t.Errorf("%d runs: %v", runs, err)
		}
	})
	eventually(t, "it waits", func() bool { return db.Stats().Waiting == 2 })
	done.Go(func() {
		if err := db.Write(context.Background(), "a", insert("neighbour")); err != nil {
			t.Error(err)
		}
		close(answered)
	})
	eventually(t, "both wait", func() bool { return db.Stats().Waiting == 3 })
	close(release)
	done.Wait()
}

func TestMigrationsHaveNoTimeLimit(t *testing.T) {
	url := storetest.Postgres(t)
	name := url[strings.LastIndex(url[:strings.Index(url, "?")], "/")+1 : strings.Index(url, "?")]
	exec(t, url, "ALTER DATABASE "+name+" SET statement_timeout = '2s'", "ALTER DATABASE "+name+" SET lock_timeout = '2s'")
	db := storetest.Open(t, url+"&statement_timeout=2s&lock_timeout=2s")
	if err := db.MigrationExec(t.Context(), "SELECT pg_sleep(2.5)"); err != nil {
		t.Error(err)
	}
	release := lockedBy(t, url, "LOCK TABLE scopes")
	time.AfterFunc(2500*time.Millisecond, release)
	if err := db.MigrationExec(t.Context(), "LOCK TABLE scopes"); err != nil {
		t.Error(err)
	}
}
