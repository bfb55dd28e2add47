package registry_test

import (
	"context"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// renames says in a run what an allocation will be called.
func (r planner) renames(t tb, pool ipam.Pool, a ipam.Allocation, name, run string) {
	t.Helper()
	r.hold(t, pool, ipam.RenameHold(name), a.CIDR.String(), inRun(run), replacing(a.ID))
}

func (r planner) call(a ipam.Allocation, name string) error {
	now, err := r.Allocation(context.Background(), a.ID)
	if err != nil {
		return err
	}
	_, err = r.UpdateAllocation(context.Background(), alice, a.ID, ipam.Exactly(now.ETag()), ipam.AllocationPatch{Name: &name})
	return err
}

func (r planner) wantNames(t tb, want map[string]ipam.Allocation) {
	t.Helper()
	for name, was := range want {
		if now, err := r.Allocation(context.Background(), was.ID); err != nil || now.Name != name || now.CIDR != was.CIDR {
			t.Errorf("%s is %q %s, %v; want %q %s", was.ID, now.Name, now.CIDR, err, name, was.CIDR)
		}
	}
}

func TestNamesAreHandedOnInWhateverOrder(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("swapped", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			a, b := r.take(t, pool, "a", "/24"), r.take(t, pool, "b", "/24")
			wantCode(t, r.call(a, "b"), ipam.CodeNameTaken)
			r.renames(t, pool, a, "b", "1")
			wantCode(t, r.call(a, "b"), ipam.CodeNameTaken) // that of b is not planned
			r.renames(t, pool, b, "a", "1")
			for _, step := range []error{r.call(a, "b"), r.call(b, "a")} {
				if step != nil {
					t.Error(step)
				}
			}
			r.wantNames(t, map[string]ipam.Allocation{"b": a, "a": b})
		})
		t.Run("in a row", func(t *testing.T) {
			for _, first := range []int{0, 1, 2} {
				pool := r.root(t, "10.0.0.0/16")
				all := []ipam.Allocation{r.take(t, pool, "a", "/24"), r.take(t, pool, "b", "/24"), r.take(t, pool, "c", "/24")}
				to := []string{"b", "c", "d"}
				for i, a := range all {
					r.renames(t, pool, a, to[i], "1")
				}
				for i := range all {
					n := (first + i) % 3
					if err := r.call(all[n], to[n]); err != nil {
						t.Error(err)
					}
				}
				r.wantNames(t, map[string]ipam.Allocation{"b": all[0], "c": all[1], "d": all[2]})
			}
		})
		t.Run("to a new allocation", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			a := r.take(t, pool, "a", "/24")
			r.renames(t, pool, a, "old", "1")
			h := r.hold(t, pool, "a", "/24", inRun("1"))
			if h.CIDR == a.CIDR {
				t.Errorf("the new one is promised the block of the old one, %s", h.CIDR)
			}
			r.mustTry(t, pool, "a", h.CIDR.String())
			r.wantNames(t, map[string]ipam.Allocation{"old": a})
		})
		t.Run("from what is released", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			a, b := r.take(t, pool, "a", "/24"), r.take(t, pool, "b", "/24")
			r.hold(t, pool, ipam.LeavingHold(b.CIDR), b.CIDR.String(), replacing(b.ID))
			wantCode(t, r.call(a, "b"), ipam.CodeReleasePending)
			r.release(t, b)
			if err := r.call(a, "b"); err != nil {
				t.Error(err)
			}
		})
		t.Run("not from what nobody renames, nor by another's plan", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			a, b, c := r.take(t, pool, "a", "/24"), r.take(t, pool, "b", "/24"), r.take(t, pool, "c", "/24")
			r.renames(t, pool, a, "b", "1")
			r.renames(t, pool, b, "c", "1")
			wantCode(t, r.call(a, "b"), ipam.CodeNameTaken) // c keeps its name
			_, err := r.tryHold(bob, pool.ID, "b", "/24", func(in *ipam.NewHold) { in.Plan.Holder, in.Plan.Run = "other", "9" })
			wantCode(t, err, ipam.CodeNameTaken)
			r.wantNames(t, map[string]ipam.Allocation{"a": a, "b": b, "c": c})
			r.release(t, b)
			if err := r.call(a, "b"); err != nil {
				t.Error(err)
			}
		})
	})
}
