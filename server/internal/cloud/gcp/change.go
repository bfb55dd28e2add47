package gcp

import (
	"context"
	"net/netip"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/api/compute/v1"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Validate looks once. Whether CloudPAM may act, only acting tells: Compute has no dry runs.
func (c *Cloud) Validate(ctx context.Context, a ipam.Account) error {
	s, err := c.session(ctx, a)
	if err != nil {
		return err
	}
	if _, err := c.regions(ctx, s, a); err != nil {
		return err
	}
	_, err = try(ctx, c, a, "networks.list", func() (*compute.NetworkList, error) {
		return s.compute.Networks.List(a.ExternalID).MaxResults(1).Context(ctx).Do()
	})
	if err == nil {
		_, err = try(ctx, c, a, "subnetworks.aggregatedList", func() (*compute.SubnetworkAggregatedList, error) {
			return s.compute.Subnetworks.AggregatedList(a.ExternalID).MaxResults(1).Context(ctx).Do()
		})
	}
	return err
}

// parts are the place of a subnetwork by its id.
func parts(id string) (project, region, name string, err error) {
	part := strings.Split(id, "/")
	if len(part) != 3 {
		return "", "", "", cloud.Errorf(cloud.CodeInvalid, "%q is no id of a subnetwork; one looks like my-project/europe-west1/my-subnet", id)
	}
	return part[0], part[1], part[2], nil
}

// get is a fresh look at a subnetwork.
func (c *Cloud) get(ctx context.Context, s *session, a ipam.Account, id string) (cloud.Subnet, error) {
	project, region, name, err := parts(id)
	if err != nil {
		return cloud.Subnet{}, err
	}
	v, err := try(ctx, c, a, "subnetworks.get", func() (*compute.Subnetwork, error) {
		return s.compute.Subnetworks.Get(project, region, name).Context(ctx).Do()
	})
	if err != nil {
		return cloud.Subnet{}, err
	}
	if v.SelfLink == "" {
		return cloud.Subnet{}, errEmpty
	}
	return subnet(v)
}

// change makes a call that changes something, with a request id so that it happens once, and waits until it is done.
func (c *Cloud) change(ctx context.Context, s *session, a ipam.Account, what string, call func(requestID string) (*compute.Operation, error)) error {
	id := uuid.NewString()
	o, err := try(ctx, c, a, what, func() (*compute.Operation, error) { return call(id) })
	for err == nil && o.Status != "DONE" {
		project, region, name, ok := named(o.SelfLink)
		if !ok {
			return cloud.Errorf(cloud.CodeUnavailable, "GCP answered %s without an operation", what)
		}
		o, err = try(ctx, c, a, "regionOperations.wait", func() (*compute.Operation, error) {
			return s.compute.RegionOperations.Wait(project, region, name).Context(ctx).Do()
		})
	}
	if err != nil {
		return err
	}
	if o.Error != nil && len(o.Error.Errors) > 0 {
		first := o.Error.Errors[0]
		return cloud.Errorf(opCode(first.Code, first.Message), "GCP ended %s (project %s): %s: %s", what, a.ExternalID, first.Code, first.Message)
	}
	return nil
}

// CreateSubnet makes a subnetwork with its mark. One of the name that carries the mark already is the answer.
func (c *Cloud) CreateSubnet(ctx context.Context, a ipam.Account, n cloud.NewSubnet) (cloud.Subnet, error) {
	if err := n.Check(); err != nil {
		return cloud.Subnet{}, err
	}
	host, networkName, ok := strings.Cut(n.Network, "/")
	switch {
	case !ok:
		return cloud.Subnet{}, cloud.Errorf(cloud.CodeInvalid, "%q is no id of a network; one looks like my-project/my-network", n.Network)
	case !n.CIDR.Addr().Is4():
		return cloud.Subnet{}, cloud.Errorf(cloud.CodeInvalid, "GCP chooses the IPv6 blocks of subnetworks by itself; %s cannot be asked for", n.CIDR)
	}
	s, err := c.session(ctx, a)
	if err != nil {
		return cloud.Subnet{}, err
	}
	id := host + "/" + n.Region + "/" + n.Name
	err = c.change(ctx, s, a, "subnetworks.insert", func(requestID string) (*compute.Operation, error) {
		return s.compute.Subnetworks.Insert(host, n.Region, &compute.Subnetwork{
			Name: n.Name, Network: "projects/" + host + "/global/networks/" + networkName, IpCidrRange: n.CIDR.String(), Description: describe(n.Mark),
		}).RequestId(requestID).Context(ctx).Do()
	})
	if err != nil && cloud.CodeOf(err) != cloud.CodeConflict {
		return cloud.Subnet{}, err
	}
	there, look := c.get(ctx, s, a, id)
	switch {
	case look == nil && (err == nil || there.Mark.Same(n.Mark) && there.Has(n.CIDR) && there.Network == n.Network):
		return there, nil
	case err != nil:
		return cloud.Subnet{}, err
	}
	return cloud.Subnet{}, look
}

// GrowSubnet expands the primary range.
func (c *Cloud) GrowSubnet(ctx context.Context, a ipam.Account, n cloud.Subnet, to netip.Prefix) (cloud.Subnet, error) {
	s, err := c.session(ctx, a)
	if err != nil {
		return cloud.Subnet{}, err
	}
	there, err := c.get(ctx, s, a, n.ID)
	if err != nil || there.Has(to) {
		return there, err
	}
	project, region, name, err := parts(n.ID)
	if err != nil {
		return there, err
	}
	err = c.change(ctx, s, a, "subnetworks.expandIpCidrRange", func(requestID string) (*compute.Operation, error) {
		return s.compute.Subnetworks.ExpandIpCidrRange(project, region, name, &compute.SubnetworksExpandIpCidrRangeRequest{IpCidrRange: to.String()}).RequestId(requestID).Context(ctx).Do()
	})
	if err != nil {
		return there, err
	}
	return c.get(ctx, s, a, n.ID)
}

// MarkSubnet is what GCP cannot do: a description is said once.
func (c *Cloud) MarkSubnet(context.Context, ipam.Account, cloud.Subnet, cloud.Mark) error {
	return cloud.Errorf(cloud.CodeUnsupported, "the description of a GCP subnetwork cannot change, and it has nothing else to carry a mark")
}

// DeleteSubnet looks and deletes. GCP refuses while something uses the subnetwork.
func (c *Cloud) DeleteSubnet(ctx context.Context, a ipam.Account, n cloud.Subnet) error {
	s, err := c.session(ctx, a)
	if err != nil {
		return err
	}
	there, err := c.get(ctx, s, a, n.ID)
	if err != nil {
		return err
	}
	if err := cloud.MayDelete(there, n); err != nil {
		return err
	}
	project, region, name, err := parts(n.ID)
	if err != nil {
		return err
	}
	return c.change(ctx, s, a, "subnetworks.delete", func(requestID string) (*compute.Operation, error) {
		return s.compute.Subnetworks.Delete(project, region, name).RequestId(requestID).Context(ctx).Do()
	})
}
