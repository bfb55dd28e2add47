package provider

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// setModel is an allocation set in configuration, plan and state.
type setModel struct {
	ID           types.String `tfsdk:"id"`
	Scope        types.String `tfsdk:"scope"`
	Pool         types.String `tfsdk:"pool"`
	PoolSelector types.Object `tfsdk:"pool_selector"`
	Name         types.String `tfsdk:"name"`
	Subnets      types.Map    `tfsdk:"subnets"`
	Hosts        types.Map    `tfsdk:"hosts"`
	Fixed        types.Map    `tfsdk:"fixed"`
	Renamed      types.Map    `tfsdk:"renamed"`
	Adopt        types.Bool   `tfsdk:"adopt"`
	Strategy     types.String `tfsdk:"strategy"`
	Exclude      types.Set    `tfsdk:"exclude"`
	Target       types.String `tfsdk:"target"`
	GKE          types.Object `tfsdk:"gke"`
	EKS          types.Object `tfsdk:"eks"`
	CIDRs        types.Map    `tfsdk:"cidrs"`
	IDs          types.Map    `tfsdk:"ids"`
	Account      types.String `tfsdk:"account"`
	Region       types.String `tfsdk:"region"`
	Environment  types.String `tfsdk:"environment"`
	Owner        types.String `tfsdk:"owner"`
	Purpose      types.String `tfsdk:"purpose"`
	Description  types.String `tfsdk:"description"`
	Labels       types.Map    `tfsdk:"labels"`
	LabelsAll    types.Map    `tfsdk:"labels_all"`
}

type selectorModel struct {
	Labels map[string]string `tfsdk:"labels"`
	Scope  *string           `tfsdk:"scope"`
	Family *string           `tfsdk:"family"`
}

type gkeModel struct {
	Nodes          int  `tfsdk:"nodes"`
	MaxPodsPerNode *int `tfsdk:"max_pods_per_node"`
	Services       *int `tfsdk:"services"`
}

type eksModel struct {
	Zones          []string `tfsdk:"zones"`
	NodesPerZone   int      `tfsdk:"nodes_per_zone"`
	MaxPodsPerNode *int     `tfsdk:"max_pods_per_node"`
}

// poolSelector reads a selector whose values are all known; nil when there is none.
func poolSelector(ctx context.Context, o types.Object) (*cloudpam.PoolSelector, diag.Diagnostics) {
	if o.IsNull() {
		return nil, nil
	}
	var m selectorModel
	if diags := o.As(ctx, &m, basetypes.ObjectAsOptions{}); diags.HasError() {
		return nil, diags
	}
	s := &cloudpam.PoolSelector{Labels: m.Labels, Scope: m.Scope}
	if m.Family != nil {
		s.Family = new(cloudpam.Family(*m.Family))
	}
	return s, nil
}

// sizing is what a set shall be: members by size, the bundle that stands for more of them, and how blocks are chosen.
type sizing struct {
	members  cloudpam.MemberSizes
	bundle   *cloudpam.Bundle
	strategy *cloudpam.Strategy
	exclude  *cloudpam.Exclude
}

// sizing reads sizes that are all known.
func (m setModel) sizing(ctx context.Context) (sizing, diag.Diagnostics) {
	s := sizing{members: cloudpam.MemberSizes{}}
	var lengths, hosts map[string]int64
	diags := m.Subnets.ElementsAs(ctx, &lengths, false)
	diags.Append(m.Hosts.ElementsAs(ctx, &hosts, false)...)
	var target *cloudpam.Target
	if !m.Target.IsNull() {
		target = new(cloudpam.Target(m.Target.ValueString()))
	}
	for key, length := range lengths {
		s.members[key] = cloudpam.MemberSize{PrefixLength: new(int(length)), Target: target}
	}
	for key, n := range hosts {
		s.members[key] = cloudpam.MemberSize{Hosts: &n, Target: target}
	}
	for key, cidr := range m.Fixed.Elements() {
		if p, err := parseCIDR(textOf(cidr)); err == nil {
			s.members[key] = cloudpam.MemberSize{CIDR: new(p.String()), Target: target}
		}
	}
	var more diag.Diagnostics
	s.strategy = chosenBy(m.Strategy)
	s.exclude, more = excluded(ctx, m.Exclude)
	diags.Append(more...)
	if !m.GKE.IsNull() {
		var b gkeModel
		diags.Append(m.GKE.As(ctx, &b, basetypes.ObjectAsOptions{})...)
		s.bundle = &cloudpam.Bundle{Gke: &cloudpam.GKEBundle{Nodes: b.Nodes, MaxPodsPerNode: b.MaxPodsPerNode, Services: b.Services}}
	}
	if !m.EKS.IsNull() {
		var b eksModel
		diags.Append(m.EKS.As(ctx, &b, basetypes.ObjectAsOptions{})...)
		s.bundle = &cloudpam.Bundle{Eks: &cloudpam.EKSBundle{Zones: b.Zones, NodesPerZone: b.NodesPerZone, MaxPodsPerNode: b.MaxPodsPerNode}}
	}
	return s, diags
}

// planned is the sizing that asks for exactly the blocks of the plan, or for sizes where they are not known.
func (m setModel) planned(ctx context.Context) (sizing, diag.Diagnostics) {
	if !settled(ctx, m.CIDRs) {
		return m.sizing(ctx)
	}
	s := sizing{members: cloudpam.MemberSizes{}}
	for key, cidr := range m.CIDRs.Elements() {
		s.members[key] = cloudpam.MemberSize{CIDR: new(cidr.(types.String).ValueString())}
	}
	return s, nil
}

// keys are the members that the configuration asks for; false while that is not known.
func (m setModel) keys(ctx context.Context) ([]string, bool) {
	if m.Subnets.IsUnknown() || m.Hosts.IsUnknown() || m.Fixed.IsUnknown() || m.GKE.IsUnknown() || m.EKS.IsUnknown() {
		return nil, false
	}
	keys := slices.Concat(slices.Collect(maps.Keys(m.Subnets.Elements())), slices.Collect(maps.Keys(m.Hosts.Elements())), slices.Collect(maps.Keys(m.Fixed.Elements())))
	bundled, known := m.bundleKeys(ctx)
	return append(keys, bundled...), known
}

func (m setModel) bundleKeys(ctx context.Context) ([]string, bool) {
	var keys []string
	if !m.GKE.IsNull() {
		keys = append(keys, "nodes", "pods", "services")
	}
	if zones, _ := m.EKS.Attributes()["zones"].(types.List); !m.EKS.IsNull() {
		var names []string
		if !settled(ctx, zones) || zones.ElementsAs(ctx, &names, false).HasError() {
			return nil, false
		}
		for _, zone := range names {
			keys = append(keys, "nodes-"+zone, "control-plane-"+zone)
		}
		keys = append(keys, "services")
	}
	return keys, true
}

// from fills the model with what the server says. A member that is missing or has another size shows in subnets and hosts,
// so that the next plan says what it mends.
func (m *setModel) from(ctx context.Context, set cloudpam.AllocationSet, defaults defaultLabels) diag.Diagnostics {
	imported := m.Subnets.IsNull() && m.Hosts.IsNull() && m.Fixed.IsNull() && m.GKE.IsNull() && m.EKS.IsNull()
	m.ID, m.Scope, m.Pool, m.Name = types.StringValue(set.ID), types.StringValue(set.Scope), types.StringValue(set.Pool), types.StringValue(set.Name)
	m.Account, m.Region = fromText(m.Account, set.Account), fromText(m.Region, set.Region)
	m.Environment, m.Owner = fromText(m.Environment, set.Environment), fromText(m.Owner, set.Owner)
	m.Purpose, m.Description = fromText(m.Purpose, set.Purpose), fromText(m.Description, set.Description)
	m.Labels, m.LabelsAll = defaults.split(m.Labels, m.LabelsAll, set.Labels)

	m.CIDRs, m.IDs = memberMaps(set)
	lengths, hosts, fixed := map[string]attr.Value{}, map[string]attr.Value{}, map[string]attr.Value{}
	bundled, _ := m.bundleKeys(ctx)
	for _, member := range set.Members {
		if n, asked := m.Hosts.Elements()[member.Key]; asked {
			hosts[member.Key] = n
		} else if said, asked := m.Fixed.Elements()[member.Key]; asked {
			fixed[member.Key] = types.StringValue(member.CIDR)
			if p, err := parseCIDR(textOf(said)); err == nil && p.String() == member.CIDR {
				fixed[member.Key] = said // what is configured keeps its spelling
			}
		} else if !slices.Contains(bundled, member.Key) {
			lengths[member.Key] = types.Int64Value(int64(member.PrefixLength))
		}
	}
	if imported || !m.Subnets.IsNull() {
		m.Subnets = types.MapValueMust(types.Int64Type, lengths)
	}
	if !m.Hosts.IsNull() {
		m.Hosts = types.MapValueMust(types.Int64Type, hosts)
	}
	if !m.Fixed.IsNull() {
		m.Fixed = types.MapValueMust(types.StringType, fixed)
	}
	return nil
}

// request is what creates the set of the plan.
func (m setModel) request(ctx context.Context) (cloudpam.NewAllocationSet, diag.Diagnostics) {
	sizes, diags := m.planned(ctx)
	labels, more := optionalLabels(ctx, m.LabelsAll)
	diags.Append(more...)
	set := cloudpam.NewAllocationSet{
		Name: m.Name.ValueString(), Members: &sizes.members, Bundle: sizes.bundle, Strategy: sizes.strategy, Exclude: sizes.exclude, Adopt: m.Adopt.ValueBoolPointer(),
		Account: optionalText(m.Account), Region: optionalText(m.Region), Environment: optionalText(m.Environment),
		Owner: optionalText(m.Owner), Purpose: optionalText(m.Purpose), Description: optionalText(m.Description), Labels: labels,
	}
	if set.Pool = m.Pool.ValueString(); set.Pool == "" {
		set.PoolSelector, more = poolSelector(ctx, m.PoolSelector)
		diags.Append(more...)
	}
	return set, diags
}

// patch is what turns the set of the state into that of the plan.
func (m setModel) patch(ctx context.Context, state setModel) (cloudpam.AllocationSetPatch, diag.Diagnostics) {
	patch := cloudpam.AllocationSetPatch{
		Name:        changedText(state.Name, m.Name),
		Account:     changedText(state.Account, m.Account),
		Region:      changedText(state.Region, m.Region),
		Environment: changedText(state.Environment, m.Environment),
		Owner:       changedText(state.Owner, m.Owner),
		Purpose:     changedText(state.Purpose, m.Purpose),
		Description: changedText(state.Description, m.Description),
	}
	var diags diag.Diagnostics
	if !m.CIDRs.Equal(state.CIDRs) {
		sizes, more := m.planned(ctx)
		diags.Append(more...)
		patch.Members, patch.Bundle, patch.Strategy, patch.Exclude = &sizes.members, sizes.bundle, sizes.strategy, sizes.exclude
		patch.Adopt = m.Adopt.ValueBoolPointer()
		to, more := m.renames(ctx, state)
		diags.Append(more...)
		if len(to) > 0 {
			patch.Renamed = &to
		}
	}
	if !m.LabelsAll.Equal(state.LabelsAll) {
		labels, more := toLabels(ctx, m.LabelsAll)
		diags.Append(more...)
		patch.Labels = &labels
	}
	return patch, diags
}

// attempt describes what is done to the set, for diagnostics.
func (m setModel) attempt(verb string) attempt {
	a := attempt{verb: verb, kind: "allocation set", name: m.Name.ValueString(), pool: m.Pool.ValueString(), poolAttr: "pool", sizeAttr: "subnets", adopts: m.Adopt.ValueBool()}
	if a.pool == "" {
		a.poolAttr = "pool_selector"
	}
	switch {
	case !m.Subnets.IsNull():
	case !m.Hosts.IsNull():
		a.sizeAttr = "hosts"
	case !m.GKE.IsNull():
		a.sizeAttr = "gke"
	case !m.Fixed.IsNull():
		a.sizeAttr = "fixed"
	default:
		a.sizeAttr = "eks"
	}
	return a
}

// textOf is what a value says that is a text; "" while it is not known.
func textOf(v attr.Value) string {
	text, _ := v.(types.String)
	return text.ValueString()
}

// settled reports whether a value is known through and through.
func settled(ctx context.Context, v attr.Value) bool {
	raw, err := v.ToTerraformValue(ctx)
	return err == nil && raw.IsFullyKnown()
}
