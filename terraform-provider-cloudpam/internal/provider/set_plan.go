package provider

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// ValidateConfig refuses, without a server, what no server would accept.
func (r *setResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m setModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	r.session.validated(m.configured())
	for key, cidr := range m.Fixed.Elements() {
		if p, err := parseCIDR(textOf(cidr)); err == nil {
			contradict(ctx, path.Root("fixed").AtMapKey(key), p, m.Exclude, &resp.Diagnostics)
		}
	}
	keys, known := m.keys(ctx)
	if !known {
		return
	}
	slices.Sort(keys)
	for i := 1; i < len(keys); i++ {
		if keys[i] == keys[i-1] {
			resp.Diagnostics.AddError("Duplicate member", fmt.Sprintf(
				"The member %q of this set is asked for twice: a key may stand in one of subnets, hosts, fixed and the bundle only. Choose another key.", keys[i]))
			return
		}
	}
}

// ModifyPlan plans the CIDRs. A new set, and one whose members change, asks the server, which promises new blocks
// (hold.go); all others keep what the state has.
func (r *setResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() { // a destroy
		var state setModel
		if resp.Diagnostics.Append(req.State.Get(ctx, &state)...); !resp.Diagnostics.HasError() {
			r.session.releases(ctx, req, state.Pool.ValueString(), state.ID.ValueString(), state.blocks()...)
			resp.Diagnostics.Append(r.session.willChange(ctx, state.attempt("delete"), req, state.Pool.ValueString(), given(state.blocks()...)...)...)
		}
		return
	}
	var config, plan, state setModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	creates := req.State.Raw.IsNull()
	if !creates {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if r.session != nil && (!creates || selfOf(ctx, req.Private) == "") {
		r.session.claims.planning(plan.configured())
	}
	resp.Diagnostics.Append(r.session.label(plan.Labels, &plan.LabelsAll)...)
	if !creates {
		r.session.inPool(req, resp, config.Pool, state.Pool, plan.Pool, func() (string, error) {
			set, err := r.session.client.GetAllocationSet(ctx, state.ID.ValueString())
			return set.Pool, err
		})
	}
	to, diags := plan.renames(ctx, state)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.named(ctx, req, state, plan)...); resp.Diagnostics.HasError() {
		return
	}
	state = state.rekeyed(ctx, to) // as it will be before anything else of it changes
	switch {
	case creates:
		plan.expect(ctx, setModel{})
		resp.Diagnostics.Append(r.promise(ctx, req, &plan, selfOf(ctx, req.Private), state, nil)...)
	case len(resp.RequiresReplace) > 0:
		plan.expect(ctx, setModel{}) // a replacement: Terraform asks again for the new set alone
	case !settled(ctx, plan.Renamed):
		plan.CIDRs, plan.IDs = types.MapUnknown(types.StringType), types.MapUnknown(types.StringType)
	case len(to) == 0 && plan.keeps(ctx, state):
		plan.CIDRs, plan.IDs = state.CIDRs, state.IDs
		resp.Diagnostics.Append(r.claim(ctx, plan, plan.ID.ValueString(), "")...)
	default:
		plan.expect(ctx, state)
		resp.Diagnostics.Append(r.promise(ctx, req, &plan, "", state, to)...)
	}
	if len(resp.RequiresReplace) == 0 {
		for key, id := range plan.IDs.Elements() {
			if at, err := parseCIDR(textOf(plan.CIDRs.Elements()[key])); err == nil && !id.IsUnknown() {
				resp.Diagnostics.Append(r.session.keeps(ctx, textOf(id), at, path.Root("name"))...)
			}
		}
	}
	if resp.Diagnostics.HasError() {
		return
	}
	plan.Scope = scopeOfPool(plan.Pool)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// keeps reports whether the blocks of the state are what the configuration asks for.
func (m setModel) keeps(ctx context.Context, state setModel) bool {
	if !m.Subnets.Equal(state.Subnets) || !m.Hosts.Equal(state.Hosts) || !m.Fixed.Equal(state.Fixed) || !m.Target.Equal(state.Target) || !m.GKE.Equal(state.GKE) || !m.EKS.Equal(state.EKS) {
		return false
	}
	keys, known := m.keys(ctx)
	has := state.CIDRs.Elements()
	return known && len(keys) == len(has) && !slices.ContainsFunc(keys, func(key string) bool { return has[key] == nil })
}

// blocks are those of the members, as far as they are known.
func (m setModel) blocks() (blocks []netip.Prefix) {
	for _, cidr := range m.CIDRs.Elements() {
		if at, err := parseCIDR(textOf(cidr)); err == nil {
			blocks = append(blocks, at)
		}
	}
	return blocks
}

// expect plans what is known without the server: which members there will be, and the blocks of those whose size stays.
func (m *setModel) expect(ctx context.Context, state setModel) {
	m.CIDRs, m.IDs = types.MapUnknown(types.StringType), types.MapUnknown(types.StringType)
	keys, known := m.keys(ctx)
	if !known {
		return
	}
	cidrs, ids := map[string]attr.Value{}, map[string]attr.Value{}
	for _, key := range keys {
		cidrs[key], ids[key] = types.StringUnknown(), types.StringUnknown()
		if state.CIDRs.Elements()[key] != nil && m.keepsMember(key, state) {
			cidrs[key], ids[key] = state.CIDRs.Elements()[key], state.IDs.Elements()[key]
		} else if p, err := parseCIDR(textOf(m.Fixed.Elements()[key])); err == nil {
			cidrs[key] = types.StringValue(p.String())
		}
	}
	m.CIDRs, m.IDs = types.MapValueMust(types.StringType, cidrs), types.MapValueMust(types.StringType, ids)
}

func (m setModel) keepsMember(key string, state setModel) bool {
	for _, sizes := range []struct{ now, before types.Map }{{m.Subnets, state.Subnets}, {m.Hosts, state.Hosts}, {m.Fixed, state.Fixed}} {
		if n, asked := sizes.now.Elements()[key]; asked {
			return n.Equal(sizes.before.Elements()[key])
		}
	}
	return m.GKE.Equal(state.GKE) && m.EKS.Equal(state.EKS)
}

// promise plans the CIDRs of a set that is new, or whose members change.
func (r *setResource) promise(ctx context.Context, req resource.ModifyPlanRequest, plan *setModel, replaces string, state setModel, to cloudpam.Renamed) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, input := range []attr.Value{plan.Name, plan.Subnets, plan.Hosts, plan.Fixed, plan.Renamed, plan.Adopt, plan.Strategy, plan.Exclude, plan.Target, plan.GKE, plan.EKS, plan.PoolSelector} {
		if !settled(ctx, input) {
			return diags
		}
	}
	if plan.Pool.IsUnknown() && plan.PoolSelector.IsNull() || !r.session.canPlan(&diags) || !r.session.claims.canPromiseIn(plan.Pool.ValueString()) {
		return diags
	}
	ask := cloudpam.NewSetHolds{
		Name: plan.Name.ValueString(), TTLSeconds: r.session.planning.ttl, Run: &r.session.planning.run, Applying: r.session.planning.phase(req),
		PlanID: optionalText(types.StringValue(r.session.planning.id)),
		Holder: optionalText(types.StringValue(r.session.planning.holder)),
	}
	ask.MeantFor = meant(ctx, plan.Owner, plan.Purpose, plan.Account, plan.Region, plan.Environment, plan.LabelsAll)
	sizes, more := plan.sizing(ctx)
	diags.Append(more...)
	ask.Members, ask.Bundle, ask.Strategy, ask.Exclude, ask.Adopt = &sizes.members, sizes.bundle, sizes.strategy, sizes.exclude, plan.Adopt.ValueBoolPointer()
	if len(to) > 0 {
		ask.Renamed = &to
	}
	if ask.Pool = r.session.renames.askPool(plan.Pool.ValueString()); ask.Pool == "" {
		ask.PoolSelector, more = poolSelector(ctx, plan.PoolSelector)
		diags.Append(more...)
	}
	if diags.HasError() {
		return diags
	}
	id := created
	if updates := state.ID.ValueString(); updates != "" {
		id, ask.Updates = updates, &updates
	} else if replaces = firstID(replaces, r.session.claims.refreshedAs(plan.claim())); replaces != "" {
		ask.Replaces = &replaces
	}
	selects := ask.Pool == "" // the name is claimed in the pool that the server chooses
	if !selects {
		if diags.Append(r.claim(ctx, *plan, id, replaces)...); diags.HasError() {
			return diags
		}
	}
	promised, err := r.session.gather.set(ctx, ask)
	if errors.Is(err, cloudpam.ErrNameTaken) && ask.Updates == nil && ask.Replaces == nil && !selects {
		if replaces = r.session.hasSet(ctx, plan.claim()); replaces != "" { // it is tainted, or says itself what is wrong
			ask.Replaces = &replaces
			promised, err = r.session.gather.set(ctx, ask)
		}
	}
	if err != nil && r.session.makeRoom(ctx, req, ask.Pool, err) {
		promised, err = r.session.gather.set(ctx, ask)
	}
	if err != nil {
		diags.Append(r.session.planning.unplanned(plan.attempt(r.session.planning.verb(req)), err)...)
		return diags
	}
	if selects {
		plan.Pool = types.StringValue(r.session.renames.planned(promised.Pool))
	}
	if selects {
		if diags.Append(r.claim(ctx, *plan, id, replaces)...); diags.HasError() {
			return diags
		}
	}
	for _, member := range promised.Members {
		if plan.Fixed.Elements()[member.Key] == nil {
			of := plan.attempt("create")
			of.kind, of.name = "the member", member.Key
			diags.Append(of.older(path.Root("cidrs").AtMapKey(member.Key), member.CIDR, member.ShownBefore)...)
		}
	}
	plan.settle(promised.SetPlan)
	diags.Append(r.session.willWait(plan.attempt("plan"), req, promised.approval)...)
	return append(diags, r.adopts(promised.SetPlan, *plan, state)...)
}

// settle plans the promised blocks. A member whose block is new is an allocation that has no id yet.
func (m *setModel) settle(promised cloudpam.SetPlan) {
	cidrs, ids := map[string]attr.Value{}, map[string]attr.Value{}
	for _, member := range promised.Members {
		cidrs[member.Key], ids[member.Key] = types.StringValue(member.CIDR), types.StringUnknown()
		if member.Allocation != nil {
			ids[member.Key] = types.StringValue(*member.Allocation)
		}
	}
	m.CIDRs, m.IDs = types.MapValueMust(types.StringType, cidrs), types.MapValueMust(types.StringType, ids)
}

// claim takes the names of a set and of its members for it, and refuses what has one of them already.
func (r *setResource) claim(ctx context.Context, m setModel, id, replaces string) diag.Diagnostics {
	var diags diag.Diagnostics
	if r.session == nil {
		return diags
	}
	if !r.session.claims.claim(m.claim(), id, replaces) {
		diags.Append(m.duplicate())
		return diags
	}
	keys, _ := m.keys(ctx)
	for _, key := range keys {
		name := m.Name.ValueString() + "/" + key
		if !r.session.claims.claimMember(m.Pool.ValueString()+"/"+name, id) {
			diags.AddAttributeError(path.Root(m.attempt("").sizeAttr), "Duplicate allocation name", fmt.Sprintf(
				"The member %q of this set is the allocation %q of pool %q, and this configuration has an allocation of that name besides. Choose another key, or another name for that allocation.",
				key, name, m.Pool.ValueString()))
			return diags
		}
	}
	return diags
}

// claim is the set's key among the claims of this run: sets have names of their own.
func (m setModel) claim() string {
	return m.Pool.ValueString() + "/" + setPrefix + m.Name.ValueString()
}

// configured is the same while the pool may still be to be chosen.
func (m setModel) configured() string {
	name := m.Name
	if !name.IsUnknown() {
		name = types.StringValue(setPrefix + name.ValueString())
	}
	return keyOf(m.Pool, m.PoolSelector, name)
}

const setPrefix = "set "

func (m setModel) duplicate() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("name"), "Duplicate allocation set name", fmt.Sprintf(
		"Another allocation set of this configuration is named %q in pool %q too. A name identifies one set of its pool: choose another, for example with the key of for_each in it.",
		m.Name.ValueString(), m.Pool.ValueString()))
}

func firstID(ids ...string) string {
	for _, id := range ids {
		if id != "" {
			return id
		}
	}
	return ""
}
