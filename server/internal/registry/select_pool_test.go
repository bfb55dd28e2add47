package registry_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func byLabel(scope, name, want string) ipam.NewPool {
	in := ipam.NewPool{Selector: selecting(scope), Name: name}
	in.CIDR, in.Length = wanted(want)
	return in
}

func (r planner) draftByLabel(t tb, by ipam.Caller, scope, name, want string, plan ipam.Plan) ipam.Pool {
	t.Helper()
	p, err := r.DraftPool(context.Background(), by, byLabel(scope, name, want), plan)
	if err != nil {
		t.Fatalf("draft %s %s by label: %v", name, want, err)
	}
	return p
}

func TestAPoolFindsItsParentByLabels(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("in order, until one has room", func(t *testing.T) {
			a, b, c := r.three(t)
			for i, parent := range []ipam.Pool{a, b, c} {
				p, err := r.CreatePool(t.Context(), alice, byLabel(a.Scope, fmt.Sprintf("vpc%d", i), "/28"))
				if err != nil || p.ParentUID != parent.UID || p.CIDR != parent.CIDR {
					t.Errorf("pool %d is %s in %s, %v; want %s", i, p.CIDR, p.Parent, err, parent.ID)
				}
			}
			_, err := r.CreatePool(t.Context(), alice, byLabel(a.Scope, "more", "/28"))
			wantPointer(t, wantCode(t, err, ipam.CodePoolExhausted), "/pool_selector")
			_, err = r.CreatePool(t.Context(), alice, byLabel(a.Scope, "vpc0", "/28"))
			wantCode(t, err, ipam.CodeNameTaken)
		})
		t.Run("a plan is promised one, and finds it again", func(t *testing.T) {
			a, b, _ := r.three(t)
			r.take(t, a, "x", "/28") // a is full while it is planned, and not by then
			draft := r.draftByLabel(t, alice, a.Scope, "vpc", "/28", ipam.Plan{})
			if draft.ParentUID != b.UID {
				t.Fatalf("drafted in %s", draft.Parent)
			}
			r.release(t, r.only(t, a))
			if again := r.draftByLabel(t, alice, a.Scope, "vpc", "/28", ipam.Plan{}); again.ParentUID != b.UID || again.UID != draft.UID {
				t.Errorf("planned again in %s", again.Parent)
			}
			p, err := r.CreatePool(t.Context(), alice, byLabel(a.Scope, "vpc", "/28"))
			if err != nil || p.UID != draft.UID {
				t.Errorf("created %+v, %v", p, err)
			}
			r.drop(t, p)
			if p, err = r.CreatePool(t.Context(), alice, byLabel(a.Scope, "vpc", "/28")); err != nil || p.ParentUID != b.UID {
				t.Errorf("created anew in %s, %v", p.Parent, err)
			}
		})
		t.Run("what is excluded is another parent's", func(t *testing.T) {
			a, b, _ := r.three(t)
			r.draftByLabel(t, alice, a.Scope, "vpc", "/28", ipam.Plan{})
			in := byLabel(a.Scope, "vpc", "/28")
			in.Placing = without(a.CIDR.String())
			draft, err := r.DraftPool(t.Context(), alice, in, ipam.Plan{})
			if err != nil || draft.ParentUID != b.UID {
				t.Errorf("drafted in %s, %v", draft.Parent, err)
			}
		})
		t.Run("in what the same plan drafts, and nobody else", func(t *testing.T) {
			scope := r.scope(t)
			root := r.rootIn(t, scope, "root", "10.0.0.0/8")
			env, err := r.DraftPool(t.Context(), alice, ipam.NewPool{Scope: scope, Name: "env", Parent: root.ID, Length: ptr(16), Details: ipam.Details{Labels: ipam.Labels{"tier": "prd"}}}, ipam.Plan{})
			if err != nil {
				t.Fatal(err)
			}
			if draft := r.draftByLabel(t, alice, scope, "vpc", "/20", ipam.Plan{}); draft.ParentUID != env.UID {
				t.Errorf("drafted in %s", draft.Parent)
			}
			if again := r.draftByLabel(t, alice, scope, "vpc", "/20", ipam.Plan{}); again.ParentUID != env.UID {
				t.Errorf("drafted again in %s", again.Parent)
			}
			_, err = r.DraftPool(t.Context(), bob, byLabel(scope, "other", "/20"), ipam.Plan{})
			wantPointer(t, wantCode(t, err, ipam.CodeNotFound), "/pool_selector")
		})
		t.Run("never in itself", func(t *testing.T) {
			a, _, _ := r.three(t)
			in := byLabel(a.Scope, "0", "/28") // before all others, once it is drafted
			in.Labels = ipam.Labels{"tier": "prd"}
			for range 2 {
				if draft, err := r.DraftPool(t.Context(), alice, in, ipam.Plan{}); err != nil || draft.ParentUID != a.UID {
					t.Errorf("drafted in %s, %v", draft.Parent, err)
				}
			}
		})
		t.Run("a promise that is lost is told", func(t *testing.T) {
			a, _, _ := r.three(t)
			plan := ipam.Plan{ID: "one"}
			draft := r.draftByLabel(t, alice, a.Scope, "vpc", "/29", plan)
			if err := r.ReleaseDraft(t.Context(), alice, draft.ID); err != nil {
				t.Fatal(err)
			}
			r.take(t, a, "thief", draft.CIDR.String())
			_, err := r.DraftPool(t.Context(), alice, byLabel(a.Scope, "vpc", "/29"), plan)
			wantCode(t, err, ipam.CodeHoldLost)
			r.draftByLabel(t, alice, a.Scope, "vpc", "/29", ipam.Plan{ID: "two"})
		})
		t.Run("a parent or a selector, and one that means something", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			for pointer, change := range map[string]tweak{
				"/pool_selector":        func(in *ipam.NewPool) { in.Parent = root.ID },
				"/pool_selector/labels": func(in *ipam.NewPool) { in.Selector = &ipam.PoolSelector{Scope: root.Scope, Family: 4} },
				"/scope":                func(in *ipam.NewPool) { in.Scope = "default" },
				"/cidr":                 func(in *ipam.NewPool) { in.CIDR, in.Length = r.cidr("2001:db8::/48"), nil },
			} {
				in := byLabel(root.Scope, "vpc", "/16")
				change(&in)
				_, err := r.CreatePool(t.Context(), alice, in)
				wantPointer(t, wantCode(t, err, ipam.CodeInvalid), pointer)
				_, err = r.DraftPool(t.Context(), alice, in, ipam.Plan{})
				wantPointer(t, wantCode(t, err, ipam.CodeInvalid), pointer)
			}
		})
		t.Run("a draft that has run out promises another nothing", func(t *testing.T) {
			a, _, _ := r.three(t)
			r.draftByLabel(t, alice, a.Scope, "vpc", "/28", ipam.Plan{Holder: "blue"})
			_, err := r.DraftPool(t.Context(), alice, byLabel(a.Scope, "vpc", "/28"), ipam.Plan{Holder: "green"})
			if e := wantCode(t, err, ipam.CodeHoldConflict); !strings.Contains(e.Detail, "blue") {
				t.Error(e.Detail)
			}
			r.wait(25 * time.Hour)
			r.draftByLabel(t, alice, a.Scope, "vpc", "/28", ipam.Plan{Holder: "green"})
		})
	})
}

// Many at once for few parents: each block is promised once, and as many are served as there is room for.
func TestPoolsThatChooseAtOnceGetEachBlockOnce(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		a, _, _ := r.three(t)
		var wg sync.WaitGroup
		var mu sync.Mutex
		got, refused := map[string]bool{}, 0
		for i := range 9 { // three blocks of /28, each asked for by three plans of one name
			wg.Go(func() {
				p, err := r.DraftPool(context.Background(), alice, byLabel(a.Scope, fmt.Sprintf("vpc%d", i%4), "/28"), ipam.Plan{})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					got[p.Name+" "+p.CIDR.String()] = true
				case ipam.CodeOf(err) == ipam.CodePoolExhausted:
					refused++
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(got) != 3 || refused == 0 {
			t.Errorf("promised %v, refused %d", got, refused)
		}
	})
}
