package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/oapi-codegen/nullable"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// accountFacts is what the server says of an account, and all that a data source shows.
type accountFacts struct {
	ID               types.String `tfsdk:"id"`
	UID              types.String `tfsdk:"uid"`
	Cloud            types.String `tfsdk:"cloud"`
	ExternalID       types.String `tfsdk:"external_id"`
	Scope            types.String `tfsdk:"scope"`
	Name             types.String `tfsdk:"name"`
	Description      types.String `tfsdk:"description"`
	Owner            types.String `tfsdk:"owner"`
	Platform         types.String `tfsdk:"platform"`
	Tier             types.String `tfsdk:"tier"`
	Environment      types.String `tfsdk:"environment"`
	Regions          types.Set    `tfsdk:"regions"`
	Mode             types.String `tfsdk:"mode"`
	RoleARN          types.String `tfsdk:"role_arn"`
	WorkloadIdentity types.String `tfsdk:"workload_identity"`
	Labels           types.Map    `tfsdk:"labels"`
}

// accountModel is an account of the resource: in configuration, plan and state.
type accountModel struct {
	accountFacts
	LabelsAll types.Map `tfsdk:"labels_all"`
}

// from fills the model with what the server says, and tells the resource's own labels from the provider's defaults.
func (m *accountModel) from(a cloudpam.Account, defaults defaultLabels) diag.Diagnostics {
	own, all := defaults.split(m.Labels, m.LabelsAll, a.Labels)
	diags := m.set(a)
	m.Labels, m.LabelsAll = own, all
	return diags
}

// set fills the facts with what the server says.
func (m *accountFacts) set(a cloudpam.Account) diag.Diagnostics {
	m.ID, m.UID, m.Scope, m.Name = types.StringValue(a.ID), types.StringValue(a.UID), types.StringValue(a.Scope), types.StringValue(a.Name)
	m.Cloud, m.ExternalID = types.StringValue(string(a.Cloud)), types.StringValue(a.ExternalID)
	m.Mode = types.StringValue(string(a.Mode))
	m.Tier = types.StringPointerValue((*string)(a.Tier))
	m.Description, m.Owner = fromText(m.Description, a.Description), fromText(m.Owner, a.Owner)
	m.Platform, m.Environment = fromText(m.Platform, a.Platform), fromText(m.Environment, a.Environment)
	m.RoleARN, m.WorkloadIdentity = fromText(m.RoleARN, a.RoleArn), fromText(m.WorkloadIdentity, a.WorkloadIdentity)
	if len(a.Regions) > 0 || !m.Regions.IsNull() {
		regions, diags := types.SetValueFrom(context.Background(), types.StringType, a.Regions)
		if diags.HasError() {
			return diags
		}
		m.Regions = regions
	} else {
		m.Regions = types.SetNull(types.StringType) // null and empty are one to the server: what was written decides
	}
	labels, diags := fromLabels(m.Labels, a.Labels)
	m.Labels = labels
	return diags
}

// request is what registers the account of the plan.
func (m accountModel) request(ctx context.Context) (cloudpam.NewAccount, diag.Diagnostics) {
	labels, diags := optionalLabels(ctx, m.LabelsAll)
	regions, more := m.regions(ctx)
	diags.Append(more...)
	account := cloudpam.NewAccount{
		Cloud: cloudpam.Cloud(m.Cloud.ValueString()), ExternalID: m.ExternalID.ValueString(), Name: m.Name.ValueString(), Scope: optionalText(m.Scope),
		Description: optionalText(m.Description), Owner: optionalText(m.Owner), Platform: optionalText(m.Platform), Environment: optionalText(m.Environment),
		Tier: (*cloudpam.Tier)(optionalText(m.Tier)), Mode: (*cloudpam.Mode)(optionalText(m.Mode)),
		RoleArn: optionalText(m.RoleARN), WorkloadIdentity: optionalText(m.WorkloadIdentity), Regions: &regions, Labels: labels,
	}
	return account, diags
}

// patch is what turns the account of the state into that of the plan.
func (m accountModel) patch(ctx context.Context, state accountModel) (cloudpam.AccountPatch, diag.Diagnostics) {
	var diags diag.Diagnostics
	patch := cloudpam.AccountPatch{
		Scope: changedText(state.Scope, m.Scope), Name: changedText(state.Name, m.Name), Description: changedText(state.Description, m.Description),
		Owner: changedText(state.Owner, m.Owner), Platform: changedText(state.Platform, m.Platform), Environment: changedText(state.Environment, m.Environment),
		Mode: (*cloudpam.Mode)(changedText(state.Mode, m.Mode)), RoleArn: changedText(state.RoleARN, m.RoleARN),
		WorkloadIdentity: changedText(state.WorkloadIdentity, m.WorkloadIdentity),
	}
	if !m.Tier.Equal(state.Tier) {
		patch.Tier = nullable.NewNullNullable[cloudpam.AccountPatchTier]()
		if tier := m.Tier.ValueString(); tier != "" {
			patch.Tier = nullable.NewNullableWithValue(cloudpam.AccountPatchTier(tier))
		}
	}
	if !m.Regions.Equal(state.Regions) {
		regions, more := m.regions(ctx)
		diags.Append(more...)
		patch.Regions = &regions
	}
	if !m.LabelsAll.Equal(state.LabelsAll) {
		labels, more := toLabels(ctx, m.LabelsAll)
		diags.Append(more...)
		patch.Labels = &labels
	}
	return patch, diags
}

func (m accountFacts) regions(ctx context.Context) (cloudpam.Regions, diag.Diagnostics) {
	regions := cloudpam.Regions{}
	if m.Regions.IsNull() || m.Regions.IsUnknown() {
		return regions, nil
	}
	diags := m.Regions.ElementsAs(ctx, &regions, false)
	return regions, diags
}

// attempt describes what is done to the account, for diagnostics.
func (m accountFacts) attempt(verb string) attempt {
	name := m.ID.ValueString()
	if name == "" {
		name = m.Cloud.ValueString() + ":" + m.ExternalID.ValueString()
	}
	return attempt{verb: verb, kind: "account", name: name}
}
