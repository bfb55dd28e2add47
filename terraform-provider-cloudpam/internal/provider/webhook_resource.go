package provider

import (
	"context"
	"errors"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var (
	_ resource.ResourceWithConfigure   = (*webhookResource)(nil)
	_ resource.ResourceWithIdentity    = (*webhookResource)(nil)
	_ resource.ResourceWithImportState = (*webhookResource)(nil)
)

type webhookResource struct{ session *session }

func newWebhookResource() resource.Resource { return &webhookResource{} }

// Metadata names the resource.
func (r *webhookResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "cloudpam_webhook"
}

// Configure takes the client.
func (r *webhookResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = configured(req.ProviderData, &resp.Diagnostics)
}

var (
	secretForm = regexp.MustCompile(`^whsec_[A-Za-z0-9+/]{24,}={0,2}$`)
	actionForm = regexp.MustCompile(`^[a-z_]+\.([a-z_]+|\*)$`)
)

// Schema describes the resource.
func (r *webhookResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Sends events to an address: signed as [Standard Webhooks](https://www.standardwebhooks.com) says, again until they arrive, and those about one object in their order. " +
			"Write-only arguments need Terraform 1.11 or later, or OpenTofu 1.11.",
		Attributes: map[string]schema.Attribute{
			"id": computedText("Id of the webhook, `webhook_…`."),
			"name": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{matching(slugForm, slugHelp), stringvalidator.LengthAtMost(63)},
				MarkdownDescription: "Name of the webhook. May change in place.",
			},
			"description": text(),
			"url": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{stringvalidator.LengthBetween(1, 2048)},
				MarkdownDescription: "Where events are sent: `https`, to a public address, or to one in the server's `CLOUDPAM_WEBHOOK_ALLOW`, there also over `http`. May change in place.",
			},
			"scope": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{matching(slugForm, slugHelp), stringvalidator.LengthAtMost(63)},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
				MarkdownDescription: "Only events of this scope; of all where absent. Changing it makes another webhook, which is told of what happens from then on.",
			},
			"actions": schema.SetAttribute{
				Optional: true, ElementType: types.StringType,
				Validators: []validator.Set{setvalidator.SizeAtMost(64), setvalidator.ValueStringsAre(
					stringvalidator.RegexMatches(actionForm, "must be an action such as allocation.created, or allocation.* for all of a kind"))},
				MarkdownDescription: "Only these actions: `allocation.created`, or `allocation.*` for all of a kind. All where absent.",
			},
			"format": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString("standard"),
				Validators:          []validator.String{stringvalidator.OneOf("standard", "slack")},
				MarkdownDescription: "`standard` (default): the event as the API shows it. `slack`: a line of text for Slack or Mattermost.",
			},
			"enabled": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(true),
				MarkdownDescription: "Whether events are sent. While it is `false` they wait, for a week at most.",
			},
			"secret_wo": schema.StringAttribute{
				Required: true, Sensitive: true, WriteOnly: true,
				Validators:          []validator.String{stringvalidator.RegexMatches(secretForm, "must be whsec_ and the base64 of 24 to 64 random bytes")},
				MarkdownDescription: "What messages are signed with: `whsec_` and the base64 of 24 to 64 random bytes. It is in no plan and no state.",
			},
			"secret_wo_version": schema.Int64Attribute{
				Optional:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(0)},
				MarkdownDescription: "Change it when `secret_wo` has changed, which Terraform cannot see. For a day messages are then signed with both.",
			},
		},
	}
}

// IdentitySchema describes what names a webhook for good.
func (r *webhookResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema("Id of the webhook, webhook_….")
}

// Create makes the webhook.
func (r *webhookResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan, config webhookModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	request, diags := plan.request(ctx, config.SecretWO)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	made, err := r.session.client.CreateWebhook(ctx, request)
	if err != nil {
		resp.Diagnostics.Append(plan.attempt("create").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "created webhook", map[string]any{"id": made.Webhook.ID})
	resp.Diagnostics.Append(plan.from(made.Webhook)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, plan.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Read refreshes the state; a webhook that is gone leaves it, to be made again.
func (r *webhookResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state webhookModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.refreshes(&resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, state.ID)...) // also of what turns out to be gone
	webhook, err := r.session.client.GetWebhook(ctx, state.ID.ValueString())
	switch {
	case errors.Is(err, cloudpam.ErrNotFound):
		tflog.Info(ctx, "webhook is gone", map[string]any{"id": state.ID.ValueString()})
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		resp.Diagnostics.Append(state.attempt("read").diagnose(err)...)
		return
	}
	resp.Diagnostics.Append(state.from(webhook)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

// Update changes the webhook, and its secret where the version says that it is another.
func (r *webhookResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state, config webhookModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	patch, diags := plan.patch(ctx, state)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	// The secret first: an update that fails half way is planned again, and its version is in the state only at the end.
	if !plan.SecretWOVersion.Equal(state.SecretWOVersion) {
		_, err := r.session.client.RotateWebhookSecret(ctx, state.ID.ValueString(), cloudpam.NewWebhookSecret{Secret: optionalText(config.SecretWO)})
		if err != nil {
			resp.Diagnostics.Append(plan.attempt("update").diagnose(err)...)
			return
		}
	}
	webhook, err := r.session.client.UpdateWebhook(ctx, state.ID.ValueString(), patch)
	if err != nil {
		resp.Diagnostics.Append(plan.attempt("update").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "updated webhook", map[string]any{"id": webhook.ID})
	resp.Diagnostics.Append(plan.from(webhook)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, plan.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Delete deletes the webhook. One that is gone already is as wanted.
func (r *webhookResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state webhookModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	err := r.session.client.DeleteWebhook(ctx, state.ID.ValueString())
	if err != nil && !errors.Is(err, cloudpam.ErrNotFound) {
		resp.Diagnostics.Append(state.attempt("delete").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "deleted webhook", map[string]any{"id": state.ID.ValueString()})
}

const webhookIDHelp = "Name the webhook by its name, or by its id, webhook_…."

// ImportState finds the webhook by its id or its name; Read fills in the rest. Its secret stays what it is until secret_wo_version changes.
func (r *webhookResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := importID(ctx, req)
	if resp.Diagnostics.Append(diags...); diags.HasError() || !r.session.ready(&resp.Diagnostics) {
		return
	}
	webhook, err := r.session.client.GetWebhook(ctx, id)
	if err != nil {
		resp.Diagnostics.Append(attempt{verb: "import", kind: "webhook", name: id}.diagnose(err)...)
		return
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, types.StringValue(webhook.ID))...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), webhook.ID)...)
}
