package gcp

import (
	"context"
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/api/compute/v1"
	"google.golang.org/api/networkconnectivity/v1"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Subnetworks carry no labels, and their description is said once, when they are made: the mark stands in it.
var markForm = regexp.MustCompile(`cloudpam\(instance=([^,()]*), allocation=([^,()]*), epoch=([0-9]+)\)`)

func describe(m cloud.Mark) string {
	return "Made by cloudpam(instance=" + m.Instance + ", allocation=" + m.Allocation + ", epoch=" + strconv.FormatInt(m.Epoch, 10) + ")"
}

func markOf(description string) (m cloud.Mark) {
	if found := markForm.FindStringSubmatch(description); found != nil {
		m.Instance, m.Allocation = found[1], found[2]
		m.Epoch, _ = strconv.ParseInt(found[3], 10, 64)
	}
	return m
}

// automatic is what a network of automatic mode takes its subnetworks from. https://cloud.google.com/vpc/docs/subnets#ip-ranges
var automatic = netip.MustParsePrefix("10.128.0.0/9")

// errEmpty is the failure of an answer with nothing in it.
var errEmpty = cloud.Errorf(cloud.CodeUnavailable, "GCP answered a list that says nothing of itself")

// Networks lists networks, which span all regions and have no IPv4 blocks of their own unless GCP makes their subnetworks.
func (c *Cloud) Networks(ctx context.Context, a ipam.Account) cloud.Listing[cloud.Network] {
	s, err := c.session(ctx, a)
	if err != nil {
		return cloud.Nothing[cloud.Network](err)
	}
	return cloud.Regions(ctx, []string{cloud.Global}, 1, func(ctx context.Context, _ string) (all []cloud.Network, err error) {
		err = cloud.Pages(func(token string) (string, error) {
			out, err := try(ctx, c, a, "networks.list", func() (*compute.NetworkList, error) {
				return s.compute.Networks.List(a.ExternalID).MaxResults(c.o.PageSize).PageToken(token).Context(ctx).Do()
			})
			if err != nil {
				return "", err
			}
			if out.Kind == "" {
				return "", errEmpty
			}
			for _, n := range out.Items {
				v, err := network(a, n)
				if err != nil {
					return "", err
				}
				all = append(all, v)
			}
			return out.NextPageToken, nil
		})
		return all, err
	})
}

func network(a ipam.Account, v *compute.Network) (cloud.Network, error) {
	n := cloud.Network{ID: a.ExternalID + "/" + v.Name, Name: v.Name, Owner: a.ExternalID, Region: cloud.Global, Default: v.Name == "default", Tags: map[string]string{}}
	said := []string{v.IPv4Range, v.InternalIpv6Range}
	if v.AutoCreateSubnetworks {
		said = append(said, automatic.String())
	}
	var err error
	n.CIDRs, err = blocks(n.ID, said...)
	slices.SortFunc(n.CIDRs, netip.Prefix.Compare)
	return n, err
}

func blocks(id string, said ...string) (all []netip.Prefix, err error) {
	for _, text := range said {
		if text == "" {
			continue
		}
		p, err := ipam.ParseCIDR(text)
		if err != nil {
			return nil, cloud.Errorf(cloud.CodeUnavailable, "GCP says of %s: %v", id, err)
		}
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all, nil
}

// named is what a URL of compute names: project, place and name.
func named(url string) (project, place, name string, ok bool) {
	_, path, found := strings.Cut(url, "projects/")
	part := strings.Split(path, "/")
	if !found || len(part) < 4 {
		return "", "", "", false
	}
	place = part[1]
	if place == "regions" {
		place = part[2]
	}
	return part[0], place, part[len(part)-1], true
}

// Subnets lists the subnetworks of all regions in one go: where a page fails no region is whole. In a shared VPC they are those of
// the host project.
func (c *Cloud) Subnets(ctx context.Context, a ipam.Account) cloud.Listing[cloud.Subnet] {
	s, err := c.session(ctx, a)
	if err != nil {
		return cloud.Nothing[cloud.Subnet](err)
	}
	regions, err := c.regions(ctx, s, a)
	if err != nil {
		return cloud.Nothing[cloud.Subnet](err)
	}
	var (
		all         []cloud.Subnet
		unreachable []string
	)
	err = cloud.Pages(func(token string) (string, error) {
		out, err := try(ctx, c, a, "subnetworks.aggregatedList", func() (*compute.SubnetworkAggregatedList, error) {
			return s.compute.Subnetworks.AggregatedList(a.ExternalID).MaxResults(c.o.PageSize).PageToken(token).Context(ctx).Do()
		})
		if err != nil {
			return "", err
		}
		if out.Kind == "" {
			return "", errEmpty
		}
		for _, missing := range out.Unreachables {
			unreachable = append(unreachable, missing[strings.LastIndexByte(missing, '/')+1:])
		}
		for _, scope := range out.Items {
			for _, v := range scope.Subnetworks {
				one, err := subnet(v)
				if err != nil {
					return "", err
				}
				if slices.Contains(regions, one.Region) {
					all = append(all, one)
				}
			}
		}
		return out.NextPageToken, nil
	})
	l := cloud.Listing[cloud.Subnet]{Items: all}
	for _, r := range regions {
		v := cloud.View{Region: r, Err: err}
		if slices.Contains(unreachable, r) {
			v.Err = errors.Join(err, cloud.Errorf(cloud.CodeUnavailable, "GCP could not reach %s", r))
		}
		l.Views = append(l.Views, v)
	}
	return l
}

// regions are those that an account is looked at in: as it says, or all that its project has.
func (c *Cloud) regions(ctx context.Context, s *session, a ipam.Account) (all []string, err error) {
	err = cloud.Pages(func(token string) (string, error) {
		out, err := try(ctx, c, a, "regions.list", func() (*compute.RegionList, error) {
			return s.compute.Regions.List(a.ExternalID).MaxResults(c.o.PageSize).PageToken(token).Context(ctx).Do()
		})
		if err != nil {
			return "", err
		}
		if out.Kind == "" || len(out.Items) == 0 {
			return "", errEmpty
		}
		for _, r := range out.Items {
			if len(a.Regions) == 0 || slices.Contains(a.Regions, r.Name) {
				all = append(all, r.Name)
			}
		}
		return out.NextPageToken, nil
	})
	for _, r := range a.Regions {
		if err == nil && !slices.Contains(all, r) {
			e := cloud.Errorf(cloud.CodeDisabled, "project %s has no region %s", a.ExternalID, r)
			e.Fix = "Leave it out of the account's regions."
			return nil, e
		}
	}
	slices.Sort(all)
	return all, err
}

func subnet(v *compute.Subnetwork) (cloud.Subnet, error) {
	project, region, name, ok := named(v.SelfLink)
	host, _, networkName, also := named(v.Network)
	if !ok || !also {
		return cloud.Subnet{}, cloud.Errorf(cloud.CodeUnavailable, "GCP lists a subnetwork as %q of network %q", v.SelfLink, v.Network)
	}
	s := cloud.Subnet{ID: project + "/" + region + "/" + name, Name: name, Owner: project, Network: host + "/" + networkName, Region: region, Mark: markOf(v.Description), Tags: map[string]string{}}
	var err error
	if s.CIDRs, err = blocks(s.ID, v.IpCidrRange, v.Ipv6CidrRange, v.InternalIpv6Prefix, v.ExternalIpv6Prefix); err != nil {
		return s, err
	}
	for _, r := range v.SecondaryIpRanges {
		p, err := blocks(s.ID, r.IpCidrRange)
		if err != nil {
			return s, err
		}
		for _, block := range p {
			s.Secondary = append(s.Secondary, cloud.Secondary{Name: r.RangeName, CIDR: block})
		}
	}
	slices.SortFunc(s.Secondary, func(a, b cloud.Secondary) int { return strings.Compare(a.Name, b.Name) })
	return s, nil
}

// Ranges lists internal ranges.
func (c *Cloud) Ranges(ctx context.Context, a ipam.Account) cloud.Listing[cloud.Range] {
	s, err := c.session(ctx, a)
	if err != nil {
		return cloud.Nothing[cloud.Range](err)
	}
	return cloud.Regions(ctx, []string{cloud.Global}, 1, func(ctx context.Context, _ string) (all []cloud.Range, err error) {
		err = cloud.Pages(func(token string) (string, error) {
			out, err := try(ctx, c, a, "internalRanges.list", func() (*networkconnectivity.ListInternalRangesResponse, error) {
				return s.ranges.Projects.Locations.InternalRanges.List("projects/" + a.ExternalID + "/locations/global").PageSize(c.o.PageSize).PageToken(token).Context(ctx).Do()
			})
			if err != nil {
				return "", err
			}
			for _, r := range out.InternalRanges {
				found, err := blocks(r.Name, r.IpCidrRange)
				if err != nil {
					return "", err
				}
				for _, p := range found {
					one := cloud.Range{ID: r.Name, Name: r.Name[strings.LastIndexByte(r.Name, '/')+1:], Owner: a.ExternalID, Region: cloud.Global, Kind: cloud.RangeInternal, CIDR: p, Mark: markOf(r.Description)}
					if len(r.Users) > 0 {
						one.For = r.Users[0]
					}
					all = append(all, one)
				}
			}
			return out.NextPageToken, nil
		})
		return all, err
	})
}
