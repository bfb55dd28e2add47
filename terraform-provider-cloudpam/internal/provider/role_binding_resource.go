package provider

import (
	"context"
	"errors"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var (
	_ resource.ResourceWithConfigure   = (*roleBindingResource)(nil)
	_ resource.ResourceWithIdentity    = (*roleBindingResource)(nil)
	_ resource.ResourceWithImportState = (*roleBindingResource)(nil)
)

type roleBindingResource struct{ session *session }

func newRoleBindingResource() resource.Resource { return &roleBindingResource{} }

// roleBindingModel is a binding of the resource: in configuration, plan and state.
type roleBindingModel struct {
	ID        types.String `tfsdk:"id"`
	Principal types.String `tfsdk:"principal"`
	Issuer    types.String `tfsdk:"issuer"`
	Subject   types.String `tfsdk:"subject"`
	Actor     types.String `tfsdk:"actor"`
	Role      types.String `tfsdk:"role"`
	Scope     types.String `tfsdk:"scope"`
	Pool      types.String `tfsdk:"pool"`
	Largest   types.Int64  `tfsdk:"largest_prefix_length"`
	Labels    types.Map    `tfsdk:"labels"`
}

func (m roleBindingModel) attempt(verb string) attempt {
	return attempt{verb: verb, kind: "role binding", name: m.Role.ValueString()}
}

// from fills the model with what the server says. A pool says its scope by itself, so scope is only what was written.
func (m *roleBindingModel) from(b cloudpam.Binding) diag.Diagnostics {
	m.ID, m.Principal, m.Actor, m.Role = types.StringValue(b.ID), types.StringValue(b.Principal), types.StringValue(b.Actor), types.StringValue(string(b.Role))
	m.Issuer, m.Subject = types.StringPointerValue(b.Issuer), types.StringPointerValue(b.Subject)
	m.Pool, m.Scope, m.Largest = types.StringPointerValue(b.Pool), types.StringNull(), types.Int64Null()
	if b.Pool == nil {
		m.Scope = types.StringPointerValue(b.Scope)
	}
	if b.LargestPrefixLength != nil {
		m.Largest = types.Int64Value(int64(*b.LargestPrefixLength))
	}
	labels, diags := fromLabels(m.Labels, b.Labels)
	m.Labels = labels
	return diags
}

func (m roleBindingModel) request(ctx context.Context) (cloudpam.NewBinding, diag.Diagnostics) {
	labels, diags := optionalLabels(ctx, m.Labels)
	in := cloudpam.NewBinding{
		Principal: optionalText(m.Principal), Issuer: optionalText(m.Issuer), Subject: optionalText(m.Subject),
		Role: cloudpam.Role(m.Role.ValueString()), Scope: optionalText(m.Scope), Pool: optionalText(m.Pool), Labels: labels,
	}
	if !m.Largest.IsNull() {
		in.LargestPrefixLength = new(int(m.Largest.ValueInt64()))
	}
	return in, diags
}

// Metadata names the resource.
func (r *roleBindingResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "cloudpam_role_binding"
}

// Configure takes the client.
func (r *roleBindingResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = configured(req.ProviderData, &resp.Diagnostics)
}

var issuerForm = regexp.MustCompile(`^https?://`)

// Schema describes the resource.
func (r *roleBindingResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	anew := []planmodifier.String{stringplanmodifier.RequiresReplace()}
	who := []planmodifier.String{stringplanmodifier.UseStateForUnknown(), stringplanmodifier.RequiresReplaceIfConfigured()}
	root := path.MatchRoot
	resp.Schema = schema.Schema{
		MarkdownDescription: "Gives a principal a role: everywhere, in a scope, or in a pool and what is below it. Whoever applies it needs the role `admin` there. " +
			"A binding never changes: every change makes another, and ends the one before.",
		Attributes: map[string]schema.Attribute{
			"id": computedText("Id of the binding, `binding_…`."),
			"principal": schema.StringAttribute{
				Optional: true, Computed: true, PlanModifiers: who,
				Validators:          []validator.String{stringvalidator.LengthBetween(1, 63), stringvalidator.ExactlyOneOf(root("principal"), root("issuer"))},
				MarkdownDescription: "Who gets the role: the id of a principal, `principal_…`, as of a token. Either this, or `issuer` and `subject`.",
			},
			"issuer": schema.StringAttribute{
				Optional: true, Computed: true, PlanModifiers: who,
				Validators:          []validator.String{matching(issuerForm, "must be the address of an issuer that the server trusts, as https://token.actions.githubusercontent.com"), stringvalidator.AlsoRequires(root("subject"))},
				MarkdownDescription: "The address of the issuer that vouches for who gets the role. To name somebody by it takes `admin` everywhere.",
			},
			"subject": schema.StringAttribute{
				Optional: true, Computed: true, PlanModifiers: who,
				Validators:          []validator.String{stringvalidator.LengthBetween(1, 255), stringvalidator.AlsoRequires(root("issuer"))},
				MarkdownDescription: "What the issuer calls him, its `sub`. He need not have come in yet.",
			},
			"actor": computedText("The principal's name, as events have it."),
			"role": schema.StringAttribute{
				Required: true, PlanModifiers: anew,
				Validators:          []validator.String{stringvalidator.OneOf("viewer", "planner", "operator", "admin")},
				MarkdownDescription: "`viewer`, `planner`, `operator` or `admin`.",
			},
			"scope": schema.StringAttribute{
				Optional: true, PlanModifiers: anew,
				Validators:          []validator.String{matching(slugForm, slugHelp), stringvalidator.ConflictsWith(root("pool"))},
				MarkdownDescription: "The scope in which he has it. Everywhere where `scope` and `pool` are absent.",
			},
			"pool": schema.StringAttribute{
				Optional: true, PlanModifiers: anew,
				Validators:          []validator.String{stringvalidator.LengthBetween(1, 127)},
				MarkdownDescription: "Id of the pool in which he has it, and in what is below.",
			},
			"largest_prefix_length": schema.Int64Attribute{
				Optional: true, PlanModifiers: []planmodifier.Int64{int64planmodifier.RequiresReplace()},
				Validators:          []validator.Int64{int64validator.Between(1, 128)},
				MarkdownDescription: "Of planner and operator: only blocks up to this size. `24` is up to a /24.",
			},
			"labels": schema.MapAttribute{
				Optional: true, ElementType: types.StringType, PlanModifiers: []planmodifier.Map{mapplanmodifier.RequiresReplace()},
				Validators:          labelValidators(),
				MarkdownDescription: "Of planner and operator: only what has all of these labels.",
			},
		},
	}
}

// IdentitySchema describes what names a binding for good.
func (r *roleBindingResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema("Id of the binding, binding_….")
}

// Create gives the role.
func (r *roleBindingResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan roleBindingModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	request, diags := plan.request(ctx)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	made, err := r.session.client.CreateBinding(ctx, request)
	if err != nil {
		resp.Diagnostics.Append(plan.attempt("create").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "created role binding", map[string]any{"id": made.ID})
	resp.Diagnostics.Append(plan.from(made)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, plan.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Read refreshes the state; a binding that is gone, or whose pool is, leaves it, to be made again.
func (r *roleBindingResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state roleBindingModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.refreshes(&resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, state.ID)...) // also of what turns out to be gone
	binding, err := r.session.client.GetBinding(ctx, state.ID.ValueString())
	switch {
	case errors.Is(err, cloudpam.ErrNotFound):
		tflog.Info(ctx, "role binding is gone", map[string]any{"id": state.ID.ValueString()})
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		resp.Diagnostics.Append(state.attempt("read").diagnose(err)...)
		return
	}
	resp.Diagnostics.Append(state.from(binding)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

// Update keeps what is planned: every change that the server would see makes another binding.
func (r *roleBindingResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan roleBindingModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, plan.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Delete takes the role away. One that is gone already is as wanted.
func (r *roleBindingResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state roleBindingModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	err := r.session.client.DeleteBinding(ctx, state.ID.ValueString())
	if err != nil && !errors.Is(err, cloudpam.ErrNotFound) {
		resp.Diagnostics.Append(state.attempt("delete").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "deleted role binding", map[string]any{"id": state.ID.ValueString()})
}

// ImportState finds the binding by its id; Read fills in the rest.
func (r *roleBindingResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := importID(ctx, req)
	if resp.Diagnostics.Append(diags...); diags.HasError() || !r.session.ready(&resp.Diagnostics) {
		return
	}
	binding, err := r.session.client.GetBinding(ctx, id)
	if err != nil {
		resp.Diagnostics.Append(attempt{verb: "import", kind: "role binding", name: id}.diagnose(err)...)
		return
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, types.StringValue(binding.ID))...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), binding.ID)...)
}
