package registry_test

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// lost is a hold of alice's whose block somebody else has by now, in a pool with room for another.
func (r planner) lost(t *testing.T, name string) (ipam.Pool, ipam.Hold) {
	t.Helper()
	pool := r.root(t, "10.0.0.0/23")
	h, err := r.tryHold(alice, pool.ID, name, "/24")
	if err != nil {
		t.Fatal(err)
	}
	r.wait(25 * time.Hour)
	other := r.take(t, pool, "other", "/24")
	if _, err := r.Allocate(t.Context(), bob, ipam.NewAllocation{Pool: pool.ID, Name: "thief", BlockSize: ipam.BlockSize{CIDR: h.CIDR}}); err != nil {
		t.Fatal(err)
	}
	r.release(t, other)
	return pool, h
}

func withKey(by ipam.Caller, key string) ipam.Caller {
	by.Retry = &ipam.Retry{Key: key, Fingerprint: sha256.Sum256([]byte(key))}
	return by
}

// Whoever was told of a loss, and did not hear it, hears it again.
func TestALossIsToldAgainToTheSameKey(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool, h := r.lost(t, "planned")
		ask := ipam.NewHold{Pool: pool.ID, Name: "planned", BlockSize: ipam.BlockSize{Length: ptr(24)}}
		for range 3 {
			by := withKey(alice, "one-request")
			_, err := r.Promise(t.Context(), by, ask)
			e := wantCode(t, err, ipam.CodeHoldLost)
			wantHolders(t, e, "thief")
			wantPointer(t, e, "/cidr")
		}
		again, err := r.Promise(t.Context(), withKey(alice, "another-request"), ask)
		if err != nil || again.CIDR == h.CIDR {
			t.Errorf("a new request gets %s, %v", again.CIDR, err)
		}
	})
}

// A block that was promised is never silently another one, by size either.
func TestAnAllocationBySizeIsToldOfALoss(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool, _ := r.lost(t, "planned")
		_, err := r.try(pool, "planned", "/24")
		wantCode(t, err, ipam.CodeHoldLost)
		if a, err := r.try(pool, "planned", "/24"); err != nil {
			t.Errorf("once it was told: %v, %v", a, err)
		}
	})
	eachPlanner(t, func(t *testing.T, r planner) {
		a, b, _ := r.three(t)
		promised := r.selectHold(t, a.Scope, "app", "/28")
		r.wait(25 * time.Hour)
		r.take(t, a, "thief", "/28")
		_, err := r.trySelect(a.Scope, "app", "/28", alice)
		wantHolders(t, wantCode(t, err, ipam.CodeHoldLost), "thief")
		if made, err := r.trySelect(a.Scope, "app", "/28", alice); err != nil || made.Pool != b.ID || promised.Pool != a.ID {
			t.Errorf("once it was told: promised in %s, made %+v, %v", promised.Pool, made, err)
		}
	})
	eachPlanner(t, func(t *testing.T, r planner) {
		pool, _ := r.lost(t, "net/a")
		in := ipam.NewAllocationSet{Pool: pool.ID, Name: "net", SetSizes: ipam.SetSizes{Members: map[string]ipam.BlockSize{"a": {Length: ptr(24)}}}}
		_, err := r.AllocateSet(t.Context(), alice, in)
		wantPointer(t, wantCode(t, err, ipam.CodeHoldLost), "/members/a/cidr")
		if _, err := r.AllocateSet(t.Context(), alice, in); err != nil {
			t.Errorf("once it was told: %v", err)
		}
	})
}

func TestTheNamesOfPromisesAreNobodys(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/16")
		a := r.take(t, pool, "a", "/24")
		for _, name := range []string{ipam.GrowthHold(a.ID), ipam.ReservationHold("", netip.MustParsePrefix("10.0.9.0/24"))} {
			_, err := r.try(pool, name, "/24")
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/name")
			_, err = r.AllocateSet(t.Context(), alice, ipam.NewAllocationSet{Pool: pool.ID, Name: name, SetSizes: ipam.SetSizes{Members: map[string]ipam.BlockSize{"k": {Length: ptr(28)}}}})
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/name")
			_, err = r.UpdateAllocation(t.Context(), alice, a.ID, ipam.AnyVersion, ipam.AllocationPatch{Name: &name})
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/name")
		}
	})
}

// What has expired does not count, so it counts when it is renewed.
func TestRenewingCountsAgainstTheQuota(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		r.HoldQuota = 2
		pool := r.root(t, "10.0.0.0/24")
		hold := func(i int, ttl time.Duration) error {
			_, err := r.tryHold(alice, pool.ID, fmt.Sprint("n", i), "/28", func(in *ipam.NewHold) { in.Plan.TTL = ttl })
			return err
		}
		for i := range 16 {
			if err := hold(i, time.Minute); err != nil {
				t.Fatal(i, err)
			}
			r.wait(31 * time.Second)
		}
		r.wait(2 * time.Minute)
		kept := 0
		for i := range 16 {
			err := hold(i, ipam.MaxHoldTTL)
			if err == nil {
				kept++
				continue
			}
			wantCode(t, err, ipam.CodeQuotaExceeded)
		}
		if kept != 2 {
			t.Errorf("a quota of 2 lets one token keep %d blocks", kept)
		}
		if _, err := r.Allocate(t.Context(), bob, ipam.NewAllocation{Pool: pool.ID, Name: "bob", BlockSize: ipam.BlockSize{Length: ptr(28)}}); err != nil {
			t.Errorf("bob: %v", err)
		}
	})
}

// What every input refuses is never handed out.
func TestNoIPv4MappedBlockIsHandedOut(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		for _, cidr := range []string{"::fffe:0:0/95", "::ffff:0:0/97", "::/80"} {
			scope := r.scope(t)
			_, err := r.CreatePool(t.Context(), alice, ipam.NewPool{Scope: scope, Name: "p", CIDR: netip.PrefixFrom(netip.MustParsePrefix(cidr).Addr(), netip.MustParsePrefix(cidr).Bits())})
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), "/cidr")
		}
		all := r.root(t, "::/0")
		for i := range 3 {
			a := r.take(t, all, fmt.Sprint("a", i), "/96")
			if _, err := ipam.ParseCIDR(a.CIDR.String()); err != nil {
				t.Errorf("it handed out %s: %v", a.CIDR, err)
			}
		}
	})
}

func TestTextIsFoundBeyondASCII(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		scope := r.scope(t)
		r.rootIn(t, scope, "one", "10.0.0.0/16", func(p *ipam.NewPool) { p.Owner = "Team Österreich" })
		for _, q := range []string{"Team Ö", "Österreich", "österreich", "ÖSTERREICH", "team"} {
			found, err := r.Pools(t.Context(), ipam.PoolFilter{Scope: scope, Text: q}, ipam.Page{Limit: 10})
			if err != nil || len(found) != 1 {
				t.Errorf("q=%q finds %d pools, %v", q, len(found), err)
			}
		}
		if found, err := r.Pools(t.Context(), ipam.PoolFilter{Scope: scope, Text: "Osterreich"}, ipam.Page{Limit: 10}); err != nil || len(found) != 0 {
			t.Errorf("another spelling finds %d pools, %v", len(found), err)
		}
	})
}

// One that is damaged stays; the others go, however many there are.
func TestASweepGoesOnPastWhatItCannotEnd(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		sound, damaged := r.root(t, "10.0.0.0/16"), r.root(t, "10.0.0.0/16")
		end := r.now.Add(time.Minute)
		reserve := func(p ipam.Pool) ipam.Reservation {
			v, err := r.Reserve(t.Context(), alice, ipam.NewReservation{Pool: p.ID, Length: ptr(28), Reason: "x", ExpiresAt: &end})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		bad := reserve(damaged)
		const many = 620 // more than one read of the sweep
		for range many {
			reserve(sound)
		}
		r.raw(t, "CREATE TABLE kept AS SELECT * FROM prefixes WHERE id = "+key(bad.ID), "DELETE FROM prefixes WHERE id = "+key(bad.ID))
		r.wait(time.Hour)
		n, err := r.EndReservations(t.Context())
		if n != many || err == nil {
			t.Errorf("it ended %d of %d, %v", n, many, err)
		}
		r.raw(t, "INSERT INTO prefixes SELECT * FROM kept", "DROP TABLE kept") // so that Verify finds all sound
	})
}
