package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// policyModel is the policy of a pool: in configuration, plan and state.
type policyModel struct {
	ID                   types.String `tfsdk:"id"`
	Pool                 types.String `tfsdk:"pool"`
	Description          types.String `tfsdk:"description"`
	MinPrefixLength      types.Int64  `tfsdk:"min_prefix_length"`
	MaxPrefixLength      types.Int64  `tfsdk:"max_prefix_length"`
	PoolMinPrefixLength  types.Int64  `tfsdk:"pool_min_prefix_length"`
	PoolMaxPrefixLength  types.Int64  `tfsdk:"pool_max_prefix_length"`
	Accounts             types.Set    `tfsdk:"accounts"`
	Regions              types.Set    `tfsdk:"regions"`
	Environments         types.Set    `tfsdk:"environments"`
	RequiredLabels       types.Map    `tfsdk:"required_labels"`
	OwnerRequired        types.Bool   `tfsdk:"owner_required"`
	NamePattern          types.String `tfsdk:"name_pattern"`
	Exclude              types.Set    `tfsdk:"exclude"`
	ExcludeSets          types.Set    `tfsdk:"exclude_sets"`
	UsableOnly           types.Bool   `tfsdk:"usable_only"`
	SkipFirst            types.Int64  `tfsdk:"skip_first"`
	MaxOwnerSharePercent types.Int64  `tfsdk:"max_owner_share_percent"`
	Expression           types.String `tfsdk:"expression"`
	ExpressionMessage    types.String `tfsdk:"expression_message"`
	ApprovalAbove        types.Int64  `tfsdk:"approval_above"`
	PoolApprovalAbove    types.Int64  `tfsdk:"pool_approval_above"`
	ReleaseApprovalAbove types.Int64  `tfsdk:"release_approval_above"`
	ApprovalGroups       types.List   `tfsdk:"approval_groups"`
}

// groupModel is whom a policy asks for approval from another size on.
type groupModel struct {
	Role              types.String `tfsdk:"role"`
	Labels            types.Map    `tfsdk:"labels"`
	ApprovalAbove     types.Int64  `tfsdk:"approval_above"`
	PoolApprovalAbove types.Int64  `tfsdk:"pool_approval_above"`
}

var groupType = types.ObjectType{AttrTypes: map[string]attr.Type{
	"role": types.StringType, "labels": types.MapType{ElemType: types.StringType}, "approval_above": types.Int64Type, "pool_approval_above": types.Int64Type,
}}

// fromGroups are the groups of a policy as the server says them.
func fromGroups(ctx context.Context, all []cloudpam.ApprovalGroup) (types.List, diag.Diagnostics) {
	if len(all) == 0 {
		return types.ListNull(groupType), nil
	}
	var diags diag.Diagnostics
	groups := make([]groupModel, 0, len(all))
	for _, g := range all {
		labels := types.MapNull(types.StringType)
		if len(g.Labels) > 0 {
			var more diag.Diagnostics
			labels, more = types.MapValueFrom(ctx, types.StringType, g.Labels)
			diags.Append(more...)
		}
		groups = append(groups, groupModel{types.StringPointerValue((*string)(g.Role)), labels, fromLength(g.ApprovalAbove), fromLength(g.PoolApprovalAbove)})
	}
	list, more := types.ListValueFrom(ctx, groupType, groups)
	return list, append(diags, more...)
}

// groups are those of the plan.
func (m policyModel) groups(ctx context.Context) (all []cloudpam.ApprovalGroup, diags diag.Diagnostics) {
	var groups []groupModel
	if m.ApprovalGroups.IsNull() {
		return nil, nil
	}
	diags.Append(m.ApprovalGroups.ElementsAs(ctx, &groups, false)...)
	for _, g := range groups {
		one := cloudpam.ApprovalGroup{Role: (*cloudpam.ApprovalGroupRole)(optionalText(g.Role)), ApprovalAbove: optionalLength(g.ApprovalAbove), PoolApprovalAbove: optionalLength(g.PoolApprovalAbove)}
		if !g.Labels.IsNull() {
			diags.Append(g.Labels.ElementsAs(ctx, &one.Labels, false)...)
		}
		all = append(all, one)
	}
	return all, diags
}

// from fills the model with what the server says.
func (m *policyModel) from(ctx context.Context, p cloudpam.Policy) (diags diag.Diagnostics) {
	r := p.Rules
	set := func(values []string) types.Set {
		if len(values) == 0 {
			return types.SetNull(types.StringType)
		}
		out, more := types.SetValueFrom(ctx, types.StringType, values)
		diags.Append(more...)
		return out
	}
	m.ID, m.Pool, m.Description = types.StringValue(p.PoolUID), types.StringValue(p.Pool), fromText(m.Description, p.Description)
	m.MinPrefixLength, m.MaxPrefixLength = fromLength(r.MinPrefixLength), fromLength(r.MaxPrefixLength)
	m.PoolMinPrefixLength, m.PoolMaxPrefixLength = fromLength(r.PoolMinPrefixLength), fromLength(r.PoolMaxPrefixLength)
	m.Accounts, m.Regions, m.Environments = set(deref(r.Accounts)), set(deref(r.Regions)), set(deref(r.Environments))
	m.OwnerRequired, m.UsableOnly = fromSwitch(m.OwnerRequired, r.OwnerRequired), fromSwitch(m.UsableOnly, r.UsableOnly)
	m.NamePattern, m.Expression, m.ExpressionMessage = types.StringPointerValue(r.NamePattern), types.StringPointerValue(r.Expression), types.StringPointerValue(r.ExpressionMessage)
	m.SkipFirst, m.MaxOwnerSharePercent = fromLength(r.SkipFirst), fromLength(r.MaxOwnerSharePercent)
	m.ExcludeSets = set(r.ExcludeSets)
	if known, more := excluded(ctx, m.Exclude); more.HasError() || known == nil || !slices.Equal(*known, slices.Sorted(slices.Values(r.Exclude))) {
		m.Exclude = set(r.Exclude) // otherwise as it was written
	}
	labels := types.MapNull(types.SetType{ElemType: types.StringType})
	if len(r.RequiredLabels) > 0 {
		var more diag.Diagnostics
		labels, more = types.MapValueFrom(ctx, types.SetType{ElemType: types.StringType}, r.RequiredLabels)
		diags.Append(more...)
	}
	m.RequiredLabels = labels
	m.ApprovalAbove, m.PoolApprovalAbove, m.ReleaseApprovalAbove = fromLength(r.ApprovalAbove), fromLength(r.PoolApprovalAbove), fromLength(r.ReleaseApprovalAbove)
	groups, more := fromGroups(ctx, r.ApprovalGroups)
	diags.Append(more...)
	m.ApprovalGroups = groups
	return diags
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// fromSwitch keeps false apart from null: the server knows only false.
func fromSwitch(prior types.Bool, is *bool) types.Bool {
	if !deref(is) && (prior.IsNull() || prior.IsUnknown()) {
		return types.BoolNull()
	}
	return types.BoolValue(deref(is))
}

// request is the policy of the plan.
func (m policyModel) request(ctx context.Context) (cloudpam.NewPolicy, diag.Diagnostics) {
	var diags diag.Diagnostics
	list := func(v types.Set) []string {
		values := []string{}
		if !v.IsNull() {
			diags.Append(v.ElementsAs(ctx, &values, false)...)
		}
		slices.Sort(values)
		return values
	}
	some := func(v types.Set) *cloudpam.PolicyValues {
		if v.IsNull() {
			return nil
		}
		values := list(v)
		return &values
	}
	exclude, more := excluded(ctx, m.Exclude)
	diags.Append(more...)
	labels := map[string][]string{}
	if !m.RequiredLabels.IsNull() {
		diags.Append(m.RequiredLabels.ElementsAs(ctx, &labels, false)...)
	}
	for _, values := range labels {
		slices.Sort(values)
	}
	groups, more := m.groups(ctx)
	diags.Append(more...)
	return cloudpam.NewPolicy{Description: optionalText(m.Description), Rules: cloudpam.PolicyRules{
		MinPrefixLength: optionalLength(m.MinPrefixLength), MaxPrefixLength: optionalLength(m.MaxPrefixLength),
		PoolMinPrefixLength: optionalLength(m.PoolMinPrefixLength), PoolMaxPrefixLength: optionalLength(m.PoolMaxPrefixLength),
		Accounts: some(m.Accounts), Regions: some(m.Regions), Environments: some(m.Environments), RequiredLabels: labels, OwnerRequired: m.OwnerRequired.ValueBoolPointer(),
		NamePattern: optionalText(m.NamePattern), Exclude: deref(exclude), ExcludeSets: list(m.ExcludeSets), UsableOnly: m.UsableOnly.ValueBoolPointer(),
		SkipFirst: optionalLength(m.SkipFirst), MaxOwnerSharePercent: optionalLength(m.MaxOwnerSharePercent), Expression: optionalText(m.Expression), ExpressionMessage: optionalText(m.ExpressionMessage),
		ApprovalAbove: optionalLength(m.ApprovalAbove), PoolApprovalAbove: optionalLength(m.PoolApprovalAbove), ReleaseApprovalAbove: optionalLength(m.ReleaseApprovalAbove), ApprovalGroups: groups,
	}}, diags
}

// attempt describes what is done to the policy, for diagnostics.
func (m policyModel) attempt(verb string) attempt {
	return attempt{verb: verb, kind: "policy", name: m.Pool.ValueString(), pool: m.Pool.ValueString(), poolAttr: "pool"}
}
