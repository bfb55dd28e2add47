package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// Names are handed on, and swapped, in one apply: the server is told while planning what each allocation will be called, and whoever
// asks for a name first has the others renamed. A name that something has which this run knows and has not planned yet may become
// free; if it does not, what keeps it says so.

const longestHandedOn = 127 - len("rename:") // of a name; a longer one waits until it is free

// renamed plans the name of an allocation that exists.
func (r *allocationResource) renamed(ctx context.Context, req resource.ModifyPlanRequest, state, plan allocationModel) diag.Diagnostics {
	var diags diag.Diagnostics
	id, name := state.ID.ValueString(), plan.Name.ValueString()
	switch {
	case r.session == nil || plan.Name.IsUnknown():
		return diags
	case plan.Name.Equal(state.Name):
		diags.Append(r.session.claims.keepsName(id, name)...)
		return diags
	case !r.session.canPlan(&diags) || r.session.planning.applies(req):
		return diags
	}
	pool := r.session.renames.askPool(state.Pool.ValueString())
	if at := prefixOf(state.CIDR); at.IsValid() && len(name) <= longestHandedOn {
		ask := r.session.planning.hold(r.session.planning.phase(req))
		ask.Pool, ask.Name, ask.CIDR, ask.Replaces = pool, "rename:"+name, new(at.String()), &id
		if _, err := r.session.gather.hold(ctx, ask); errors.Is(err, cloudpam.ErrForbidden) {
			return diags // whether the name is free shows in the apply
		}
	}
	preview := func() error {
		_, err := r.session.client.PreviewAllocation(ctx, id, cloudpam.AllocationPatch{Name: &name}, r.session.planning.asks(req))
		return err
	}
	err := preview()
	if errors.Is(err, cloudpam.ErrNameTaken) {
		r.session.needRoom(ctx, req, pool)
		err = preview()
		if holder := r.session.nameOf(err); holder != "" && r.session.claims.wishName(holder, name, id) {
			return diags
		}
	}
	if err != nil && !errors.Is(err, cloudpam.ErrReleasePending) && !errors.Is(err, cloudpam.ErrForbidden) {
		diags.Append(plan.attempt("update").previewed(err)...)
	}
	return diags
}

// nameOf is the id of what has a name that is taken, if this run knows it; else "".
func (s *session) nameOf(err error) string {
	refusal, ok := errors.AsType[*cloudpam.Error](err)
	if !ok || refusal.Code != cloudpam.ErrNameTaken || len(refusal.Holders) != 1 || !s.claims.knows(refusal.Holders[0].ID) {
		return ""
	}
	return refusal.Holders[0].ID
}

// wishName notes that a name is asked for which something has; false when that keeps it.
func (c *claims) wishName(holder, name, by string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.names == nil {
		c.names = map[string][]string{}
	}
	c.names[holder] = append(c.names[holder], fmt.Sprintf("%q is asked for by the allocation %s", name, by))
	return !c.named[holder]
}

// keepsName notes that an allocation keeps its name, and refuses what else is to have it.
func (c *claims) keepsName(id, name string) diag.Diagnostics {
	var diags diag.Diagnostics
	c.note(&c.named, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, wish := range slices.Compact(c.names[id]) {
		diags.AddAttributeError(path.Root("name"), "Name is asked for twice", fmt.Sprintf(
			"The name %s of this configuration too, and this allocation keeps it. A name identifies one allocation of its pool: choose another for one of them.", wish))
	}
	return diags
}
