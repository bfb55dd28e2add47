package registry_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func TestRestore(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24", keeps(week))
		t.Run("brings an allocation back with all that was said of it", func(t *testing.T) {
			a, err := r.Allocate(t.Context(), alice, ipam.NewAllocation{
				Pool: pool.ID, Name: "a", BlockSize: ipam.BlockSize{Length: ptr(28)}, Details: ipam.Details{Owner: "payments", Account: "aws:1", Region: "eu", Environment: "prod", Description: "d", Labels: ipam.Labels{"k": "v"}}, Purpose: "db",
			})
			if err != nil {
				t.Fatal(err)
			}
			r.release(t, a)
			r.wait(week + time.Hour) // nobody has taken it
			back, err := r.Restore(t.Context(), bob, a.ID)
			if err != nil {
				t.Fatal(err)
			}
			want := a
			want.Version, want.UpdatedAt = back.Version, back.UpdatedAt
			if got, err := r.Allocation(t.Context(), a.ID); err != nil || !sameJSON(t, back, want) || !sameJSON(t, got, back) || back.Version != a.Version+1 {
				t.Errorf("restored %+v, %v, want %+v", got, err, want)
			}
			if got := r.actions(t, a.ID); !slices.Equal(got, []string{"allocation.created", "allocation.released", "allocation.restored"}) {
				t.Errorf("the events are %v", got)
			}
			_, err = r.Restore(t.Context(), bob, a.ID)
			wantCode(t, err, ipam.CodePreconditionFailed)
		})
		t.Run("not when its name, or its block, is another's", func(t *testing.T) {
			b := r.take(t, pool, "b", "/28")
			r.release(t, b)
			other := r.take(t, pool, "b", "/29")
			_, err := r.Restore(t.Context(), alice, b.ID)
			wantCode(t, err, ipam.CodeNameTaken)
			r.release(t, other)
			if err := r.EndQuarantine(t.Context(), alice, r.quarantine(t, b).ID); err != nil {
				t.Fatal(err)
			}
			_, err = r.Restore(t.Context(), alice, b.ID)
			wantCode(t, err, ipam.CodeNotFound)
			_, err = r.Restore(t.Context(), alice, "alloc_0000000000000")
			wantCode(t, err, ipam.CodeNotFound)
		})
		t.Run("a member to its set, while that is there", func(t *testing.T) {
			set, err := r.AllocateSet(t.Context(), alice, ipam.NewAllocationSet{Pool: pool.ID, Name: "s", SetSizes: ipam.SetSizes{Members: map[string]ipam.BlockSize{"x": {Length: ptr(28)}, "y": {Length: ptr(28)}}}})
			if err != nil {
				t.Fatal(err)
			}
			x := set.Members[0].Allocation
			if err := r.Release(t.Context(), alice, x, ipam.Match{}); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Restore(t.Context(), alice, x); err != nil {
				t.Fatal(err)
			}
			again, err := r.AllocationSet(t.Context(), set.ID)
			if err != nil || len(again.Members) != 2 || again.Version != set.Version+2 {
				t.Errorf("the set is %+v, %v", again, err)
			}
			if err := r.ReleaseSet(t.Context(), alice, set.ID, ipam.Match{}); err != nil {
				t.Fatal(err)
			}
			alone, err := r.Restore(t.Context(), alice, x)
			if err != nil || alone.Set != "" || alone.Name != "s/x" {
				t.Errorf("%+v, %v", alone, err)
			}
		})
		t.Run("gives up what a plan holds of it", func(t *testing.T) {
			c := r.take(t, pool, "c", "/28")
			r.release(t, c)
			h := r.hold(t, pool, "c", "/28")
			if _, err := r.Restore(t.Context(), bob, c.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Hold(t.Context(), h.ID); ipam.CodeOf(err) != ipam.CodeNotFound {
				t.Errorf("the hold: %v", err)
			}
		})
	})
}
