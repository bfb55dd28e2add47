package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

var _ datasource.DataSourceWithConfigure = (*scopeDataSource)(nil)

type scopeDataSource struct{ session *session }

func newScopeDataSource() datasource.DataSource { return &scopeDataSource{} }

// Metadata names the data source.
func (d *scopeDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_scope"
}

// Configure takes the client.
func (d *scopeDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *scopeDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads a scope that something else manages.",
		Attributes: map[string]schema.Attribute{
			"id":  readText("Id of the scope: its name."),
			"uid": readText("Immutable key of the scope, which stays when it is renamed."),
			"name": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{matching(slugForm, slugHelp), stringvalidator.LengthAtMost(63)},
				MarkdownDescription: "Name of the scope.",
			},
			"description": readText("What it is for, in words."),
			"labels":      readLabels(),
		},
	}
}

// Read reads the scope. Absent texts are empty rather than null, so that they can be used without a check.
func (d *scopeDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m scopeFacts
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	scope, err := d.session.client.GetScope(ctx, m.Name.ValueString())
	if err != nil {
		resp.Diagnostics.Append(m.attempt("read").diagnose(err)...)
		return
	}
	m.Description, m.Labels = empty, noLabels
	resp.Diagnostics.Append(m.set(scope)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
