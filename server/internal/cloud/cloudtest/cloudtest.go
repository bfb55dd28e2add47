// Package cloudtest is the contract of a cloud as a test suite: what stands on the methods of cloud.Provider, and what happens to
// callers when the cloud fails.
package cloudtest

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Bench is a cloud to test.
type Bench struct {
	Provider cloud.Provider
	Account  ipam.Account // of which nothing else is in use
	Region   string
	Behind   Behind  // nil for a real cloud, which nobody can break on purpose
	Network  string  // where subnets may be made
	Actions  Actions // what the hook is told
	// Aside is a second region that fails by itself; "" where a cloud lists all regions in one go.
	Aside string
	Grows bool         // blocks grow in place
	Marks bool         // marks can be written later
	Block netip.Prefix // a /24 of Network that is free
}

// Actions are what a double of a cloud calls things.
type Actions struct{ Subnets, Networks, Create, Delete string }

// Behind is a cloud's other side: what happens in it without CloudPAM, and what goes wrong.
type Behind interface {
	AddNetwork(account, region, name string, cidrs ...netip.Prefix) (id string)
	AddSubnet(account, region, network, name string, cidr netip.Prefix) (id string)
	RemoveSubnet(account, region, id string)
	Lag(listings int)
	Set(fault.Hook)
}

// Run proves the contract. open makes a new, empty cloud whose lists have five things a page; it is called in a bubble
// whose time is virtual, so nothing of it may touch a network.
func Run(t *testing.T, open func(t *testing.T) Bench) {
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := open(t)
				b.Network = b.Behind.AddNetwork(b.Account.ExternalID, b.Region, "main", netip.MustParsePrefix("10.8.0.0/16"))
				b.Block = netip.MustParsePrefix("10.8.0.0/24")
				rule.holds(t, b)
			})
		})
	}
}

// RunReal proves the part of the contract that a real cloud, or an emulator of one, can be asked for. It makes subnets in Network at
// Block, which is a free /24, and removes them.
func RunReal(t *testing.T, b Bench) {
	for _, rule := range rules {
		if !rule.behind {
			t.Run(rule.name, func(t *testing.T) { rule.holds(t, b) })
		}
	}
}

type rule struct {
	name   string
	behind bool // needs a cloud that can be broken on purpose
	holds  func(t *testing.T, b Bench)
}

var rules = []rule{
	{"a listing has everything once, over all its pages", true, everythingOnce},
	{"one block may be in two networks", true, oneBlockInTwoNetworks},
	{"what is made is listed with its mark", false, madeIsListed},
	{"making again what was made changes nothing", false, madeOnce},
	{"what overlaps a stranger's block is refused", true, overlapIsRefused},
	{"a lost answer makes no second subnet", true, lostAnswer},
	{"a subnet that lost its mark is not ours", true, strippedMark},
	{"only what carries our mark is deleted", false, deletesOurs},
	{"a delete whose answer is lost has happened once", true, lostDelete},
	{"a block grows in place or not at all", false, grows},
	{"a mark can be written later", true, marks},
	{"a page that fails for good makes the view partial", true, failingPage},
	{"what fails in one region changes nothing in another", true, otherRegion},
	{"a cloud that is asked too often, or fails for a moment, is waited for", true, passingFaults},
	{"a cloud that hangs costs no longer than the caller's patience", true, hangs},
	{"what listings do not show yet is neither gone nor made twice", true, lag},
	{"a permission that is missing is named", true, missingPermission},
}

const mine = "instance-1"

func (b Bench) mark(allocation string) cloud.Mark {
	return cloud.Mark{Instance: mine, Allocation: allocation, Epoch: 7}
}

func (b Bench) wanted(allocation string) cloud.NewSubnet {
	return cloud.NewSubnet{Network: b.Network, Region: b.Region, Name: "cloudpam-" + allocation, CIDR: b.Block, Mark: b.mark(allocation)}
}

// make makes a subnet, and removes it from a real cloud when the test ends.
func (b Bench) make(t *testing.T, s cloud.NewSubnet) cloud.Subnet {
	t.Helper()
	made, err := b.Provider.CreateSubnet(t.Context(), b.Account, s)
	if err != nil {
		t.Fatalf("create %s: %v", s.CIDR, err)
	}
	if b.Behind == nil {
		t.Cleanup(func() { _ = b.Provider.DeleteSubnet(context.Background(), b.Account, made) })
	}
	return made
}

// listRegion is the region that calls for lists name: none where a cloud lists all in one go.
func (b Bench) listRegion() string {
	if b.Aside == "" {
		return ""
	}
	return b.Region
}

func (b Bench) subnets(t *testing.T) []cloud.Subnet {
	t.Helper()
	l := b.Provider.Subnets(t.Context(), b.Account)
	if err := l.Err(); err != nil {
		t.Fatalf("the view is partial: %v", err)
	}
	return l.Items
}

func (b Bench) find(t *testing.T, id string) (cloud.Subnet, bool) {
	t.Helper()
	all := b.subnets(t)
	i := slices.IndexFunc(all, func(s cloud.Subnet) bool { return s.ID == id })
	if i < 0 {
		return cloud.Subnet{}, false
	}
	return all[i], true
}

// fill adds subnets behind CloudPAM's back, /24 after /24 from 10.8.n.0.
func (b Bench) fill(region, network string, n int) (ids []string) {
	for i := range n {
		block := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 8, byte(i + 100), 0}), 24)
		ids = append(ids, b.Behind.AddSubnet(b.Account.ExternalID, region, network, fmt.Sprintf("s-%02d", i), block))
	}
	return ids
}

func wantCode(t *testing.T, what string, err error, code cloud.Code) {
	t.Helper()
	if err == nil || cloud.CodeOf(err) != code {
		t.Errorf("%s: %v (%s), want %s", what, err, cloud.CodeOf(err), code)
	}
}

// on makes a fault of calls of an action, from the page given on, in a region ("" in all), times times (0: always).
func on(action, region string, page int, times int, kind fault.Kind) fault.Hook {
	left := make(chan struct{}, max(times, 1))
	for range times {
		left <- struct{}{}
	}
	return func(c fault.Call) fault.Fault {
		if c.Action != action || region != "" && c.Region != region || page > 0 && c.Page != page {
			return fault.Fault{}
		}
		if times > 0 {
			select {
			case <-left:
			default:
				return fault.Fault{}
			}
		}
		return fault.Fault{Kind: kind}
	}
}
