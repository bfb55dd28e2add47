package registry_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func TestAnAllocationEndsWithItsTime(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/24")
		end := r.now.Add(time.Hour)
		a, err := r.Allocate(t.Context(), alice, ipam.NewAllocation{Pool: pool.ID, Name: "a", BlockSize: ipam.BlockSize{Length: ptr(24)}, ExpiresAt: &end})
		if err != nil {
			t.Fatal(err)
		}
		sweep := func(want int64) {
			t.Helper()
			n, err := r.EndAllocations(t.Context())
			m, failed := r.EndQuarantines(t.Context())
			if n != want || m != 0 || err != nil || failed != nil {
				t.Fatalf("%d allocations and %d quarantines ended, want %d and 0: %v, %v", n, m, want, err, failed)
			}
		}
		_, err = r.Allocate(t.Context(), alice, ipam.NewAllocation{Pool: pool.ID, Name: "b", ExpiresAt: r.now})
		wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/expires_at")
		sweep(0)
		later := end.Add(time.Hour)
		if a, err = r.UpdateAllocation(t.Context(), alice, a.ID, ipam.AnyVersion, ipam.AllocationPatch{ExpiresAt: ptr(&later)}); err != nil {
			t.Fatal(err)
		}
		r.wait(time.Hour)
		sweep(0) // it was renewed
		r.wait(time.Hour)
		_, err = r.try(pool, "b", "/28")
		wantCode(t, err, ipam.CodePoolExhausted) // it stands until it is collected
		sweep(1)
		sweep(0)
		if got := r.actions(t, a.ID); !slices.Equal(got, []string{"allocation.created", "allocation.updated", "allocation.expired"}) {
			t.Errorf("the events are %v", got)
		}
		q := r.quarantine(t, a) // though its pool asks for none
		if q.Cause != ipam.CauseExpired || !q.Until.Equal(r.now.Add(ipam.LeastQuarantine)) {
			t.Errorf("%+v", q)
		}
		_, err = r.try(pool, "b", "/28")
		wantCode(t, err, ipam.CodePoolExhausted)
		back, err := r.Restore(t.Context(), alice, a.ID)
		if err != nil || back.ExpiresAt != nil {
			t.Fatalf("restored %+v, %v", back, err)
		}
		r.wait(time.Hour)
		sweep(0)
		if _, err := r.UpdateAllocation(t.Context(), alice, a.ID, ipam.AnyVersion, ipam.AllocationPatch{ExpiresAt: ptr(ptr(r.now.Add(time.Minute)))}); err != nil {
			t.Fatal(err)
		}
		r.wait(time.Minute)
		sweep(1)
		wantCIDR(t, "the same name", r.take(t, pool, "a", "/24").CIDR, a.CIDR.String())
	})
}
