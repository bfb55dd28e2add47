package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/oapi-codegen/nullable"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// allocationFacts is what the server says of an allocation, and all that a data source shows.
type allocationFacts struct {
	ID             types.String `tfsdk:"id"`
	Scope          types.String `tfsdk:"scope"`
	Pool           types.String `tfsdk:"pool"`
	Name           types.String `tfsdk:"name"`
	CIDR           cidrValue    `tfsdk:"cidr"`
	PrefixLength   types.Int64  `tfsdk:"prefix_length"`
	IPVersion      types.Int64  `tfsdk:"ip_version"`
	NetworkAddress types.String `tfsdk:"network_address"`
	FirstAddress   types.String `tfsdk:"first_address"`
	LastAddress    types.String `tfsdk:"last_address"`
	Account        types.String `tfsdk:"account"`
	Region         types.String `tfsdk:"region"`
	Environment    types.String `tfsdk:"environment"`
	Owner          types.String `tfsdk:"owner"`
	Purpose        types.String `tfsdk:"purpose"`
	Description    types.String `tfsdk:"description"`
	ExpiresAt      momentValue  `tfsdk:"expires_at"`
	Labels         types.Map    `tfsdk:"labels"`
}

// allocationModel is an allocation of the resource: in configuration, plan and state.
type allocationModel struct {
	allocationFacts
	PoolSelector types.Object `tfsdk:"pool_selector"`
	Hosts        types.Int64  `tfsdk:"hosts"`
	Target       types.String `tfsdk:"target"`
	Strategy     types.String `tfsdk:"strategy"`
	Exclude      types.Set    `tfsdk:"exclude"`
	LabelsAll    types.Map    `tfsdk:"labels_all"`
}

// from fills the model with what the server says, and tells the resource's own labels from the provider's defaults.
func (m *allocationModel) from(a cloudpam.Allocation, defaults defaultLabels) diag.Diagnostics {
	own, all := defaults.split(m.Labels, m.LabelsAll, a.Labels)
	diags := m.set(a)
	m.Labels, m.LabelsAll = own, all
	return diags
}

// set fills the facts with what the server says.
func (m *allocationFacts) set(a cloudpam.Allocation) diag.Diagnostics {
	m.ID, m.Scope, m.Pool, m.Name = types.StringValue(a.ID), types.StringValue(a.Scope), types.StringValue(a.Pool), types.StringValue(a.Name)
	m.CIDR = newCIDR(a.CIDR)
	m.derive()
	m.Account, m.Region = fromText(m.Account, a.Account), fromText(m.Region, a.Region)
	m.Environment, m.Owner = fromText(m.Environment, a.Environment), fromText(m.Owner, a.Owner)
	m.Purpose, m.Description = fromText(m.Purpose, a.Purpose), fromText(m.Description, a.Description)
	m.ExpiresAt = fromMoment(a.ExpiresAt)
	labels, diags := fromLabels(m.Labels, a.Labels)
	m.Labels = labels
	return diags
}

// derive computes everything that follows from the CIDR: while planning as soon as the CIDR is known, and never by the
// server, so that both always agree.
func (m *allocationFacts) derive() {
	p := prefixOf(m.CIDR)
	if !p.IsValid() {
		m.IPVersion = types.Int64Unknown()
		m.NetworkAddress, m.FirstAddress, m.LastAddress = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
		return
	}
	m.PrefixLength, m.IPVersion = types.Int64Value(int64(p.Bits())), types.Int64Value(ipVersion(p))
	m.NetworkAddress, m.FirstAddress = types.StringValue(p.Addr().String()), types.StringValue(p.Addr().String())
	m.LastAddress = types.StringValue(lastAddress(p).String())
}

// request is what creates the allocation of the plan.
func (m allocationModel) request(ctx context.Context) (cloudpam.NewAllocation, diag.Diagnostics) {
	var more diag.Diagnostics
	labels, diags := optionalLabels(ctx, m.LabelsAll)
	allocation := cloudpam.NewAllocation{
		Name: m.Name.ValueString(), Target: m.target(),
		Account: optionalText(m.Account), Region: optionalText(m.Region), Environment: optionalText(m.Environment),
		Owner: optionalText(m.Owner), Purpose: optionalText(m.Purpose), Description: optionalText(m.Description), Labels: labels, ExpiresAt: timeOf(m.ExpiresAt),
	}
	if m.CIDR.known() {
		allocation.CIDR = new(prefixOf(m.CIDR).String()) // the server takes the canonical spelling only
	} else {
		allocation.PrefixLength, allocation.Hosts = optionalLength(m.PrefixLength), m.Hosts.ValueInt64Pointer()
		allocation.Strategy = chosenBy(m.Strategy)
		allocation.Exclude, more = excluded(ctx, m.Exclude)
		diags.Append(more...)
	}
	if allocation.Pool = m.Pool.ValueString(); allocation.Pool == "" {
		allocation.PoolSelector, more = poolSelector(ctx, m.PoolSelector)
		diags.Append(more...)
	}
	return allocation, diags
}

// target is what the block will become; nil where the configuration does not say.
func (m allocationModel) target() *cloudpam.Target {
	if m.Target.ValueString() == "" {
		return nil
	}
	return new(cloudpam.Target(m.Target.ValueString()))
}

// patch is what turns the allocation of the state into that of the plan.
func (m allocationModel) patch(ctx context.Context, state allocationModel) (cloudpam.AllocationPatch, diag.Diagnostics) {
	patch := cloudpam.AllocationPatch{
		Name:        changedText(state.Name, m.Name),
		Account:     changedText(state.Account, m.Account),
		Region:      changedText(state.Region, m.Region),
		Environment: changedText(state.Environment, m.Environment),
		Owner:       changedText(state.Owner, m.Owner),
		Purpose:     changedText(state.Purpose, m.Purpose),
		Description: changedText(state.Description, m.Description),
	}
	if m.CIDR.known() && prefixOf(m.CIDR) != prefixOf(state.CIDR) {
		patch.CIDR, patch.Hosts, patch.Target = new(prefixOf(m.CIDR).String()), m.Hosts.ValueInt64Pointer(), m.target()
	}
	if equal, _ := m.ExpiresAt.StringSemanticEquals(ctx, state.ExpiresAt); !equal {
		patch.ExpiresAt = nullable.NewNullNullable[time.Time]()
		if end := timeOf(m.ExpiresAt); end != nil {
			patch.ExpiresAt = nullable.NewNullableWithValue(*end)
		}
	}
	if !m.Target.Equal(state.Target) {
		patch.Target = m.target()
	}
	if m.LabelsAll.Equal(state.LabelsAll) {
		return patch, nil
	}
	labels, diags := toLabels(ctx, m.LabelsAll)
	patch.Labels = &labels
	return patch, diags
}

// attempt describes what is done to the allocation, for diagnostics.
func (m allocationFacts) attempt(verb string) attempt {
	a := attempt{verb: verb, kind: "allocation", name: m.Name.ValueString(), pool: m.Pool.ValueString(), poolAttr: "pool"}
	if a.pool == "" {
		a.poolAttr = "pool_selector"
	}
	return a
}
