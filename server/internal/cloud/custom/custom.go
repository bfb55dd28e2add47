// Package custom is any place that speaks no language of a cloud: a data centre, an office, a smaller provider. What is there is said
// by a JSON document for each account, which somebody or something keeps up to date.
package custom

import (
	"bytes"
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Cloud reads documents of a folder: that of the account custom:berlin is berlin.json. It only looks.
type Cloud struct{ dir string }

var _ cloud.Provider = Cloud{}

// New makes a Cloud of the documents of a folder; of none where dir is "".
func New(dir string) Cloud { return Cloud{dir} }

// document is what is said of an account. Unknown members are refused: a "cidr" that is spelled "CDIR" must not make a network vanish.
type document struct {
	Networks []struct {
		ID     string            `json:"id"`
		Name   string            `json:"name"`
		Region string            `json:"region"`
		CIDRs  []string          `json:"cidrs"`
		Tags   map[string]string `json:"tags"`
	} `json:"networks"`
	Subnets []struct {
		ID      string            `json:"id"`
		Name    string            `json:"name"`
		Network string            `json:"network"`
		Region  string            `json:"region"`
		CIDR    string            `json:"cidr"`
		Tags    map[string]string `json:"tags"`
	} `json:"subnets"`
}

func (c Cloud) read(a ipam.Account) (d document, err error) {
	if c.dir == "" {
		e := cloud.Errorf(cloud.CodeUnsupported, "nothing is known of what is in %s", a.ID)
		e.Fix = "Write it to " + a.ExternalID + ".json in the folder that CLOUDPAM_CUSTOM_DIR names."
		return d, e
	}
	path := filepath.Join(c.dir, a.ExternalID+".json")
	text, err := os.ReadFile(path)
	if err != nil {
		e := cloud.Errorf(cloud.CodeUnavailable, "%s cannot be read: %v", path, err)
		e.Fix = "Write what is in " + a.ID + " to it."
		return d, e
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&d); err != nil {
		return d, cloud.Errorf(cloud.CodeInvalid, "%s is not what it should be: %v", path, err)
	}
	if in.More() {
		return d, cloud.Errorf(cloud.CodeInvalid, "%s goes on after its end", path)
	}
	if d.Networks == nil || d.Subnets == nil {
		return d, cloud.Errorf(cloud.CodeInvalid, "%s must have networks and subnets; where there are none say []", path)
	}
	return d, nil
}

// Name is custom.
func (Cloud) Name() ipam.Cloud { return ipam.Custom }

// Validate reads the document.
func (c Cloud) Validate(ctx context.Context, a ipam.Account) error {
	if err := c.Networks(ctx, a).Err(); err != nil {
		return err
	}
	return c.Subnets(ctx, a).Err()
}

func region(said string) string {
	if said == "" {
		return cloud.Global
	}
	return said
}

// listing is the whole of what a document says: it is one view, of all regions. What is wrong with any of it is wrong with all.
func listing[T any](a ipam.Account, items []T, err error, in func(T) string) cloud.Listing[T] {
	if err != nil {
		return cloud.Nothing[T](err)
	}
	regions := append([]string{cloud.Global}, a.Regions...)
	for _, one := range items {
		regions = append(regions, in(one))
	}
	l := cloud.Listing[T]{Items: items}
	for _, r := range slices.Compact(slices.Sorted(slices.Values(regions))) {
		l.Views = append(l.Views, cloud.View{Region: r})
	}
	return l
}

// Networks lists the document's networks.
func (c Cloud) Networks(_ context.Context, a ipam.Account) cloud.Listing[cloud.Network] {
	d, err := c.read(a)
	var all []cloud.Network
	for _, n := range d.Networks {
		v := cloud.Network{ID: n.ID, Name: n.Name, Owner: a.ExternalID, Region: region(n.Region), Tags: n.Tags}
		for _, text := range n.CIDRs {
			p, wrong := ipam.ParseCIDR(text)
			if wrong != nil {
				err = cloud.Errorf(cloud.CodeInvalid, "network %q: %v", n.ID, wrong)
			}
			v.CIDRs = append(v.CIDRs, p)
		}
		if n.ID == "" {
			err = cloud.Errorf(cloud.CodeInvalid, "a network has no id")
		}
		slices.SortFunc(v.CIDRs, netip.Prefix.Compare)
		all = append(all, v)
	}
	return listing(a, all, err, func(n cloud.Network) string { return n.Region })
}

// Subnets lists the document's subnets.
func (c Cloud) Subnets(_ context.Context, a ipam.Account) cloud.Listing[cloud.Subnet] {
	d, err := c.read(a)
	var all []cloud.Subnet
	for _, s := range d.Subnets {
		p, wrong := ipam.ParseCIDR(s.CIDR)
		switch {
		case wrong != nil:
			err = cloud.Errorf(cloud.CodeInvalid, "subnet %q: %v", s.ID, wrong)
		case s.ID == "" || s.Network == "":
			err = cloud.Errorf(cloud.CodeInvalid, "subnet %s needs an id and a network", p)
		}
		all = append(all, cloud.Subnet{ID: s.ID, Name: s.Name, Owner: a.ExternalID, Network: s.Network, Region: region(s.Region), CIDRs: []netip.Prefix{p}, Tags: s.Tags})
	}
	return listing(a, all, err, func(s cloud.Subnet) string { return s.Region })
}

// Ranges are none.
func (Cloud) Ranges(_ context.Context, a ipam.Account) cloud.Listing[cloud.Range] {
	return listing(a, nil, nil, func(cloud.Range) string { return cloud.Global })
}

func unsupported() error {
	return cloud.Errorf(cloud.CodeUnsupported, "CloudPAM only reads of custom places, and makes nothing there")
}

// Accounts are not known.
func (Cloud) Accounts(context.Context, ipam.Account, string) ([]cloud.Member, error) {
	return nil, unsupported()
}

// CreateSubnet is not possible.
func (Cloud) CreateSubnet(context.Context, ipam.Account, cloud.NewSubnet) (cloud.Subnet, error) {
	return cloud.Subnet{}, unsupported()
}

// GrowSubnet is not possible.
func (Cloud) GrowSubnet(context.Context, ipam.Account, cloud.Subnet, netip.Prefix) (cloud.Subnet, error) {
	return cloud.Subnet{}, unsupported()
}

// MarkSubnet is not possible.
func (Cloud) MarkSubnet(context.Context, ipam.Account, cloud.Subnet, cloud.Mark) error {
	return unsupported()
}

// DeleteSubnet is not possible.
func (Cloud) DeleteSubnet(context.Context, ipam.Account, cloud.Subnet) error { return unsupported() }
