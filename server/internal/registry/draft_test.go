package registry_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func (r lab) tryDraft(by ipam.Caller, parent ipam.Pool, name, want string, plan ipam.Plan) (ipam.Pool, error) {
	in := ipam.NewPool{Scope: parent.Scope, Name: name, Parent: parent.ID}
	in.CIDR, in.Length = wanted(want)
	return r.DraftPool(context.Background(), by, in, plan)
}

func (r lab) draft(t tb, parent ipam.Pool, name, want string) ipam.Pool {
	t.Helper()
	p, err := r.tryDraft(alice, parent, name, want, ipam.Plan{})
	if err != nil {
		t.Fatalf("draft %s %s in %s: %v", name, want, parent.ID, err)
	}
	return p
}

func TestADraftStaysADraft(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("a real pool never stands in it", func(t *testing.T) {
			env := r.draft(t, r.root(t, "10.0.0.0/15"), "env", "/16")
			r.draft(t, env, "vpc", "/20")
			_, err := r.tryChild(env, "vpc", "/20")
			wantPointer(t, wantCode(t, err, ipam.CodeNotFound), "/parent")
		})
		t.Run("another plan neither cuts its promise short nor drops it", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			first := r.draft(t, root, "env", "/16")
			again, err := r.tryDraft(alice, root, "env", "/16", ipam.Plan{TTL: time.Minute})
			if err != nil || again.DraftUntil.Before(*first.DraftUntil) {
				t.Errorf("promised until %v, then %v, %v", first.DraftUntil, again.DraftUntil, err)
			}
			_, err = r.tryDraft(bob, root, "env", "/12", ipam.Plan{})
			wantCode(t, err, ipam.CodeHoldConflict)
			r.child(t, root, "env", "/12") // who creates it may
		})
		t.Run("another plan of the same is not promised its block too", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			if _, err := r.tryDraft(alice, root, "env", "/16", ipam.Plan{Holder: "blue"}); err != nil {
				t.Fatal(err)
			}
			_, err := r.tryDraft(alice, root, "env", "/16", ipam.Plan{Holder: "green"})
			if refusal := wantCode(t, err, ipam.CodeHoldConflict); !strings.Contains(refusal.Detail, "(blue)") {
				t.Errorf("does not say whose: %s", refusal.Detail)
			}
			if _, err := r.tryDraft(bob, root, "env", "/16", ipam.Plan{Holder: "blue"}); err != nil {
				t.Errorf("the holder with another token: %v", err)
			}
			r.wait(25 * time.Hour)
			if _, err := r.tryDraft(alice, root, "env", "/16", ipam.Plan{Holder: "green"}); err != nil {
				t.Errorf("once the promise has run out: %v", err)
			}
		})
		t.Run("what is held in it promises no longer than it does", func(t *testing.T) {
			env := r.draft(t, r.root(t, "10.0.0.0/16"), "env", "/16")
			r.wait(23 * time.Hour)
			for range 2 { // placed, then renewed
				if h := r.hold(t, env, "s", "/24"); h.ExpiresAt.After(*env.DraftUntil) {
					t.Errorf("held until %s, the draft until %s", h.ExpiresAt, env.DraftUntil)
				}
			}
		})
		t.Run("forgotten and drafted again, what was held in it gets its block back", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/16")
			env := r.draft(t, root, "env", "/24")
			r.hold(t, env, "s1", "/26")
			second := r.hold(t, env, "s2", "/26")
			r.wait(49 * time.Hour)
			if _, err := r.ForgetPlans(t.Context()); err != nil {
				t.Fatal(err)
			}
			env = r.draft(t, root, "env", "/24")
			wantCIDR(t, "s2", r.hold(t, env, "s2", "/26", applying(true)).CIDR, second.CIDR.String())
		})
		t.Run("it does not take what the same plan holds for an allocation of its name", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/16")
			r.hold(t, root, "app", "/28")
			_, err := r.tryDraft(alice, root, "app", "10.0.0.0/24", ipam.Plan{})
			wantCode(t, err, ipam.CodeCIDRTaken)
		})
		t.Run("a pool that was never drafted is no lost promise", func(t *testing.T) {
			root, yes := r.root(t, "10.0.0.0/8"), true
			env := r.child(t, root, "env", "/16")
			r.drop(t, env)
			r.take(t, root, "x", env.CIDR.String())
			if _, err := r.tryDraft(alice, root, "env", "/16", ipam.Plan{Applying: &yes}); err != nil {
				t.Error(err)
			}
		})
		t.Run("an apply is told when the parent shrank away from it", func(t *testing.T) {
			root, yes := r.root(t, "10.0.0.0/15"), true
			low := r.take(t, root, "low", "10.0.0.0/16")
			r.draft(t, root, "env", "/16")
			r.release(t, low)
			r.wait(25 * time.Hour)
			root, err := r.resize(root, "10.0.0.0/16")
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.tryDraft(alice, root, "env", "/16", ipam.Plan{Applying: &yes})
			wantCode(t, err, ipam.CodeHoldLost)
		})
		t.Run("expired, it does not keep a root pool from growing", func(t *testing.T) {
			scope := r.scope(t)
			root := r.rootIn(t, scope, "r", "10.0.0.0/17")
			in := ipam.NewPool{Scope: scope, Name: "d", CIDR: r.cidr("10.0.128.0/17")}
			if _, err := r.DraftPool(t.Context(), alice, in, ipam.Plan{}); err != nil {
				t.Fatal(err)
			}
			r.wait(25 * time.Hour)
			if _, err := r.resize(root, "10.0.0.0/16"); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestTwoWorkspacesOfOneTokenKeepTheirHolds(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		root := r.root(t, "10.0.0.0/16")
		workspace := func(name string) func(*ipam.NewHold) {
			return func(in *ipam.NewHold) { in.Plan.Holder = name }
		}
		r.hold(t, root, "app", "/28", workspace("one"))
		_, err := r.tryHold(alice, root.ID, "app", "10.0.0.0/24", workspace("two"))
		wantCode(t, err, ipam.CodeCIDRTaken)
	})
}

// queued runs two requests of two servers so that both have read a draft and wait for the lock of the pool around it.
func queued(t *testing.T, first, second func(r lab, root ipam.Pool) error) (r lab, root ipam.Pool, errs [2]error) {
	t.Helper()
	url := storetest.Postgres(t)
	r = open(t, url)
	other := labOn(storetest.Open(t, url), url, func() time.Time { return clock })
	root = r.root(t, "10.0.0.0/8")
	r.draft(t, root, "env", "/16")
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lock, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec("UPDATE pools SET space_revision = space_revision + 1 WHERE id = $1", root.UID.Key()); err != nil {
		t.Fatal(err)
	}
	done := [2]chan error{make(chan error, 1), make(chan error, 1)}
	for i, run := range []func(){func() { done[0] <- first(r, root) }, func() { done[1] <- second(other, root) }} {
		go run()
		for waiting := 0; waiting <= i; { // until it, too, waits for the lock
			if err := db.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := lock.Commit(); err != nil {
		t.Fatal(err)
	}
	return r, root, [2]error{<-done[0], <-done[1]}
}

func TestADraftThatChangedWhileARequestWaitedIsReadAgain(t *testing.T) {
	create := func(by ipam.Caller, length int, protected bool) func(lab, ipam.Pool) error {
		return func(r lab, root ipam.Pool) error {
			in := ipam.NewPool{Scope: root.Scope, Name: "env", Parent: root.ID, Length: &length, DeletionProtection: protected}
			_, err := r.CreatePool(context.Background(), by, in)
			return err
		}
	}
	draft := func(by ipam.Caller, want string) func(lab, ipam.Pool) error {
		return func(r lab, root ipam.Pool) error {
			_, err := r.tryDraft(by, root, "env", want, ipam.Plan{})
			return err
		}
	}
	// Which of the two goes first is PostgreSQL's choice; what must hold afterwards does not depend on it.
	for name, c := range map[string]struct {
		create, other func(lab, ipam.Pool) error
		refusals      []ipam.Code // that the other may get
	}{
		"a plan of the same does not make the pool a draft again": {create(alice, 16, false), draft(bob, "/16"), []ipam.Code{"", ipam.CodeNameTaken}},
		"a plan of another size does not drop the pool":           {create(alice, 16, true), draft(bob, "/20"), []ipam.Code{ipam.CodeNameTaken, ipam.CodeHoldConflict}},
		"a plan that moves the draft does not move the pool":      {create(bob, 16, false), draft(alice, "/12"), []ipam.Code{"", ipam.CodeNameTaken}},
		"of two creations one is told that the name is taken":     {create(alice, 16, false), create(bob, 16, false), []ipam.Code{"", ipam.CodeNameTaken}},
	} {
		t.Run(name, func(t *testing.T) {
			r, root, errs := queued(t, c.create, c.other)
			if got := ipam.CodeOf(errs[1]); !slices.Contains(c.refusals, got) {
				t.Errorf("the other got %v", errs[1])
			}
			pool, err := r.Pool(t.Context(), ipam.PoolID(root.Scope, "env"))
			if err != nil || pool.CIDR.Bits() != 16 {
				t.Errorf("the pool is %s, %v; creating it: %v", pool.CIDR, err, errs[0])
			}
			if created := len(r.eventsOf(t, pool.ID, "pool.created")); created != 1 {
				t.Errorf("created %d times: %v", created, errs)
			}
			r.wantSound(t)
		})
	}
}

func (r lab) eventsOf(t tb, object, action string) (found []ipam.Event) {
	t.Helper()
	for _, e := range r.events(t, object) {
		if e.Action == action {
			found = append(found, e)
		}
	}
	return found
}
