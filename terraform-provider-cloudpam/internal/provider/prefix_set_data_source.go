package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var _ datasource.DataSourceWithConfigure = (*prefixSetDataSource)(nil)

type prefixSetDataSource struct{ session *session }

func newPrefixSetDataSource() datasource.DataSource { return &prefixSetDataSource{} }

// prefixSetModel is what to collect, and the CIDRs of it.
type prefixSetModel struct {
	Of          types.String `tfsdk:"of"`
	Scope       types.String `tfsdk:"scope"`
	Pool        types.String `tfsdk:"pool"`
	Labels      types.Map    `tfsdk:"labels"`
	Account     types.String `tfsdk:"account"`
	Owner       types.String `tfsdk:"owner"`
	Environment types.String `tfsdk:"environment"`
	Region      types.String `tfsdk:"region"`
	Platform    types.String `tfsdk:"platform"`
	Tier        types.String `tfsdk:"tier"`
	IPVersion   types.Int64  `tfsdk:"ip_version"`
	Within      cidrValue    `tfsdk:"within"`
	CIDRs       types.List   `tfsdk:"cidrs"`
	Matched     types.Int64  `tfsdk:"matched"`
}

// Metadata names the data source.
func (d *prefixSetDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_prefix_set"
}

// Configure takes the client.
func (d *prefixSetDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *prefixSetDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Collects every address of the allocations, or pools, that match, and no other, in the fewest CIDRs: for prefix lists, firewall groups and routes. " +
			"It holds what is there when it is read; what the same apply creates is in it with the next. At least one filter besides `scope` and `ip_version` is needed.",
		Attributes: map[string]schema.Attribute{
			"of": schema.StringAttribute{
				Optional: true, Validators: []validator.String{stringvalidator.OneOf("allocations", "pools")},
				MarkdownDescription: "What is collected: `allocations`, which it is where absent, or `pools`.",
			},
			"scope": schema.StringAttribute{
				Optional: true, Validators: []validator.String{matching(slugForm, slugHelp), stringvalidator.LengthAtMost(63)},
				MarkdownDescription: "The scope, `default` where absent: addresses of several are not mixed.",
			},
			"pool": filterByPool("Only allocations in this pool, or its child pools."),
			"labels": schema.MapAttribute{
				Optional: true, ElementType: types.StringType, Validators: []validator.Map{mapvalidator.SizeAtMost(16)},
				MarkdownDescription: "Only what has all of these labels, at most 16.",
			},
			"account":     filterByWord("Only this cloud account or project.", 127),
			"owner":       filterByWord("Only this owner.", 255),
			"environment": filterByWord("Only this environment.", 255),
			"region":      filterByWord("Only this region.", 255),
			"platform":    filterByWord("Only what names an account of this platform.", 255),
			"tier": schema.StringAttribute{
				Optional: true, Validators: []validator.String{stringvalidator.OneOf("dev", "stg", "sbx", "prd")},
				MarkdownDescription: "Only what names an account of this tier: `dev`, `stg`, `sbx` or `prd`.",
			},
			"ip_version": schema.Int64Attribute{
				Optional: true, Validators: []validator.Int64{int64validator.OneOf(4, 6)},
				MarkdownDescription: "Only this address family: 4 or 6.",
			},
			"within":  schema.StringAttribute{Optional: true, CustomType: cidrType{}, MarkdownDescription: "Only CIDRs inside this one or equal to it."},
			"cidrs":   schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "The CIDRs, IPv4 first, by address."},
			"matched": readNumber("How many allocations or pools they are of."),
		},
	}
}

// Read collects the addresses.
func (d *prefixSetDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m prefixSetModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	f := listFilter{IPVersion: m.IPVersion, Labels: m.Labels, Within: m.Within}
	labels, diags := f.labels(ctx)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	ask := cloudpam.GetPrefixSetParams{
		Scope: optionalText(m.Scope), Pool: optionalText(m.Pool), Account: optionalText(m.Account), Owner: optionalText(m.Owner), Environment: optionalText(m.Environment),
		Region: optionalText(m.Region), Platform: optionalText(m.Platform), Family: f.family(), Label: labels, Within: f.within(),
	}
	if !m.Of.IsNull() {
		ask.Of = new(cloudpam.GetPrefixSetParamsOf(m.Of.ValueString()))
	}
	if !m.Tier.IsNull() {
		ask.Tier = new(cloudpam.Tier(m.Tier.ValueString()))
	}
	found, err := d.session.client.GetPrefixSet(ctx, ask)
	if err != nil {
		resp.Diagnostics.Append(attempt{verb: "read", kind: "prefix set"}.diagnose(err)...)
		return
	}
	m.CIDRs, diags = types.ListValueFrom(ctx, types.StringType, found.Cidrs)
	resp.Diagnostics.Append(diags...)
	m.Matched = types.Int64Value(found.Matched)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
