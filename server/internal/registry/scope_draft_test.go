package registry_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// inNewScope drafts the root pool of a scope that the same plan creates.
func (r lab) inNewScope(scope, cidr string) (ipam.Pool, error) {
	return r.DraftPool(context.Background(), alice, ipam.NewPool{Scope: scope, Name: "root", CIDR: netip.MustParsePrefix(cidr)}, ipam.Plan{NewScope: true})
}

func TestAPoolIsDraftedInAScopeOfTheSamePlan(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		root, err := r.inNewScope("blue", "10.0.0.0/8")
		if err != nil {
			t.Fatal(err)
		}
		child, err := r.DraftPool(t.Context(), alice, ipam.NewPool{Scope: "blue", Name: "vpc", Parent: root.ID, Length: new(16)}, ipam.Plan{})
		if err != nil {
			t.Fatal(err)
		}
		held := r.hold(t, child, "app", "/24")

		// Nobody else sees the scope, and nothing real stands in it.
		_, err = r.Scope(t.Context(), "blue")
		wantCode(t, err, ipam.CodeNotFound)
		if scopes, err := r.Scopes(t.Context(), ipam.Page{Limit: 100}); err != nil || len(scopes) != 1 {
			t.Errorf("scopes: %v, %v", scopes, err)
		}
		_, _, err = r.Tree(t.Context(), "blue")
		wantCode(t, err, ipam.CodeNotFound)
		_, err = r.UpdateScope(t.Context(), alice, "blue", r.atScope(t, "blue", 1), ipam.ScopePatch{})
		wantCode(t, err, ipam.CodeNotFound)
		wantCode(t, r.DeleteScope(t.Context(), alice, "blue", r.atScope(t, "blue", 1)), ipam.CodeNotFound)
		_, err = r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: "blue", Name: "root", CIDR: netip.MustParsePrefix("10.0.0.0/8")})
		wantCode(t, err, ipam.CodeInvalid)
		_, err = r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: "blue", Name: "other", CIDR: netip.MustParsePrefix("172.16.0.0/12")})
		wantCode(t, err, ipam.CodeInvalid)
		_, err = r.CreateAccount(t.Context(), alice, ipam.Account{Scope: "blue", Cloud: "aws", ExternalID: "123456789012", Name: "a"})
		wantCode(t, err, ipam.CodeInvalid)

		// The apply makes all of it real, with what was promised.
		if _, err := r.CreateScope(t.Context(), alice, ipam.Scope{ID: "blue", Description: "ours"}); err != nil {
			t.Fatal(err)
		}
		if s, err := r.Scope(t.Context(), "blue"); err != nil || s.Description != "ours" || s.DraftUntil != nil {
			t.Errorf("created %+v, %v", s, err)
		}
		if _, err := r.inNewScope("blue", "10.0.0.0/8"); err != nil { // ModifyPlan once more, during the apply
			t.Fatal(err)
		}
		for _, in := range []ipam.NewPool{{Scope: "blue", Name: "root", CIDR: netip.MustParsePrefix("10.0.0.0/8")}, {Scope: "blue", Name: "vpc", Parent: root.ID, Length: new(16)}} {
			if _, err := r.CreatePool(t.Context(), alice, in); err != nil {
				t.Fatal(err)
			}
		}
		made, err := r.Allocate(t.Context(), alice, ipam.NewAllocation{Pool: child.ID, Name: "app", BlockSize: ipam.BlockSize{CIDR: held.CIDR}})
		if err != nil {
			t.Fatal(err)
		}
		wantCIDR(t, "app", made.CIDR, held.CIDR.String())
		_, err = r.CreateScope(t.Context(), alice, ipam.Scope{ID: "blue"})
		wantCode(t, err, ipam.CodeNameTaken)
	})
}

func TestADraftScopeIsForgottenAfterItsPools(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		if _, err := r.inNewScope("blue", "10.0.0.0/8"); err != nil {
			t.Fatal(err)
		}
		r.wait(47 * time.Hour)
		if _, err := r.inNewScope("blue", "10.0.0.0/8"); err != nil { // renewed: another day for both
			t.Fatal(err)
		}
		r.wait(47 * time.Hour)
		if n, err := r.ForgetPlans(t.Context()); err != nil || n != 0 {
			t.Fatalf("forgot %d, %v", n, err)
		}
		r.wait(2 * time.Hour)
		if n, err := r.ForgetPlans(t.Context()); err != nil || n != 1 {
			t.Fatalf("forgot %d, %v", n, err)
		}
		if e := r.events(t, "blue")[0]; e.Action != "scope.draft_dropped" {
			t.Errorf("last event %s", e.Action)
		}
	})
}

func TestOnlyAPlanThatCreatesTheScopeDraftsInOneThatIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		_, err := r.DraftPool(t.Context(), alice, ipam.NewPool{Scope: "blu", Name: "root", CIDR: netip.MustParsePrefix("10.0.0.0/8")}, ipam.Plan{})
		wantCode(t, err, ipam.CodeInvalid)
	})
}

// Many plans of one new scope, and its creation, meet: whoever is first, there is one scope and every answer is one of a plan's.
func TestAScopeIsDraftedAndCreatedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		outcomes := together(12, func(i int) error {
			if i == 0 {
				_, err := r.CreateScope(context.Background(), alice, ipam.Scope{ID: "blue"})
				return err
			}
			_, err := r.inNewScope("blue", "10.0.0.0/8")
			return err
		})
		wantOutcomes(t, outcomes, map[ipam.Code]int{"": 12})
		if _, err := r.Scope(t.Context(), "blue"); err != nil {
			t.Error(err)
		}
	})
}
