package gcpfake

import "net/netip"

// What happens in GCP behind CloudPAM's back.

// Lag makes listings see new subnetworks after so many more of them, and removed ones for so many more.
func (c *Cloud) Lag(listings int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lag = listings
}

// Unreachable keeps a region out of aggregated lists, which say so.
func (c *Cloud) Unreachable(region string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unreachable[region] = true
}

// Allow makes everything but these permissions denied.
func (c *Cloud) Allow(permissions ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.policy = map[string]bool{}
	for _, p := range permissions {
		c.policy[p] = true
	}
}

// AddNetwork adds a network of custom mode, which has no blocks of its own but perhaps one of IPv6; without a name it is "default",
// of automatic mode. It answers its id.
func (c *Cloud) AddNetwork(project, _, name string, cidrs ...netip.Prefix) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := &network{Name: name, Auto: name == ""}
	if name == "" {
		n.Name = "default"
	}
	for _, p := range cidrs {
		if p.Addr().Is6() {
			n.Six = p.String()
		}
	}
	c.addNetwork(project, n)
	return project + "/" + n.Name
}

// AddSubnet adds a subnetwork to a network and answers its id.
func (c *Cloud) AddSubnet(project, region, network, name string, cidr netip.Prefix) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &subnetwork{Name: name, Network: link("projects", project, "global", "networks", network[len(project)+1:])}
	if cidr.Addr().Is4() {
		s.CIDR = cidr.String()
	} else {
		s.Six, s.Stack = cidr.String(), "IPV6_ONLY"
	}
	c.addSubnetwork(project, region, s)
	return project + "/" + region + "/" + name
}

// AddSecondary gives a subnetwork another range.
func (c *Cloud) AddSecondary(id, name string, cidr netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.by(id); s != nil {
		s.Secondary = append(s.Secondary, secondary{name, cidr.String()})
	}
}

// AddSix gives a subnetwork an IPv6 range beside its own.
func (c *Cloud) AddSix(id string, cidr netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.by(id); s != nil {
		s.Six, s.Stack = cidr.String(), "IPV4_IPV6"
	}
}

// AddRange adds an internal range.
func (c *Cloud) AddRange(project, network, name string, cidr netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ranges = append(c.ranges, internalRange{
		Name: "projects/" + project + "/locations/global/internalRanges/" + name, CIDR: cidr.String(), Usage: "FOR_VPC", Peering: "FOR_SELF", project: project,
		Network: link("projects", project, "global", "networks", network[len(project)+1:]),
	})
}

// AddFolder adds a folder below a parent, and AddProject a project.
func (c *Cloud) AddFolder(parent, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.folders[id] = parent
}

// AddProject adds a project below a parent.
func (c *Cloud) AddProject(parent, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.projects[id] = parent
}

// Use puts something into a subnetwork.
func (c *Cloud) Use(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.by(id); s != nil {
		s.busy = true
	}
}

// RemoveSubnet removes a subnetwork.
func (c *Cloud) RemoveSubnet(_, _, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.by(id); s != nil {
		s.gone, s.ghost = true, c.lag
	}
}

func (c *Cloud) by(id string) *subnetwork {
	for _, s := range c.subnets {
		if s.project+"/"+s.region+"/"+s.Name == id && !s.gone {
			return s
		}
	}
	return nil
}
