package registry_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func (r lab) rename(t *testing.T, p ipam.Pool, name string) ipam.Pool {
	t.Helper()
	renamed, err := r.UpdatePool(t.Context(), alice, p.ID, ipam.Exactly(p.ETag()), ipam.PoolPatch{Name: &name})
	if err != nil {
		t.Fatalf("rename %s to %s: %v", p.ID, name, err)
	}
	return renamed
}

func TestARenamedPoolKeepsAllThatIsInIt(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		scope := r.scope(t)
		root := r.rootIn(t, scope, "corp", "10.0.0.0/16")
		kid := r.child(t, root, "kid", "/20")
		a, gone := r.take(t, root, "a", "/24"), r.take(t, root, "gone", "/24")
		set := r.set(t, root, "net", "a /26", "b /27")
		held, err := r.tryHold(alice, root.ID, "planned", "/24")
		if err != nil {
			t.Fatal(err)
		}
		r.release(t, gone)
		free := fmt.Sprint(r.free(t, root))
		now := r.rename(t, root, "company")

		if now.UID != root.UID || now.Name != "company" || now.ID != ipam.PoolID(scope, "company") || now.CIDR != root.CIDR || now.Version != 2 {
			t.Errorf("renamed = %+v", now)
		}
		if b, err := r.Allocation(t.Context(), a.ID); err != nil || b.CIDR != a.CIDR || b.Pool != now.ID || b.PoolUID != root.UID || b.Version != a.Version {
			t.Errorf("an allocation in it is %+v, %v", b, err)
		}
		if s, err := r.AllocationSet(t.Context(), set.ID); err != nil || blocks(s) != blocks(set) || s.Pool != now.ID {
			t.Errorf("a set in it is %+v, %v", s, err)
		}
		if k, err := r.Pool(t.Context(), kid.ID); err != nil || k.Parent != now.ID || k.CIDR != kid.CIDR {
			t.Errorf("a child is %+v, %v", k, err)
		}
		if got := fmt.Sprint(r.free(t, now)); got != free {
			t.Errorf("free = %s, before %s", got, free)
		}
		if b := r.take(t, now, "gone", "/24"); b.CIDR != gone.CIDR {
			t.Errorf("what comes back gets %s, it had %s", b.CIDR, gone.CIDR)
		}
		if b := r.take(t, now, "planned", "/24"); b.CIDR != held.CIDR {
			t.Errorf("what was promised gets %s, promised was %s", b.CIDR, held.CIDR)
		}
		var actions []string
		for _, e := range r.events(t, string(root.UID)) {
			actions = append(actions, e.Action)
		}
		if !slices.Equal(actions, []string{"pool.updated", "pool.created"}) || len(r.events(t, now.ID)) != 2 || len(r.events(t, root.ID)) != 2 {
			t.Errorf("its history is %v, by its old name %d events", actions, len(r.events(t, root.ID)))
		}
	})
}

func TestANameThatWasLeftSaysTheNewOne(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		scope := r.scope(t)
		root := r.rootIn(t, scope, "corp", "10.0.0.0/16")
		now := r.rename(t, root, "company")
		for what, try := range map[string]func() error{
			"reading it":       func() error { _, err := r.Pool(t.Context(), root.ID); return err },
			"allocating in it": func() error { _, err := r.try(root, "a", "/24"); return err },
			"a child":          func() error { _, err := r.tryChild(root, "kid", "/24"); return err },
			"changing it":      func() error { _, err := r.resize(root, "/17"); return err },
			"deleting it":      func() error { return r.DeletePool(t.Context(), alice, root.ID, ipam.AnyVersion) },
			"how full it is":   func() error { _, _, err := r.Utilization(t.Context(), root.ID); return err },
			"its space":        func() error { _, err := r.Space(t.Context(), root.ID, ipam.Page{Limit: 1}); return err },
			"reserving in it": func() error {
				_, err := r.Reserve(t.Context(), alice, ipam.NewReservation{Pool: root.ID, Length: ptr(24), Reason: "x"})
				return err
			},
			"promising in it": func() error {
				_, err := r.Promise(t.Context(), alice, ipam.NewHold{Pool: root.ID, Name: "h", BlockSize: ipam.BlockSize{Length: ptr(24)}})
				return err
			},
			"a set of blocks in": func() error {
				_, err := r.AllocateSet(t.Context(), alice, ipam.NewAllocationSet{Pool: root.ID, Name: "s", SetSizes: ipam.SetSizes{Members: map[string]ipam.BlockSize{"a": {Length: ptr(24)}}}})
				return err
			},
		} {
			if e := wantCode(t, try(), ipam.CodeNotFound); !strings.Contains(e.Detail, fmt.Sprintf("%q is %q since", root.ID, now.ID)) {
				t.Errorf("%s: %s", what, e.Detail)
			}
		}
		other := r.rootIn(t, scope, "corp", "10.1.0.0/16")
		if other.UID == root.UID {
			t.Error("the new pool has the key of the old one")
		}
		if p, err := r.Pool(t.Context(), root.ID); err != nil || p.UID != other.UID {
			t.Errorf("the name is %+v, %v", p, err)
		}
		if p, err := r.Pool(t.Context(), string(root.UID)); err != nil || p.Name != "company" {
			t.Errorf("the uid is %+v, %v", p, err)
		}
		wantCode(t, errors.Join(func() error {
			_, err := r.UpdatePool(t.Context(), alice, now.ID, ipam.AnyVersion, ipam.PoolPatch{Name: ptr("corp")})
			return err
		}()), ipam.CodeNameTaken)
	})
}

func TestARenamedScopeTakesItsPoolsAlong(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		scope := r.scope(t)
		root := r.rootIn(t, scope, "corp", "10.0.0.0/16")
		a := r.take(t, root, "a", "/24")
		name := scope + "-new"
		s, err := r.UpdateScope(t.Context(), alice, scope, r.atScope(t, scope, 1), ipam.ScopePatch{Name: &name})
		if err != nil || s.ID != name {
			t.Fatal(s, err)
		}
		if b, err := r.Allocation(t.Context(), a.ID); err != nil || b.Scope != name || b.Pool != name+".corp" || b.CIDR != a.CIDR {
			t.Errorf("an allocation in it is %+v, %v", b, err)
		}
		_, err = r.Scope(t.Context(), scope)
		if e := wantCode(t, err, ipam.CodeNotFound); !strings.Contains(e.Detail, fmt.Sprintf("%q is %q since", scope, name)) {
			t.Error(e.Detail)
		}
		_, err = r.UpdateScope(t.Context(), alice, ipam.DefaultScope, ipam.AnyVersion, ipam.ScopePatch{Name: ptr("other")})
		wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/name")
	})
}

// A pool that is deleted and made anew is another one, whatever its name.
func TestAnETagFitsNoSuccessorOfTheSameName(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		scope := r.scope(t)
		old := r.rootIn(t, scope, "prod", "10.0.0.0/16")
		r.drop(t, old)
		r.rootIn(t, scope, "prod", "10.99.0.0/16")
		wantCode(t, r.DeletePool(t.Context(), alice, old.ID, ipam.Exactly(old.ETag())), ipam.CodePreconditionFailed)

		s := r.scope(t)
		was, err := r.Scope(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.DeleteScope(t.Context(), alice, s, ipam.Exactly(was.ETag())); err != nil {
			t.Fatal(err)
		}
		if _, err := r.CreateScope(t.Context(), alice, ipam.Scope{ID: s}); err != nil {
			t.Fatal(err)
		}
		_, err = r.UpdateScope(t.Context(), alice, s, ipam.Exactly(was.ETag()), ipam.ScopePatch{})
		wantCode(t, err, ipam.CodePreconditionFailed)
	})
}

// What a pool remembers of names comes back with its name, though the pool is another.
func TestAPoolMadeAnewInheritsWhatNamesHadInIt(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		scope := r.scope(t)
		root := r.rootIn(t, scope, "corp", "10.0.0.0/16")
		first, second := r.take(t, root, "a", "/24"), r.take(t, root, "b", "/24")
		r.release(t, first)
		r.release(t, second)
		r.drop(t, root)
		again := r.rootIn(t, scope, "corp", "10.0.0.0/16")
		if b := r.take(t, again, "b", "/24"); b.CIDR != second.CIDR {
			t.Errorf("b gets %s, it had %s", b.CIDR, second.CIDR)
		}
	})
}

func TestTokensOfOneNameAreTwoPrincipals(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		var who [2]ipam.Caller
		for i := range who {
			made, secret, err := r.CreateToken(t.Context(), alice, ipam.NewToken{Name: "ci", Bindings: []ipam.NewBinding{{Role: ipam.Admin}}})
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 { // names are unique among the living
				_, _, err := r.CreateToken(t.Context(), alice, ipam.NewToken{Name: "ci", Bindings: []ipam.NewBinding{{Role: ipam.Admin}}})
				wantCode(t, err, ipam.CodeNameTaken)
			}
			if who[i], err = r.Authenticate(t.Context(), netip.Addr{}, secret); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				if err := r.RevokeToken(t.Context(), alice, made.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		if who[0].UID == who[1].UID || who[0].String() != "token:ci" || who[1].String() != "token:ci" {
			t.Errorf("they are %+v", who)
		}
		pool := r.root(t, "10.0.0.0/24")
		for i, p := range who {
			by := keyed("the-same-key", fmt.Sprint(i))
			by.Principal = p.Principal
			if _, err := r.Allocate(t.Context(), by, ipam.NewAllocation{Pool: pool.ID, Name: fmt.Sprint("a", i), BlockSize: ipam.BlockSize{Length: ptr(28)}}); err != nil || by.Retry.Replayed {
				t.Errorf("token %d: %v, replayed %v", i, err, by.Retry.Replayed)
			}
		}
	})
}
