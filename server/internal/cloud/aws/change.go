package aws

import (
	"context"
	"net/netip"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Validate looks once, and where the account's mode is apply asks whether it might act, by dry runs.
func (c *Cloud) Validate(ctx context.Context, a ipam.Account) error {
	s, err := c.session(ctx, a)
	if err != nil {
		return err
	}
	regions, err := c.regionsOf(ctx, s, a)
	if err != nil {
		return err
	}
	region, few := regions[0], aws.Int32(5)
	client := s.in(region)
	networks, err := client.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{MaxResults: few})
	if err != nil {
		return explain(a, region, err)
	}
	subnets, err := client.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{MaxResults: few})
	if err != nil {
		return explain(a, region, err)
	}
	if a.Mode != ipam.ModeApply || len(networks.Vpcs) == 0 {
		return nil
	}
	network := networks.Vpcs[0]
	_, err = client.CreateSubnet(ctx, &ec2.CreateSubnetInput{DryRun: aws.Bool(true), VpcId: network.VpcId, CidrBlock: network.CidrBlock})
	if err := refusedDry(a, region, err); err != nil || len(subnets.Subnets) == 0 {
		return err
	}
	id := subnets.Subnets[0].SubnetId
	_, err = client.CreateTags(ctx, &ec2.CreateTagsInput{DryRun: aws.Bool(true), Resources: []string{*id}, Tags: tagsFor(cloud.Mark{}, nil, "")})
	if err := refusedDry(a, region, err); err != nil {
		return err
	}
	_, err = client.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{DryRun: aws.Bool(true), SubnetId: id})
	return refusedDry(a, region, err)
}

// refusedDry is what a dry run is denied. That it would have worked is an error of its own, and what else is in the way of just this
// one is not about permissions.
func refusedDry(a ipam.Account, region string, err error) error {
	if said := explain(a, region, err); said != nil && cloud.CodeOf(said) == cloud.CodeDenied {
		return said
	}
	return nil
}

// tagsFor are the tags of what we make. The mark comes with them in the call that makes it, so there is no moment without.
func tagsFor(m cloud.Mark, more map[string]string, name string) []types.Tag {
	tags := []types.Tag{
		{Key: aws.String(tagInstance), Value: &m.Instance},
		{Key: aws.String(tagAllocation), Value: &m.Allocation},
		{Key: aws.String(tagEpoch), Value: aws.String(strconv.FormatInt(m.Epoch, 10))},
	}
	if name != "" {
		tags = append(tags, types.Tag{Key: aws.String("Name"), Value: &name})
	}
	for key, value := range more {
		tags = append(tags, types.Tag{Key: &key, Value: &value})
	}
	return tags
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: &name, Values: values}
}

// CreateSubnet makes a subnet with its mark. EC2 has no token for a call that is made again: where the answer of the first was lost
// the second conflicts, and what is there is looked up and taken for ours if it carries the mark.
func (c *Cloud) CreateSubnet(ctx context.Context, a ipam.Account, s cloud.NewSubnet) (cloud.Subnet, error) {
	if err := s.Check(); err != nil {
		return cloud.Subnet{}, err
	}
	in, err := c.session(ctx, a)
	if err != nil {
		return cloud.Subnet{}, err
	}
	client := in.in(s.Region)
	ask := &ec2.CreateSubnetInput{
		VpcId: &s.Network, AvailabilityZone: some(s.Zone),
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeSubnet, Tags: tagsFor(s.Mark, s.Tags, s.Name)}},
	}
	if s.CIDR.Addr().Is4() {
		ask.CidrBlock = aws.String(s.CIDR.String())
	} else {
		ask.Ipv6CidrBlock, ask.Ipv6Native = aws.String(s.CIDR.String()), aws.Bool(true)
	}
	out, err := client.CreateSubnet(ctx, ask)
	if err != nil {
		refused := explain(a, s.Region, err)
		if cloud.CodeOf(refused) == cloud.CodeConflict {
			return c.taken(ctx, a, client, s, refused)
		}
		return cloud.Subnet{}, refused
	}
	if out.Subnet == nil || out.Subnet.SubnetId == nil {
		return cloud.Subnet{}, noList("CreateSubnet")
	}
	return subnet(*out.Subnet, s.Region)
}

// taken finds out who has a block that EC2 says is taken: we, somebody else, or nobody who is listed yet.
func (c *Cloud) taken(ctx context.Context, a ipam.Account, client *ec2.Client, s cloud.NewSubnet, refused error) (cloud.Subnet, error) {
	all, err := c.describe(ctx, client, s.Region, filter("vpc-id", s.Network))
	if err != nil {
		return cloud.Subnet{}, explain(a, s.Region, err)
	}
	var stranger *cloud.Subnet
	for _, other := range all {
		if other.Has(s.CIDR) && other.Mark.Same(s.Mark) {
			return other, nil
		}
		if slices.ContainsFunc(other.CIDRs, s.CIDR.Overlaps) {
			stranger = &other
		}
	}
	if stranger != nil {
		e := cloud.Errorf(cloud.CodeConflict, "%s overlaps %v of subnet %s in %s", s.CIDR, stranger.CIDRs, stranger.ID, s.Network)
		e.Cause = refused
		return cloud.Subnet{}, e
	}
	e := cloud.Errorf(cloud.CodeUnavailable, "EC2 says that %s is taken in %s, and lists nobody who has it yet; it may be ours", s.CIDR, s.Network)
	e.Cause = refused
	return cloud.Subnet{}, e
}

// GrowSubnet is what EC2 cannot do: another block is another subnet.
func (c *Cloud) GrowSubnet(context.Context, ipam.Account, cloud.Subnet, netip.Prefix) (cloud.Subnet, error) {
	return cloud.Subnet{}, cloud.Errorf(cloud.CodeUnsupported, "the block of an AWS subnet cannot change; make another subnet")
}

// MarkSubnet tags a subnet.
func (c *Cloud) MarkSubnet(ctx context.Context, a ipam.Account, s cloud.Subnet, m cloud.Mark) error {
	in, err := c.session(ctx, a)
	if err != nil {
		return err
	}
	_, err = in.in(s.Region).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{s.ID}, Tags: tagsFor(m, nil, "")})
	return explain(a, s.Region, err)
}

// DeleteSubnet looks and deletes. EC2 refuses while a network interface is in the subnet.
func (c *Cloud) DeleteSubnet(ctx context.Context, a ipam.Account, s cloud.Subnet) error {
	in, err := c.session(ctx, a)
	if err != nil {
		return err
	}
	client := in.in(s.Region)
	out, err := client.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{s.ID}})
	if err != nil {
		return explain(a, s.Region, err)
	}
	if len(out.Subnets) != 1 {
		return noList("DescribeSubnets")
	}
	there, err := subnet(out.Subnets[0], s.Region)
	if err != nil {
		return err
	}
	if err := cloud.MayDelete(there, s); err != nil {
		return err
	}
	_, err = client.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: &s.ID})
	return explain(a, s.Region, err)
}
