package registry_test

import (
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// leaves says in a run that it releases an allocation.
func (r planner) leaves(t tb, pool ipam.Pool, a ipam.Allocation, run string) ipam.Hold {
	t.Helper()
	return r.hold(t, pool, ipam.LeavingHold(a.CIDR), a.CIDR.String(), inRun(run), replacing(a.ID))
}

func (r planner) mustTry(t tb, pool ipam.Pool, name, want string) {
	t.Helper()
	if _, err := r.try(pool, name, want); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// thieves are others who want any block of a length, planning or not.
func (r planner) thieves(t tb, pool ipam.Pool, length string) {
	t.Helper()
	wantCode(t, second(r.try(pool, "thief", length)), ipam.CodePoolExhausted)
	_, err := r.tryHold(bob, pool.ID, "thief", length, func(in *ipam.NewHold) { in.Plan.Holder, in.Plan.Run = "other", "9" })
	wantCode(t, err, ipam.CodePoolExhausted)
}

func TestWhatAPlanReleasesIsRoomForIt(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("that is split", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			old := r.take(t, pool, "old", "/24")
			_, err := r.tryHold(alice, pool.ID, "a", "/25", inRun("1"))
			wantCode(t, err, ipam.CodePoolExhausted)
			r.leaves(t, pool, old, "1")
			wantCIDR(t, "a", r.hold(t, pool, "a", "/25", inRun("1")).CIDR, "10.0.0.0/25")
			wantCIDR(t, "b", r.hold(t, pool, "b", "/25", inRun("1")).CIDR, "10.0.0.128/25")
			_, err = r.tryHold(alice, pool.ID, "c", "/25", inRun("1"))
			wantCode(t, err, ipam.CodePoolExhausted)
			wantCIDR(t, "a, while applying", r.hold(t, pool, "a", "/25", inRun("2"), applying(true)).CIDR, "10.0.0.0/25")
			_, err = r.try(pool, "a", "10.0.0.0/25")
			wantCode(t, err, ipam.CodeReleasePending)
			r.thieves(t, pool, "/28")
			r.release(t, old)
			r.thieves(t, pool, "/28")
			r.mustTry(t, pool, "a", "10.0.0.0/25")
			r.thieves(t, pool, "/28")
			r.mustTry(t, pool, "b", "10.0.0.128/25")
		})
		t.Run("that is merged", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			x, y := r.take(t, pool, "x", "/26"), r.take(t, pool, "y", "/26")
			r.take(t, pool, "z", "/25")
			r.leaves(t, pool, x, "1")
			r.leaves(t, pool, y, "1")
			wantCIDR(t, "both", r.hold(t, pool, "both", "/25", inRun("1")).CIDR, "10.0.0.0/25")
			r.release(t, x)
			r.thieves(t, pool, "/28")
			wantCode(t, second(r.try(pool, "both", "10.0.0.0/25")), ipam.CodeReleasePending)
			r.release(t, y)
			r.mustTry(t, pool, "both", "10.0.0.0/25")
		})
		t.Run("with what is free next to it, which is kept", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			x := r.take(t, pool, "x", "/27")
			r.take(t, pool, "z", "/25")
			r.leaves(t, pool, x, "1")
			wantCIDR(t, "both", r.hold(t, pool, "both", "/25", inRun("1")).CIDR, "10.0.0.0/25")
			r.thieves(t, pool, "/28")
			r.release(t, x)
			r.mustTry(t, pool, "both", "10.0.0.0/25")
		})
		t.Run("whose CIDR is handed on", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			old := r.take(t, pool, "old", "/24")
			r.leaves(t, pool, old, "1")
			r.hold(t, pool, "new", "10.0.0.0/24", inRun("1"))
			wantCode(t, second(r.try(pool, "new", "10.0.0.0/24")), ipam.CodeReleasePending)
			r.release(t, old)
			r.mustTry(t, pool, "new", "10.0.0.0/24")
		})
		t.Run("whose CIDR is handed on to what was not promised it", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			old := r.take(t, pool, "old", "/24")
			h := r.hold(t, pool, ipam.LeavingHold(old.CIDR), "10.0.0.0/24", replacing(old.ID))
			wantCode(t, second(r.try(pool, "new", "10.0.0.0/24")), ipam.CodeReleasePending)
			r.release(t, old)
			r.mustTry(t, pool, "new", "10.0.0.0/24")
			_, err := r.Hold(t.Context(), h.ID)
			wantCode(t, err, ipam.CodeNotFound)
		})
		t.Run("over which another grows", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			a, b := r.take(t, pool, "a", "/25"), r.take(t, pool, "b", "/25")
			r.leaves(t, pool, b, "1")
			plan := ipam.Plan{Holder: "workspace", Run: "1"}
			_, err := r.PreviewAllocation(t.Context(), alice, a.ID, ipam.AllocationPatch{Length: new(24)}, plan)
			wantCode(t, err, ipam.CodeReleasePending)
			r.hold(t, pool, ipam.GrowthHold(a.ID), "10.0.0.128/25", inRun("1"), replacing(a.ID))
			wantCode(t, second(r.regrow(a, "10.0.0.0/24")), ipam.CodeReleasePending)
			r.release(t, b)
			r.thieves(t, pool, "/28")
			if _, err := r.regrow(a, "10.0.0.0/24"); err != nil {
				t.Error(err)
			}
		})
		t.Run("by its CIDR, where the same run was shown it for a size", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			old := r.take(t, pool, "old", "/24")
			r.leaves(t, pool, old, "1")
			r.hold(t, pool, "sized", "/25", inRun("1"))
			_, err := r.tryHold(alice, pool.ID, "fixed", "10.0.0.0/25", inRun("1"))
			wantCode(t, err, ipam.CodePlanAgain)
			wantCIDR(t, "fixed", r.hold(t, pool, "fixed", "10.0.0.0/25", inRun("2")).CIDR, "10.0.0.0/25")
			wantCIDR(t, "sized", r.hold(t, pool, "sized", "/25", inRun("2")).CIDR, "10.0.0.128/25")
		})
		t.Run("of members", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			set := r.set(t, pool, "s", "a /25", "b /25")
			for _, cidr := range []string{"10.0.0.0/25", "10.0.0.128/25"} {
				r.hold(t, pool, ipam.LeavingHold(r.cidr(cidr)), cidr, inRun("1"), replacing(set.ID))
			}
			wantCIDR(t, "one", r.hold(t, pool, "one", "/24", inRun("1")).CIDR, "10.0.0.0/24")
			r.releaseSet(t, set)
			r.mustTry(t, pool, "one", "10.0.0.0/24")
		})
	})
}

// A pool and a reservation are left as an allocation is, for what a plan is promised by a hold: allocations, members, reservations.
func TestWhatAPoolOrAReservationLeavesIsRoomToo(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		for what, old := range map[string]func(pool ipam.Pool) (id string, end func() error){
			"a pool": func(pool ipam.Pool) (string, func() error) {
				p := r.child(t, pool, "old", "/24")
				return string(p.UID), func() error { return r.DeletePool(t.Context(), alice, p.ID, at(p, 1)) }
			},
			"a reservation": func(pool ipam.Pool) (string, func() error) {
				v := r.reserve(t, pool, "old", "/24")
				return v.ID, func() error { return r.ReleaseReservation(t.Context(), alice, v.ID, ipam.AnyVersion) }
			},
			"a reservation with a name": func(pool ipam.Pool) (string, func() error) {
				v := r.named(t, pool, "old", "/24")
				return v.ID, func() error { return r.ReleaseReservation(t.Context(), alice, v.ID, ipam.AnyVersion) }
			},
		} {
			t.Run(what, func(t *testing.T) {
				pool := r.root(t, "10.0.0.0/24")
				id, end := old(pool)
				_, err := r.tryHold(alice, pool.ID, ipam.LeavingHold(pool.CIDR), "10.0.0.0/24", inRun("1"), replacing("another"))
				wantCode(t, err, ipam.CodeCIDRTaken)
				r.hold(t, pool, ipam.LeavingHold(pool.CIDR), "10.0.0.0/24", inRun("1"), replacing(id))
				wantCIDR(t, "a", r.hold(t, pool, "a", "/25", inRun("1")).CIDR, "10.0.0.0/25")
				wantCIDR(t, "b", r.hold(t, pool, "b", "/25", inRun("1")).CIDR, "10.0.0.128/25")
				wantCode(t, second(r.try(pool, "a", "10.0.0.0/25")), ipam.CodeReleasePending)
				if err := end(); err != nil {
					t.Fatal(err)
				}
				r.thieves(t, pool, "/28")
				r.mustTry(t, pool, "a", "10.0.0.0/25")
				r.mustTry(t, pool, "b", "10.0.0.128/25")
			})
		}
		t.Run("but not where a pool keeps what is released in it", func(t *testing.T) {
			for _, seconds := range []*int64{nil, ptr(int64(3600))} {
				pool := r.root(t, "10.0.0.0/24")
				p := r.child(t, pool, "old", "/24")
				in := r.take(t, p, "in", "/26")
				if p, err := r.UpdatePool(t.Context(), alice, p.ID, at(p, 1), ipam.PoolPatch{Quarantine: &seconds}); err != nil {
					t.Fatal(err)
				} else if seconds != nil {
					_, err = r.tryHold(alice, pool.ID, ipam.LeavingHold(pool.CIDR), "10.0.0.0/24", inRun("1"), replacing(string(p.UID)))
					wantCode(t, err, ipam.CodeCIDRTaken)
					continue
				}
				// From then on it keeps them: the plan is told, and the pool goes all the same.
				r.hold(t, pool, ipam.LeavingHold(pool.CIDR), "10.0.0.0/24", inRun("1"), replacing(string(p.UID)))
				r.hold(t, pool, "a", "/25", inRun("1"))
				p, err := r.UpdatePool(t.Context(), alice, p.ID, ipam.AnyVersion, ipam.PoolPatch{Quarantine: ptr(ptr(int64(3600)))})
				if err != nil {
					t.Fatal(err)
				}
				r.release(t, in)
				if err := r.DeletePool(t.Context(), alice, p.ID, ipam.AnyVersion); err != nil {
					t.Fatal(err)
				}
				wantCode(t, second(r.try(pool, "a", "10.0.0.0/25")), ipam.CodeHoldLost)
			}
		})
		t.Run("and a draft is not left", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			draft := r.draft(t, pool, "draft", "/24")
			_, err := r.tryHold(alice, pool.ID, ipam.LeavingHold(pool.CIDR), "10.0.0.0/24", replacing(string(draft.UID)))
			wantCode(t, err, ipam.CodeCIDRTaken)
		})
	})
}

func TestRoomOfWhatIsReleasedIsTheHoldersOwn(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		other := func(in *ipam.NewHold) { in.Plan.Holder, in.Plan.Run = "another workspace", "2" }
		pool := r.root(t, "10.0.0.0/24")
		old := r.take(t, pool, "old", "/24")
		r.leaves(t, pool, old, "1")
		for _, want := range []string{"/25", "10.0.0.0/25"} {
			_, err := r.tryHold(alice, pool.ID, "theirs", want, other)
			if code := ipam.CodeOf(err); code != ipam.CodePoolExhausted && code != ipam.CodeCIDRTaken {
				t.Errorf("%s: %v", want, err)
			}
		}
		_, err := r.tryHold(alice, pool.ID, "mine", "/25", inRun("1"), applying(true))
		wantCode(t, err, ipam.CodePoolExhausted) // an apply is promised nothing over what stands
		mine := r.hold(t, pool, "mine", "10.0.0.0/24", inRun("1"))
		_, err = r.tryHold(alice, pool.ID, "next", "10.0.0.0/25", inRun("1"))
		wantCode(t, err, ipam.CodeCIDRTaken)
		// A plan that was thrown away is in nobody's way.
		wantCIDR(t, "of the next run", r.hold(t, pool, "next", "/25", inRun("2")).CIDR, "10.0.0.0/25")
		if lost, err := r.Hold(t.Context(), mine.ID); err != nil || lost.Kept {
			t.Errorf("of the run before: %+v, %v", lost, err)
		}
		// What is given up gives up what it was to stand on.
		next := r.hold(t, pool, "next", "/25", inRun("2"))
		if err := r.ReleaseHold(t.Context(), alice, next.ID); err != nil {
			t.Fatal(err)
		}
		_, err = r.tryHold(alice, pool.ID, "last", "/26", inRun("3"))
		wantCode(t, err, ipam.CodePoolExhausted)
		r.release(t, old)
		r.take(t, pool, "anybody", "/24")
	})
}

// Only the block that something has can be left, by the name that the system gives it.
func TestOnlyWhatIsThereIsLeft(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24")
		old, other := r.take(t, pool, "old", "/25"), r.take(t, pool, "other", "/25")
		for name, ask := range map[string]struct{ cidr, of string }{
			"half of it":  {"10.0.0.0/26", old.ID},
			"of another":  {"10.0.0.128/25", old.ID},
			"around it":   {"10.0.0.0/24", old.ID},
			"of nobody's": {"10.0.0.0/25", "alloc_0000000000000"},
		} {
			_, err := r.tryHold(alice, pool.ID, ipam.LeavingHold(r.cidr(ask.cidr)), ask.cidr, inRun("1"), replacing(ask.of))
			if ipam.CodeOf(err) != ipam.CodeCIDRTaken {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := r.try(pool, ipam.LeavingHold(other.CIDR), "/25"); ipam.CodeOf(err) != ipam.CodeInvalid {
			t.Errorf("an allocation of that name: %v", err)
		}
		r.leaves(t, pool, other, "1")
		r.leaves(t, pool, other, "1") // renewed
		r.release(t, other)
		r.leaves(t, pool, other, "2") // what is released is kept
		r.thieves(t, pool, "/28")
	})
}
