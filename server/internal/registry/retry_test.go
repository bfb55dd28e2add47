package registry_test

import (
	"crypto/sha256"
	"encoding/json"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// keyed is alice's request under an Idempotency-Key.
func keyed(key, request string) ipam.Caller {
	return ipam.Caller{Principal: alice.Principal, Rights: ipam.AllRights, RequestID: "req", Retry: &ipam.Retry{Key: key, Fingerprint: sha256.Sum256([]byte(request))}}
}

func TestARetryHasOneEffect(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		root := r.root(t, "10.0.0.0/16")
		kid, kept := r.child(t, root, "kid", "/24"), r.child(t, root, "kept", "/24")
		gone, a := r.take(t, kept, "gone", "/28"), r.take(t, kept, "a", "/28")
		scope := r.scope(t)
		reserved, unreserved := r.reserve(t, kept, "kept", "/28"), r.reserve(t, kept, "given up", "/28")
		one, two := r.account(t, "aws", "111111111111"), r.account(t, "aws", "222222222222")
		for name, request := range map[string]func(ipam.Caller) (any, error){
			"create a scope": func(by ipam.Caller) (any, error) {
				return r.CreateScope(t.Context(), by, ipam.Scope{ID: "retried"})
			},
			"change a scope": func(by ipam.Caller) (any, error) {
				return r.UpdateScope(t.Context(), by, ipam.DefaultScope, r.atScope(t, ipam.DefaultScope, 1), ipam.ScopePatch{Description: ptr("x")})
			},
			"delete a scope": func(by ipam.Caller) (any, error) {
				return nil, r.DeleteScope(t.Context(), by, scope, r.atScope(t, scope, 1))
			},
			"create a root pool": func(by ipam.Caller) (any, error) {
				return r.CreatePool(t.Context(), by, ipam.NewPool{Scope: root.Scope, Name: "six", CIDR: r.cidr("2001:db8::/32")})
			},
			"create a child pool": func(by ipam.Caller) (any, error) {
				return r.CreatePool(t.Context(), by, ipam.NewPool{Scope: root.Scope, Parent: root.ID, Name: "new", Length: ptr(24)})
			},
			"change a pool": func(by ipam.Caller) (any, error) {
				return r.UpdatePool(t.Context(), by, root.ID, at(root, 1), ipam.PoolPatch{DetailsPatch: ipam.DetailsPatch{Owner: ptr("net")}})
			},
			"delete a pool": func(by ipam.Caller) (any, error) {
				return nil, r.DeletePool(t.Context(), by, kid.ID, at(kid, 1))
			},
			"allocate": func(by ipam.Caller) (any, error) {
				return r.Allocate(t.Context(), by, ipam.NewAllocation{Pool: kept.ID, Name: "retried", BlockSize: ipam.BlockSize{Length: ptr(28)}, Details: ipam.Details{Labels: ipam.Labels{"k": "v"}}})
			},
			"change an allocation": func(by ipam.Caller) (any, error) {
				return r.UpdateAllocation(t.Context(), by, a.ID, at(a, 1), ipam.AllocationPatch{DetailsPatch: ipam.DetailsPatch{Owner: ptr("net")}})
			},
			"reserve": func(by ipam.Caller) (any, error) {
				return r.Reserve(t.Context(), by, ipam.NewReservation{Pool: kept.ID, Reason: "retried", Length: ptr(28), ExpiresAt: ptr(clock.Add(time.Hour))})
			},
			"change a reservation": func(by ipam.Caller) (any, error) {
				return r.UpdateReservation(t.Context(), by, reserved.ID, at(reserved, 1), ipam.ReservationPatch{Owner: ptr("net")})
			},
			"release a reservation": func(by ipam.Caller) (any, error) {
				return nil, r.ReleaseReservation(t.Context(), by, unreserved.ID, ipam.Match{})
			},
			"create an account": func(by ipam.Caller) (any, error) {
				return r.CreateAccount(t.Context(), by, ipam.Account{Cloud: ipam.AWS, ExternalID: "333333333333", Name: "retried"})
			},
			"change an account": func(by ipam.Caller) (any, error) {
				return r.UpdateAccount(t.Context(), by, one.ID, at(one, 1), ipam.AccountPatch{Owner: ptr("net")})
			},
			"delete an account": func(by ipam.Caller) (any, error) {
				return nil, r.DeleteAccount(t.Context(), by, two.ID, at(two, 1))
			},
			"release": func(by ipam.Caller) (any, error) {
				return nil, r.Release(t.Context(), by, gone.ID, ipam.Match{})
			},
		} {
			t.Run(name, func(t *testing.T) {
				key := "key " + name
				first := keyed(key, "this")
				answer, err := request(first)
				if err != nil || first.Retry.Replayed {
					t.Fatal(err, first.Retry.Replayed)
				}
				second := keyed(key, "this")
				again, err := request(second)
				if err != nil || !second.Retry.Replayed {
					t.Fatal(err, second.Retry.Replayed)
				}
				one, _ := json.Marshal(answer)
				two, _ := json.Marshal(again)
				if string(one) != string(two) {
					t.Errorf("first %s\nagain %s", one, two)
				}
				_, err = request(keyed(key, "another"))
				wantCode(t, err, ipam.CodeIdempotencyMismatch)
			})
		}
	})
}

func TestARetryLeavesNoEvent(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/24")
		ask := func() {
			if _, err := r.Allocate(t.Context(), keyed("k", "x"), ipam.NewAllocation{Pool: pool.ID, Name: "a", BlockSize: ipam.BlockSize{Length: ptr(28)}}); err != nil {
				t.Fatal(err)
			}
		}
		ask()
		before := r.eventCount(t)
		ask()
		if after := r.eventCount(t); after != before {
			t.Errorf("the retry left %d events", after-before)
		}
	})
}

func TestKeysBelongToTheirCaller(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/24")
		mine, theirs := keyed("k", "x"), keyed("k", "y")
		theirs.Principal = bob.Principal
		for name, by := range map[string]ipam.Caller{"a": mine, "b": theirs} {
			if _, err := r.Allocate(t.Context(), by, ipam.NewAllocation{Pool: pool.ID, Name: name, BlockSize: ipam.BlockSize{Length: ptr(28)}}); err != nil || by.Retry.Replayed {
				t.Errorf("%s: %v, replayed %v", by, err, by.Retry.Replayed)
			}
		}
	})
}

func TestARefusalIsNotRemembered(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/28")
		a := r.take(t, pool, "a", "/28")
		by := keyed("k", "x")
		ask := ipam.NewAllocation{Pool: pool.ID, Name: "b", BlockSize: ipam.BlockSize{Length: ptr(28)}}
		_, err := r.Allocate(t.Context(), by, ask)
		wantCode(t, err, ipam.CodePoolExhausted)
		r.release(t, a)
		if _, err := r.Allocate(t.Context(), by, ask); err != nil || by.Retry.Replayed {
			t.Errorf("after room was made: %v, replayed %v", err, by.Retry.Replayed)
		}
	})
}

func TestARetriedChangeIsAnsweredThoughItsObjectIsGone(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/16")
		a := r.take(t, pool, "a", "/24")
		by := keyed("change a", "this")
		changed, err := r.UpdateAllocation(t.Context(), by, a.ID, at(a, 1), ipam.AllocationPatch{DetailsPatch: ipam.DetailsPatch{Owner: ptr("net")}})
		if err != nil {
			t.Fatal(err)
		}
		r.release(t, a)
		again, err := r.UpdateAllocation(t.Context(), by, a.ID, at(a, 1), ipam.AllocationPatch{DetailsPatch: ipam.DetailsPatch{Owner: ptr("net")}})
		if err != nil || again.Owner != changed.Owner || !by.Retry.Replayed {
			t.Errorf("got %+v, %v, replayed %v", again, err, by.Retry.Replayed)
		}
		_, err = r.UpdateAllocation(t.Context(), alice, a.ID, at(a, 1), ipam.AllocationPatch{DetailsPatch: ipam.DetailsPatch{Owner: ptr("net")}})
		wantCode(t, err, ipam.CodeNotFound)
	})
}
