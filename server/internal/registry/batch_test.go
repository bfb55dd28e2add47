package registry_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// crowd lets many allocate in a pool at once, in as few batches as the machine makes of it, and returns their errors.
func (r lab) crowd(t *testing.T, pool ipam.Pool, many int, name func(int) string) []error {
	t.Helper()
	begun, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var all sync.WaitGroup
	all.Go(func() {
		err := r.db.Write(context.Background(), pool.ID, func(*store.Tx) error {
			once.Do(func() { close(begun) })
			<-free
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	errs := make([]error, many)
	for i := range many {
		all.Go(func() {
			who := alice
			who.Retry = &ipam.Retry{Key: fmt.Sprintf("%s-%d", pool.ID, i), Fingerprint: sha256.Sum256([]byte(name(i)))}
			_, errs[i] = r.Allocate(context.Background(), who, ipam.NewAllocation{Pool: pool.ID, Name: name(i), BlockSize: ipam.BlockSize{Length: new(28)}})
		})
		for r.db.Stats().Waiting < i+2 {
			runtime.Gosched()
		}
	}
	close(free)
	all.Wait()
	return errs
}

// What a batch costs PostgreSQL's clients is its questions, and those are the same for two allocations and for fifty.
func TestABatchTakesAFewRoundTripsHoweverManyWritesItHas(t *testing.T) {
	p := storetest.NewProxy(t, storetest.Postgres(t))
	r := open(t, p.URL("idle_in_transaction_session_timeout=0"))
	for _, pool := range []string{"10.1.0.0/16", "10.2.0.0/16"} { // the first has statements prepared
		pool := r.root(t, pool)
		trips, before := p.Trips(), r.db.Stats()
		for i, err := range r.crowd(t, pool, 50, func(i int) string { return fmt.Sprint("a", i) }) {
			if err != nil {
				t.Errorf("allocation %d: %v", i, err)
			}
		}
		after := r.db.Stats()
		if n, most := p.Trips()-trips, 12*int(after.Commits-before.Commits); n > most {
			t.Errorf("%d round trips for %d writes in %d transactions; %d are the most", n, after.Writes-before.Writes, after.Commits-before.Commits, most)
		}
	}
	r.wantSound(t)
}

// Names that many ask for at once are looked for at once: each goes to one of them.
func TestOfACrowdThatWantsTheSameNamesOneHasEach(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/16")
		has := map[string]int{}
		name := func(i int) string { return fmt.Sprint("a", i%7) }
		for i, err := range r.crowd(t, pool, 30, name) {
			switch ipam.CodeOf(err) {
			case "":
				if err != nil {
					t.Error(err)
				}
				has[name(i)]++
			case ipam.CodeNameTaken:
			default:
				t.Errorf("allocation %d: %v", i, err)
			}
		}
		for i := range 7 {
			if has[name(i)] != 1 {
				t.Errorf("%s was given out %d times", name(i), has[name(i)])
			}
		}
	})
}

// What a transaction believes to be free after what it has taken and given back itself is what is free.
func TestWhatIsFreeIsKnownThroughATransaction(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/20")
		undo := errors.New("undo")
		err := r.db.Write(t.Context(), pool.ID, func(tx *store.Tx) error {
			p, err := tx.LockPool(ipam.Everything, pool.ID)
			if err != nil {
				return err
			}
			leaves, model, random := tx.Leaves(p), alloc.NewTree(p.CIDR), rand.New(rand.NewPCG(1, 2))
			var held []netip.Prefix
			for step := range 400 {
				if random.IntN(4) == 0 && len(held) > 0 {
					i := random.IntN(len(held))
					if err := errors.Join(alloc.Return(leaves, p.CIDR, held[i]), model.Release(held[i])); err != nil {
						return fmt.Errorf("step %d: %w", step, err)
					}
					held = append(held[:i], held[i+1:]...)
					continue
				}
				bits := 24 + random.IntN(9)
				want, wantErr := model.Allocate(alloc.BestFit, bits)
				got, err := alloc.Place(leaves, alloc.BestFit, bits)
				if got != want || errors.Is(err, alloc.ErrNoFit) != errors.Is(wantErr, alloc.ErrNoFit) {
					return fmt.Errorf("step %d: a /%d is placed at %s (%w), and %s is the best fit (%w)", step, bits, got, err, want, wantErr)
				}
				if err == nil {
					held = append(held, got)
				}
			}
			return undo
		})
		if !errors.Is(err, undo) {
			t.Error(err)
		}
	})
}
