package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ValidateConfig refuses, without a server, what no server would accept.
func (r *allocationResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m allocationModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	agree(m.CIDR, m.PrefixLength, &resp.Diagnostics)
	contradict(ctx, path.Root("cidr"), prefixOf(m.CIDR), m.Exclude, &resp.Diagnostics)
	r.session.validated(keyOf(m.Pool, m.PoolSelector, m.Name))
}

// ModifyPlan computes while planning what follows from the configuration. The CIDR of a new allocation is promised by the
// server (hold.go); whatever settles it, everything else is derived from it.
func (r *allocationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var config, plan, state allocationModel
	if req.Plan.Raw.IsNull() { // a destroy
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
		if r.session != nil {
			if name := r.session.claims.destroys(state.ID.ValueString()); name != "" {
				resp.Diagnostics.Append(adoptedAndDestroyed(name))
			}
			r.session.releases(ctx, req, state.Pool.ValueString(), state.ID.ValueString(), prefixOf(state.CIDR))
			resp.Diagnostics.Append(r.session.willChange(ctx, state.attempt("delete"), req, state.Pool.ValueString(), given(prefixOf(state.CIDR))...)...)
		}
		return
	}
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
		if !resp.Diagnostics.HasError() {
			r.session.inPool(req, resp, config.Pool, state.Pool, plan.Pool, func() (string, error) {
				allocation, err := r.session.client.GetAllocation(ctx, state.ID.ValueString())
				return allocation.Pool, err
			})
			resp.Diagnostics.Append(r.resize(ctx, req, resp, config, state, &plan)...)
		}
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if r.session != nil && (!req.State.Raw.IsNull() || selfOf(ctx, req.Private) == "") {
		r.session.claims.planning(keyOf(config.Pool, config.PoolSelector, config.Name))
	}
	if !plan.CIDR.known() && config.PrefixLength.IsNull() {
		plan.PrefixLength = types.Int64Unknown() // the new block brings its own
	}
	resp.Diagnostics.Append(r.session.label(plan.Labels, &plan.LabelsAll)...)
	switch {
	case req.State.Raw.IsNull():
		resp.Diagnostics.Append(r.promise(ctx, req, config, &plan)...)
	case r.session != nil && plan.CIDR.known() && !r.session.claims.claim(plan.key(), plan.ID.ValueString(), ""):
		resp.Diagnostics.Append(r.duplicate(plan))
	}
	if !req.State.Raw.IsNull() && len(resp.RequiresReplace) == 0 {
		resp.Diagnostics.Append(r.renamed(ctx, req, state, plan)...)
		resp.Diagnostics.Append(r.session.keeps(ctx, plan.ID.ValueString(), prefixOf(plan.CIDR), path.Root("cidr"))...)
	}
	if req.State.Raw.IsNull() || !plan.ExpiresAt.Equal(state.ExpiresAt) {
		resp.Diagnostics.Append(plan.over(time.Now())...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	plan.Scope = scopeOfPool(plan.Pool)
	plan.derive()
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// over refuses an allocation that would have ended before it began. Terraform cannot tell one that has ended from one that was never
// made, so the text covers both.
func (m allocationModel) over(now time.Time) diag.Diagnostics {
	var diags diag.Diagnostics
	if end := timeOf(m.ExpiresAt); end != nil && !now.Before(*end) {
		diags.AddAttributeError(path.Root("expires_at"), "Allocation has ended", fmt.Sprintf(
			"expires_at %s has passed, so the block has been, or would be, released.\n\n"+
				"Remove the resource from the configuration, set a later expires_at to have the block again, or remove expires_at to have it until it is destroyed. "+
				"To destroy everything, run terraform destroy -refresh=false: a destroy plans first.", m.ExpiresAt.ValueString()))
	}
	return diags
}
