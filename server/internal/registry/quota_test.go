package registry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func TestHoldQuota(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		r.HoldQuota = 3
		full := func(t *testing.T) ipam.Pool {
			pool := r.root(t, "10.0.0.0/24")
			for i := range 3 {
				r.hold(t, pool, fmt.Sprint("n", i), "/28")
			}
			return pool
		}
		refused := func(t *testing.T, err error) {
			t.Helper()
			e := wantCode(t, err, ipam.CodeQuotaExceeded)
			for _, part := range []string{alice.String(), "hold 3 blocks", "may hold 3", "release", "CLOUDPAM_HOLD_QUOTA"} {
				if !strings.Contains(e.Detail, part) {
					t.Errorf("%q does not say %q", e.Detail, part)
				}
			}
		}
		t.Run("one more is refused, and renewing is none", func(t *testing.T) {
			pool := full(t)
			_, err := r.tryHold(alice, pool.ID, "more", "/28")
			refused(t, err)
			r.hold(t, pool, "n1", "/28")
		})
		t.Run("another token and another pool have their own", func(t *testing.T) {
			pool := full(t)
			if _, err := r.tryHold(bob, pool.ID, "more", "/28"); err != nil {
				t.Error(err)
			}
			r.hold(t, r.root(t, "10.0.0.0/24"), "more", "/28")
		})
		t.Run("what was released, applied or ran out does not count", func(t *testing.T) {
			pool := full(t)
			r.take(t, pool, "n0", "/28")
			h := r.hold(t, pool, "more", "/28")
			if err := r.ReleaseHold(t.Context(), alice, h.ID); err != nil {
				t.Fatal(err)
			}
			h = r.hold(t, pool, "even-more", "/28")
			_, err := r.tryHold(alice, pool.ID, "more", "/28") // a released one is promised anew
			refused(t, err)
			r.wait(25 * time.Hour)
			r.hold(t, pool, "next-day", "/28")
		})
		t.Run("drafts count in the pool that they stand in", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			for i := range 2 {
				r.draft(t, root, fmt.Sprint("env", i), "/16")
			}
			r.hold(t, root, "a", "/24")
			_, err := r.tryDraft(alice, root, "more", "/16", ipam.Plan{})
			refused(t, err)
			_, err = r.tryHold(alice, root.ID, "more", "/24")
			refused(t, err)
			r.draft(t, root, "env1", "/16")
			r.child(t, root, "env0", "/16") // it is real now
			r.draft(t, root, "more", "/16")
		})
		t.Run("people are not plans", func(t *testing.T) {
			pool := full(t)
			for i := range 4 {
				r.take(t, pool, fmt.Sprint("a", i), "/28")
			}
		})
		r.HoldQuota = 0
		t.Run("none is no limit", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			for i := range 9 {
				r.hold(t, pool, fmt.Sprint("n", i), "/28")
			}
		})
	})
}

// A plan renews every hold that it has: an event for each would drown those that mean something.
func TestARenewalIsNoEventUnlessMoreThanItsEndChanges(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/16")
		r.hold(t, pool, "a", "/28")
		r.draft(t, pool, "env", "/20")
		events := r.eventCount(t)
		r.wait(time.Hour)
		h := r.hold(t, pool, "a", "/28")
		if !h.RenewedAt.Equal(*r.now) || !h.ExpiresAt.Equal(r.now.Add(ipam.HoldTTL)) {
			t.Errorf("renewed at %s until %s", h.RenewedAt, h.ExpiresAt)
		}
		if env := r.draft(t, pool, "env", "/20"); !env.DraftUntil.Equal(r.now.Add(ipam.HoldTTL)) {
			t.Errorf("drafted until %s", env.DraftUntil)
		}
		if now := r.eventCount(t); now != events {
			t.Errorf("%d events for two renewals", now-events)
		}
		if stored, err := r.Hold(t.Context(), h.ID); err != nil || !stored.RenewedAt.Equal(*r.now) {
			t.Errorf("stored: %+v, %v", stored, err)
		}
		r.hold(t, pool, "a", "/28", func(in *ipam.NewHold) { in.Plan.Holder = "workspace" })
		if _, err := r.tryDraft(alice, pool, "env", "/20", ipam.Plan{Holder: "workspace"}); err != nil {
			t.Fatal(err)
		}
		if now := r.eventCount(t); now != events+2 {
			t.Errorf("%d events for two changes", now-events)
		}
	})
}

func TestDrafts(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		root := r.root(t, "10.0.0.0/8")
		for i := range 3 {
			if _, err := r.tryDraft(bob, root, fmt.Sprint("env", i), "/16", ipam.Plan{Holder: "ci", TTL: time.Hour}); err != nil {
				t.Fatal(err)
			}
		}
		r.draft(t, r.root(t, "10.0.0.0/8"), "elsewhere", "/16")
		first, err := r.Drafts(t.Context(), root.Scope, ipam.Page{Limit: 2})
		if err != nil || len(first) != 2 {
			t.Fatalf("first page: %v, %v", first, err)
		}
		rest, err := r.Drafts(t.Context(), root.Scope, ipam.Page{Limit: 2, After: ipam.Cursor{ID: string(first[1].UID)}})
		if err != nil || len(rest) != 1 || rest[0].Name != "env2" || rest[0].DraftActor != bob.String() || rest[0].DraftHolder != "ci" || !rest[0].DraftUntil.Equal(r.now.Add(time.Hour)) {
			t.Errorf("second page: %+v, %v", rest, err)
		}
		t.Run("another workspace of the token does not drop one", func(t *testing.T) {
			_, err := r.tryDraft(bob, root, "env0", "/12", ipam.Plan{Holder: "laptop"})
			wantCode(t, err, ipam.CodeHoldConflict)
			if _, err := r.tryDraft(bob, root, "env0", "/12", ipam.Plan{Holder: "ci"}); err != nil {
				t.Error("its own:", err)
			}
		})
	})
}
