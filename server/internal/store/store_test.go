package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func scopeNamed(id string) ipam.Scope {
	at := time.UnixMicro(1).UTC()
	return ipam.Scope{ID: id, UID: ipam.NewUID("scope"), Version: 1, CreatedAt: at, UpdatedAt: at}
}

func insert(id string) func(*store.Tx) error {
	return func(tx *store.Tx) error { return tx.InsertScope(scopeNamed(id)) }
}

func scopes(t *testing.T, db *store.DB) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		items, err := tx.Scopes(ipam.Everything, false, ipam.Page{Limit: 10_000})
		for _, s := range items {
			found[s.ID] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestWrite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		t.Run("a failing body leaves nothing behind", func(t *testing.T) {
			broken := errors.New("broken")
			err := db.Write(t.Context(), "a", func(tx *store.Tx) error {
				if err := insert("half")(tx); err != nil {
					return err
				}
				return broken
			})
			if !errors.Is(err, broken) || scopes(t, db)["half"] {
				t.Fatalf("err = %v, kept = %v", err, scopes(t, db)["half"])
			}
		})
		t.Run("a panic fails its own write and no other", func(t *testing.T) {
			var wg sync.WaitGroup
			errs := make([]error, 20)
			for i := range errs {
				wg.Go(func() {
					errs[i] = db.Write(t.Context(), "a", func(tx *store.Tx) error {
						if i == 7 {
							panic("seven")
						}
						return insert(fmt.Sprintf("panic-%d", i))(tx)
					})
				})
			}
			wg.Wait()
			kept := scopes(t, db)
			for i, err := range errs {
				if failed := i == 7; failed != (err != nil) || failed == kept[fmt.Sprintf("panic-%d", i)] {
					t.Errorf("write %d: err = %v", i, err)
				}
			}
		})
		t.Run("a broken statement fails its own write and no other", func(t *testing.T) {
			var wg sync.WaitGroup
			errs := make([]error, 30)
			for i := range errs {
				wg.Go(func() {
					errs[i] = db.Write(t.Context(), "a", func(tx *store.Tx) error {
						if err := insert(fmt.Sprintf("bad-%d", i))(tx); err != nil {
							return err
						}
						if i%3 == 0 {
							return tx.InsertScope(scopeNamed(fmt.Sprintf("bad-%d", i))) // twice
						}
						return nil
					})
				})
			}
			wg.Wait()
			kept := scopes(t, db)
			for i, err := range errs {
				if bad := i%3 == 0; bad != (ipam.CodeOf(err) == ipam.CodeNameTaken) || bad == kept[fmt.Sprintf("bad-%d", i)] {
					t.Errorf("write %d: err = %v", i, err)
				}
			}
		})
		t.Run("a write whose caller has gone does not begin", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := db.Write(ctx, "a", insert("gone"))
			if ipam.CodeOf(err) != ipam.CodeUnavailable || scopes(t, db)["gone"] {
				t.Fatalf("err = %v", err)
			}
		})
		t.Run("concurrent writes share transactions", func(t *testing.T) {
			before := db.Stats()
			var wg sync.WaitGroup
			for i := range 64 {
				wg.Go(func() {
					for j := range 10 {
						if err := db.Write(t.Context(), "a", insert(fmt.Sprintf("group-%d-%d", i, j))); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			after := db.Stats()
			if writes, commits := after.Writes-before.Writes, after.Commits-before.Commits; writes != 640 || commits > writes/4 {
				t.Fatalf("%d writes took %d commits", writes, commits)
			}
		})
	})
}

func TestStorageItselfRefusesOverlap(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		scope := scopeNamed("s")
		if err := db.Write(t.Context(), "a", func(tx *store.Tx) error { return tx.InsertScope(scope) }); err != nil {
			t.Fatal(err)
		}
		put := func(pool ipam.UID, cidr string) (string, error) {
			owner := string(ipam.NewUID("alloc"))
			return owner, db.Write(t.Context(), "a", func(tx *store.Tx) error {
				return tx.InsertPrefix(ipam.Prefix{
					Owner: owner, In: ipam.In{ScopeUID: scope.UID, PoolUID: pool}, CIDR: netip.MustParsePrefix(cidr), Status: ipam.StatusAllocated,
					Kind: ipam.KindAllocation, CreatedAt: time.UnixMicro(1),
				})
			})
		}
		x := ipam.NewUID("pool")
		var first string
		for _, cidr := range []string{"10.0.0.0/24", "10.0.2.0/23", "10.0.4.0/32", "2001:db8::/56", "::/64"} {
			owner, err := put(x, cidr)
			if err != nil {
				t.Fatal(cidr, err)
			}
			if first == "" {
				first = owner
			}
		}
		for _, cidr := range []string{"10.0.0.0/24", "10.0.0.0/25", "10.0.0.255/32", "10.0.0.0/8", "10.0.3.0/24", "10.0.4.0/30", "0.0.0.0/0", "2001:db8::/32", "2001:db8::1/128"} {
			if _, err := put(x, cidr); ipam.CodeOf(err) != ipam.CodeCIDRTaken {
				t.Errorf("%s was let in next to what overlaps it: %v", cidr, err)
			}
			if _, err := put(ipam.NewUID("pool"), cidr); err != nil {
				t.Errorf("%s in another space: %v", cidr, err)
			}
		}
		err := db.Write(t.Context(), "a", func(tx *store.Tx) error { return tx.MovePrefix(first, netip.MustParsePrefix("10.0.2.0/24")) })
		if ipam.CodeOf(err) != ipam.CodeCIDRTaken {
			t.Errorf("a prefix moved over another: %v", err)
		}
	})
}

// Through every door that an engine has: REPLACE deletes without a delete trigger, TRUNCATE without a row trigger.
func TestEventsAreFinal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		chain := ipam.ChainOf(ipam.NewUID("pool"))
		for range 2 {
			event := ipam.Event{ID: string(ipam.NewUID("event")), Chain: chain, ScopeUID: ipam.NewUID("scope"), At: time.UnixMicro(5), Action: "x.created", After: []byte(`{}`)}
			if err := db.Write(t.Context(), "c", func(tx *store.Tx) error { return tx.AppendEvent(event) }); err != nil {
				t.Fatal(err)
			}
		}
		const rest = "chain_id, seq, scope_id, scope, at, principal_id, 'forged', action, object_kind, object_id, request_id, before, after, hash FROM events"
		doors := map[store.Engine][]string{
			store.SQLite: {
				"REPLACE INTO events SELECT id, " + rest, "INSERT OR REPLACE INTO events SELECT id, " + rest, "INSERT OR REPLACE INTO events SELECT id + 7, " + rest,
				"UPDATE OR REPLACE events SET seq = 1", "UPDATE OR IGNORE events SET actor = 'x'", "DELETE FROM events WHERE rowid > 0",
				"INSERT INTO events SELECT id, " + rest + " WHERE true ON CONFLICT (id) DO UPDATE SET actor = 'x'",
			},
			store.Postgres: {
				"TRUNCATE events", "TRUNCATE events, chains", "TRUNCATE events CASCADE",
				"INSERT INTO events SELECT id, " + rest + " ON CONFLICT (id) DO UPDATE SET actor = 'x'",
				"WITH gone AS (DELETE FROM events RETURNING *) SELECT count(*) FROM gone",
			},
		}
		for _, statement := range append(doors[db.Engine()], "UPDATE events SET actor = 'someone else'", "DELETE FROM events") {
			if err := db.Write(t.Context(), "c", func(tx *store.Tx) error { return tx.Exec(statement) }); err == nil {
				t.Errorf("%s was let through", statement)
			}
		}
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			events, err := tx.EventsOfChain(ipam.Everything, chain, 0, 10)
			if len(events) != 2 || events[0].Seq != 1 || events[1].Seq != 2 || events[0].Actor != "" {
				t.Errorf("the chain is %v", events)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestOneServerHasTheFile(t *testing.T) {
	url := storetest.SQLite(t)
	storetest.Open(t, url)
	if _, err := store.Open(t.Context(), url, store.Options{}); err == nil {
		t.Fatal("a second server opened the same file")
	}
	beside, err := store.Open(t.Context(), url, store.Options{NoServerLock: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := beside.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestEveryConnectionIsDurable(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite(t))
	check := func(tx *store.Tx) error {
		for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1", "journal_size_limit": "67108864"} {
			if got, err := tx.Pragma(pragma); err != nil || got != want {
				t.Errorf("%s = %q, %v; want %q", pragma, got, err, want)
			}
		}
		return nil
	}
	var wg sync.WaitGroup
	for range 16 { // more than there are connections
		wg.Go(func() { _ = db.Read(t.Context(), check) })
	}
	wg.Wait()
	if err := db.Write(t.Context(), "", check); err != nil {
		t.Fatal(err)
	}
}

func TestASQLiteFileIsWholeAfterClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloudpam.db")
	db, err := store.Open(t.Context(), "sqlite://"+path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Migrate(t.Context(), "test"), db.Start(t.Context()), db.Write(t.Context(), "a", insert("kept")), db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is still there (%v): whoever copies the file alone loses what is in it", err)
	}
	if err := db.Read(t.Context(), func(*store.Tx) error { return nil }); ipam.CodeOf(err) != ipam.CodeUnavailable {
		t.Errorf("a read of a closed database: %v", err)
	}
}
