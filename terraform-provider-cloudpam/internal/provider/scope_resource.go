package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var (
	_ resource.ResourceWithConfigure       = (*scopeResource)(nil)
	_ resource.ResourceWithIdentity        = (*scopeResource)(nil)
	_ resource.ResourceWithImportState     = (*scopeResource)(nil)
	_ resource.ResourceWithModifyPlan      = (*scopeResource)(nil)
	_ resource.ResourceWithUpgradeIdentity = (*scopeResource)(nil)
)

type scopeResource struct{ session *session }

func newScopeResource() resource.Resource { return &scopeResource{} }

// scopeFacts is what the server says of a scope, and all that the data source shows.
type scopeFacts struct {
	ID          types.String `tfsdk:"id"`
	UID         types.String `tfsdk:"uid"`
	Name        types.String `tfsdk:"name"`
	Description types.String `tfsdk:"description"`
	Labels      types.Map    `tfsdk:"labels"`
}

// scopeModel is a scope of the resource: in configuration, plan and state.
type scopeModel struct {
	scopeFacts
	LabelsAll types.Map `tfsdk:"labels_all"`
}

// from fills the model with what the server says, and tells the resource's own labels from the provider's defaults.
func (m *scopeModel) from(s cloudpam.Scope, defaults defaultLabels) diag.Diagnostics {
	own, all := defaults.split(m.Labels, m.LabelsAll, s.Labels)
	diags := m.set(s)
	m.Labels, m.LabelsAll = own, all
	return diags
}

// set fills the facts with what the server says.
func (m *scopeFacts) set(s cloudpam.Scope) diag.Diagnostics {
	m.ID, m.UID, m.Name = types.StringValue(s.ID), types.StringValue(s.UID), types.StringValue(s.ID)
	m.Description = fromText(m.Description, s.Description)
	labels, diags := fromLabels(m.Labels, s.Labels)
	m.Labels = labels
	return diags
}

// key is what the server is asked for: the key that no rename changes, or the name where a state of an earlier version has none.
func (m scopeFacts) key() string { return firstID(m.UID.ValueString(), m.ID.ValueString()) }

// attempt describes what is done to the scope, for diagnostics.
func (m scopeFacts) attempt(verb string) attempt {
	return attempt{verb: verb, kind: "scope", name: m.Name.ValueString()}
}

// Metadata names the resource.
func (r *scopeResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "cloudpam_scope"
}

// Configure takes the client.
func (r *scopeResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the resource.
func (r *scopeResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "An isolated address space: CIDRs may repeat across scopes, never inside one. The scope `default` always exists. " +
			"The plan that creates a scope shows the CIDRs of what it creates in it.",
		Attributes: map[string]schema.Attribute{
			"id":  computedText("Id of the scope: its name. Known while planning."),
			"uid": computedText("Immutable key of the scope, `scope_…`: it stays when the scope is renamed."),
			"name": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{matching(slugForm, slugHelp), stringvalidator.LengthAtMost(63)},
				MarkdownDescription: "Name of the scope. Changing it renames in place: the ids of its pools follow, and nothing moves. Reference it in pools (`scope = cloudpam_scope.NAME.name`) rather than repeat it, so that Terraform orders creation and destruction.",
			},
			"description": text(),
			"labels":      labels(),
			"labels_all":  labelsAll(),
		},
	}
}

// ModifyPlan computes the id, and notes that a new scope holds nothing that could be planned.
func (r *scopeResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return // a destroy
	}
	var plan, state scopeModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	switch {
	case r.session == nil || plan.Name.IsUnknown():
	case req.State.Raw.IsNull():
		r.session.claims.createsScope(plan.Name.ValueString())
	default:
		r.session.renames.scope(state.Name, plan.Name)
	}
	plan.ID = plan.Name
	resp.Diagnostics.Append(r.session.label(plan.Labels, &plan.LabelsAll)...)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// Create creates the scope.
func (r *scopeResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan scopeModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	labels, diags := optionalLabels(ctx, plan.LabelsAll)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	scope, err := r.session.client.CreateScope(ctx, cloudpam.NewScope{
		Name: plan.Name.ValueString(), Description: optionalText(plan.Description), Labels: labels,
	})
	if err != nil {
		resp.Diagnostics.Append(plan.attempt("create").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "created scope", map[string]any{"id": scope.ID})
	resp.Diagnostics.Append(plan.from(scope, r.session.defaults)...)
	resp.Diagnostics.Append(identifyByUID(ctx, resp.Identity, plan.UID, plan.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Read refreshes the state; a scope that is gone leaves it, to be created again.
func (r *scopeResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state scopeModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.refreshes(&resp.Diagnostics) {
		return
	}
	scope, err := r.session.client.GetScope(ctx, state.key())
	switch {
	case errors.Is(err, cloudpam.ErrNotFound):
		tflog.Info(ctx, "scope is gone", map[string]any{"id": state.ID.ValueString()})
		resp.Diagnostics.Append(identifyByUID(ctx, resp.Identity, state.UID, state.ID)...)
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		resp.Diagnostics.Append(state.attempt("read").diagnose(err)...)
		return
	}
	resp.Diagnostics.Append(state.from(scope, r.session.defaults)...)
	resp.Diagnostics.Append(identifyByUID(ctx, resp.Identity, state.UID, state.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

// Update renames, and changes the description and the labels.
func (r *scopeResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state scopeModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	patch := cloudpam.ScopePatch{Name: changedText(state.Name, plan.Name), Description: changedText(state.Description, plan.Description)}
	if !plan.LabelsAll.Equal(state.LabelsAll) {
		labels, diags := toLabels(ctx, plan.LabelsAll)
		if resp.Diagnostics.Append(diags...); diags.HasError() {
			return
		}
		patch.Labels = &labels
	}
	scope, err := r.session.client.UpdateScope(ctx, state.key(), patch)
	if err != nil {
		resp.Diagnostics.Append(state.attempt("update").diagnose(err)...)
		return
	}
	r.session.renames.scopeDone(scope.ID)
	tflog.Debug(ctx, "updated scope", map[string]any{"id": scope.ID})
	resp.Diagnostics.Append(plan.from(scope, r.session.defaults)...)
	resp.Diagnostics.Append(identifyByUID(ctx, resp.Identity, plan.UID, plan.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Delete deletes the scope when no pool is in it. A scope that is gone already is as wanted.
func (r *scopeResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state scopeModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	err := r.session.deletes.whenEmpty(ctx, func() error { return r.session.client.DeleteScope(ctx, state.key()) })
	if err != nil && !errors.Is(err, cloudpam.ErrNotFound) {
		resp.Diagnostics.Append(state.attempt("delete").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "deleted scope", map[string]any{"id": state.ID.ValueString()})
}

// ImportState finds the scope by its name or its uid; Read fills in the rest.
func (r *scopeResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := importUID(ctx, req)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	if !slugForm.MatchString(id) {
		resp.Diagnostics.AddError("Import id names no scope", "\""+id+"\" is not the name of a scope.\n\n"+scopeIDHelp)
		return
	}
	if !r.session.ready(&resp.Diagnostics) {
		return
	}
	scope, err := r.session.client.GetScope(ctx, id)
	if err != nil {
		resp.Diagnostics.Append(attempt{verb: "import", kind: "scope", name: id}.diagnose(err)...)
		return
	}
	resp.Diagnostics.Append(identifyByUID(ctx, resp.Identity, types.StringValue(scope.UID), types.StringNull())...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), scope.ID)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("uid"), scope.UID)...)
}

// IdentitySchema describes what names a scope for good.
func (r *scopeResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = uidIdentity("Immutable key of the scope, scope_….")
}

// UpgradeIdentity reads the identity of a state in which the scope's name was it.
func (r *scopeResource) UpgradeIdentity(context.Context) map[int64]resource.IdentityUpgrader {
	return upgradeToUID(func(ctx context.Context, id string) (string, error) {
		if r.session == nil || r.session.client == nil {
			return "", nil
		}
		scope, err := r.session.client.GetScope(ctx, id)
		return scope.UID, err
	})
}
