package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ValidateConfig refuses, without a server, what no server would accept.
func (r *poolResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m poolModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	agree(m.CIDR, m.PrefixLength, &resp.Diagnostics)
	r.session.validated(m.configured())
	contradict(ctx, path.Root("cidr"), prefixOf(m.CIDR), m.Exclude, &resp.Diagnostics)
	switch {
	case !m.Parent.IsNull() && !m.PoolSelector.IsNull():
		resp.Diagnostics.AddAttributeError(path.Root("pool_selector"), "The parent is named twice", "parent names one pool, and pool_selector any of several. Leave one of them out.")
	case m.Parent.IsNull() && m.PoolSelector.IsNull() && m.CIDR.IsNull():
		resp.Diagnostics.AddAttributeError(path.Root("cidr"), "Root pool has no CIDR",
			"A pool without a parent brings its own address space: set cidr. A child pool sets parent or pool_selector, and either cidr or prefix_length.")
	case m.Encloses.ValueBool() && m.CIDR.IsNull():
		resp.Diagnostics.AddAttributeError(path.Root("encloses"), "Pool that encloses others has no CIDR",
			"A pool with encloses = true is put above the pools that stand in its cidr: set cidr.")
	case m.Encloses.ValueBool() && !m.PoolSelector.IsNull():
		resp.Diagnostics.AddAttributeError(path.Root("encloses"), "Pool that encloses others has no parent of its own",
			"A pool with encloses = true is put above pools of one level: set parent, and leave pool_selector out.")
	case m.CIDR.IsNull() && m.PrefixLength.IsNull():
		resp.Diagnostics.AddAttributeError(path.Root("prefix_length"), "Pool has no size",
			"Set prefix_length to let CloudPAM choose a block of the parent, or cidr to choose it yourself.")
	}
	if scope := m.selected(); !m.PoolSelector.IsNull() && !m.Scope.IsNull() && !m.Scope.IsUnknown() && !scope.IsUnknown() && !scope.Equal(m.Scope) {
		resp.Diagnostics.AddAttributeError(path.Root("scope"), "Pool and parent are in different scopes",
			fmt.Sprintf("pool_selector means pools of the scope %q. Leave scope out: a child pool is in the scope of its parent.", scope.ValueString()))
	}
	if scope := scopeOfPool(m.Parent); !m.Scope.IsNull() && !m.Scope.IsUnknown() && !m.Parent.IsNull() && !scope.IsUnknown() && !scope.Equal(m.Scope) {
		resp.Diagnostics.AddAttributeError(path.Root("scope"), "Pool and parent are in different scopes",
			fmt.Sprintf("Parent %q is in the scope %q. Leave scope out: a child pool is in the scope of its parent.", m.Parent.ValueString(), scope.ValueString()))
	}
}

// agree refuses a CIDR and a prefix length that contradict each other; both together are fine, as in generated configuration.
func agree(cidr cidrValue, length types.Int64, diags *diag.Diagnostics) {
	p := prefixOf(cidr)
	if !p.IsValid() {
		return
	}
	if length.IsNull() || length.IsUnknown() || length.ValueInt64() == int64(p.Bits()) {
		return
	}
	diags.AddAttributeError(path.Root("prefix_length"), "CIDR and prefix length disagree",
		fmt.Sprintf("cidr %s is a /%d but prefix_length is %d. Leave one of them out, or make them agree.", p, p.Bits(), length.ValueInt64()))
}

// ModifyPlan computes while planning what follows from the configuration: the id, and everything about a CIDR that is known.
// A new pool is drafted by the server (hold.go), so its CIDR is known and blocks in it can be promised.
func (r *poolResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() { // a destroy
		var state poolModel
		if resp.Diagnostics.Append(req.State.Get(ctx, &state)...); !resp.Diagnostics.HasError() {
			resp.Diagnostics.Append(r.protected(ctx, state)...)
			at := prefixOf(state.CIDR)
			resp.Diagnostics.Append(r.session.willChange(ctx, state.attempt("delete"), req, state.Parent.ValueString(), given(at)...)...)
			if at.IsValid() && state.Parent.ValueString() != "" && !state.Encloses.ValueBool() {
				r.session.releases(ctx, req, state.Parent.ValueString(), state.UID.ValueString(), at)
			}
		}
		return
	}
	var config, plan poolModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	state := poolModel{poolFacts: poolFacts{CIDR: unknownCIDR()}}
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if config.Parent.IsNull() { // chosen once, or a root pool
		plan.Parent = types.StringNull()
		if !config.PoolSelector.IsNull() {
			plan.Parent = types.StringUnknown()
			if !req.State.Raw.IsNull() {
				plan.Parent = state.Parent
			}
		} else if !req.State.Raw.IsNull() && wasEnclosed(ctx, req.Private) {
			plan.Parent = state.Parent
		}
	}
	switch {
	case !config.Scope.IsNull():
	case plan.Parent.IsUnknown() && !config.PoolSelector.IsNull():
		plan.Scope = config.selected()
	default:
		plan.Scope = scopeOfPool(plan.Parent)
	}
	if plan.Parent.IsUnknown() && !req.State.Raw.IsNull() && config.Scope.IsNull() {
		plan.Scope = state.Scope // a pool stays in its scope, or Update says that it cannot
	}
	plan.ID = poolID(plan.Scope, plan.Name)
	resp.Diagnostics.Append(r.session.label(plan.Labels, &plan.LabelsAll)...)
	if resp.Diagnostics.Append(r.claim(ctx, req, config, state, plan)...); resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.named(ctx, req, state, plan)...); resp.Diagnostics.HasError() {
		return
	}
	if !req.State.Raw.IsNull() && !config.PoolSelector.IsNull() && state.Parent.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("pool_selector"), fmt.Sprintf("Pool %q is a root pool", state.ID.ValueString()),
			"pool_selector chooses the parent of a new pool, and moves none that exists. Set parent to move this one while it is empty, or leave both out.")
		return
	}
	switch {
	case req.State.Raw.IsNull():
		r.session.leaves(selfOf(ctx, req.Private), plan.ID.ValueString())
		if resp.Diagnostics.Append(r.replaceable(ctx, selfOf(ctx, req.Private), plan)...); resp.Diagnostics.HasError() {
			return
		}
		resp.Diagnostics.Append(r.draft(ctx, req, config, &plan)...)
	case !r.session.staysInScope(state.Scope, plan.Scope, func() (string, error) {
		pool, err := r.session.client.GetPool(ctx, state.key())
		return pool.Scope, err
	}):
		by := path.Root("scope")
		if config.Scope.IsNull() {
			by = path.Root("parent") // one in another scope
		}
		resp.RequiresReplace.Append(by)
		plan.forgetBlock(config)
	default:
		r.session.names().pool(state.ID, plan.ID)
		resp.Diagnostics.Append(r.resize(ctx, req, config, state, &plan)...)
	}
	if !req.State.Raw.IsNull() && len(resp.RequiresReplace) == 0 {
		resp.Diagnostics.Append(r.session.keeps(ctx, state.ID.ValueString(), prefixOf(plan.CIDR), path.Root("cidr"))...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if p := prefixOf(plan.CIDR); p.IsValid() {
		plan.PrefixLength, plan.IPVersion = types.Int64Value(int64(p.Bits())), types.Int64Value(ipVersion(p))
	} else if config.PrefixLength.IsNull() {
		plan.PrefixLength = types.Int64Unknown()
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// claim takes the id of a pool for it, and refuses a second pool of the same.
func (r *poolResource) claim(ctx context.Context, req resource.ModifyPlanRequest, config, state, plan poolModel) diag.Diagnostics {
	var diags diag.Diagnostics
	if r.session == nil {
		return diags
	}
	id, replaces := created, selfOf(ctx, req.Private)
	if !req.State.Raw.IsNull() {
		id, replaces = state.key(), ""
	}
	if replaces == "" { // not the second call of a replacement
		r.session.claims.planning(config.configured())
	}
	if !plan.ID.IsUnknown() && !r.session.claims.claim(plan.claim(), id, replaces) {
		diags.AddAttributeError(path.Root("name"), "Duplicate pool name", fmt.Sprintf(
			"Another pool of this configuration is named %q in scope %q too. A name identifies one pool of its scope: choose another, for example with the region or the environment in it.",
			plan.Name.ValueString(), plan.Scope.ValueString()))
	}
	return diags
}

// claim is the pool's key among the claims of this run: no allocation is in a pool without a name.
func (m poolFacts) claim() string { return "/" + m.ID.ValueString() }

// configured is the key that follows from a configuration, or "" while it is not known.
func (m poolModel) configured() string {
	scope := m.Scope
	switch {
	case !scope.IsNull():
	case !m.PoolSelector.IsNull():
		scope = m.selected()
	default:
		scope = scopeOfPool(m.Parent)
	}
	if m.ID = poolID(scope, m.Name); m.ID.IsUnknown() {
		return ""
	}
	return m.claim()
}
