package registry_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// plannedBlocks reads "a=10.0.0.0/24 b=…", with a * on what is held.
func plannedBlocks(p ipam.SetPlan) string {
	var out []string
	for _, m := range p.Members {
		star := ""
		if m.Hold != "" {
			star = "*"
		}
		out = append(out, m.Key+"="+m.CIDR.String()+star)
	}
	return strings.Join(out, " ")
}

func (r planner) tryPlanSet(by ipam.Caller, in ipam.NewSetHolds, members ...string) (ipam.SetPlan, error) {
	in.SetSizes = ofSizes(members...)
	if in.Name == "" {
		in.Name = "net"
	}
	return r.PromiseSet(context.Background(), by, in)
}

func (r planner) planSet(t tb, in ipam.NewSetHolds, members ...string) ipam.SetPlan {
	t.Helper()
	p, err := r.tryPlanSet(alice, in, members...)
	if err != nil {
		t.Fatalf("plan %v: %v", members, err)
	}
	return p
}

// made is what a set has, as a plan reads.
func made(s ipam.AllocationSet) string { return strings.ReplaceAll(blocks(s)+" ", " ", "* ") }

func TestAPlanOfASetIsWhatIsMade(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("of a new one, whatever is placed in between", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/20")
			in := ipam.NewSetHolds{Pool: pool.ID}
			p := r.planSet(t, in, "a /24", "b /23")
			r.take(t, pool, "x", "/24")
			if again := r.planSet(t, in, "b /23", "a /24"); plannedBlocks(again) != plannedBlocks(p) {
				t.Errorf("first %s, then %s", plannedBlocks(p), plannedBlocks(again))
			}
			s := r.set(t, pool, "net", "a /24", "b /23")
			if got := strings.TrimSpace(made(s)); got != plannedBlocks(p) {
				t.Errorf("planned %s, made %s", plannedBlocks(p), got)
			}
			holds, err := r.Holds(t.Context(), ipam.HoldFilter{Pool: pool.ID}, ipam.Page{Limit: 10})
			if err != nil || len(holds) != 0 {
				t.Errorf("holds left: %v, %v", holds, err)
			}
		})
		t.Run("of one that changes: what stays answers its block", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/20")
			s := r.set(t, pool, "net", "a /24", "b /24", "c /24", "d /24")
			p := r.planSet(t, ipam.NewSetHolds{Updates: s.ID}, "a /24", "b /25", "c /23", "e /24")
			if got := plannedBlocks(p); got != "a=10.0.0.0/24 b=10.0.1.0/25 c=10.0.4.0/23* e=10.0.6.0/24*" {
				t.Errorf("planned %s", got)
			}
			s = r.reshape(t, s, "a 10.0.0.0/24", "b 10.0.1.0/25", "c 10.0.4.0/23", "e 10.0.6.0/24")
			wantBlocks(t, s, "a=10.0.0.0/24 b=10.0.1.0/25 c=10.0.4.0/23 e=10.0.6.0/24")
			holds, err := r.Holds(t.Context(), ipam.HoldFilter{Pool: pool.ID}, ipam.Page{Limit: 10})
			if err != nil || len(holds) != 0 {
				t.Errorf("holds left: %v, %v", holds, err)
			}
		})
		t.Run("of one that is renamed, too", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/20")
			s := r.set(t, pool, "net", "a /24")
			p := r.planSet(t, ipam.NewSetHolds{Updates: s.ID, Name: "web"}, "a /24", "b /24")
			s, err := r.tryChange(s, ipam.AllocationSetPatch{Name: new("web"), SetSizes: ofSizes("a /24", "b /24")})
			if err != nil || blocks(s) != strings.ReplaceAll(plannedBlocks(p), "*", "") {
				t.Errorf("planned %s, made %s, %v", plannedBlocks(p), blocks(s), err)
			}
		})
		t.Run("of one that replaces another, which lives until its successor does", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/20")
			old := r.set(t, pool, "net", "a /24", "b /24")
			in := ipam.NewSetHolds{Pool: pool.ID}
			_, err := r.tryPlanSet(alice, in, "a /24", "b /24")
			wantPointer(t, wantCode(t, err, ipam.CodeNameTaken), "/name")
			in.Replaces = old.ID
			p := r.planSet(t, in, "a /24", "b /25")
			in.Replaces = "" // the apply cannot say
			if again := r.planSet(t, in, "a /24", "b /25"); plannedBlocks(again) != plannedBlocks(p) {
				t.Errorf("applied as %s", plannedBlocks(again))
			}
			_, err = r.trySet(pool, "net", "a /24", "b /25")
			wantCode(t, err, ipam.CodeNameTaken) // whoever does not name the promised blocks was not promised them
			s := r.set(t, pool, "net", "a "+p.Members[0].CIDR.String(), "b "+p.Members[1].CIDR.String())
			if got := strings.TrimSpace(made(s)); got != plannedBlocks(p) || s.ID == old.ID {
				t.Errorf("planned %s, made %s", plannedBlocks(p), got)
			}
			if old, err = r.AllocationSet(t.Context(), old.ID); err != nil || old.Name != "net~"+old.ID || blocks(old) != "a=10.0.0.0/24 b=10.0.1.0/24" {
				t.Errorf("the one before is %+v, %v", old, err)
			}
			r.releaseSet(t, old)
		})
		t.Run("of a selector: the pool that it was promised in, whatever room there is elsewhere", func(t *testing.T) {
			a, b, _ := r.three(t)
			full := r.take(t, a, "full", "/28")
			in := ipam.NewSetHolds{Selector: selecting(a.Scope)}
			p := r.planSet(t, in, "x /29", "y /30")
			r.release(t, full)
			again := r.planSet(t, in, "x /29", "y /30", "z /30")
			if p.Pool != b.ID || again.Pool != b.ID || !strings.HasPrefix(plannedBlocks(again), plannedBlocks(p)) {
				t.Errorf("first %s in %s, then %s in %s", plannedBlocks(p), p.Pool, plannedBlocks(again), again.Pool)
			}
		})
		t.Run("in a pool that is only planned", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			draft, err := r.DraftPool(t.Context(), alice, ipam.NewPool{Scope: root.Scope, Name: "vpc", Parent: root.ID, Length: ptr(16)}, ipam.Plan{})
			if err != nil {
				t.Fatal(err)
			}
			p := r.planSet(t, ipam.NewSetHolds{Pool: draft.ID}, "a /24", "b /24")
			vpc := r.child(t, root, "vpc", draft.CIDR.String())
			if s := r.set(t, vpc, "net", "a /24", "b /24"); strings.TrimSpace(made(s)) != plannedBlocks(p) {
				t.Errorf("planned %s, made %s", plannedBlocks(p), blocks(s))
			}
		})
	})
}

func TestAPlanOfASetHoldsAllOrNothing(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24")
		_, err := r.tryPlanSet(alice, ipam.NewSetHolds{Pool: pool.ID}, "a /25", "b /26", "c /25")
		wantCode(t, err, ipam.CodePoolExhausted)
		if free := r.free(t, pool); len(free) != 1 {
			t.Errorf("something is held: free %v", free)
		}
		r.planSet(t, ipam.NewSetHolds{Pool: pool.ID}, "a /25")
		_, err = r.tryPlanSet(bob, ipam.NewSetHolds{Pool: pool.ID}, "a /25")
		wantPointers(t, wantCode(t, err, ipam.CodeHoldConflict), "/members/a")
		other := r.root(t, "10.1.0.0/24")
		s := r.set(t, other, "net", "a /25")
		_, err = r.tryPlanSet(alice, ipam.NewSetHolds{Pool: pool.ID, Updates: s.ID}, "a /25")
		wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/pool")
		_, err = r.tryPlanSet(alice, ipam.NewSetHolds{Updates: "set_gone"}, "a /25")
		wantCode(t, err, ipam.CodeNotFound)
	})
}

func TestLossesOfASetAreToldTogether(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/22")
		in := ipam.NewSetHolds{Pool: pool.ID}
		p := r.planSet(t, in, "a /24", "b /24", "c /24")
		r.wait(25 * time.Hour)
		r.take(t, pool, "thief-1", "10.0.0.0/24")
		r.take(t, pool, "thief-2", "10.0.1.0/25")
		yes, no := true, false
		in.Plan.Applying = &yes
		_, err := r.tryPlanSet(alice, in, "a /24", "b /24", "c /24")
		e := wantCode(t, err, ipam.CodeHoldLost)
		wantHolders(t, e, "thief-1", "thief-2")
		wantPointers(t, e, "/members/a/cidr", "/members/b/cidr")
		in.Plan.Applying = nil
		_, err = r.tryPlanSet(alice, in, "a /24", "b /24", "c /24")
		wantCode(t, err, ipam.CodeHoldLost)
		_, err = r.tryPlanSet(alice, in, "a /24", "b /24", "c /24") // told once, and now for want of room
		wantCode(t, err, ipam.CodePoolExhausted)
		in.Plan.Applying = &no
		fresh := r.planSet(t, in, "a /25", "c /24")
		if fresh.Members[1].CIDR != p.Members[2].CIDR {
			t.Errorf("c moved from %s to %s", p.Members[2].CIDR, fresh.Members[1].CIDR)
		}
	})
}

// After all promises ran out and were forgotten, a plan of the same set in the same pool says the same.
func TestAPlanOfASetDependsOnItsPoolAlone(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/20")
		r.take(t, pool, "x", "10.0.1.0/25")
		members := []string{"a /26", "b /25", "c /24", "d /26", "e /24", "f /27", "g /25", "h /28"}
		p := r.planSet(t, ipam.NewSetHolds{Pool: pool.ID}, members...)
		r.wait(ipam.HoldTTL + ipam.HoldMemory + time.Hour)
		if _, err := r.ForgetPlans(t.Context()); err != nil {
			t.Fatal(err)
		}
		if again := r.planSet(t, ipam.NewSetHolds{Pool: pool.ID}, members...); plannedBlocks(again) != plannedBlocks(p) {
			t.Errorf("first %s, then %s", plannedBlocks(p), plannedBlocks(again))
		}
	})
}

func TestNobodyElseTakesTheNameOfAMember(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("whose growth is planned", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/20")
			s := r.set(t, pool, "net", "a /24")
			r.planSet(t, ipam.NewSetHolds{Updates: s.ID}, "a /23")
			_, err := r.try(pool, "net/a", "/23")
			wantCode(t, err, ipam.CodeNameTaken)
			_, err = r.trySet(pool, "net", "a /23")
			wantCode(t, err, ipam.CodeNameTaken)
			wantBlocks(t, r.reshape(t, s, "a /23"), "a=10.0.2.0/23")
		})
		t.Run("by replacing it alone", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/20")
			s := r.set(t, pool, "net", "a /24")
			_, err := r.tryHold(alice, pool.ID, "net/a", "/23", func(in *ipam.NewHold) { in.Replaces = r.member(t, s, "a").ID })
			wantCode(t, err, ipam.CodeNameTaken)
		})
	})
}

func TestTheHoldForAMemberIsNotInTheWayOfItsGrowth(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		s := r.set(t, r.root(t, "10.0.0.0/22"), "net", "a /24")
		r.planSet(t, ipam.NewSetHolds{Updates: s.ID}, "a /23")
		wantBlocks(t, r.reshape(t, s, "a 10.0.0.0/22"), "a=10.0.0.0/22")
	})
}

func TestASetWithoutMembersHasAName(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		s := r.set(t, r.root(t, "10.0.0.0/22"), "net")
		_, err := r.tryChange(s, ipam.AllocationSetPatch{Name: new("no name!")})
		wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/name")
	})
}

func TestAPlanOfAnUpdateIsAnsweredAgainWhenTheSetIsGone(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		s := r.set(t, r.root(t, "10.0.0.0/22"), "net", "a /24")
		by := alice
		by.Retry = &ipam.Retry{Key: "plan-" + s.ID}
		first, err := r.tryPlanSet(by, ipam.NewSetHolds{Updates: s.ID}, "a /24", "b /24")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.ReleaseSet(t.Context(), alice, s.ID, ipam.Match{}); err != nil {
			t.Fatal(err)
		}
		again, err := r.tryPlanSet(by, ipam.NewSetHolds{Updates: s.ID}, "a /24", "b /24")
		if err != nil || plannedBlocks(again) != plannedBlocks(first) {
			t.Errorf("first %s, then %s, %v", plannedBlocks(first), plannedBlocks(again), err)
		}
	})
}
