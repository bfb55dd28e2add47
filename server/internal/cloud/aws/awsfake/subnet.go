package awsfake

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
)

type subnet struct {
	id, vpc, account, region, zone string
	block                          netip.Prefix // not valid where the subnet has IPv6 only
	six                            []association
	standard                       bool
	shared                         []string
	tags                           tags
	busy                           bool // something is in it
	hidden, ghost                  int  // listings that do not show it yet, or still do
	gone                           bool
}

type subnetXML struct {
	ID      string      `xml:"subnetId"`
	ARN     string      `xml:"subnetArn"`
	State   string      `xml:"state"`
	VPC     string      `xml:"vpcId"`
	CIDR    string      `xml:"cidrBlock,omitempty"`
	Six     set[sixXML] `xml:"ipv6CidrBlockAssociationSet"`
	Free    int         `xml:"availableIpAddressCount"`
	Zone    string      `xml:"availabilityZone"`
	Default bool        `xml:"defaultForAz"`
	Public  bool        `xml:"mapPublicIpOnLaunch"`
	Owner   string      `xml:"ownerId"`
	Assign  bool        `xml:"assignIpv6AddressOnCreation"`
	Native  bool        `xml:"ipv6Native"`
	Tags    set[tag]    `xml:"tagSet"`
}

func (s *subnet) xml() subnetXML {
	out := subnetXML{
		ID: s.id, ARN: "arn:aws:ec2:" + s.region + ":" + s.account + ":subnet/" + s.id, State: "available", VPC: s.vpc, Six: setOf(s.six, six), Zone: s.zone,
		Default: s.standard, Owner: s.account, Native: !s.block.IsValid(), Tags: set[tag]{s.tags},
	}
	if s.block.IsValid() {
		out.CIDR, out.Free = s.block.String(), 1<<(32-s.block.Bits())-5
	}
	return out
}

// shows reports whether this listing shows the subnet.
func (s *subnet) shows() bool {
	switch {
	case s.hidden > 0:
		s.hidden--
		return false
	case s.gone && s.ghost > 0:
		s.ghost--
		return true
	}
	return !s.gone
}

func (c *Cloud) describeSubnets(in *call) (any, error) {
	ids := in.many("SubnetId")
	if len(ids) > 0 && in.form["MaxResults"] != "" {
		return nil, refuse("InvalidParameterCombination", "The parameter subnetIds cannot be used with the parameter maxResults")
	}
	var all []*subnet
	for _, s := range c.subnets {
		if s.region != in.region || s.account != in.account && !slices.Contains(s.shared, in.account) || len(ids) > 0 && !slices.Contains(ids, s.id) {
			continue
		}
		cidr := s.block.String()
		of := map[string][]string{
			"vpc-id": {s.vpc}, "subnet-id": {s.id}, "owner-id": {s.account}, "state": {"available"}, "cidr-block": {cidr}, "cidr": {cidr}, "cidrBlock": {cidr},
			"availability-zone": {s.zone}, "availabilityZone": {s.zone}, "default-for-az": {strconv.FormatBool(s.standard)}, "ipv6-native": {strconv.FormatBool(!s.block.IsValid())},
		}
		passes, err := in.matches(s.tags, of)
		if err != nil {
			return nil, err
		}
		if passes && (in.form["NextToken"] != "" || s.shows()) {
			all = append(all, s)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(s *subnet) bool { return s.id == id }) {
			return nil, refuse("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
		}
	}
	page, next, err := list(c, in, all)
	return listed("subnetSet", setOf(page, (*subnet).xml), next), err
}

func (c *Cloud) createSubnet(in *call) (any, error) {
	v, err := c.vpc(in, in.form["VpcId"])
	if err != nil {
		return nil, err
	}
	s := &subnet{id: c.id("subnet"), vpc: v.id, account: in.account, region: in.region, zone: in.form["AvailabilityZone"], tags: in.specified("subnet"), hidden: c.lag}
	if s.zone == "" {
		s.zone = in.region + "a"
	}
	if text := in.form["CidrBlock"]; text != "" {
		if s.block, err = block(text); err != nil {
			return nil, err
		}
		if s.block.Bits() < 16 || s.block.Bits() > 28 || !v.has(s.block) {
			return nil, refuse("InvalidSubnet.Range", "The CIDR '%s' is invalid.", s.block)
		}
	}
	if text := in.form["Ipv6CidrBlock"]; text != "" {
		p, err := block(text)
		if err != nil {
			return nil, err
		}
		if p.Bits() < 44 || p.Bits() > 64 || p.Bits()%4 != 0 || !v.has(p) {
			return nil, refuse("InvalidSubnet.Range", "The CIDR '%s' is invalid.", p)
		}
		s.six = []association{{c.id("subnet-cidr-assoc"), p}}
	}
	if !s.block.IsValid() && len(s.six) == 0 {
		return nil, refuse("MissingParameter", "Either 'cidrBlock' or 'ipv6CidrBlock' should be provided.")
	}
	for _, other := range c.subnets {
		if other.vpc != v.id || other.gone {
			continue
		}
		if s.block.IsValid() && other.block.IsValid() && other.block.Overlaps(s.block) || slices.ContainsFunc(other.six, func(a association) bool { return len(s.six) > 0 && a.block.Overlaps(s.six[0].block) }) {
			return nil, refuse("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", in.form["CidrBlock"]+in.form["Ipv6CidrBlock"])
		}
	}
	if err := in.dryRun(); err != nil {
		return nil, err
	}
	if in.kind == fault.StripMark {
		s.tags = nil
	}
	c.subnets = append(c.subnets, s)
	return element{"subnet", s.xml()}, nil
}

func (c *Cloud) subnet(in *call, id string) (*subnet, error) {
	for _, s := range c.subnets {
		if s.id == id && s.account == in.account && s.region == in.region && !s.gone {
			return s, nil
		}
	}
	return nil, refuse("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
}

func (c *Cloud) deleteSubnet(in *call) (any, error) {
	s, err := c.subnet(in, in.form["SubnetId"])
	if err != nil {
		return nil, err
	}
	if s.busy {
		return nil, refuse("DependencyViolation", "The subnet '%s' has dependencies and cannot be deleted.", s.id)
	}
	if err := in.dryRun(); err != nil {
		return nil, err
	}
	s.gone, s.ghost = true, c.lag
	c.deleted = append(c.deleted, s.id)
	return element{"return", true}, nil
}

// tagged are the tags of a resource.
func (c *Cloud) tagged(in *call, id string) (*tags, error) {
	if s, err := c.subnet(in, id); err == nil {
		return &s.tags, nil
	}
	v, err := c.vpc(in, id)
	if err != nil {
		return nil, refuse("InvalidID", "The ID '%s' is not valid", id)
	}
	return &v.tags, nil
}

func (c *Cloud) createTags(in *call) (any, error) {
	return c.tag(in, func(of *tags) {
		for _, t := range in.tags("Tag") {
			*of = of.with(t.Key, t.Value)
		}
	})
}

func (c *Cloud) deleteTags(in *call) (any, error) {
	return c.tag(in, func(of *tags) {
		for _, t := range in.tags("Tag") {
			*of = of.without(t.Key)
		}
	})
}

// tag changes the tags of all resources of a call, or of none.
func (c *Cloud) tag(in *call, change func(*tags)) (any, error) {
	var all []*tags
	for _, id := range in.many("ResourceId") {
		of, err := c.tagged(in, id)
		if err != nil {
			if len(id) > 7 && id[:7] == "subnet-" {
				err = refuse("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
			}
			return nil, err
		}
		all = append(all, of)
	}
	if err := in.dryRun(); err != nil {
		return nil, err
	}
	for _, of := range all {
		change(of)
	}
	return element{"return", true}, nil
}
