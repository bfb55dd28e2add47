package awsfake

import (
	"encoding/xml"
	"net/netip"
	"slices"
	"strconv"
)

type vpc struct {
	id, account, region string
	blocks              []association // IPv4, the primary one first
	six                 []association
	standard            bool
	shared              []string
	tags                tags
}

type association struct {
	id    string
	block netip.Prefix
}

func (v *vpc) has(p netip.Prefix) bool {
	return slices.ContainsFunc(slices.Concat(v.blocks, v.six), func(a association) bool {
		return a.block.Bits() <= p.Bits() && a.block.Contains(p.Addr())
	})
}

type state struct {
	State string `xml:"state"`
}

type vpcXML struct {
	ID      string       `xml:"vpcId"`
	State   string       `xml:"state"`
	CIDR    string       `xml:"cidrBlock"`
	Blocks  set[fourXML] `xml:"cidrBlockAssociationSet"`
	Six     set[sixXML]  `xml:"ipv6CidrBlockAssociationSet"`
	Default bool         `xml:"isDefault"`
	Owner   string       `xml:"ownerId"`
	Tenancy string       `xml:"instanceTenancy"`
	DHCP    string       `xml:"dhcpOptionsId"`
	Tags    set[tag]     `xml:"tagSet"`
}

type fourXML struct {
	ID    string `xml:"associationId"`
	CIDR  string `xml:"cidrBlock"`
	State state  `xml:"cidrBlockState"`
}

type sixXML struct {
	ID    string `xml:"associationId"`
	CIDR  string `xml:"ipv6CidrBlock"`
	State state  `xml:"ipv6CidrBlockState"`
	Pool  string `xml:"ipv6Pool,omitempty"`
	Group string `xml:"networkBorderGroup,omitempty"`
}

func four(a association) fourXML { return fourXML{a.id, a.block.String(), state{"associated"}} }

func six(a association) sixXML {
	return sixXML{a.id, a.block.String(), state{"associated"}, "Amazon", ""}
}

func (v *vpc) xml() vpcXML {
	return vpcXML{
		ID: v.id, State: "available", CIDR: v.blocks[0].block.String(), Blocks: setOf(v.blocks, four), Six: setOf(v.six, six),
		Default: v.standard, Owner: v.account, Tenancy: "default", DHCP: "dopt-1", Tags: set[tag]{v.tags},
	}
}

func (c *Cloud) describeRegions(in *call) (any, error) {
	type region struct {
		Name     string `xml:"regionName"`
		Endpoint string `xml:"regionEndpoint"`
		OptIn    string `xml:"optInStatus"`
	}
	out := struct {
		XMLName xml.Name `xml:"regionInfo"`
		Items   []region `xml:"item"`
	}{}
	for _, r := range c.regions {
		if !c.off[r] && !c.off[in.account+"/"+r] {
			out.Items = append(out.Items, region{r, "ec2." + r + ".amazonaws.com", "opt-in-not-required"})
		}
	}
	return out, nil
}

// answer members: several elements beside each other.
type members []any

func (m members) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	for _, one := range m {
		if err := e.Encode(one); err != nil {
			return err
		}
	}
	return nil
}

type nextToken struct {
	XMLName xml.Name `xml:"nextToken"`
	Token   string   `xml:",chardata"`
}

// listed is a list with the token of its next page.
func listed(name string, s any, next *string) members {
	out := members{element{name, s}}
	if next != nil {
		out = append(out, nextToken{Token: *next})
	}
	return out
}

type element struct {
	name string
	in   any
}

func (x element) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	return e.EncodeElement(x.in, xml.StartElement{Name: xml.Name{Local: x.name}})
}

func (c *Cloud) describeVpcs(in *call) (any, error) {
	ids := in.many("VpcId")
	var all []*vpc
	for _, v := range c.vpcs {
		if v.region != in.region || v.account != in.account && !slices.Contains(v.shared, in.account) || len(ids) > 0 && !slices.Contains(ids, v.id) {
			continue
		}
		of := map[string][]string{"vpc-id": {v.id}, "owner-id": {v.account}, "state": {"available"}, "isDefault": {strconv.FormatBool(v.standard)}, "is-default": {strconv.FormatBool(v.standard)}}
		for _, a := range v.blocks {
			of["cidr-block-association.association-id"] = append(of["cidr-block-association.association-id"], a.id)
			of["cidr-block-association.cidr-block"] = append(of["cidr-block-association.cidr-block"], a.block.String())
		}
		for _, a := range v.six {
			of["ipv6-cidr-block-association.association-id"] = append(of["ipv6-cidr-block-association.association-id"], a.id)
		}
		passes, err := in.matches(v.tags, of)
		if err != nil {
			return nil, err
		}
		if passes {
			all = append(all, v)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(v *vpc) bool { return v.id == id }) {
			return nil, refuse("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
		}
	}
	page, next, err := list(c, in, all)
	return listed("vpcSet", setOf(page, (*vpc).xml), next), err
}

func (c *Cloud) vpc(in *call, id string) (*vpc, error) {
	for _, v := range c.vpcs {
		if v.id == id && v.account == in.account && v.region == in.region {
			return v, nil
		}
	}
	return nil, refuse("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
}

func (c *Cloud) createVpc(in *call) (any, error) {
	p, err := block(in.form["CidrBlock"])
	if err != nil {
		return nil, err
	}
	if p.Bits() < 16 || p.Bits() > 28 {
		return nil, refuse("InvalidVpc.Range", "The CIDR '%s' is invalid.", p)
	}
	if err := in.dryRun(); err != nil {
		return nil, err
	}
	v := &vpc{id: c.id("vpc"), account: in.account, region: in.region, blocks: []association{{c.id("vpc-cidr-assoc"), p}}, tags: in.specified("vpc")}
	if in.form["AmazonProvidedIpv6CidrBlock"] == "true" {
		v.six = append(v.six, c.amazon())
	}
	c.vpcs = append(c.vpcs, v)
	return element{"vpc", v.xml()}, nil
}

// amazon is a /56 that AWS provides.
func (c *Cloud) amazon() association {
	n := c.next + 1
	return association{c.id("vpc-cidr-assoc"), netip.PrefixFrom(netip.AddrFrom16([16]byte{0x26, 0x00, 0x1f, 0x18, byte(n >> 16), byte(n >> 8), byte(n)}), 56)}
}

func (c *Cloud) deleteVpc(in *call) (any, error) {
	v, err := c.vpc(in, in.form["VpcId"])
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(c.subnets, func(s *subnet) bool { return s.vpc == v.id && !s.gone }) {
		return nil, refuse("DependencyViolation", "The vpc '%s' has dependencies and cannot be deleted.", v.id)
	}
	c.vpcs = slices.DeleteFunc(c.vpcs, func(other *vpc) bool { return other == v })
	return element{"return", true}, nil
}

func (c *Cloud) associate(in *call) (any, error) {
	v, err := c.vpc(in, in.form["VpcId"])
	if err != nil {
		return nil, err
	}
	if in.form["AmazonProvidedIpv6CidrBlock"] == "true" {
		v.six = append(v.six, c.amazon())
		return members{element{"vpcId", v.id}, element{"ipv6CidrBlockAssociation", six(v.six[len(v.six)-1])}}, nil
	}
	p, err := block(in.form["CidrBlock"])
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(v.blocks, func(a association) bool { return a.block.Overlaps(p) }) {
		return nil, refuse("InvalidVpc.Range", "The CIDR '%s' conflicts with another CIDR of the VPC.", p)
	}
	v.blocks = append(v.blocks, association{c.id("vpc-cidr-assoc"), p})
	return members{element{"vpcId", v.id}, element{"cidrBlockAssociation", four(v.blocks[len(v.blocks)-1])}}, nil
}

func (c *Cloud) disassociate(in *call) (any, error) {
	for _, v := range c.vpcs {
		for i, a := range v.blocks {
			if a.id == in.form["AssociationId"] && v.account == in.account && i > 0 {
				v.blocks = slices.Delete(v.blocks, i, i+1)
				gone := four(a)
				gone.State.State = "disassociated"
				return members{element{"vpcId", v.id}, element{"cidrBlockAssociation", gone}}, nil
			}
		}
	}
	return nil, refuse("InvalidVpcCidrBlockAssociationID.NotFound", "The vpc CIDR block with association ID %s does not exist", in.form["AssociationId"])
}

func (c *Cloud) describeVpcAttribute(in *call) (any, error) {
	v, err := c.vpc(in, in.form["VpcId"])
	if err != nil {
		return nil, err
	}
	name := in.form["Attribute"]
	value := struct {
		Value bool `xml:"value"`
	}{name == "enableDnsSupport"}
	return members{element{"vpcId", v.id}, element{name, value}}, nil
}

// describeBeside tells of what AWS makes next to each VPC, as far as Terraform asks for it.
func (c *Cloud) describeBeside(in *call) (any, error) {
	type item struct {
		Group  string `xml:"groupId,omitempty"`
		Name   string `xml:"groupName,omitempty"`
		Table  string `xml:"routeTableId,omitempty"`
		ACL    string `xml:"networkAclId,omitempty"`
		VPC    string `xml:"vpcId"`
		Main   *bool  `xml:"associationSet>item>main"`
		Normal *bool  `xml:"default"`
		Owner  string `xml:"ownerId"`
	}
	of, yes := in.form["Filter.1.Value.1"], true
	for i := 1; i < 5; i++ {
		if n := strconv.Itoa(i); in.form["Filter."+n+".Name"] == "vpc-id" {
			of = in.form["Filter."+n+".Value.1"]
		}
	}
	one := item{VPC: of, Owner: in.account}
	name := ""
	switch in.action {
	case "DescribeSecurityGroups":
		name, one.Group, one.Name = "securityGroupInfo", "sg-"+of, "default"
	case "DescribeRouteTables":
		name, one.Table, one.Main = "routeTableSet", "rtb-"+of, &yes
	case "DescribeNetworkAcls":
		name, one.ACL, one.Normal = "networkAclSet", "acl-"+of, &yes
	default:
		return listed("networkInterfaceSet", set[item]{}, nil), nil
	}
	return listed(name, set[item]{[]item{one}}, nil), nil
}
