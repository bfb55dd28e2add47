package registry_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func (r lab) tryReserve(pool ipam.Pool, reason, want string, ends ...time.Time) (ipam.Reservation, error) {
	in := ipam.NewReservation{Pool: pool.ID, Reason: reason}
	in.CIDR, in.Length = wanted(want)
	if len(ends) > 0 {
		in.ExpiresAt = &ends[0]
	}
	return r.Reserve(context.Background(), alice, in)
}

func (r lab) reserve(t tb, pool ipam.Pool, reason, want string, ends ...time.Time) ipam.Reservation {
	t.Helper()
	v, err := r.tryReserve(pool, reason, want, ends...)
	if err != nil {
		t.Fatalf("reserve %s %s in %s: %v", reason, want, pool.ID, err)
	}
	return v
}

func (r lab) actions(t tb, object string) (all []string) {
	t.Helper()
	for _, e := range slices.Backward(r.events(t, object)) {
		all = append(all, e.Action)
	}
	return all
}

func TestReserve(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		t.Run("a named block, and one that the strategy picks", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			wantCIDR(t, "named", r.reserve(t, pool, "merger", "10.0.0.64/26").CIDR, "10.0.0.64/26")
			wantCIDR(t, "placed", r.reserve(t, pool, "printers", "/26").CIDR, "10.0.0.0/26")
			wantCIDR(t, "an allocation", r.take(t, pool, "a", "/25").CIDR, "10.0.0.128/25")
		})
		t.Run("who asks for its space is told why it is kept", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.reserve(t, pool, "kept for the merger", "10.0.0.0/25")
			_, err := r.try(pool, "a", "10.0.0.0/28")
			e := wantCode(t, err, ipam.CodeCIDRTaken)
			wantHolders(t, e, "kept for the merger")
			if e.Holders[0].Kind != ipam.KindReservation || !strings.Contains(e.Detail, `reservation "kept for the merger" holds 10.0.0.0/25`) {
				t.Errorf("%+v: %s", e.Holders, e.Detail)
			}
			_, err = r.try(pool, "a", "/24")
			wantCode(t, err, ipam.CodePoolExhausted)
		})
		t.Run("the sizes that the pool hands out do not bind it", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16", sizes(20, 26, 24))
			r.reserve(t, pool, "large", "/17")
			r.reserve(t, pool, "small", "/32")
		})
		t.Run("two may have one reason", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.reserve(t, pool, "later", "/26")
			r.reserve(t, pool, "later", "/26")
		})
		t.Run("a plan's hold of the same words stands", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			h, err := r.Promise(t.Context(), alice, ipam.NewHold{Pool: pool.ID, Name: "app", BlockSize: ipam.BlockSize{Length: ptr(25)}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.tryReserve(pool, "app", h.CIDR.String())
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "app")
		})
		for name, c := range map[string]struct {
			in      ipam.NewReservation
			code    ipam.Code
			pointer string
		}{
			"no size":           {ipam.NewReservation{Reason: "x"}, ipam.CodeInvalid, "/cidr"},
			"a blank reason":    {ipam.NewReservation{Reason: " \t", Length: ptr(28)}, ipam.CodeInvalid, "/reason"},
			"a huge reason":     {ipam.NewReservation{Reason: strings.Repeat("é", 1025), Length: ptr(28)}, ipam.CodeInvalid, "/reason"},
			"an end now":        {ipam.NewReservation{Reason: "x", Length: ptr(28), ExpiresAt: &clock}, ipam.CodeInvalid, "/expires_at"},
			"larger than it":    {ipam.NewReservation{Reason: "x", Length: ptr(23)}, ipam.CodeInvalid, "/prefix_length"},
			"past the family":   {ipam.NewReservation{Reason: "x", Length: ptr(33)}, ipam.CodeInvalid, "/prefix_length"},
			"outside":           {ipam.NewReservation{Reason: "x", CIDR: r.cidr("10.0.1.0/28")}, ipam.CodeOutsidePool, "/cidr"},
			"two sizes":         {ipam.NewReservation{Reason: "x", CIDR: r.cidr("10.0.0.0/28"), Length: ptr(27)}, ipam.CodeInvalid, "/prefix_length"},
			"a label too large": {ipam.NewReservation{Reason: "x", Length: ptr(28), Labels: ipam.Labels{"k": strings.Repeat("v", 257)}}, ipam.CodeInvalid, "/labels/k"},
		} {
			t.Run(name+" is refused", func(t *testing.T) {
				c.in.Pool = r.root(t, "10.0.0.0/24").ID
				_, err := r.Reserve(t.Context(), alice, c.in)
				wantPointer(t, wantCode(t, err, c.code), c.pointer)
			})
		}
		t.Run("a pool that is not there is refused", func(t *testing.T) {
			_, err := r.tryReserve(ipam.Pool{ID: "nowhere"}, "x", "/28")
			wantPointer(t, wantCode(t, err, ipam.CodeNotFound), "/pool")
		})
		t.Run("it keeps its pool from being deleted and from shrinking past it", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			v := r.reserve(t, pool, "kept for the merger", "10.0.0.128/25")
			e := wantCode(t, r.DeletePool(t.Context(), alice, pool.ID, at(pool, 1)), ipam.CodePoolNotEmpty)
			wantHolders(t, e, "kept for the merger")
			_, err := r.resize(pool, "10.0.0.0/25")
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "kept for the merger")
			if err := r.ReleaseReservation(t.Context(), alice, v.ID, at(v, 1)); err != nil {
				t.Fatal(err)
			}
			r.drop(t, pool)
		})
	})
}

func TestAPlanHoldsTheBlockOfAReservation(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		const cidr = "10.0.0.0/17"
		hold := func(t *testing.T, pool ipam.Pool) ipam.Hold {
			return r.hold(t, pool, ipam.ReservationHold("", r.cidr(cidr)), cidr)
		}
		t.Run("whatever sizes the pool hands out, and the reservation gets it", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16", sizes(20, 26, 24))
			h := hold(t, pool)
			_, err := r.try(pool, "a", "10.0.0.0/24")
			wantCode(t, err, ipam.CodeCIDRTaken)
			wantCIDR(t, "an allocation", r.take(t, pool, "a", "").CIDR, "10.0.128.0/24")
			r.reserve(t, pool, "merger", cidr)
			if _, err := r.Hold(t.Context(), h.ID); ipam.CodeOf(err) != ipam.CodeNotFound {
				t.Errorf("the hold is still there: %v", err)
			}
		})
		t.Run("lost, it does not stand in the way of the reservation once the block is free", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			hold(t, pool)
			r.wait(25 * time.Hour)
			thief := r.take(t, pool, "thief", "10.0.0.0/24")
			_, err := r.tryReserve(pool, "merger", cidr)
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "thief")
			r.release(t, thief)
			r.reserve(t, pool, "merger", cidr)
		})
		t.Run("its name bends no rule for anything else", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16", sizes(20, 26, 24))
			_, err := r.tryHold(alice, pool.ID, ipam.ReservationHold("", r.cidr(cidr)), "10.0.128.0/17")
			wantCode(t, err, ipam.CodePolicyViolation)
			_, err = r.try(pool, ipam.ReservationHold("", r.cidr(cidr)), cidr)
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/name")
		})
	})
}

func TestUpdateReservation(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("the reason moves with it to the block that others meet", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			v := r.reserve(t, pool, "merger", "/25")
			after, err := r.UpdateReservation(t.Context(), alice, v.ID, at(v, 1), ipam.ReservationPatch{Reason: ptr("merger, late"), Owner: ptr("net"), Labels: &ipam.Labels{"k": "v"}})
			if err != nil || after.Version != 2 || after.CIDR != v.CIDR || after.Owner != "net" || after.Labels["k"] != "v" {
				t.Fatalf("%+v, %v", after, err)
			}
			_, err = r.try(pool, "a", v.CIDR.String())
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "merger, late")
			if read, err := r.Reservation(t.Context(), v.ID); err != nil || fmt.Sprint(read) != fmt.Sprint(after) {
				t.Errorf("read %+v, answered %+v, %v", read, after, err)
			}
			if got := strings.Join(r.actions(t, v.ID), " "); got != "reservation.created reservation.updated" {
				t.Errorf("events: %s", got)
			}
		})
		t.Run("it needs the version that was read", func(t *testing.T) {
			v := r.reserve(t, r.root(t, "10.0.0.0/24"), "merger", "/25")
			_, err := r.UpdateReservation(t.Context(), alice, v.ID, ipam.Match{}, ipam.ReservationPatch{})
			wantCode(t, err, ipam.CodePreconditionRequired)
			_, err = r.UpdateReservation(t.Context(), alice, v.ID, at(v, 7), ipam.ReservationPatch{})
			wantCode(t, err, ipam.CodePreconditionFailed)
			wantCode(t, r.ReleaseReservation(t.Context(), alice, v.ID, at(v, 7)), ipam.CodePreconditionFailed)
			_, err = r.UpdateReservation(t.Context(), alice, "rsv_none", r.atScope(t, "rsv_none", 1), ipam.ReservationPatch{})
			wantCode(t, err, ipam.CodeNotFound)
		})
		t.Run("its end may move, go and never lie in the past", func(t *testing.T) {
			end := r.now.Add(time.Hour)
			v := r.reserve(t, r.root(t, "10.0.0.0/24"), "merger", "/25", end)
			_, err := r.UpdateReservation(t.Context(), alice, v.ID, at(v, 1), ipam.ReservationPatch{ExpiresAt: ptr(r.now)})
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/expires_at")
			_, err = r.UpdateReservation(t.Context(), alice, v.ID, at(v, 1), ipam.ReservationPatch{Reason: ptr(" ")})
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/reason")
			elsewhere := end.Add(123 * time.Nanosecond).In(time.FixedZone("CET", 3600))
			after, err := r.UpdateReservation(t.Context(), alice, v.ID, at(v, 1), ipam.ReservationPatch{ExpiresAt: ptr(&elsewhere)})
			if err != nil || *after.ExpiresAt != end.UTC() {
				t.Fatalf("%v, %v", after.ExpiresAt, err)
			}
			after, err = r.UpdateReservation(t.Context(), alice, v.ID, at(v, 2), ipam.ReservationPatch{ExpiresAt: new(*time.Time)})
			if err != nil || after.ExpiresAt != nil {
				t.Fatalf("%v, %v", after.ExpiresAt, err)
			}
		})
		t.Run("one that expired and is still there can be kept after all", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			v := r.reserve(t, pool, "merger", "/24", r.now.Add(time.Hour))
			r.wait(2 * time.Hour)
			if _, err := r.UpdateReservation(t.Context(), alice, v.ID, at(v, 1), ipam.ReservationPatch{ExpiresAt: ptr(ptr(r.now.Add(time.Hour)))}); err != nil {
				t.Fatal(err)
			}
			_, err := r.try(pool, "a", "/24")
			wantCode(t, err, ipam.CodePoolExhausted)
		})
	})
}

func TestReservationExpiresSoftly(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("its space is used when nothing else is left, before that of holds", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/26")
			h := r.hold(t, pool, "h", "/28")
			v := r.reserve(t, pool, "v", "/28", r.now.Add(30*time.Hour))
			r.wait(48 * time.Hour)
			r.take(t, pool, "a", "/28")
			r.take(t, pool, "b", "/28")
			if _, err := r.Reservation(t.Context(), v.ID); err != nil {
				t.Error("gone while there was other room:", err)
			}
			wantCIDR(t, "c", r.take(t, pool, "c", "/28").CIDR, v.CIDR.String())
			wantCIDR(t, "d", r.take(t, pool, "d", "/28").CIDR, h.CIDR.String())
			if got := strings.Join(r.actions(t, v.ID), " "); got != "reservation.created reservation.expired" {
				t.Errorf("events: %s", got)
			}
			_, err := r.Reservation(t.Context(), v.ID)
			wantCode(t, err, ipam.CodeNotFound)
		})
		t.Run("it stands until the moment of its end", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/28")
			r.reserve(t, pool, "v", "/28", r.now.Add(time.Hour))
			r.wait(time.Hour - time.Microsecond)
			_, err := r.try(pool, "a", "10.0.0.0/28")
			wantCode(t, err, ipam.CodeCIDRTaken)
			_, err = r.try(pool, "a", "/28")
			wantCode(t, err, ipam.CodePoolExhausted)
			if n, err := r.EndReservations(t.Context()); n != 0 || err != nil {
				t.Fatal(n, err)
			}
			r.wait(time.Microsecond)
			r.take(t, pool, "a", "10.0.0.0/28")
		})
		t.Run("one with no end always stands", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/28")
			r.reserve(t, pool, "v", "/28")
			r.wait(100 * 365 * 24 * time.Hour)
			if n, err := r.EndReservations(t.Context()); n != 0 || err != nil {
				t.Fatal(n, err)
			}
			_, err := r.try(pool, "a", "/28")
			wantCode(t, err, ipam.CodePoolExhausted)
		})
		t.Run("a named block is taken from one that expired, never together with one that stands", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			old := r.reserve(t, pool, "old", "10.0.0.0/28", r.now.Add(time.Hour))
			r.reserve(t, pool, "stands", "10.0.0.16/28")
			r.wait(2 * time.Hour)
			_, err := r.try(pool, "a", "10.0.0.0/27")
			wantCode(t, err, ipam.CodeCIDRTaken)
			if _, err := r.Reservation(t.Context(), old.ID); err != nil {
				t.Error("a refused request ended it:", err)
			}
			r.take(t, pool, "a", "10.0.0.0/28")
		})
		t.Run("it does not keep its pool from being deleted", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			v := r.reserve(t, pool, "v", "/28", r.now.Add(time.Hour))
			r.wait(2 * time.Hour)
			r.drop(t, pool)
			if got := strings.Join(r.actions(t, v.ID), " "); got != "reservation.created reservation.expired" {
				t.Errorf("events: %s", got)
			}
		})
		t.Run("it is ended by the sweep, and only it", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.reserve(t, pool, "soon", "/28", r.now.Add(time.Hour))
			late := r.reserve(t, pool, "late", "/28", r.now.Add(3*time.Hour))
			r.wait(2 * time.Hour)
			if n, err := r.EndReservations(t.Context()); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			left, err := r.Reservations(t.Context(), ipam.ReservationFilter{Pool: pool.ID}, ipam.Page{Limit: 9})
			if err != nil || len(left) != 1 || left[0].ID != late.ID {
				t.Errorf("left %+v, %v", left, err)
			}
		})
	})
}

func TestOneOfManyWritersReserves(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		t.Run("a CIDR, against allocations of it", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/16")
			outcomes := together(32, func(i int) error {
				if i%2 == 0 {
					_, err := r.try(pool, fmt.Sprint("n", i), "10.0.0.0/24")
					return err
				}
				_, err := r.tryReserve(pool, fmt.Sprint("n", i), "10.0.0.0/24")
				return err
			})
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 1, ipam.CodeCIDRTaken: 31})
		})
		t.Run("by releasing one once", func(t *testing.T) {
			v := r.reserve(t, r.root(t, "10.0.0.0/16"), "v", "/24")
			outcomes := together(16, func(int) error { return r.ReleaseReservation(t.Context(), alice, v.ID, ipam.Match{}) })
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 1, ipam.CodeNotFound: 15})
			if got := strings.Join(r.actions(t, v.ID), " "); got != "reservation.created reservation.released" {
				t.Errorf("events: %s", got)
			}
		})
	})
}

// Extending, sweeping and taking meet at the pool's lock: the block is kept, or taken, never both.
func TestAnExpiredReservationIsKeptOrTaken(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		for range 10 {
			pool := r.root(t, "10.0.0.0/28")
			v := r.reserve(t, pool, "v", "/28", r.now.Add(time.Hour))
			r.wait(2 * time.Hour)
			end := r.now.Add(time.Hour)
			var kept, taken error
			together(3, func(i int) error {
				switch i {
				case 0:
					_, kept = r.UpdateReservation(t.Context(), alice, v.ID, at(v, 1), ipam.ReservationPatch{ExpiresAt: ptr(&end)})
				case 1:
					_, taken = r.try(pool, "a", "/28")
				default:
					_, err := r.EndReservations(t.Context())
					return err
				}
				return nil
			})
			if kept == nil {
				wantCode(t, taken, ipam.CodePoolExhausted)
			} else {
				wantCode(t, kept, ipam.CodeNotFound)
				if taken != nil {
					t.Errorf("neither: %v", taken)
				}
			}
		}
	})
}
