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

// The tags of a mark.
const (
	tagInstance   = "cloudpam:instance"
	tagAllocation = "cloudpam:allocation"
	tagEpoch      = "cloudpam:epoch"
)

// each lists something in every region of an account.
func each[T any](ctx context.Context, c *Cloud, a ipam.Account, in func(ctx context.Context, client *ec2.Client, region string) ([]T, error)) cloud.Listing[T] {
	s, err := c.session(ctx, a)
	if err != nil {
		return cloud.Nothing[T](err)
	}
	regions, err := c.regionsOf(ctx, s, a)
	if err != nil {
		return cloud.Nothing[T](err)
	}
	return cloud.Regions(ctx, regions, c.o.Width, func(ctx context.Context, region string) ([]T, error) {
		items, err := in(ctx, s.in(region), region)
		return items, explain(a, region, err)
	})
}

// Networks lists VPCs, with every block that is associated.
func (c *Cloud) Networks(ctx context.Context, a ipam.Account) cloud.Listing[cloud.Network] {
	return each(ctx, c, a, func(ctx context.Context, client *ec2.Client, region string) (all []cloud.Network, err error) {
		err = cloud.Pages(func(token string) (string, error) {
			out, err := client.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{MaxResults: &c.o.PageSize, NextToken: some(token)})
			if err != nil {
				return "", err
			}
			if out.Vpcs == nil {
				return "", noList("DescribeVpcs")
			}
			for _, v := range out.Vpcs {
				n, err := network(v, region)
				if err != nil {
					return "", err
				}
				all = append(all, n)
			}
			return aws.ToString(out.NextToken), nil
		})
		return all, err
	})
}

func network(v types.Vpc, region string) (cloud.Network, error) {
	n := cloud.Network{ID: aws.ToString(v.VpcId), Owner: aws.ToString(v.OwnerId), Region: region, Default: aws.ToBool(v.IsDefault)}
	n.Tags, _ = tagsOf(v.Tags)
	n.Name = n.Tags["Name"]
	said := []string{aws.ToString(v.CidrBlock)}
	for _, b := range v.CidrBlockAssociationSet {
		if b.CidrBlockState == nil || there(string(b.CidrBlockState.State)) {
			said = append(said, aws.ToString(b.CidrBlock))
		}
	}
	for _, b := range v.Ipv6CidrBlockAssociationSet {
		if b.Ipv6CidrBlockState == nil || there(string(b.Ipv6CidrBlockState.State)) {
			said = append(said, aws.ToString(b.Ipv6CidrBlock))
		}
	}
	var err error
	n.CIDRs, err = blocks(n.ID, said)
	slices.SortFunc(n.CIDRs, netip.Prefix.Compare)
	n.CIDRs = slices.Compact(n.CIDRs)
	return n, err
}

// there reports whether an association takes space: also one that comes or goes.
func there(state string) bool {
	return state != "disassociated" && state != "failed"
}

func blocks(id string, said []string) (all []netip.Prefix, err error) {
	for _, text := range said {
		if text == "" {
			continue
		}
		p, err := ipam.ParseCIDR(text)
		if err != nil {
			return nil, cloud.Errorf(cloud.CodeUnavailable, "AWS says of %s: %v", id, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// tagsOf are tags as a map, and the mark among them apart.
func tagsOf(all []types.Tag) (map[string]string, cloud.Mark) {
	var m cloud.Mark
	tags := map[string]string{}
	for _, t := range all {
		switch key, value := aws.ToString(t.Key), aws.ToString(t.Value); key {
		case tagInstance:
			m.Instance = value
		case tagAllocation:
			m.Allocation = value
		case tagEpoch:
			m.Epoch, _ = strconv.ParseInt(value, 10, 64)
		default:
			tags[key] = value
		}
	}
	return tags, m
}

// Subnets lists subnets. One that is shared by AWS RAM is told by each account that sees it, with its owner.
func (c *Cloud) Subnets(ctx context.Context, a ipam.Account) cloud.Listing[cloud.Subnet] {
	return each(ctx, c, a, func(ctx context.Context, client *ec2.Client, region string) ([]cloud.Subnet, error) {
		return c.describe(ctx, client, region)
	})
}

// describe pages through the subnets of a region that pass the filters.
func (c *Cloud) describe(ctx context.Context, client *ec2.Client, region string, filters ...types.Filter) (all []cloud.Subnet, err error) {
	err = cloud.Pages(func(token string) (string, error) {
		out, err := client.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: filters, MaxResults: &c.o.PageSize, NextToken: some(token)})
		if err != nil {
			return "", err
		}
		if out.Subnets == nil {
			return "", noList("DescribeSubnets")
		}
		for _, one := range out.Subnets {
			s, err := subnet(one, region)
			if err != nil {
				return "", err
			}
			all = append(all, s)
		}
		return aws.ToString(out.NextToken), nil
	})
	return all, err
}

func subnet(v types.Subnet, region string) (cloud.Subnet, error) {
	s := cloud.Subnet{ID: aws.ToString(v.SubnetId), Owner: aws.ToString(v.OwnerId), Network: aws.ToString(v.VpcId), Region: region, Zone: aws.ToString(v.AvailabilityZone)}
	s.Tags, s.Mark = tagsOf(v.Tags)
	s.Name = s.Tags["Name"]
	said := []string{aws.ToString(v.CidrBlock)}
	for _, b := range v.Ipv6CidrBlockAssociationSet {
		if b.Ipv6CidrBlockState == nil || there(string(b.Ipv6CidrBlockState.State)) {
			said = append(said, aws.ToString(b.Ipv6CidrBlock))
		}
	}
	var err error
	s.CIDRs, err = blocks(s.ID, said)
	return s, err
}

// Ranges lists the pools of AWS IPAM and what is allocated in them.
func (c *Cloud) Ranges(ctx context.Context, a ipam.Account) cloud.Listing[cloud.Range] {
	return each(ctx, c, a, func(ctx context.Context, client *ec2.Client, region string) (all []cloud.Range, err error) {
		var pools []types.IpamPool
		err = cloud.Pages(func(token string) (string, error) {
			out, err := client.DescribeIpamPools(ctx, &ec2.DescribeIpamPoolsInput{MaxResults: &c.o.PageSize, NextToken: some(token)})
			if err != nil {
				return "", err
			}
			if out.IpamPools == nil {
				return "", noList("DescribeIpamPools")
			}
			pools = append(pools, out.IpamPools...)
			return aws.ToString(out.NextToken), nil
		})
		for _, p := range pools {
			if err != nil {
				break
			}
			var in []cloud.Range
			in, err = c.pool(ctx, client, p)
			all = append(all, in...)
		}
		return all, err
	})
}

// pool is a pool of AWS IPAM: its blocks and its allocations. One of type custom that carries our mark is ours.
func (c *Cloud) pool(ctx context.Context, client *ec2.Client, p types.IpamPool) (all []cloud.Range, err error) {
	of := cloud.Range{Owner: aws.ToString(p.OwnerId), Region: aws.ToString(p.Locale)}
	add := func(id, text string, as cloud.Range) error {
		found, err := blocks(id, []string{text})
		for _, b := range found {
			as.ID, as.CIDR = id, b
			all = append(all, as)
		}
		return err
	}
	id := aws.ToString(p.IpamPoolId)
	err = cloud.Pages(func(token string) (string, error) {
		out, err := client.GetIpamPoolCidrs(ctx, &ec2.GetIpamPoolCidrsInput{IpamPoolId: &id, MaxResults: &c.o.PageSize, NextToken: some(token)})
		if err != nil {
			return "", err
		}
		if out.IpamPoolCidrs == nil {
			return "", noList("GetIpamPoolCidrs")
		}
		for _, b := range out.IpamPoolCidrs {
			as := of
			as.Kind = cloud.RangePool
			if err := add(id, aws.ToString(b.Cidr), as); err != nil {
				return "", err
			}
		}
		return aws.ToString(out.NextToken), nil
	})
	if err != nil {
		return all, err
	}
	err = cloud.Pages(func(token string) (string, error) {
		// It takes 1,000 at least, other than all its siblings.
		out, err := client.GetIpamPoolAllocations(ctx, &ec2.GetIpamPoolAllocationsInput{IpamPoolId: &id, MaxResults: aws.Int32(1000), NextToken: some(token)})
		if err != nil {
			return "", err
		}
		if out.IpamPoolAllocations == nil {
			return "", noList("GetIpamPoolAllocations")
		}
		for _, b := range out.IpamPoolAllocations {
			as := of
			as.Kind, as.For = cloud.RangeAllocation, aws.ToString(b.ResourceId)
			if owner := aws.ToString(b.ResourceOwner); owner != "" {
				as.Owner = owner
			}
			if b.ResourceType == types.IpamPoolAllocationResourceTypeCustom {
				_, as.Mark = tagsOf(b.Tags)
			}
			if err := add(aws.ToString(b.IpamPoolAllocationId), aws.ToString(b.Cidr), as); err != nil {
				return "", err
			}
		}
		return aws.ToString(out.NextToken), nil
	})
	return all, err
}
