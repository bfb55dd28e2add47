package registry_test

import (
	"context"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// mallory may change whatever has the label team=payments, in every pool.
func (r lab) mallory(t tb) ipam.Caller {
	by := r.caller(t, "mallory")
	by.Rights = ipam.Rights{Need: ipam.Planner, Bindings: []ipam.Binding{{Role: ipam.Planner, Labels: ipam.Labels{"team": "payments"}}}}
	return by
}

// Whoever may change only some allocations of a pool changes no other, by whatever door.
func TestAnAllocationIsChangedByNobodyElse(t *testing.T) {
	payments := ipam.Labels{"team": "payments"}
	for name, door := range map[string]func(r planner, by ipam.Caller, pool ipam.Pool, app ipam.Allocation) error{
		"renamed": func(r planner, by ipam.Caller, _ ipam.Pool, app ipam.Allocation) error {
			return second(r.UpdateAllocation(context.Background(), by, app.ID, ipam.Exactly(app.ETag()), ipam.AllocationPatch{Name: ptr("mine")}))
		},
		"labelled as one's own": func(r planner, by ipam.Caller, _ ipam.Pool, app ipam.Allocation) error {
			return second(r.UpdateAllocation(context.Background(), by, app.ID, ipam.Exactly(app.ETag()), ipam.AllocationPatch{DetailsPatch: ipam.DetailsPatch{Labels: &payments}}))
		},
		"released": func(r planner, by ipam.Caller, _ ipam.Pool, app ipam.Allocation) error {
			return r.Release(context.Background(), by, app.ID, ipam.AnyVersion)
		},
		"replaced": func(r planner, by ipam.Caller, pool ipam.Pool, app ipam.Allocation) error {
			h, err := r.tryHold(by, pool.ID, "app", "/24", replacing(app.ID))
			if err != nil {
				return err
			}
			return second(r.Allocate(context.Background(), by, ipam.NewAllocation{Pool: pool.ID, Name: "app", BlockSize: ipam.BlockSize{CIDR: h.CIDR}, Details: ipam.Details{Labels: payments}}))
		},
		"made to hand its name on": func(r planner, by ipam.Caller, pool ipam.Pool, app ipam.Allocation) error {
			if _, err := r.tryHold(by, pool.ID, ipam.RenameHold("old"), app.CIDR.String(), inRun("1"), replacing(app.ID)); err != nil {
				return err
			}
			return second(r.Allocate(context.Background(), by, ipam.NewAllocation{Pool: pool.ID, Name: "app", BlockSize: ipam.BlockSize{Length: ptr(24)}, Details: ipam.Details{Labels: payments}}))
		},
		"adopted by a set": func(r planner, by ipam.Caller, pool ipam.Pool, app ipam.Allocation) error {
			if _, err := r.UpdateAllocation(context.Background(), alice, app.ID, ipam.AnyVersion, ipam.AllocationPatch{Name: ptr("net/x")}); err != nil {
				return err
			}
			return second(r.AllocateSet(context.Background(), by, ipam.NewAllocationSet{
				Pool: pool.ID, Name: "net", Details: ipam.Details{Labels: payments}, SetSizes: ofSizes("x " + app.CIDR.String()), Adopt: true,
			}))
		},
		"freed early": func(r planner, by ipam.Caller, _ ipam.Pool, app ipam.Allocation) error {
			if err := r.Release(context.Background(), alice, app.ID, ipam.AnyVersion); err != nil {
				return err
			}
			all, err := r.Quarantines(context.Background(), ipam.Everything, ipam.QuarantineFilter{Allocation: app.ID}, ipam.Page{Limit: 1})
			if err != nil || len(all) == 0 {
				return err
			}
			return r.EndQuarantine(context.Background(), by, all[0].ID)
		},
		"restored": func(r planner, by ipam.Caller, _ ipam.Pool, app ipam.Allocation) error {
			if err := r.Release(context.Background(), alice, app.ID, ipam.AnyVersion); err != nil {
				return err
			}
			return second(r.Restore(context.Background(), by, app.ID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachPlanner(t, func(t *testing.T, r planner) {
				by, pool := r.mallory(t), r.root(t, "10.0.0.0/16", keeps(wardKeeps))
				app, err := r.Allocate(t.Context(), alice, ipam.NewAllocation{Pool: pool.ID, Name: "app", BlockSize: ipam.BlockSize{Length: ptr(24)}, Details: ipam.Details{Labels: ipam.Labels{"team": "web"}}})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := r.Allocate(t.Context(), by, ipam.NewAllocation{Pool: pool.ID, Name: "own", BlockSize: ipam.BlockSize{Length: ptr(24)}, Details: ipam.Details{Labels: payments}}); err != nil {
					t.Fatalf("its own: %v", err)
				}
				wantCode(t, door(r, by, pool, app), ipam.CodeForbidden)
			})
		})
	}
}
