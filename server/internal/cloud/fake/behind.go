package fake

import (
	"net/netip"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
)

// What happens in the cloud behind CloudPAM's back.

// Lag makes listings see new subnets after so many more of them, and removed ones for so many more.
func (c *Cloud) Lag(listings int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lag = listings
}

// AddNetwork adds a network, default where it has no name, and answers its id.
func (c *Cloud) AddNetwork(account, region, name string, cidrs ...netip.Prefix) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := cloud.Network{ID: c.id("network"), Name: name, Owner: account, Region: region, CIDRs: slices.SortedFunc(slices.Values(cidrs), netip.Prefix.Compare), Default: name == ""}
	c.networks = append(c.networks, &thing[cloud.Network]{it: n})
	return n.ID
}

// AddSubnet adds a subnet that nobody asked CloudPAM for.
func (c *Cloud) AddSubnet(account, region, network, name string, cidr netip.Prefix) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := cloud.Subnet{ID: c.id("subnet"), Name: name, Owner: account, Network: network, Region: region, CIDRs: []netip.Prefix{cidr}}
	c.subnets = append(c.subnets, &thing[cloud.Subnet]{it: s, hidden: c.lag})
	return s.ID
}

// AddSecondary adds a secondary range to a subnet.
func (c *Cloud) AddSecondary(account, region, subnet, name string, cidr netip.Prefix) {
	c.change(subnet, func(s *cloud.Subnet) {
		s.Secondary = append(slices.Clone(s.Secondary), cloud.Secondary{Name: name, CIDR: cidr})
	})
}

// AddRange adds what a planner of the cloud set aside.
func (c *Cloud) AddRange(r cloud.Range) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ranges = append(c.ranges, r)
}

// RemoveSubnet removes a subnet.
func (c *Cloud) RemoveSubnet(account, region, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.subnets {
		if t.it.ID == id && !t.gone {
			c.remove(t)
		}
	}
}

// StripTags takes a subnet's mark and tags away.
func (c *Cloud) StripTags(id string) {
	c.change(id, func(s *cloud.Subnet) { s.Mark, s.Tags = cloud.Mark{}, nil })
}

func (c *Cloud) change(id string, by func(*cloud.Subnet)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.subnets {
		if t.it.ID == id && !t.gone {
			by(&t.it)
		}
	}
}

// There are the subnets that are really there.
func (c *Cloud) There() []cloud.Subnet {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []cloud.Subnet
	for _, t := range c.subnets {
		if !t.gone {
			all = append(all, t.it)
		}
	}
	return all
}

// Deleted are the subnets that were removed, by whomever.
func (c *Cloud) Deleted() []cloud.Subnet {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.deleted)
}
