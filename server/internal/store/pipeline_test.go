package store_test

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// together runs writes in one batch, and returns their errors.
func together(t *testing.T, db *store.DB, bodies ...func(*store.Tx) error) []error {
	t.Helper()
	first, go1 := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var all sync.WaitGroup
	all.Go(func() {
		err := db.Write(context.Background(), "a", func(*store.Tx) error {
			once.Do(func() { close(first) })
			<-go1
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-first
	errs := make([]error, len(bodies))
	for i, body := range bodies {
		all.Go(func() { errs[i] = db.Write(context.Background(), "a", body) })
		for db.Stats().Waiting < i+2 {
			runtime.Gosched()
		}
	}
	close(go1)
	all.Wait()
	return errs
}

// PostgreSQL tells of a statement that failed when a later write of the batch asks for something. It fails its own write all the same,
// whether that write can be made anew or not.
func TestAStatementThatFailsUnasked(t *testing.T) {
	for name, statement := range map[string]string{
		"that may run again":   "INSERT INTO instance (id, token_key, created_at, seen_at) SELECT 1, '', 0, 0 FROM instance UNION ALL SELECT 1, '', 0, 0",
		"that never will work": "INSERT INTO instance (id, token_key, created_at, seen_at) VALUES (2, '', 0, 0)",
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				if err := db.Write(t.Context(), "a", func(tx *store.Tx) error {
					return tx.Exec("INSERT INTO instance (id, token_key, created_at, seen_at) VALUES (1, '', 0, 0)")
				}); err != nil {
					t.Fatal(err)
				}
				asks := func(id string) func(*store.Tx) error {
					return func(tx *store.Tx) error {
						if err := insert(id)(tx); err != nil {
							return err
						}
						_, err := tx.Scope(ipam.Everything, id)
						return err
					}
				}
				fails := func(tx *store.Tx) error {
					if err := insert("half")(tx); err != nil {
						return err
					}
					return tx.Later(statement)
				}
				errs := together(t, db, insert("before"), fails, insert("silent"), asks("after"))
				for i, want := range []bool{false, true, false, false} {
					if failed := errs[i] != nil; failed != want {
						t.Errorf("write %d: %v", i+1, errs[i])
					}
				}
				kept := scopes(t, db)
				if !kept["before"] || !kept["silent"] || !kept["after"] || kept["half"] {
					t.Errorf("kept %v", kept)
				}
			})
		})
	}
}
