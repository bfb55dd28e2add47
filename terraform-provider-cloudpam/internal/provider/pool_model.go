package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/oapi-codegen/nullable"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// poolFacts is what the server says of a pool, and all that a data source shows.
type poolFacts struct {
	ID                  types.String `tfsdk:"id"`
	UID                 types.String `tfsdk:"uid"`
	Scope               types.String `tfsdk:"scope"`
	Name                types.String `tfsdk:"name"`
	Parent              types.String `tfsdk:"parent"`
	CIDR                cidrValue    `tfsdk:"cidr"`
	PrefixLength        types.Int64  `tfsdk:"prefix_length"`
	IPVersion           types.Int64  `tfsdk:"ip_version"`
	Strategy            types.String `tfsdk:"strategy"`
	MinPrefixLength     types.Int64  `tfsdk:"min_prefix_length"`
	MaxPrefixLength     types.Int64  `tfsdk:"max_prefix_length"`
	DefaultPrefixLength types.Int64  `tfsdk:"default_prefix_length"`
	Account             types.String `tfsdk:"account"`
	Region              types.String `tfsdk:"region"`
	Environment         types.String `tfsdk:"environment"`
	Owner               types.String `tfsdk:"owner"`
	Description         types.String `tfsdk:"description"`
	Labels              types.Map    `tfsdk:"labels"`
	DeletionProtection  types.Bool   `tfsdk:"deletion_protection"`
	Quarantine          types.String `tfsdk:"quarantine"`
	MaxObservedAge      types.String `tfsdk:"max_observed_age"`
}

// poolModel is a pool of the resource: in configuration, plan and state.
type poolModel struct {
	poolFacts
	PoolSelector   types.Object `tfsdk:"pool_selector"`
	ParentStrategy types.String `tfsdk:"parent_strategy"`
	Exclude        types.Set    `tfsdk:"exclude"`
	Encloses       types.Bool   `tfsdk:"encloses"`
	LabelsAll      types.Map    `tfsdk:"labels_all"`
}

// from fills the model with what the server says, and tells the resource's own labels from the provider's defaults.
func (m *poolModel) from(p cloudpam.Pool, defaults defaultLabels) diag.Diagnostics {
	own, all := defaults.split(m.Labels, m.LabelsAll, p.Labels)
	diags := m.set(p)
	m.Labels, m.LabelsAll = own, all
	return diags
}

// set fills the facts with what the server says.
func (m *poolFacts) set(p cloudpam.Pool) diag.Diagnostics {
	cidr := newCIDR(p.CIDR)
	m.ID, m.UID, m.Scope, m.Name = types.StringValue(p.ID), types.StringValue(p.UID), types.StringValue(p.Scope), types.StringValue(p.Name)
	m.Parent = types.StringPointerValue(p.Parent)
	m.CIDR, m.PrefixLength, m.IPVersion = cidr, types.Int64Value(int64(p.PrefixLength)), types.Int64Value(ipVersion(prefixOf(cidr)))
	m.Strategy = types.StringValue(string(p.Strategy))
	m.MinPrefixLength, m.MaxPrefixLength = fromLength(p.MinPrefixLength), fromLength(p.MaxPrefixLength)
	m.DefaultPrefixLength = fromLength(p.DefaultPrefixLength)
	m.Account, m.Region = fromText(m.Account, p.Account), fromText(m.Region, p.Region)
	m.Environment, m.Owner = fromText(m.Environment, p.Environment), fromText(m.Owner, p.Owner)
	m.Description = fromText(m.Description, p.Description)
	m.DeletionProtection, m.Quarantine = types.BoolValue(p.DeletionProtection), fromSeconds(m.Quarantine, p.QuarantineSeconds)
	m.MaxObservedAge = fromSeconds(m.MaxObservedAge, p.MaxObservedAgeSeconds)
	labels, diags := fromLabels(m.Labels, p.Labels)
	m.Labels = labels
	return diags
}

// request is what creates the pool of the plan.
func (m poolModel) request(ctx context.Context) (cloudpam.NewPool, diag.Diagnostics) {
	labels, diags := optionalLabels(ctx, m.LabelsAll)
	pool := cloudpam.NewPool{
		Name: m.Name.ValueString(), Scope: optionalText(m.Scope), Parent: optionalText(m.Parent),
		CIDR:            m.CIDR.pointer(),
		MinPrefixLength: optionalLength(m.MinPrefixLength), MaxPrefixLength: optionalLength(m.MaxPrefixLength),
		DefaultPrefixLength: optionalLength(m.DefaultPrefixLength),
		Account:             optionalText(m.Account), Region: optionalText(m.Region), Environment: optionalText(m.Environment),
		Owner: optionalText(m.Owner), Description: optionalText(m.Description), Labels: labels,
		DeletionProtection: new(m.DeletionProtection.ValueBool()), QuarantineSeconds: secondsOf(m.Quarantine), MaxObservedAgeSeconds: secondsOf(m.MaxObservedAge), Encloses: m.Encloses.ValueBoolPointer(),
	}
	if strategy := m.Strategy.ValueString(); strategy != "" {
		pool.Strategy = new(cloudpam.Strategy(strategy))
	}
	if pool.Parent == nil && !m.PoolSelector.IsNull() { // the server chooses it, in the selector's scope
		var more diag.Diagnostics
		pool.PoolSelector, more = poolSelector(ctx, m.PoolSelector)
		pool.Scope = nil
		diags.Append(more...)
	}
	if pool.CIDR != nil {
		pool.CIDR = new(prefixOf(m.CIDR).String()) // the server takes the canonical spelling only
		return pool, diags
	}
	var more diag.Diagnostics
	pool.PrefixLength, pool.ParentStrategy = optionalLength(m.PrefixLength), chosenBy(m.ParentStrategy)
	pool.Exclude, more = excluded(ctx, m.Exclude)
	diags.Append(more...)
	return pool, diags
}

// patch is what turns the pool of the state into that of the plan. Its parent is another only when it is another pool, not
// when the same has another name.
func (m poolModel) patch(ctx context.Context, state poolModel, names *renames) (cloudpam.PoolPatch, diag.Diagnostics) {
	patch := cloudpam.PoolPatch{
		Name:                changedText(state.Name, m.Name),
		MinPrefixLength:     changedLength(state.MinPrefixLength, m.MinPrefixLength),
		MaxPrefixLength:     changedLength(state.MaxPrefixLength, m.MaxPrefixLength),
		DefaultPrefixLength: changedLength(state.DefaultPrefixLength, m.DefaultPrefixLength),
		Account:             changedText(state.Account, m.Account),
		Region:              changedText(state.Region, m.Region),
		Environment:         changedText(state.Environment, m.Environment),
		Owner:               changedText(state.Owner, m.Owner),
		Description:         changedText(state.Description, m.Description),
	}
	if !names.samePool(state.Parent, m.Parent) {
		patch.Parent = nullable.NewNullNullable[string]()
		if id := m.Parent.ValueString(); id != "" {
			patch.Parent = nullable.NewNullableWithValue(names.askPool(id))
		}
		if !m.CIDR.known() {
			patch.PrefixLength = optionalLength(m.PrefixLength)
		}
	}
	if m.CIDR.known() && prefixOf(m.CIDR) != prefixOf(state.CIDR) {
		patch.CIDR = new(prefixOf(m.CIDR).String())
	}
	if !m.Strategy.Equal(state.Strategy) {
		patch.Strategy = new(cloudpam.Strategy(m.Strategy.ValueString()))
	}
	if !m.Quarantine.Equal(state.Quarantine) {
		patch.QuarantineSeconds = nullable.NewNullNullable[int64]()
		if s := secondsOf(m.Quarantine); s != nil {
			patch.QuarantineSeconds = nullable.NewNullableWithValue(*s)
		}
	}
	if !m.MaxObservedAge.Equal(state.MaxObservedAge) {
		patch.MaxObservedAgeSeconds = nullable.NewNullNullable[int64]()
		if s := secondsOf(m.MaxObservedAge); s != nil {
			patch.MaxObservedAgeSeconds = nullable.NewNullableWithValue(*s)
		}
	}
	if !m.DeletionProtection.Equal(state.DeletionProtection) {
		patch.DeletionProtection = new(m.DeletionProtection.ValueBool())
	}
	if m.LabelsAll.Equal(state.LabelsAll) {
		return patch, nil
	}
	labels, diags := toLabels(ctx, m.LabelsAll)
	patch.Labels = &labels
	return patch, diags
}

// changedLength is what a patch says about a rule on sizes: nothing when it stays, null when it was removed.
func changedLength(state, plan types.Int64) nullable.Nullable[int] {
	switch {
	case state.Equal(plan):
		return nil
	case plan.IsNull():
		return nullable.NewNullNullable[int]()
	default:
		return nullable.NewNullableWithValue(int(plan.ValueInt64()))
	}
}

// key is what the server is asked for: the key that no rename changes, or the id where a state of an earlier version has none.
func (m poolFacts) key() string { return firstID(m.UID.ValueString(), m.ID.ValueString()) }

// attempt describes what is done to the pool, for diagnostics.
func (m poolFacts) attempt(verb string) attempt {
	a := attempt{verb: verb, kind: "pool", name: m.ID.ValueString(), pool: m.Parent.ValueString(), poolAttr: "parent"}
	if a.name == "" {
		a.name = m.Name.ValueString()
	}
	return a
}

// attempt says by what the parent is named.
func (m poolModel) attempt(verb string) attempt {
	a := m.poolFacts.attempt(verb)
	if a.pool == "" && !m.PoolSelector.IsNull() {
		a.poolAttr = "pool_selector"
	}
	return a
}

// selected is the scope of the pools that a selector means.
func (m poolModel) selected() types.String {
	scope, _ := m.PoolSelector.Attributes()["scope"].(types.String)
	switch {
	case m.PoolSelector.IsUnknown() || scope.IsUnknown():
		return types.StringUnknown()
	case scope.ValueString() == "":
		return types.StringValue(defaultScope)
	}
	return scope
}
