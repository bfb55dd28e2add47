// Package fake is a cloud in memory, for tests of what stands on clouds: with accounts, regions, pages, overlaps refused, faults, and
// a listing that lags behind what is there.
package fake

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// The actions, as a hook is told them.
const (
	ListNetworks = "fake.networks.list"
	ListSubnets  = "fake.subnets.list"
	ListRanges   = "fake.ranges.list"
	CreateSubnet = "fake.subnets.create"
	GrowSubnet   = "fake.subnets.grow"
	MarkSubnet   = "fake.subnets.mark"
	DeleteSubnet = "fake.subnets.delete"
)

// Cloud is the cloud and the provider that speaks to it. It is safe for concurrent use.
type Cloud struct {
	fault.Door
	name    ipam.Cloud
	regions []string
	page    int

	mu       sync.Mutex
	next     int
	lag      int
	networks []*thing[cloud.Network]
	subnets  []*thing[cloud.Subnet]
	ranges   []cloud.Range
	deleted  []cloud.Subnet
}

// thing is what is or was there. Listings see it after hidden more of them, and for ghost more once it is gone.
type thing[T any] struct {
	it            T
	hidden, ghost int
	gone          bool
}

// New makes an empty cloud of a name with these regions, which answers page items at a time.
func New(name ipam.Cloud, page int, regions ...string) *Cloud {
	return &Cloud{name: name, page: page, regions: regions}
}

var _ cloud.Provider = (*Cloud)(nil)

// Name is the name that the cloud was given.
func (c *Cloud) Name() ipam.Cloud { return c.name }

// Validate looks once.
func (c *Cloud) Validate(ctx context.Context, a ipam.Account) error {
	for _, action := range []string{ListNetworks, ListSubnets} {
		if _, err := c.call(ctx, a, c.regions[0], action, 1); err != nil {
			return err
		}
	}
	return nil
}

// Accounts lists none: there is nothing above an account here.
func (c *Cloud) Accounts(context.Context, ipam.Account, string) ([]cloud.Member, error) {
	return nil, cloud.Errorf(cloud.CodeUnsupported, "the cloud %s has no accounts below others", c.name)
}

// tries is how often a call is made before its failure counts.
const tries = 5

// call goes through the door until it is let in. It answers what is to go wrong with a call that was.
func (c *Cloud) call(ctx context.Context, a ipam.Account, region, action string, page int) (fault.Kind, error) {
	var err error
	for try := range tries {
		if try > 0 {
			if err := cloud.Backoff(ctx, try); err != nil {
				return 0, err
			}
		}
		switch kind := c.Enter(ctx, fault.Call{Account: a.ExternalID, Region: region, Action: action, Page: page}); kind {
		case fault.Throttle:
			err = cloud.Errorf(cloud.CodeThrottled, "%s was asked too often", action)
		case fault.Fail, fault.Reset, fault.Truncate:
			err = cloud.Errorf(cloud.CodeUnavailable, "%s failed", action)
			if ctx.Err() != nil {
				return 0, err
			}
		case fault.Denied:
			e := cloud.Errorf(cloud.CodeDenied, "%s is denied in account %s", action, a.ExternalID)
			e.Permission, e.Fix = action, "Allow it."
			return 0, e
		case fault.Disabled:
			return 0, cloud.Errorf(cloud.CodeDisabled, "the region %s is off in account %s", region, a.ExternalID)
		case fault.Empty:
			return 0, cloud.Errorf(cloud.CodeUnavailable, "%s answered nothing", action)
		default:
			return kind, nil
		}
	}
	return 0, err
}

// list pages through what a listing sees of one region.
func list[T any](ctx context.Context, c *Cloud, a ipam.Account, region, action string, all *[]*thing[T], in func(T) bool) ([]T, error) {
	c.mu.Lock()
	var seen []T
	for _, t := range *all {
		if !in(t.it) {
			continue
		}
		switch {
		case t.hidden > 0:
			t.hidden--
		case t.gone && t.ghost > 0:
			t.ghost--
			seen = append(seen, t.it)
		case !t.gone:
			seen = append(seen, t.it)
		}
	}
	c.mu.Unlock()
	var got []T
	page := 0
	err := cloud.Pages(func(token string) (string, error) {
		page++
		kind, err := c.call(ctx, a, region, action, page)
		if err != nil {
			return "", err
		}
		first := min((page-1)*c.page, len(seen))
		last := min(first+c.page, len(seen))
		got = append(got, seen[first:last]...)
		switch {
		case kind == fault.RepeatPage:
			return token, nil
		case last == len(seen):
			return "", nil
		}
		return fmt.Sprint(page), nil
	})
	return got, err
}

func (c *Cloud) in(a ipam.Account) []string {
	if len(a.Regions) > 0 {
		return a.Regions
	}
	return c.regions
}

// Networks lists the networks of an account.
func (c *Cloud) Networks(ctx context.Context, a ipam.Account) cloud.Listing[cloud.Network] {
	return cloud.Regions(ctx, c.in(a), 4, func(ctx context.Context, region string) ([]cloud.Network, error) {
		return list(ctx, c, a, region, ListNetworks, &c.networks, func(n cloud.Network) bool { return n.Owner == a.ExternalID && n.Region == region })
	})
}

// Subnets lists the subnets of an account.
func (c *Cloud) Subnets(ctx context.Context, a ipam.Account) cloud.Listing[cloud.Subnet] {
	return cloud.Regions(ctx, c.in(a), 4, func(ctx context.Context, region string) ([]cloud.Subnet, error) {
		return list(ctx, c, a, region, ListSubnets, &c.subnets, func(s cloud.Subnet) bool { return s.Owner == a.ExternalID && s.Region == region })
	})
}

// Ranges lists what AddRange added.
func (c *Cloud) Ranges(ctx context.Context, a ipam.Account) cloud.Listing[cloud.Range] {
	return cloud.Regions(ctx, c.in(a), 4, func(ctx context.Context, region string) ([]cloud.Range, error) {
		if _, err := c.call(ctx, a, region, ListRanges, 1); err != nil {
			return nil, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		return slices.DeleteFunc(slices.Clone(c.ranges), func(r cloud.Range) bool { return r.Owner != a.ExternalID || r.Region != region }), nil
	})
}

// find is a subnet that is there.
func (c *Cloud) find(a ipam.Account, id string) (*thing[cloud.Subnet], error) {
	for _, t := range c.subnets {
		if t.it.ID == id && t.it.Owner == a.ExternalID && !t.gone {
			return t, nil
		}
	}
	return nil, cloud.Errorf(cloud.CodeNotFound, "there is no subnet %s in account %s", id, a.ExternalID)
}

// network is a network that is there, and what overlaps a block in it, a subnet aside.
func (c *Cloud) network(a ipam.Account, id string, block netip.Prefix, but string) (n cloud.Network, taken []cloud.Subnet, err error) {
	at := slices.IndexFunc(c.networks, func(t *thing[cloud.Network]) bool {
		return t.it.ID == id && t.it.Owner == a.ExternalID && !t.gone
	})
	if at < 0 {
		return n, nil, cloud.Errorf(cloud.CodeNotFound, "there is no network %s in account %s", id, a.ExternalID)
	}
	n = c.networks[at].it
	if !slices.ContainsFunc(n.CIDRs, func(p netip.Prefix) bool { return p.Bits() <= block.Bits() && p.Contains(block.Addr()) }) {
		return n, nil, cloud.Errorf(cloud.CodeInvalid, "%s lies outside network %s", block, id)
	}
	for _, t := range c.subnets {
		if t.gone || t.it.Network != id || t.it.ID == but {
			continue
		}
		if slices.ContainsFunc(t.it.CIDRs, block.Overlaps) || slices.ContainsFunc(t.it.Secondary, func(s cloud.Secondary) bool { return s.CIDR.Overlaps(block) }) {
			taken = append(taken, t.it)
		}
	}
	return n, taken, nil
}

// write makes a call that changes something, again where its answer was lost.
func (c *Cloud) write(ctx context.Context, a ipam.Account, region, action string, do func(fault.Kind) error) error {
	for try := range tries {
		kind, err := c.call(ctx, a, region, action, 1)
		if err != nil {
			return err
		}
		c.mu.Lock()
		err = do(kind)
		c.mu.Unlock()
		if kind != fault.LoseReply {
			return err
		}
		if err := cloud.Backoff(ctx, try+1); err != nil {
			return err
		}
	}
	return cloud.Errorf(cloud.CodeUnavailable, "no answer of %s arrived", action)
}

// CreateSubnet makes a subnet.
func (c *Cloud) CreateSubnet(ctx context.Context, a ipam.Account, s cloud.NewSubnet) (made cloud.Subnet, err error) {
	if err := s.Check(); err != nil {
		return made, err
	}
	err = c.write(ctx, a, s.Region, CreateSubnet, func(kind fault.Kind) error {
		_, taken, err := c.network(a, s.Network, s.CIDR, "")
		if err != nil {
			return err
		}
		for _, other := range taken {
			if other.Has(s.CIDR) && other.Mark.Same(s.Mark) {
				made = other
				return nil
			}
		}
		if len(taken) > 0 {
			return cloud.Errorf(cloud.CodeConflict, "%s overlaps %s of subnet %s", s.CIDR, taken[0].CIDRs[0], taken[0].ID)
		}
		made = cloud.Subnet{
			ID: c.id("subnet"), Name: s.Name, Owner: a.ExternalID, Network: s.Network, Region: s.Region, Zone: s.Zone, CIDRs: []netip.Prefix{s.CIDR}, Mark: s.Mark,
			Tags: maps.Clone(s.Tags),
		}
		if kind == fault.StripMark {
			made.Mark = cloud.Mark{}
		}
		c.subnets = append(c.subnets, &thing[cloud.Subnet]{it: made, hidden: c.lag})
		return nil
	})
	return made, err
}

// GrowSubnet makes a subnet larger.
func (c *Cloud) GrowSubnet(ctx context.Context, a ipam.Account, s cloud.Subnet, to netip.Prefix) (grown cloud.Subnet, err error) {
	err = c.write(ctx, a, s.Region, GrowSubnet, func(fault.Kind) error {
		t, err := c.find(a, s.ID)
		if err != nil {
			return err
		}
		if from := t.it.CIDRs[0]; to.Bits() > from.Bits() || !to.Contains(from.Addr()) {
			return cloud.Errorf(cloud.CodeInvalid, "%s is not around %s", to, from)
		}
		if _, taken, err := c.network(a, t.it.Network, to, s.ID); err != nil {
			return err
		} else if len(taken) > 0 {
			return cloud.Errorf(cloud.CodeConflict, "%s overlaps subnet %s", to, taken[0].ID)
		}
		t.it.CIDRs = append([]netip.Prefix{to}, t.it.CIDRs[1:]...)
		grown = t.it
		return nil
	})
	return grown, err
}

// MarkSubnet marks a subnet.
func (c *Cloud) MarkSubnet(ctx context.Context, a ipam.Account, s cloud.Subnet, m cloud.Mark) error {
	return c.write(ctx, a, s.Region, MarkSubnet, func(fault.Kind) error {
		t, err := c.find(a, s.ID)
		if err == nil {
			t.it.Mark = m
		}
		return err
	})
}

// DeleteSubnet removes a subnet.
func (c *Cloud) DeleteSubnet(ctx context.Context, a ipam.Account, s cloud.Subnet) error {
	return c.write(ctx, a, s.Region, DeleteSubnet, func(fault.Kind) error {
		t, err := c.find(a, s.ID)
		if err == nil {
			err = cloud.MayDelete(t.it, s)
		}
		if err == nil {
			c.remove(t)
		}
		return err
	})
}

func (c *Cloud) remove(t *thing[cloud.Subnet]) {
	t.gone, t.ghost = true, c.lag
	c.deleted = append(c.deleted, t.it)
}

func (c *Cloud) id(what string) string {
	c.next++
	return fmt.Sprintf("%s-%08x", what, c.next)
}
