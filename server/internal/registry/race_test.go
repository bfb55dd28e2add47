package registry_test

import (
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// together runs n calls at once and counts their outcomes by code; "" is success.
func together(n int, call func(i int) error) map[ipam.Code]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := make(chan struct{})
	outcomes := map[ipam.Code]int{}
	for i := range n {
		wg.Go(func() {
			<-start
			err := call(i)
			mu.Lock()
			defer mu.Unlock()
			code := ipam.CodeOf(err)
			if err != nil && code == "" {
				code = ipam.Code(err.Error())
			}
			outcomes[code]++
		})
	}
	close(start)
	wg.Wait()
	return outcomes
}

// replicas are servers on one database: on PostgreSQL nothing but the database keeps them apart. SQLite takes one only.
func (r lab) replicas(t *testing.T) []lab {
	t.Helper()
	if strings.HasPrefix(r.url, "sqlite") {
		return []lab{r}
	}
	all := []lab{r}
	for range 2 {
		all = append(all, labOn(storetest.Open(t, r.url), r.url, func() time.Time { return clock }))
	}
	return all
}

func wantOutcomes(t *testing.T, got, want map[ipam.Code]int) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("outcomes = %v, want %v", got, want)
	}
}

func TestOneOfManyWriters(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		t.Run("changes a pool by its version", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			outcomes := together(50, func(i int) error {
				_, err := r.UpdatePool(t.Context(), alice, pool.ID, at(pool, 1), ipam.PoolPatch{DetailsPatch: ipam.DetailsPatch{Owner: ptr(fmt.Sprint("team ", i))}})
				return err
			})
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 1, ipam.CodePreconditionFailed: 49})
		})
		t.Run("gets a name", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			outcomes := together(32, func(int) error { _, err := r.try(pool, "same", "/24"); return err })
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 1, ipam.CodeNameTaken: 31})
		})
		t.Run("gets a CIDR", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			outcomes := together(32, func(i int) error { _, err := r.try(pool, fmt.Sprint("n", i), "10.0.0.0/24"); return err })
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 1, ipam.CodeCIDRTaken: 31})
		})
		t.Run("gets the last block", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/28")
			outcomes := together(32, func(i int) error { _, err := r.try(pool, fmt.Sprint("n", i), "/28"); return err })
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 1, ipam.CodePoolExhausted: 31})
		})
		t.Run("gets a root CIDR", func(t *testing.T) {
			scope := r.scope(t)
			outcomes := together(16, func(i int) error {
				_, err := r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: scope, Name: fmt.Sprint("n", i), CIDR: r.cidr("10.0.0.0/8")})
				return err
			})
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 1, ipam.CodeCIDRTaken: 15})
		})
		t.Run("has the effect of one key", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			outcomes := together(32, func(int) error {
				_, err := r.Allocate(t.Context(), keyed("raced", "x"), ipam.NewAllocation{Pool: pool.ID, Name: "a", BlockSize: ipam.BlockSize{Length: ptr(24)}})
				return err
			})
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 32})
			if n := len(r.events(t, r.only(t, pool).ID)); n != 1 {
				t.Errorf("%d events", n)
			}
		})
	})
}

func TestAFullPoolIsFilledByManyWriters(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/24")
		outcomes := together(80, func(i int) error { _, err := r.try(pool, fmt.Sprint("n", i), "/30"); return err })
		wantOutcomes(t, outcomes, map[ipam.Code]int{"": 64, ipam.CodePoolExhausted: 16})
	})
}

// Parents are locked before their children, whoever asks for what: nobody waits for anybody in a circle.
func TestManyWritersUpAndDownATree(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		root := r.root(t, "10.0.0.0/8")
		kids := []ipam.Pool{r.child(t, root, "a", "10.0.0.0/16"), r.child(t, root, "b", "10.64.0.0/16"), r.child(t, root, "c", "10.128.0.0/16")}
		outcomes := together(60, func(i int) error {
			kid := kids[i%len(kids)]
			switch i % 4 {
			case 0:
				_, err := r.try(kid, fmt.Sprint("n", i), "/24")
				return err
			case 1:
				_, err := r.try(root, fmt.Sprint("n", i), fmt.Sprintf("10.200.%d.0/24", i))
				return err
			case 2:
				_, err := r.tryChild(kid, fmt.Sprint("n", i), "/20")
				return err
			default:
				now, err := r.Pool(t.Context(), kid.ID)
				if err == nil {
					_, err = r.resize(now, fmt.Sprintf("/%d", 15-i%8/4))
				}
				if ipam.CodeOf(err) == ipam.CodePreconditionFailed {
					return nil // another resize was first
				}
				return err
			}
		})
		wantOutcomes(t, outcomes, map[ipam.Code]int{"": 60})
	})
}

// An account moves to a scope without the scope's lock: PostgreSQL has the one who deletes that wait, and then refuses it.
func TestAScopeIsNotDeletedUnderAnAccountThatMovesThere(t *testing.T) {
	r := open(t, storetest.Postgres(t)) // SQLite has one writer at a time
	from, to := r.scope(t), r.scope(t)
	a, err := r.CreateAccount(t.Context(), alice, ipam.Account{Scope: from, Cloud: ipam.Custom, ExternalID: "dc1", Name: "dc1"})
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", r.url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	move, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := move.Exec("UPDATE accounts SET scope_id = (SELECT id FROM scopes WHERE name = $1) WHERE id = $2", to, a.UID.Key()); err != nil {
		t.Fatal(err)
	}
	deleted := make(chan error)
	go func() { deleted <- r.DeleteScope(t.Context(), alice, to, r.atScope(t, to, 1)) }()
	for waiting := false; !waiting; {
		if err := db.QueryRow("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	if err := move.Commit(); err != nil {
		t.Fatal(err)
	}
	wantCode(t, <-deleted, ipam.CodeScopeNotEmpty)
}

func TestSetsRacing(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		t.Run("for room: each whole, none overlapping", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/22") // room for eight of sixteen
			outcomes := together(16, func(i int) error {
				_, err := r.trySet(pool, fmt.Sprint("net", i), "a /26", "b /27", "c /27")
				return err
			})
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 8, ipam.CodePoolExhausted: 8})
		})
		t.Run("for a name", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/20")
			outcomes := together(16, func(int) error { _, err := r.trySet(pool, "net", "a /26", "b /27"); return err })
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 1, ipam.CodeNameTaken: 15})
		})
		t.Run("to change one", func(t *testing.T) {
			s := r.set(t, r.root(t, "10.0.0.0/20"), "net", "a /26")
			outcomes := together(16, func(i int) error {
				_, err := r.tryChange(s, ipam.AllocationSetPatch{SetSizes: ofSizes("a /26", fmt.Sprint("k", i, " /26"))})
				return err
			})
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 1, ipam.CodePreconditionFailed: 15})
		})
		t.Run("with releases of their members", func(t *testing.T) {
			s := r.set(t, r.root(t, "10.0.0.0/20"), "net", "a /26", "b /26", "c /26", "d /26")
			outcomes := together(5, func(i int) error {
				if i == 4 {
					return r.ReleaseSet(t.Context(), alice, s.ID, ipam.Match{})
				}
				err := r.Release(t.Context(), alice, s.Members[i].Allocation, ipam.Match{})
				if ipam.CodeOf(err) == ipam.CodeNotFound {
					return nil // the set was faster
				}
				return err
			})
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 5})
		})
		t.Run("over the pools of a selector, which fill up in turn", func(t *testing.T) {
			scope := r.scope(t)
			for i := range 4 {
				r.rootIn(t, scope, fmt.Sprint("p", i), fmt.Sprintf("10.%d.0.0/24", i), labelled("tier", "prd"))
			}
			outcomes := together(16, func(i int) error {
				_, err := r.AllocateSet(t.Context(), alice, ipam.NewAllocationSet{Selector: selecting(scope), Name: fmt.Sprint("net", i), SetSizes: ofSizes("a /26", "b /26")})
				return err
			})
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 8, ipam.CodePoolExhausted: 8})
		})
	})
}
