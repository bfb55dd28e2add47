package awsfake

import (
	"net/netip"
	"slices"
)

// What happens in AWS behind CloudPAM's back.

// Lag makes listings see new subnets after so many more of them, and removed ones for so many more.
func (c *Cloud) Lag(listings int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lag = listings
}

// Off turns a region off: in one account, or in all for "".
func (c *Cloud) Off(account, region string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if account != "" {
		region = account + "/" + region
	}
	c.off[region] = true
}

// Allow makes everything but these actions ("ec2:DescribeVpcs") denied.
func (c *Cloud) Allow(actions ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.policy = map[string]bool{}
	for _, a := range actions {
		c.policy[a] = true
	}
}

// AddNetwork adds a VPC with all its blocks, of either family; without a name it is the default one. It answers its id.
func (c *Cloud) AddNetwork(account, region, name string, cidrs ...netip.Prefix) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := &vpc{id: c.id("vpc"), account: account, region: region, standard: name == ""}
	if name != "" {
		v.tags = tags{{"Name", name}}
	}
	for _, p := range cidrs {
		a := association{c.id("vpc-cidr-assoc"), p}
		if p.Addr().Is4() {
			v.blocks = append(v.blocks, a)
		} else {
			v.six = append(v.six, a)
		}
	}
	c.vpcs = append(c.vpcs, v)
	return v.id
}

// AddSubnet adds a subnet of any block to a VPC and answers its id.
func (c *Cloud) AddSubnet(account, region, network, name string, cidr netip.Prefix) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &subnet{id: c.id("subnet"), vpc: network, account: account, region: region, zone: region + "a", tags: tags{{"Name", name}}, hidden: c.lag}
	if cidr.Addr().Is4() {
		s.block = cidr
	} else {
		s.six = []association{{c.id("subnet-cidr-assoc"), cidr}}
	}
	c.subnets = append(c.subnets, s)
	return s.id
}

// Share lets another account see a subnet and its VPC, as AWS RAM does.
func (c *Cloud) Share(id, with string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.subnets {
		if s.id != id {
			continue
		}
		s.shared = append(s.shared, with)
		for _, v := range c.vpcs {
			if v.id == s.vpc && !slices.Contains(v.shared, with) {
				v.shared = append(v.shared, with)
			}
		}
	}
}

// AddSix gives a subnet an IPv6 block beside its own.
func (c *Cloud) AddSix(id string, cidr netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.subnets {
		if s.id == id {
			s.six = append(s.six, association{c.id("subnet-cidr-assoc"), cidr})
		}
	}
}

// Use puts something into a subnet.
func (c *Cloud) Use(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.subnets {
		s.busy = s.busy || s.id == id
	}
}

// RemoveSubnet removes a subnet.
func (c *Cloud) RemoveSubnet(_, _, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.subnets {
		if s.id == id {
			s.gone, s.ghost = true, c.lag
		}
	}
}

// AddPool adds a pool of AWS IPAM, with the blocks that were allocated in it by hand.
func (c *Cloud) AddPool(account, region string, cidr netip.Prefix, custom ...netip.Prefix) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &ipamPool{id: c.id("ipam-pool"), account: account, region: region, locale: region, cidr: cidr}
	for _, block := range custom {
		p.allocations = append(p.allocations, ipamAllocation{ID: c.id("ipam-pool-alloc"), CIDR: block.String(), Type: "custom", Region: region, Owner: account})
	}
	c.pools = append(c.pools, p)
	return p.id
}
