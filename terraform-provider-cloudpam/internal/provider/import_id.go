package provider

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

const slugPattern = `[a-z0-9]([a-z0-9_-]*[a-z0-9])?`

var (
	slugForm         = regexp.MustCompile(`^` + slugPattern + `$`)
	poolIDForm       = regexp.MustCompile(`^(` + slugPattern + `\.)?` + slugPattern + `$`)
	allocationForm   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._:/-]*[A-Za-z0-9])?$`)
	allocationIDForm = regexp.MustCompile(`^alloc_[A-Za-z0-9]+$`)
)

// allocationKey is one of the three ways to name an allocation: its id, its pool and name, or its pool and CIDR.
type allocationKey struct {
	id   string
	pool string
	name string
	cidr netip.Prefix
}

// String reads like: allocation "app" in pool "corp".
func (k allocationKey) String() string {
	switch {
	case k.id != "":
		return fmt.Sprintf("allocation with the id %q", k.id)
	case k.name != "":
		return fmt.Sprintf("allocation %q in pool %q", k.name, k.pool)
	default:
		return fmt.Sprintf("allocation %s in pool %q", k.cidr, k.pool)
	}
}

// names reports whether this is the allocation that the key names.
func (k allocationKey) names(a cloudpam.Allocation) bool {
	switch {
	case k.id != "":
		return a.ID == k.id
	case a.Pool != k.pool:
		return false
	case k.name != "":
		return a.Name == k.name
	default:
		return cidrSpelling{}.same(a.CIDR, k.cidr.String())
	}
}

// parseAllocationKey tells the forms of an import id apart. Pools and names hold no @, pools no slash, ids neither.
func parseAllocationKey(id string) (allocationKey, error) {
	if pool, cidr, found := strings.Cut(id, "@"); found {
		p, err := parseCIDR(cidr)
		if err != nil {
			return allocationKey{}, err
		}
		if !poolIDForm.MatchString(pool) {
			return allocationKey{}, fmt.Errorf("%q is not the id of a pool", pool)
		}
		return allocationKey{pool: pool, cidr: p}, nil
	}
	if pool, name, found := strings.Cut(id, "/"); found {
		if !poolIDForm.MatchString(pool) {
			return allocationKey{}, fmt.Errorf("%q is not the id of a pool", pool)
		}
		if !allocationForm.MatchString(name) {
			return allocationKey{}, fmt.Errorf("%q is not the name of an allocation", name)
		}
		return allocationKey{pool: pool, name: name}, nil
	}
	if !allocationIDForm.MatchString(id) {
		return allocationKey{}, fmt.Errorf("%q is not the id of an allocation", id)
	}
	return allocationKey{id: id}, nil
}

const (
	scopeIDHelp      = "Name the scope as it is, such as partner."
	allocationIDHelp = "Name the allocation in one of four ways:\n" +
		"  - <id>           such as alloc_06f2k1m9v8q3t7r5w4x0c1b2n\n" +
		"  - <pool>/<name>  such as prod-euw1/app-a\n" +
		"  - <pool>@<cidr>  such as prod-euw1@10.0.1.0/24\n" +
		cloudIDHelp
	poolIDHelp = "Name the pool by its id: <name> in the scope \"default\", such as prod-euw1, and <scope>.<name> elsewhere, such as partner.prod-euw1. Its uid, pool_…, will do too, and <cloud>:<id> of a network that CloudPAM has seen, such as aws:vpc-0123."
)

// find reads the allocation that the key names.
func (k allocationKey) find(ctx context.Context, c *cloudpam.Client, verb string) (cloudpam.Allocation, diag.Diagnostics) {
	var diags diag.Diagnostics
	tried := attempt{verb: verb, kind: "allocation", name: k.name, pool: k.pool, poolAttr: "pool"}
	if k.id != "" {
		tried.name = k.id
		a, err := c.GetAllocation(ctx, k.id)
		if err != nil {
			return a, tried.diagnose(err)
		}
		return a, nil
	}
	filter := cloudpam.ListAllocationsParams{Pool: &k.pool, Limit: new(pageSize)}
	if k.name != "" {
		filter.Name = &k.name
	} else {
		tried.name = k.cidr.String()
		filter.Within = new(k.cidr.String())
	}
	var inside *cloudpam.Allocation
	for a, err := range c.Allocations(ctx, filter) {
		if err != nil {
			return a, tried.diagnose(err)
		}
		if k.names(a) {
			return a, nil
		}
		if inside == nil {
			inside = &a
		}
	}
	hint := "It may have been released, or lie in another pool."
	if _, err := c.GetPool(ctx, k.pool); errors.Is(err, cloudpam.ErrNotFound) {
		hint = fmt.Sprintf("Pool %q does not exist either.", k.pool)
	} else if inside != nil {
		hint = fmt.Sprintf("Inside that CIDR there is %q, which is %s.", inside.Name, inside.CIDR)
	} else if around := k.around(ctx, c); around != nil {
		hint = fmt.Sprintf("That CIDR is a part of %q, which is %s.", around.Name, around.CIDR)
	}
	diags.AddError("Allocation does not exist", fmt.Sprintf("There is no %s. %s", k, hint))
	return cloudpam.Allocation{}, diags
}

// around is the allocation that the key's CIDR is a part of, if there is one.
func (k allocationKey) around(ctx context.Context, c *cloudpam.Client) *cloudpam.Allocation {
	if !k.cidr.IsValid() {
		return nil
	}
	page, err := c.ListAllocations(ctx, cloudpam.ListAllocationsParams{Pool: &k.pool, Contains: new(k.cidr.String())})
	if err != nil || len(page.Items) == 0 {
		return nil
	}
	return &page.Items[0]
}
