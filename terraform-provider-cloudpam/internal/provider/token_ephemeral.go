package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var (
	_ ephemeral.EphemeralResourceWithConfigure = (*tokenEphemeral)(nil)
	_ ephemeral.EphemeralResourceWithClose     = (*tokenEphemeral)(nil)
)

type tokenEphemeral struct{ session *session }

func newTokenEphemeral() ephemeral.EphemeralResource { return &tokenEphemeral{} }

type tokenModel struct {
	Name      types.String        `tfsdk:"name"`
	ExpiresIn types.String        `tfsdk:"expires_in"`
	Bindings  []tokenBindingModel `tfsdk:"bindings"`
	ID        types.String        `tfsdk:"id"`
	Principal types.String        `tfsdk:"principal"`
	Token     types.String        `tfsdk:"token"`
	ExpiresAt types.String        `tfsdk:"expires_at"`
}

type tokenBindingModel struct {
	Role    types.String `tfsdk:"role"`
	Scope   types.String `tfsdk:"scope"`
	Pool    types.String `tfsdk:"pool"`
	Largest types.Int64  `tfsdk:"largest_prefix_length"`
	Labels  types.Map    `tfsdk:"labels"`
}

// Metadata names the ephemeral resource.
func (e *tokenEphemeral) Metadata(_ context.Context, _ ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = "cloudpam_token"
}

// Configure takes the client.
func (e *tokenEphemeral) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	e.session = configured(req.ProviderData, &resp.Diagnostics)
}

const (
	defaultTokenLife  = time.Hour
	shortestTokenLife = time.Minute
	longestTokenLife  = 30 * 24 * time.Hour
)

// Schema describes the ephemeral resource.
func (e *tokenEphemeral) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A token that lives for one command of Terraform: it is made when a plan or an apply needs it, is in no plan and no state, and ends when the command does. " +
			"It may do no more than whoever makes it, who needs the role `admin` in each of its places. Needs Terraform 1.10 or later, or OpenTofu 1.11.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{matching(slugForm, slugHelp), stringvalidator.LengthAtMost(50)},
				MarkdownDescription: "What the name of the token begins with. A random ending follows: commands may run at the same time.",
			},
			"expires_in": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{durationValidator{shortestTokenLife, longestTokenLife}},
				MarkdownDescription: "After how long it lets nobody in, whatever became of the command: `1m` to `720h`. Default `1h`.",
			},
			"bindings": schema.ListNestedAttribute{
				Required: true, Validators: []validator.List{listvalidator.SizeBetween(1, 100)},
				MarkdownDescription: "What it may do.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"role": schema.StringAttribute{
						Required: true, Validators: []validator.String{stringvalidator.OneOf("viewer", "planner", "operator", "admin")},
						MarkdownDescription: "`viewer`, `planner`, `operator` or `admin`.",
					},
					"scope": schema.StringAttribute{Optional: true, MarkdownDescription: "The scope in which it has the role. Everywhere where `scope` and `pool` are absent."},
					"pool":  schema.StringAttribute{Optional: true, MarkdownDescription: "Id of the pool in which it has the role, and in what is below."},
					"largest_prefix_length": schema.Int64Attribute{
						Optional: true, Validators: []validator.Int64{int64validator.Between(1, 128)},
						MarkdownDescription: "Of planner and operator: only blocks up to this size. `24` is up to a /24.",
					},
					"labels": schema.MapAttribute{
						Optional: true, ElementType: types.StringType, Validators: labelValidators(),
						MarkdownDescription: "Of planner and operator: only what has all of these labels.",
					},
				}},
			},
			"id":         schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the token, `token_…`."},
			"principal":  schema.StringAttribute{Computed: true, MarkdownDescription: "Who acts with it, `principal_…`."},
			"token":      schema.StringAttribute{Computed: true, Sensitive: true, MarkdownDescription: "What lets its bearer in, `cpam_…`."},
			"expires_at": schema.StringAttribute{Computed: true, MarkdownDescription: "When it lets nobody in any more, at the latest."},
		},
	}
}

// Open makes the token. Where the answer with its secret was lost, the token that nobody can use is ended, and another made.
func (e *tokenEphemeral) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var model tokenModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() || !e.session.ready(&resp.Diagnostics) {
		return
	}
	life := defaultTokenLife
	if text := model.ExpiresIn.ValueString(); text != "" {
		life, _ = time.ParseDuration(text) // the validator has said so
	}
	in := cloudpam.NewToken{}
	for _, b := range model.Bindings {
		labels, diags := optionalLabels(ctx, b.Labels)
		resp.Diagnostics.Append(diags...)
		binding := cloudpam.TokenBinding{Role: cloudpam.Role(b.Role.ValueString()), Scope: optionalText(b.Scope), Pool: optionalText(b.Pool), Labels: labels}
		if !b.Largest.IsNull() {
			binding.LargestPrefixLength = new(int(b.Largest.ValueInt64()))
		}
		in.Bindings = append(in.Bindings, binding)
	}
	var made cloudpam.CreatedToken
	for made.Secret == nil && !resp.Diagnostics.HasError() {
		in.Name = model.Name.ValueString() + "-" + strings.ToLower(rand.Text()[:10])
		in.ExpiresAt = new(time.Now().Add(life).UTC().Truncate(time.Second))
		var err error
		if made, err = e.session.client.CreateToken(ctx, in); err != nil {
			resp.Diagnostics.Append(attempt{verb: "create", kind: "token", name: model.Name.ValueString()}.diagnose(err)...)
			return
		}
		if made.Secret == nil {
			resp.Diagnostics.Append(e.end(ctx, made.Token.ID)...)
		}
	}
	if resp.Diagnostics.HasError() {
		return
	}
	tflog.Debug(ctx, "made token", map[string]any{"id": made.Token.ID})
	model.ID, model.Principal, model.Token = types.StringValue(made.Token.ID), types.StringValue(made.Token.Principal), types.StringPointerValue(made.Secret)
	model.ExpiresAt = types.StringValue(made.Token.ExpiresAt.UTC().Format(time.RFC3339))
	text, _ := json.Marshal(made.Token.ID) // a text always marshals
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, "id", text)...)
	resp.Diagnostics.Append(resp.Result.Set(ctx, &model)...)
}

// Close ends the token.
func (e *tokenEphemeral) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	text, diags := req.Private.GetKey(ctx, "id")
	resp.Diagnostics.Append(diags...)
	var id string
	if err := json.Unmarshal(text, &id); err != nil || resp.Diagnostics.HasError() || !e.session.ready(&resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(e.end(ctx, id)...)
}

func (e *tokenEphemeral) end(ctx context.Context, id string) diag.Diagnostics {
	err := e.session.client.RevokeToken(ctx, id)
	if err == nil || errors.Is(err, cloudpam.ErrNotFound) {
		return nil
	}
	return attempt{verb: "delete", kind: "token", name: id}.diagnose(err)
}
