package registry_test

import (
	"encoding/json"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func TestEveryChangeHasOneEvent(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		root := r.root(t, "10.0.0.0/16")
		pool := r.child(t, root, "kid", "/24")
		a := r.take(t, pool, "a", "/28")
		scope, err := r.Scope(t.Context(), root.Scope)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			action, object string
			change         func() error
		}{
			{"allocation.updated", a.ID, func() error {
				_, err := r.UpdateAllocation(t.Context(), alice, a.ID, at(a, 1), ipam.AllocationPatch{Name: ptr("b"), DetailsPatch: ipam.DetailsPatch{Owner: ptr("net")}})
				return err
			}},
			{"allocation.released", a.ID, func() error { return r.Release(t.Context(), alice, a.ID, at(a, 2)) }},
			{"pool.updated", pool.ID, func() error { _, err := r.resize(pool, "/23"); return err }},
			{"pool.deleted", pool.ID, func() error { return r.DeletePool(t.Context(), alice, pool.ID, at(pool, 2)) }},
			{"pool.created", pool.ID, func() error { _, err := r.tryChild(root, "kid", "/24"); return err }},
			{"pool.deleted", pool.ID, func() error {
				again, err := r.Pool(t.Context(), pool.ID)
				if err != nil {
					return err
				}
				return r.DeletePool(t.Context(), alice, pool.ID, at(again, 1))
			}},
			{"pool.deleted", root.ID, func() error { return r.DeletePool(t.Context(), alice, root.ID, at(root, 1)) }},
			{"scope.updated", scope.ID, func() error {
				_, err := r.UpdateScope(t.Context(), alice, scope.ID, at(scope, 1), ipam.ScopePatch{Description: ptr("new")})
				return err
			}},
			{"scope.deleted", scope.ID, func() error { return r.DeleteScope(t.Context(), alice, scope.ID, at(scope, 2)) }},
		} {
			before := r.eventCount(t)
			if err := step.change(); err != nil {
				t.Fatal(step.action, err)
			}
			if after := r.eventCount(t); after != before+1 {
				t.Errorf("%s: %d events, want one", step.action, after-before)
			}
			e := r.events(t, step.object)[0]
			if e.Action != step.action || e.Actor != alice.String() || e.RequestID != alice.RequestID || !e.At.Equal(clock) || e.Scope != scope.ID {
				t.Errorf("%s: event = %+v", step.action, e)
			}
		}
	})
}

func TestAnEventHasTheStateBeforeAndAfter(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/16")
		a := r.take(t, pool, "a", "/28")
		if _, err := r.UpdateAllocation(t.Context(), alice, a.ID, at(a, 1), ipam.AllocationPatch{DetailsPatch: ipam.DetailsPatch{Owner: ptr("net")}}); err != nil {
			t.Fatal(err)
		}
		if err := r.Release(t.Context(), alice, a.ID, at(a, 2)); err != nil {
			t.Fatal(err)
		}
		state := func(raw json.RawMessage) (got struct {
			CIDR, Owner string
			Version     int
		},
		) {
			if raw != nil {
				if err := json.Unmarshal(raw, &got); err != nil {
					t.Fatal(err)
				}
			}
			return got
		}
		events := r.events(t, a.ID) // the newest first
		if len(events) != 3 || events[2].Before != nil || events[0].After != nil {
			t.Fatalf("%d events: %+v", len(events), events)
		}
		if got := state(events[2].After); got.CIDR != "10.0.0.0/28" || got.Owner != "" || got.Version != 1 {
			t.Errorf("created: %+v", got)
		}
		if got := state(events[1].Before); got != state(events[2].After) {
			t.Errorf("updated from %+v", got)
		}
		if got := state(events[1].After); got.Owner != "net" || got.Version != 2 || got != state(events[0].Before) {
			t.Errorf("updated to %+v, released %+v", got, state(events[0].Before))
		}
	})
}

func TestARefusedChangeHasNoEvent(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/28")
		a := r.take(t, pool, "a", "/28")
		before := r.eventCount(t)
		_, exhausted := r.try(pool, "b", "/32")
		wantCode(t, exhausted, ipam.CodePoolExhausted)
		_, named := r.try(pool, "a", "/28")
		wantCode(t, named, ipam.CodeNameTaken)
		wantCode(t, r.DeletePool(t.Context(), alice, pool.ID, at(pool, 1)), ipam.CodePoolNotEmpty)
		wantCode(t, r.Release(t.Context(), alice, a.ID, at(a, 9)), ipam.CodePreconditionFailed)
		if after := r.eventCount(t); after != before {
			t.Errorf("%d events of what did not happen", after-before)
		}
	})
}

func TestRename(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/24")
		a, b := r.take(t, pool, "a", "/28"), r.take(t, pool, "b", "/28")
		rename := func(id string, version int64, to string) (ipam.Allocation, error) {
			return r.UpdateAllocation(t.Context(), alice, id, r.atScope(t, id, 1), ipam.AllocationPatch{Name: &to})
		}
		_, err := rename(a.ID, 1, b.Name)
		wantHolders(t, wantCode(t, err, ipam.CodeNameTaken), "b")
		_, err = rename(a.ID, 1, "no spaces")
		wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/name")
		renamed, err := rename(a.ID, 1, "c")
		if err != nil || renamed.CIDR != a.CIDR || renamed.Version != 2 {
			t.Fatalf("renamed = %+v, %v", renamed, err)
		}
		_, err = r.try(pool, "x", "10.0.0.0/28")
		wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "c")
		wantCIDR(t, "the old name", r.take(t, pool, "a", "/28").CIDR, "10.0.0.32/28")
	})
}
