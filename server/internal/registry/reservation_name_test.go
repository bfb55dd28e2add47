package registry_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// reserveAs reserves under a name, which is its reason too.
func (r lab) reserveAs(pool ipam.Pool, name, want string, ends ...time.Time) (ipam.Reservation, error) {
	in := ipam.NewReservation{Pool: pool.ID, Name: name, Reason: "for " + name}
	in.CIDR, in.Length = wanted(want)
	if len(ends) > 0 {
		in.ExpiresAt = &ends[0]
	}
	return r.Reserve(context.Background(), alice, in)
}

func (r lab) named(t tb, pool ipam.Pool, name, want string, ends ...time.Time) ipam.Reservation {
	t.Helper()
	v, err := r.reserveAs(pool, name, want, ends...)
	if err != nil {
		t.Fatalf("reserve %s %s in %s: %v", name, want, pool.ID, err)
	}
	return v
}

const mergerHold = "reservation:merger"

func TestAReservationIsPromisedByItsName(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("a size, whatever is placed in between, and past the pool's size rules", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16", sizes(20, 26, 24))
			h := r.hold(t, pool, mergerHold, "/18")
			r.take(t, pool, "x", "")
			if again := r.hold(t, pool, mergerHold, "/18"); again.ID != h.ID || again.CIDR != h.CIDR {
				t.Errorf("first %+v, then %+v", h, again)
			}
			v := r.named(t, pool, "merger", h.CIDR.String())
			if v.CIDR != h.CIDR || v.Name != "merger" {
				t.Errorf("promised %s, made %+v", h.CIDR, v)
			}
			_, err := r.Hold(t.Context(), h.ID)
			wantCode(t, err, ipam.CodeNotFound)
			read, err := r.Reservation(t.Context(), v.ID)
			if err != nil || read.Name != "merger" {
				t.Errorf("%+v, %v", read, err)
			}
		})
		t.Run("by its size alone the reservation gets the block too", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			h := r.hold(t, pool, mergerHold, "/18")
			r.take(t, pool, "x", "/18")
			wantCIDR(t, "the reservation", r.named(t, pool, "merger", "/18").CIDR, h.CIDR.String())
		})
		t.Run("lost, a size is told once and a CIDR finds what is there", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/23")
			r.hold(t, pool, mergerHold, "/24")
			r.wait(25 * time.Hour)
			r.take(t, pool, "thief", "10.0.0.0/24")
			wantCode(t, second(r.tryHold(alice, pool.ID, mergerHold, "/24", applying(true))), ipam.CodeHoldLost)
			wantCode(t, second(r.reserveAs(pool, "merger", "/24")), ipam.CodeHoldLost)
			wantCIDR(t, "the next one", r.named(t, pool, "merger", "/24").CIDR, "10.0.1.0/24")
		})
		t.Run("the name is one of the pool's reservations only", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			v := r.named(t, pool, "merger", "/24")
			e := wantCode(t, second(r.reserveAs(pool, "merger", "/25")), ipam.CodeNameTaken)
			wantPointer(t, e, "/name")
			wantHolders(t, e, "merger")
			wantHolders(t, wantCode(t, second(r.tryHold(bob, pool.ID, mergerHold, "/24")), ipam.CodeNameTaken), "merger")
			r.take(t, pool, "merger", "/24")
			r.named(t, r.root(t, "10.0.0.0/16"), "merger", "/24")
			r.reserve(t, pool, "for merger", "/24") // without a name there is nothing to be unique
			r.reserve(t, pool, "for merger", "/24")
			if found, err := r.Reservations(t.Context(), ipam.ReservationFilter{Pool: pool.ID, Text: "MERGER"}, ipam.Page{Limit: 9}); err != nil || len(found) != 3 || found[0].ID != v.ID {
				t.Errorf("%+v, %v", found, err)
			}
		})
		t.Run("somebody else's plan keeps it", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			r.hold(t, pool, mergerHold, "/24")
			wantCode(t, second(r.tryHold(bob, pool.ID, mergerHold, "/24")), ipam.CodeHoldConflict)
		})
		t.Run("it comes back to its block", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			v := r.named(t, pool, "merger", "/24")
			if err := r.ReleaseReservation(t.Context(), alice, v.ID, ipam.Match{}); err != nil {
				t.Fatal(err)
			}
			r.take(t, pool, "x", "10.0.1.0/24")
			wantCIDR(t, "planned", r.hold(t, pool, mergerHold, "/24").CIDR, v.CIDR.String())
			wantCIDR(t, "made", r.named(t, pool, "merger", "/24").CIDR, v.CIDR.String())
		})
		t.Run("past its end it keeps its name no more than its space", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			v := r.named(t, pool, "merger", "/24", r.now.Add(time.Hour))
			wantCode(t, second(r.tryHold(alice, pool.ID, mergerHold, "/25")), ipam.CodeNameTaken)
			r.wait(2 * time.Hour)
			wantCIDR(t, "planned", r.hold(t, pool, mergerHold, "/24").CIDR, v.CIDR.String())
			if got := strings.Join(r.actions(t, v.ID), " "); got != "reservation.created reservation.expired" {
				t.Errorf("events: %s", got)
			}
			r.named(t, pool, "merger", "/24")
		})
	})
}

// A replacement keeps the block in a full pool too, whichever of the two is made first.
func TestAReservationIsReplacedInPlace(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		for _, first := range []string{"destroyed", "created"} {
			t.Run(first+" first", func(t *testing.T) {
				pool := r.root(t, "10.0.0.0/24")
				old := r.named(t, pool, "merger", "/24")
				h := r.hold(t, pool, mergerHold, "/24", replacing(old.ID))
				wantCIDR(t, "planned", h.CIDR, "10.0.0.0/24")
				r.hold(t, pool, mergerHold, "/24") // the planning call of the apply does not say what it replaces
				if first == "destroyed" {
					if err := r.ReleaseReservation(t.Context(), alice, old.ID, ipam.Match{}); err != nil {
						t.Fatal(err)
					}
					wantCode(t, second(r.try(pool, "thief", "/26")), ipam.CodePoolExhausted)
				}
				v := r.named(t, pool, "merger", "10.0.0.0/24")
				_, err := r.Reservation(t.Context(), old.ID)
				if wantCode(t, err, ipam.CodeNotFound); v.ID == old.ID {
					t.Error("it is the old one")
				}
			})
		}
		t.Run("by another size, beside it until it goes", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			old := r.named(t, pool, "merger", "/26")
			wantCIDR(t, "planned", r.hold(t, pool, mergerHold, "/25", replacing(old.ID)).CIDR, "10.0.0.128/25")
			wantCode(t, second(r.reserveAs(pool, "merger", "10.0.0.64/26")), ipam.CodeNameTaken) // not what was planned
			r.named(t, pool, "merger", "10.0.0.128/25")
		})
	})
}

func TestAReservationIsRenamed(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		rename := func(v ipam.Reservation, to string) (ipam.Reservation, error) {
			return r.UpdateReservation(t.Context(), alice, v.ID, ipam.AnyVersion, ipam.ReservationPatch{Name: &to})
		}
		pool := r.root(t, "10.0.0.0/24")
		v, other := r.named(t, pool, "merger", "/26"), r.named(t, pool, "other", "/26")
		wantPointer(t, wantCode(t, second(rename(v, "other")), ipam.CodeNameTaken), "/name")
		r.hold(t, pool, mergerHold, "/26", replacing(v.ID))
		after, err := rename(v, "late")
		if err != nil || after.Name != "late" || after.CIDR != v.CIDR || after.Version != 2 {
			t.Fatalf("%+v, %v", after, err)
		}
		r.named(t, pool, "merger", "/26") // nothing follows it under its old name
		for _, name := range []string{"", "merged"} {
			if other, err = rename(other, name); err != nil || other.Name != name {
				t.Errorf("%+v, %v", other, err)
			}
		}
		for _, name := range []string{"10.0.0.0/8", "reservation:x", "-x", strings.Repeat("x", 116)} {
			wantPointer(t, wantCode(t, second(rename(v, name)), ipam.CodeInvalid), "/name")
			wantPointer(t, wantCode(t, second(r.reserveAs(pool, name, "/28")), ipam.CodeInvalid), "/name")
		}
		r.hold(t, pool, "reservation:"+strings.Repeat("x", 115), "/28")
		r.named(t, pool, strings.Repeat("x", 115), "/28")
	})
}
