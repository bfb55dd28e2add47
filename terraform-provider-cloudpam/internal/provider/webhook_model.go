package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// webhookModel is a webhook of the resource: in configuration, plan and state. The secret is in the configuration alone.
type webhookModel struct {
	ID              types.String `tfsdk:"id"`
	Name            types.String `tfsdk:"name"`
	Description     types.String `tfsdk:"description"`
	URL             types.String `tfsdk:"url"`
	Scope           types.String `tfsdk:"scope"`
	Actions         types.Set    `tfsdk:"actions"`
	Format          types.String `tfsdk:"format"`
	Enabled         types.Bool   `tfsdk:"enabled"`
	SecretWO        types.String `tfsdk:"secret_wo"`
	SecretWOVersion types.Int64  `tfsdk:"secret_wo_version"`
}

// from fills the model with what the server says.
func (m *webhookModel) from(w cloudpam.Webhook) diag.Diagnostics {
	m.ID, m.Name, m.URL = types.StringValue(w.ID), types.StringValue(w.Name), types.StringValue(w.URL)
	m.Description, m.Scope = fromText(m.Description, w.Description), fromText(m.Scope, w.Scope)
	m.Format, m.Enabled, m.SecretWO = types.StringValue(string(w.Format)), types.BoolValue(w.Enabled), types.StringNull()
	if len(w.Actions) == 0 && (m.Actions.IsNull() || m.Actions.IsUnknown()) {
		m.Actions = types.SetNull(types.StringType) // null and empty are one to the server: what was written decides
		return nil
	}
	actions, diags := types.SetValueFrom(context.Background(), types.StringType, w.Actions)
	m.Actions = actions
	return diags
}

// request is what makes the webhook of the plan, signed with a secret.
func (m webhookModel) request(ctx context.Context, secret types.String) (cloudpam.NewWebhook, diag.Diagnostics) {
	actions, diags := m.actions(ctx)
	return cloudpam.NewWebhook{
		Name: m.Name.ValueString(), URL: m.URL.ValueString(), Description: optionalText(m.Description), Scope: optionalText(m.Scope),
		Actions: &actions, Format: (*cloudpam.WebhookFormat)(optionalText(m.Format)), Enabled: m.Enabled.ValueBoolPointer(), Secret: optionalText(secret),
	}, diags
}

// patch is what turns the webhook of the state into that of the plan.
func (m webhookModel) patch(ctx context.Context, state webhookModel) (cloudpam.WebhookPatch, diag.Diagnostics) {
	var diags diag.Diagnostics
	patch := cloudpam.WebhookPatch{
		Name: changedText(state.Name, m.Name), Description: changedText(state.Description, m.Description), URL: changedText(state.URL, m.URL),
		Format: (*cloudpam.WebhookFormat)(changedText(state.Format, m.Format)),
	}
	if !m.Enabled.Equal(state.Enabled) {
		patch.Enabled = m.Enabled.ValueBoolPointer()
	}
	if !m.Actions.Equal(state.Actions) {
		var actions []string
		actions, diags = m.actions(ctx)
		patch.Actions = &actions
	}
	return patch, diags
}

func (m webhookModel) actions(ctx context.Context) ([]string, diag.Diagnostics) {
	actions := []string{}
	if m.Actions.IsNull() {
		return actions, nil
	}
	diags := m.Actions.ElementsAs(ctx, &actions, false)
	slices.Sort(actions)
	return actions, diags
}

// attempt describes what is done to the webhook, for diagnostics.
func (m webhookModel) attempt(verb string) attempt {
	return attempt{verb: verb, kind: "webhook", name: m.Name.ValueString()}
}
