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
	return ipam.Scope{ID: id, Version: 1, CreatedAt: at, UpdatedAt: at}
}

func insert(id string) func(*store.Tx) error {
	return func(tx *store.Tx) error { return tx.InsertScope(scopeNamed(id)) }
}

func scopes(t *testing.T, db *store.DB) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		items, err := tx.Scopes(false, ipam.Page{Limit: 10_000})
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
		if err := db.Write(t.Context(), "a", insert("s")); err != nil {
			t.Fatal(err)
		}
		n := 0
		put := func(space, cidr string, source ipam.Source) error {
			n++
			return db.Write(t.Context(), "a", func(tx *store.Tx) error {
				return tx.InsertPrefix(ipam.Prefix{
					ID: fmt.Sprint("p", n), Scope: "s", Space: space, CIDR: netip.MustParsePrefix(cidr), Status: ipam.StatusAllocated,
					Source: source, Kind: ipam.KindAllocation, Owner: fmt.Sprint("o", n), CreatedAt: time.UnixMicro(1),
				})
			})
		}
		for _, cidr := range []string{"10.0.0.0/24", "10.0.2.0/23", "10.0.4.0/32", "2001:db8::/56", "::/64"} {
			if err := put("x", cidr, ipam.SourceDesired); err != nil {
				t.Fatal(cidr, err)
			}
		}
		for _, cidr := range []string{"10.0.0.0/24", "10.0.0.0/25", "10.0.0.255/32", "10.0.0.0/8", "10.0.3.0/24", "10.0.4.0/30", "0.0.0.0/0", "2001:db8::/32", "2001:db8::1/128"} {
			if err := put("x", cidr, ipam.SourceDesired); ipam.CodeOf(err) != ipam.CodeCIDRTaken {
				t.Errorf("%s was let in beside what overlaps it: %v", cidr, err)
			}
			if err := put("y"+cidr, cidr, ipam.SourceDesired); err != nil {
				t.Errorf("%s in another space: %v", cidr, err)
			}
			if err := put("x", cidr, ipam.SourceObserved); err != nil {
				t.Errorf("%s as an observation: %v", cidr, err)
			}
		}
		err := db.Write(t.Context(), "a", func(tx *store.Tx) error { return tx.MovePrefix("o1", netip.MustParsePrefix("10.0.2.0/24")) })
		if ipam.CodeOf(err) != ipam.CodeCIDRTaken {
			t.Errorf("a prefix moved over another: %v", err)
		}
	})
}

func TestEventsAreFinal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		event := ipam.Event{ID: "e1", Chain: "c", Scope: "s", At: time.UnixMicro(5), Action: "x.created", After: []byte(`{}`)}
		if err := db.Write(t.Context(), "c", func(tx *store.Tx) error { return tx.AppendEvent(event) }); err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{"UPDATE events SET actor = 'someone else'", "DELETE FROM events"} {
			if err := db.Write(t.Context(), "c", func(tx *store.Tx) error { return tx.Exec(statement) }); err == nil {
				t.Errorf("%s was let through", statement)
			}
		}
	})
}

func TestOneServerHasTheFile(t *testing.T) {
	url := storetest.SQLite(t)
	storetest.Open(t, url)
	if _, err := store.Open(t.Context(), url, store.Options{}); err == nil {
		t.Fatal("a second server opened the same file")
	}
	beside, err := store.Open(t.Context(), url, store.Options{Beside: true})
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
