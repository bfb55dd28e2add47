package reconcile_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func (l lab) pool(t *testing.T, name, cidr string) {
	t.Helper()
	if _, err := l.registry.CreatePool(t.Context(), alice, ipam.NewPool{Name: name, CIDR: netip.MustParsePrefix(cidr)}); err != nil {
		t.Fatal(err)
	}
}

// take allocates a block of a length, or a CIDR.
func (l lab) take(t *testing.T, pool, name, want string) (ipam.Allocation, error) {
	t.Helper()
	in := ipam.NewAllocation{Pool: pool, Name: name}
	if want[0] == '/' {
		in.Length = new(netip.MustParsePrefix("0.0.0.0" + want).Bits())
	} else {
		in.CIDR = netip.MustParsePrefix(want)
	}
	return l.registry.Allocate(t.Context(), alice, in)
}

func TestWhatACloudUsesIsNotHandedOut(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		ids := l.add(6) // 10.0.0.0/24 to 10.0.5.0/24
		l.pool(t, "vpc", "10.0.0.0/21")
		l.sync(t)
		for i, want := range []string{"10.0.6.0/24", "10.0.7.0/24"} {
			if a, err := l.take(t, "vpc", fmt.Sprint("a", i), "/24"); err != nil || a.CIDR.String() != want {
				t.Errorf("%s, %v, want %s", a.CIDR, err, want)
			}
		}
		_, err := l.take(t, "vpc", "none", "/24")
		if ipam.CodeOf(err) != ipam.CodePoolExhausted || !strings.Contains(err.Error(), "that no cloud uses (6 blocks are observed in it)") {
			t.Errorf("a full pool: %v", err)
		}
		for _, cidr := range []string{"10.0.0.0/25", "10.0.2.0/23", "10.0.4.128/28"} {
			if _, err := l.take(t, "vpc", "named", cidr); ipam.CodeOf(err) != ipam.CodeCIDRTaken || !strings.Contains(err.Error(), "aws:"+ids[0][:6]) {
				t.Errorf("%s: %v", cidr, err)
			}
		}
		// To name what is there is to take it over.
		if a, err := l.take(t, "vpc", "mine", "10.0.3.0/24"); err != nil || a.CIDR.String() != "10.0.3.0/24" {
			t.Errorf("%s, %v", a.CIDR, err)
		}
		if _, err := l.registry.Promise(t.Context(), alice, ipam.NewHold{Pool: "vpc", Name: "planned", BlockSize: ipam.BlockSize{Length: new(24)}}); ipam.CodeOf(err) != ipam.CodePoolExhausted {
			t.Errorf("a plan is promised what a cloud uses: %v", err)
		}
	})
}

func TestWhatIsReleasedIsNotFreeWhileACloudShowsIt(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		l.pool(t, "vpc", "10.0.0.0/23")
		a, err := l.take(t, "vpc", "app", "10.0.0.0/24")
		if err != nil {
			t.Fatal(err)
		}
		id := l.cloud.AddSubnet(number, "east", l.network, "app", a.CIDR)
		other := l.cloud.AddSubnet(number, "east", l.network, "other", netip.MustParsePrefix("10.0.200.0/24")) // so that the listing is not empty
		_ = other
		l.sync(t)
		release := func(a ipam.Allocation) {
			if err := l.registry.Release(t.Context(), alice, a.ID, ipam.Exactly(a.ETag())); err != nil {
				t.Fatal(err)
			}
		}
		release(a)
		b, err := l.take(t, "vpc", "web", "/24")
		if err != nil || b.CIDR.String() != "10.0.1.0/24" {
			t.Errorf("another name: %s, %v", b.CIDR, err)
		}
		if _, err := l.take(t, "vpc", "api", "/24"); ipam.CodeOf(err) != ipam.CodePoolExhausted {
			t.Errorf("a third: %v", err)
		}
		if a, err = l.take(t, "vpc", "app", "/24"); err != nil || a.CIDR.String() != "10.0.0.0/24" {
			t.Errorf("the name that had it: %s, %v", a.CIDR, err)
		}
		release(a)
		l.cloud.RemoveSubnet(number, "east", id)
		for i := range 3 {
			if _, err := l.take(t, "vpc", "api", "/24"); ipam.CodeOf(err) != ipam.CodePoolExhausted {
				t.Errorf("after %d complete views without it: %v", i, err)
			}
			l.sync(t)
		}
		if c, err := l.take(t, "vpc", "api", "/24"); err != nil || c.CIDR.String() != "10.0.0.0/24" {
			t.Errorf("gone for good: %s, %v", c.CIDR, err)
		}
	})
}

func TestNoGrowthIntoWhatACloudUses(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		l.cloud.AddSubnet(number, "east", l.network, "next", netip.MustParsePrefix("10.0.1.0/24"))
		l.pool(t, "vpc", "10.0.0.0/20")
		a, err := l.take(t, "vpc", "app", "10.0.0.0/24")
		if err != nil {
			t.Fatal(err)
		}
		l.sync(t)
		to := netip.MustParsePrefix("10.0.0.0/23")
		_, err = l.registry.UpdateAllocation(t.Context(), alice, a.ID, ipam.Exactly(a.ETag()), ipam.AllocationPatch{CIDR: &to})
		if ipam.CodeOf(err) != ipam.CodeCIDRTaken || !strings.Contains(err.Error(), "10.0.1.0/24") {
			t.Errorf("%v", err)
		}
	})
}

func TestANetworkThatNobodyPlannedIsNotHandedOutTwice(t *testing.T) {
	each(t, func(t *testing.T, l lab) { // 10.0.0.0/16 is a network, with nothing in it
		l.pool(t, "corp", "10.0.0.0/14")
		l.sync(t)
		if a, err := l.take(t, "corp", "vpc", "/16"); err != nil || a.CIDR.String() != "10.1.0.0/16" {
			t.Errorf("%s, %v", a.CIDR, err)
		}
		if _, err := l.registry.CreatePool(t.Context(), alice, ipam.NewPool{Name: "vpc", Parent: "corp", CIDR: netip.MustParsePrefix("10.0.0.0/16")}); err != nil {
			t.Fatal(err)
		}
		if a, err := l.take(t, "vpc", "app", "/24"); err != nil || a.CIDR.String() != "10.0.0.0/24" {
			t.Errorf("in the network's own pool: %s, %v", a.CIDR, err)
		}
	})
}
