package registry_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

const week = 7 * 24 * time.Hour

func keeps(d time.Duration) tweak {
	return func(in *ipam.NewPool) { in.Quarantine = ptr(int64(d.Seconds())) }
}

// quarantine is the one of the block that an allocation left.
func (r lab) quarantine(t tb, a ipam.Allocation) ipam.Quarantine {
	t.Helper()
	all, err := r.Quarantines(context.Background(), ipam.Everything, ipam.QuarantineFilter{Allocation: a.ID}, ipam.Page{Limit: 2})
	if err != nil || len(all) != 1 {
		t.Fatalf("quarantines of %s: %+v, %v", a.Name, all, err)
	}
	return all[0]
}

func TestWhatIsReleasedIsNotFreeUntilItsTimeHasPassed(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("to those who ask by size or by CIDR, and they are told until when and what to do", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24", keeps(week))
			a := r.take(t, pool, "a", "/24")
			r.release(t, a)
			q := r.quarantine(t, a)
			if q.Cause != ipam.CauseReleased || !q.Until.Equal(r.now.Add(week)) || q.Owner != a.Owner || q.CIDR != a.CIDR {
				t.Errorf("%+v", q)
			}
			until, how := q.Until.Format(time.RFC3339), "DELETE /api/v1/quarantines/"+q.ID
			_, err := r.try(pool, "b", "/28")
			if e := wantCode(t, err, ipam.CodePoolExhausted); !strings.Contains(e.Detail, until) || !strings.Contains(e.Detail, how) {
				t.Errorf("the refusal is %q, want %s and %s in it", e.Detail, until, how)
			}
			_, err = r.try(pool, "b", "10.0.0.16/28")
			e := wantCode(t, err, ipam.CodeCIDRTaken)
			if !strings.Contains(e.Detail, until) || !strings.Contains(e.Detail, how) || len(e.Holders) != 1 || e.Holders[0].ID != q.ID {
				t.Errorf("the refusal is %q of %+v", e.Detail, e.Holders)
			}
			_, err = r.tryReserve(pool, "kept", "10.0.0.0/28")
			wantCode(t, err, ipam.CodeCIDRTaken)
			_, err = r.tryHold(bob, pool.ID, "b", "/28")
			wantCode(t, err, ipam.CodePoolExhausted)
			r.wait(week)
			wantCIDR(t, "b, when it has ended", r.take(t, pool, "b", "/28").CIDR, "10.0.0.0/28")
		})
		t.Run("whatever was never used goes first, then what has rested longest", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24", keeps(time.Hour))
			for _, name := range []string{"a", "b", "c"} {
				r.take(t, pool, name, "/26")
			}
			for _, name := range []string{"b", "a"} {
				a, err := r.Allocations(t.Context(), ipam.AllocationFilter{Pool: pool.ID, Name: name}, ipam.Page{Limit: 1})
				if err != nil {
					t.Fatal(err)
				}
				r.release(t, a[0])
				r.wait(time.Minute)
			}
			r.wait(2 * time.Hour)
			var got []string
			for _, name := range []string{"x", "y", "z"} {
				got = append(got, r.take(t, pool, name, "/26").CIDR.String())
			}
			if want := []string{"10.0.0.192/26", "10.0.0.64/26", "10.0.0.0/26"}; !slices.Equal(got, want) {
				t.Errorf("%v were handed out, want %v", got, want)
			}
		})
		t.Run("what a pool does not say is as in the pool around it; 0 is none", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/16", keeps(week))
			mid := r.child(t, root, "mid", "/20")
			pool, none := r.child(t, mid, "pool", "/24"), r.child(t, mid, "none", "/24", keeps(0))
			a, b := r.take(t, pool, "a", "/24"), r.take(t, none, "b", "/24")
			r.release(t, a)
			r.release(t, b)
			_, err := r.try(pool, "c", "/24")
			wantCode(t, err, ipam.CodePoolExhausted)
			r.take(t, none, "c", "/24")
		})
		t.Run("nor is what an allocation gives up, except for itself", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24", keeps(week))
			a := r.take(t, pool, "a", "/24")
			smaller, err := r.UpdateAllocation(t.Context(), alice, a.ID, ipam.AnyVersion, ipam.AllocationPatch{Length: ptr(25)})
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.try(pool, "b", "/28")
			wantCode(t, err, ipam.CodePoolExhausted)
			if _, err := r.Restore(t.Context(), alice, a.ID); ipam.CodeOf(err) != ipam.CodePreconditionFailed {
				t.Errorf("restore of a living one: %v", err)
			}
			if again, err := r.UpdateAllocation(t.Context(), alice, a.ID, ipam.Exactly(smaller.ETag()), ipam.AllocationPatch{Length: ptr(24)}); err != nil || again.CIDR != a.CIDR {
				t.Errorf("it grew back to %s, %v", again.CIDR, err)
			}
		})
		t.Run("nor are the members of a set", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24", keeps(week))
			set, err := r.AllocateSet(t.Context(), alice, ipam.NewAllocationSet{Pool: pool.ID, Name: "s", SetSizes: ipam.SetSizes{Members: map[string]ipam.BlockSize{"a": {Length: ptr(25)}, "b": {Length: ptr(25)}}}})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.ReleaseSet(t.Context(), alice, set.ID, ipam.Match{}); err != nil {
				t.Fatal(err)
			}
			_, err = r.try(pool, "c", "/28")
			wantCode(t, err, ipam.CodePoolExhausted)
		})
		t.Run("nor is what an allocation leaves that was replaced by a smaller one", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24", keeps(week))
			a := r.take(t, pool, "a", "10.0.0.0/25")
			h := r.hold(t, pool, "a", "/26", func(in *ipam.NewHold) { in.Replaces = a.ID })
			next := r.take(t, pool, "a", h.CIDR.String())
			r.release(t, a)
			_, err := r.try(pool, "b", "10.0.0.0/26")
			wantCode(t, err, ipam.CodeCIDRTaken)
			if next.CIDR.Overlaps(a.CIDR) {
				t.Errorf("the successor has %s of %s", next.CIDR, a.CIDR)
			}
		})
		t.Run("nor what a plan leaves, for what the same plan puts elsewhere", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24", keeps(week))
			a := r.take(t, pool, "a", "/24")
			plan := func(in *ipam.NewHold) {
				in.Plan = ipam.Plan{Holder: "h", Run: "1"}
				if strings.HasPrefix(in.Name, "leaving:") {
					in.Replaces = a.ID
				}
			}
			r.hold(t, pool, ipam.LeavingHold(a.CIDR), a.CIDR.String(), plan)
			_, err := r.tryHold(alice, pool.ID, "b", "/25", plan)
			wantCode(t, err, ipam.CodePoolExhausted)
			r.release(t, a)
			r.quarantine(t, a)
			_, err = r.tryHold(alice, pool.ID, "b", "10.0.0.0/25", plan)
			wantCode(t, err, ipam.CodeCIDRTaken)
		})
	})
}

func TestTheSameNameAndSizeHasItsBlockBackOutOfQuarantine(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24", keeps(week))
		a := r.take(t, pool, "a", "10.0.0.32/28")
		r.release(t, a)
		t.Run("by size", func(t *testing.T) {
			again := r.take(t, pool, "a", "/28")
			wantCIDR(t, "a", again.CIDR, "10.0.0.32/28")
			r.release(t, again)
		})
		t.Run("by CIDR", func(t *testing.T) {
			again := r.take(t, pool, "a", "10.0.0.32/28")
			r.release(t, again)
		})
		t.Run("but not under another name or with another size", func(t *testing.T) {
			for _, want := range []string{"10.0.0.32/29", "10.0.0.32/27"} {
				_, err := r.try(pool, "a", want)
				wantCode(t, err, ipam.CodeCIDRTaken)
				_, err = r.tryHold(alice, pool.ID, "a", want)
				wantCode(t, err, ipam.CodeCIDRTaken)
			}
			_, err := r.try(pool, "b", "10.0.0.32/28")
			wantCode(t, err, ipam.CodeCIDRTaken)
		})
	})
}

func TestAPlanIsShownTheBlockInQuarantineAndChangesNothing(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24", keeps(week))
		a := r.take(t, pool, "a", "/28")
		r.release(t, a)
		q := r.quarantine(t, a)
		h := r.hold(t, pool, "a", "/28")
		wantCIDR(t, "the hold", h.CIDR, a.CIDR.String())
		if !h.Inherits || r.quarantine(t, a).ID != q.ID {
			t.Errorf("%+v", h)
		}
		t.Run("thrown away, the plan has not cut the quarantine short", func(t *testing.T) {
			if err := r.ReleaseHold(t.Context(), alice, h.ID); err != nil {
				t.Fatal(err)
			}
			_, err := r.try(pool, "b", a.CIDR.String())
			wantCode(t, err, ipam.CodeCIDRTaken)
		})
		t.Run("while it is promised, its end gives it to nobody else", func(t *testing.T) {
			h := r.hold(t, pool, "a", "/28", func(in *ipam.NewHold) { in.Plan.TTL = 30 * 24 * time.Hour })
			r.wait(week + time.Hour)
			_, err := r.try(pool, "b", a.CIDR.String())
			wantCode(t, err, ipam.CodeCIDRTaken)
			r.wait(ipam.QuarantineMemory)
			if n, err := r.EndQuarantines(t.Context()); n != 0 || err != nil {
				t.Errorf("%d ended, %v", n, err)
			}
			wantCIDR(t, "applied", r.take(t, pool, "a", h.CIDR.String()).CIDR, a.CIDR.String())
		})
		t.Run("released early, it is the plan's", func(t *testing.T) {
			b := r.take(t, pool, "b", "/28")
			r.release(t, b)
			h := r.hold(t, pool, "b", "/28")
			if err := r.EndQuarantine(t.Context(), alice, r.quarantine(t, b).ID); err != nil {
				t.Fatal(err)
			}
			_, err := r.try(pool, "c", b.CIDR.String())
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "b")
			wantCIDR(t, "applied", r.take(t, pool, "b", h.CIDR.String()).CIDR, b.CIDR.String())
		})
		t.Run("run out, it is lost with the block, and the apply is told", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/28", keeps(time.Hour))
			a := r.take(t, pool, "a", "/28")
			r.release(t, a)
			r.hold(t, pool, "a", "/28")
			r.wait(25 * time.Hour)
			r.take(t, pool, "b", "/28")
			_, err := r.try(pool, "a", a.CIDR.String())
			wantCode(t, err, ipam.CodeHoldLost)
		})
		t.Run("it ends with its pool, which verify knows, and the name has its block in the next of that name", func(t *testing.T) {
			parent := r.root(t, "10.9.0.0/16", keeps(week))
			pool := r.child(t, parent, "short", "/24")
			b := r.take(t, pool, "b", "/28")
			r.release(t, r.take(t, pool, "a", "/28"))
			h := r.hold(t, pool, "a", "/28")
			r.release(t, b)
			r.drop(t, pool)
			r.wantSound(t)
			wantCIDR(t, "again", r.take(t, r.child(t, parent, "short", "/24"), "a", "/28").CIDR, h.CIDR.String())
		})
		t.Run("a set that is planned again has its blocks", func(t *testing.T) {
			sizes := ipam.SetSizes{Members: map[string]ipam.BlockSize{"x": {Length: ptr(28)}, "y": {Length: ptr(27)}}}
			set, err := r.AllocateSet(t.Context(), alice, ipam.NewAllocationSet{Pool: pool.ID, Name: "s", SetSizes: sizes})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.ReleaseSet(t.Context(), alice, set.ID, ipam.Match{}); err != nil {
				t.Fatal(err)
			}
			plan, err := r.PromiseSet(t.Context(), alice, ipam.NewSetHolds{Pool: pool.ID, Name: "s", SetSizes: sizes})
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range plan.Members {
				wantCIDR(t, m.Key, m.CIDR, set.Members[i].CIDR.String())
			}
		})
	})
}

func TestQuarantineOutlivesItsPool(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		scope := r.scope(t)
		root := r.rootIn(t, scope, "root", "10.0.0.0/16", keeps(week))
		pool := r.child(t, root, "pool", "/24")
		a := r.take(t, pool, "a", "/26")
		r.release(t, a)
		r.drop(t, pool)
		t.Run("in the pool around it", func(t *testing.T) {
			_, err := r.try(root, "b", a.CIDR.String())
			wantCode(t, err, ipam.CodeCIDRTaken)
			_, err = r.Restore(t.Context(), alice, a.ID)
			wantCode(t, err, ipam.CodePreconditionFailed)
			_, err = r.try(root, "b", "10.0.0.0/24")
			wantCode(t, err, ipam.CodeCIDRTaken)
		})
		t.Run("in a pool of its name, which has its block and gives the allocation its own", func(t *testing.T) {
			for _, planned := range []bool{false, true} {
				if planned {
					draft, err := r.DraftPool(t.Context(), alice, ipam.NewPool{Scope: scope, Name: "pool", Parent: root.ID, Length: ptr(24)}, ipam.Plan{})
					if err != nil {
						t.Fatal(err)
					}
					wantCIDR(t, "the draft", draft.CIDR, pool.CIDR.String())
					wantCIDR(t, "the hold", r.hold(t, draft, "a", "/26").CIDR, a.CIDR.String())
				}
				again := r.child(t, root, "pool", "/24")
				wantCIDR(t, "the pool", again.CIDR, pool.CIDR.String())
				_, err := r.try(again, "b", a.CIDR.String())
				wantCode(t, err, ipam.CodeCIDRTaken)
				b := r.take(t, again, "a", "/26")
				wantCIDR(t, "a", b.CIDR, a.CIDR.String())
				r.release(t, b)
				r.drop(t, again)
			}
		})
		t.Run("in another pool that is made around it, and restored when that has the name", func(t *testing.T) {
			other := r.child(t, root, "other", pool.CIDR.String())
			_, err := r.try(other, "b", a.CIDR.String())
			wantCode(t, err, ipam.CodeCIDRTaken)
			r.drop(t, other)
		})
		t.Run("a draft that is thrown away leaves it", func(t *testing.T) {
			draft, err := r.DraftPool(t.Context(), alice, ipam.NewPool{Scope: scope, Name: "thrown", Parent: root.ID, CIDR: pool.CIDR}, ipam.Plan{})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.ReleaseDraft(t.Context(), alice, draft.ID); err != nil {
				t.Fatal(err)
			}
			_, err = r.try(root, "b", a.CIDR.String())
			wantCode(t, err, ipam.CodeCIDRTaken)
		})
		t.Run("at the root of its scope, which stays for so long", func(t *testing.T) {
			r.drop(t, root)
			err := r.DeleteScope(t.Context(), alice, scope, r.atScope(t, scope, 1))
			if e := wantCode(t, err, ipam.CodeScopeNotEmpty); !strings.Contains(e.Detail, "/quarantines/") {
				t.Error(e.Detail)
			}
			again := r.rootIn(t, scope, "root", "10.0.0.0/16", keeps(week))
			_, err = r.try(again, "b", a.CIDR.String())
			wantCode(t, err, ipam.CodeCIDRTaken)
			r.drop(t, again)
			r.wait(week)
			if err := r.DeleteScope(t.Context(), alice, scope, r.atScope(t, scope, 1)); err != nil {
				t.Error(err)
			}
		})
		t.Run("where its addresses are, when its pool moves away", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/16", keeps(week))
			target := r.rootIn(t, root.Scope, "target", "10.1.0.0/16")
			pool := r.child(t, root, "pool", "10.0.0.0/24")
			a := r.take(t, pool, "a", "/24")
			r.release(t, a)
			if _, err := r.UpdatePool(t.Context(), alice, pool.ID, ipam.AnyVersion, ipam.PoolPatch{Parent: ptr(target.ID)}); err != nil {
				t.Fatal(err)
			}
			_, err := r.try(root, "b", a.CIDR.String())
			wantCode(t, err, ipam.CodeCIDRTaken)
		})
		t.Run("a pool that encloses it has it inside", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/16", keeps(week))
			r.child(t, root, "inside", "10.0.0.0/24")
			a := r.take(t, root, "a", "10.0.1.0/24")
			r.release(t, a)
			above := r.child(t, root, "above", "10.0.0.0/22", func(in *ipam.NewPool) { in.Encloses = true })
			_, err := r.try(above, "b", a.CIDR.String())
			wantCode(t, err, ipam.CodeCIDRTaken)
		})
	})
}

func TestWhatHasRestedLongEnoughIsFree(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24", keeps(time.Hour))
		for _, name := range []string{"a", "b", "c", "d"} {
			r.release(t, r.take(t, pool, name, "/26"))
			r.wait(time.Second)
		}
		r.wait(time.Hour + ipam.QuarantineMemory - 3*time.Second)
		for _, want := range []int64{2, 0} {
			if n, err := r.EndQuarantines(t.Context()); n != want || err != nil {
				t.Fatalf("%d ended, want %d: %v", n, want, err)
			}
		}
		r.wait(time.Minute)
		if n, err := r.EndQuarantines(t.Context()); n != 2 || err != nil {
			t.Fatalf("%d ended: %v", n, err)
		}
		if free := r.free(t, pool); len(free) != 1 || free[0] != pool.CIDR {
			t.Errorf("free is %v", free)
		}
	})
}

func sameJSON(t tb, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	y, failed := json.Marshal(b)
	if err != nil || failed != nil {
		t.Fatalf("encode: %v, %v", err, failed)
	}
	return string(x) == string(y)
}
