package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// replaceable refuses to replace a pool by itself, with -replace or since it is tainted, while something is in it: Terraform would
// destroy it first, which it cannot, and what is in it would not follow. A pool that is replaced arrives as a new one. With -replace
// self is its uid; when it is tainted nothing says so but that this run has refreshed a pool of its id, and plans none of its uid.
func (r *poolResource) replaceable(ctx context.Context, self string, plan poolModel) diag.Diagnostics {
	var diags diag.Diagnostics
	if r.session == nil || r.session.client == nil || self == "" && !r.session.claims.knows(plan.ID.ValueString()) {
		return diags
	}
	if self == "" {
		r.session.settle(ctx) // what gives up the name may be planned yet
	}
	pool, err := r.session.client.GetPool(ctx, firstID(self, plan.ID.ValueString()))
	switch {
	case err != nil: // destroyed already; or what asks next says why nothing can be asked
		return diags
	case self == "" && r.session.claims.planned(pool.UID): // renamed, and this one takes the name that it leaves
		return diags
	case pool.Scope != r.session.renames.askScope(plan.Scope.ValueString()): // what is in it is replaced in the other scope
		return diags
	}
	keep := "To keep the pool, leave out -replace, or run terraform untaint with the address above. To replace it, "
	if pool.DeletionProtection {
		diags.AddAttributeError(path.Root("deletion_protection"), fmt.Sprintf("Pool %q is protected, so it cannot be replaced", pool.ID),
			"A replacement deletes the pool first.\n\n"+keep+"set deletion_protection = false and apply that first.")
		return diags
	}
	inside, err := r.inside(ctx, pool.UID)
	if err != nil || inside == "" {
		return diags
	}
	diags.AddAttributeError(path.Root("name"), fmt.Sprintf("Pool %q is not empty, so it cannot be replaced", pool.ID),
		"A replacement deletes the pool first. In it (the first of them):\n"+inside+"\n"+keep+"release what is in it and apply that first.")
	return diags
}

// inside lists what is in a pool, one a line; "" when there is nothing but what plans hold, which goes with the pool.
func (r *poolResource) inside(ctx context.Context, pool string) (string, error) {
	const most = 5
	var lines []string
	for prefix, err := range r.session.client.Prefixes(ctx, cloudpam.ListPrefixesParams{Pool: &pool}) {
		if err != nil {
			return "", err
		}
		if prefix.Status == cloudpam.PrefixStatusHeld {
			continue
		}
		if lines = append(lines, fmt.Sprintf("  - %s %q (%s)\n", prefix.Kind, prefix.Name, prefix.CIDR)); len(lines) == most {
			break
		}
	}
	return strings.Join(lines, ""), nil
}
