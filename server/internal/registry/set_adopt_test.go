package registry_test

import (
	"context"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func (r planner) tryAdopt(pool ipam.Pool, members ...string) (ipam.AllocationSet, error) {
	return r.AllocateSet(context.Background(), alice, ipam.NewAllocationSet{Pool: pool.ID, Name: "app", SetSizes: ofSizes(members...), Adopt: true, Details: ipam.Details{Owner: "ann", Labels: ipam.Labels{"of": "app"}}})
}

func TestASetAdoptsAllocations(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		adopt := func(pool ipam.Pool) ipam.NewSetHolds {
			return ipam.NewSetHolds{Pool: pool.ID, Name: "app", Adopt: true}
		}
		t.Run("in a full pool, as is planned", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			a, err := r.Allocate(t.Context(), alice, ipam.NewAllocation{Pool: pool.ID, Name: "app/a", BlockSize: ipam.BlockSize{Length: ptr(25)}, Details: ipam.Details{Owner: "bob", Labels: ipam.Labels{"of": "a", "mine": "1"}}, Purpose: "web"})
			if err != nil {
				t.Fatal(err)
			}
			b := r.take(t, pool, "app/b", "/26")
			p := r.planSet(t, adopt(pool), "a /25", "b /26", "c /26")
			if again := r.planSet(t, adopt(pool), "a /25", "b /26", "c /26"); plannedBlocks(again) != plannedBlocks(p) {
				t.Errorf("first %s, then %s", plannedBlocks(p), plannedBlocks(again))
			}
			if p.Members[0].Allocation != a.ID || p.Members[1].Allocation != b.ID || p.Members[2].Allocation != "" {
				t.Errorf("planned %+v", p)
			}
			s, err := r.tryAdopt(pool, "a 10.0.0.0/25", "b 10.0.0.128/26", "c 10.0.0.192/26")
			if err != nil || strings.ReplaceAll(plannedBlocks(p), "*", "") != blocks(s) || idsBy(s, "a", "b") != a.ID+" "+b.ID {
				t.Fatalf("planned %s, made %+v, %v", plannedBlocks(p), s, err)
			}
			if now := r.member(t, s, "a"); now.Owner != "ann" || now.Purpose != "web" || now.Labels["of"] != "app" || now.Labels["mine"] != "1" || now.Version != 2 || now.Set != s.ID || now.SetKey != "a" {
				t.Errorf("%+v", now)
			}
			if got := strings.Join(r.actions(t, a.ID), " "); got != "allocation.created allocation.updated" {
				t.Errorf("events: %s", got)
			}
			holds, err := r.Holds(t.Context(), ipam.HoldFilter{Pool: pool.ID}, ipam.Page{Limit: 10})
			if err != nil || len(holds) != 0 {
				t.Errorf("holds left: %v, %v", holds, err)
			}
			r.releaseSet(t, s)
		})
		t.Run("by sizes alone, and not what it does not ask for", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			a, other := r.take(t, pool, "app/a", "/26"), r.take(t, pool, "app/other", "/26")
			s, err := r.tryAdopt(pool, "a /26")
			if err != nil || idsBy(s, "a") != a.ID || len(s.Members) != 1 {
				t.Fatalf("%+v, %v", s, err)
			}
			if left, err := r.Allocation(t.Context(), other.ID); err != nil || left.Set != "" {
				t.Errorf("%+v, %v", left, err)
			}
			// New members of it, later.
			in := adopt(pool)
			in.Pool, in.Updates = "", s.ID
			p := r.planSet(t, in, "a /26", "other /26", "new /26")
			after, err := r.tryChange(s, ipam.AllocationSetPatch{Adopt: true, SetSizes: ofSizes("a /26", "new /26", "other /26")})
			if err != nil || blocks(after) != strings.ReplaceAll(plannedBlocks(p), "*", "") || idsBy(after, "a", "other") != a.ID+" "+other.ID {
				t.Errorf("%+v, %v, planned %+v", after, err, p)
			}
		})
		t.Run("only where it says so", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.take(t, pool, "app/a", "/26")
			_, err := r.trySet(pool, "app", "a /26")
			wantPointers(t, wantCode(t, err, ipam.CodeNameTaken), "/members/a")
			_, err = r.tryPlanSet(alice, ipam.NewSetHolds{Pool: pool.ID, Name: "app"}, "a /26")
			wantPointers(t, wantCode(t, err, ipam.CodeNameTaken), "/members/a")
		})
		t.Run("never another block", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			a := r.take(t, pool, "app/a", "/26")
			for _, c := range []struct{ member, says string }{
				{"a /25", `the allocation "app/a", ` + a.ID + `, is 10.0.0.0/26 and the set asks for a /25`},
				{"a /27", `the set asks for a /27`},
				{"a 10.0.0.64/26", `is 10.0.0.0/26 and the set asks for 10.0.0.64/26`},
			} {
				_, made := r.tryAdopt(pool, c.member, "b /26")
				_, planned := r.tryPlanSet(alice, adopt(pool), c.member, "b /26")
				for _, err := range []error{made, planned} {
					e := wantCode(t, err, ipam.CodeNameTaken)
					if wantPointers(t, e, "/members/a"); !strings.Contains(e.Detail, c.says) {
						t.Errorf("%s: %s", c.member, e.Detail)
					}
				}
			}
			if left := r.only(t, pool); left.ID != a.ID || left.Set != "" || left.Version != 1 {
				t.Errorf("%+v", left)
			}
		})
		t.Run("never a member of a set", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			old := r.set(t, pool, "app", "a /26")
			_, err := r.tryAdopt(pool, "a /26")
			wantCode(t, err, ipam.CodeNameTaken)
			// A replacement of the set adopts nothing of it.
			in := adopt(pool)
			in.Replaces = old.ID
			p := r.planSet(t, in, "a /26")
			if p.Members[0].Allocation != "" {
				t.Errorf("planned %+v", p)
			}
			r.releaseSet(t, old)
			s, err := r.tryAdopt(pool, "a "+p.Members[0].CIDR.String())
			if err != nil || idsBy(s, "a") == idsBy(old, "a") {
				t.Errorf("%+v, %v", s, err)
			}
		})
		t.Run("nor what it would have to look for", func(t *testing.T) {
			in := ipam.NewAllocationSet{Selector: &ipam.PoolSelector{Family: 4, Labels: ipam.Labels{"k": "v"}}, Name: "app", SetSizes: ofSizes("a /26"), Adopt: true}
			_, err := r.AllocateSet(t.Context(), alice, in)
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/adopt")
		})
		t.Run("one released before the apply is told of, and its block is kept", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			a := r.take(t, pool, "app/a", "/24")
			r.planSet(t, adopt(pool), "a /24")
			r.release(t, a)
			wantCode(t, second(r.try(pool, "thief", "/26")), ipam.CodePoolExhausted)
			applies := adopt(pool)
			applies.Plan.Applying = ptr(true)
			e := wantCode(t, second(r.tryPlanSet(alice, applies, "a /24")), ipam.CodeHoldLost)
			if !strings.Contains(e.Detail, `which the set was to adopt as "app/a", has been released; plan again`) {
				t.Error(e.Detail)
			}
			p := r.planSet(t, adopt(pool), "a /24")
			wantCIDR(t, "planned anew", p.Members[0].CIDR, "10.0.0.0/24")
			again, err := r.tryPlanSet(alice, applies, "a /24")
			if err != nil || plannedBlocks(again) != plannedBlocks(p) {
				t.Errorf("%+v, %v", again, err)
			}
			if _, err := r.tryAdopt(pool, "a 10.0.0.0/24"); err != nil {
				t.Error(err)
			}
		})
		t.Run("a plan that is thrown away leaves it as it was", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			a := r.take(t, pool, "app/a", "/25")
			r.planSet(t, adopt(pool), "a /25")
			if _, err := r.regrow(a, "10.0.0.0/24"); err != nil {
				t.Fatal(err)
			}
			p := r.planSet(t, adopt(pool), "a /24")
			if p.Members[0].Allocation != a.ID || p.Members[0].CIDR.String() != "10.0.0.0/24" {
				t.Errorf("%+v", p)
			}
			r.release(t, r.only(t, pool))
		})
	})
}
