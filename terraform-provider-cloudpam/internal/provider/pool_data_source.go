package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var _ datasource.DataSourceWithConfigure = (*poolDataSource)(nil)

type poolDataSource struct{ session *session }

func newPoolDataSource() datasource.DataSource { return &poolDataSource{} }

// Metadata names the data source.
func (d *poolDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_pool"
}

// Configure takes the client.
func (d *poolDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *poolDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := readPool()
	attributes["id"] = schema.StringAttribute{
		Required:            true,
		Validators:          []validator.String{matching(poolIDForm, poolIDWant)},
		MarkdownDescription: "Id of the pool: `name` in the scope `default`, `scope.name` elsewhere.",
	}
	resp.Schema = schema.Schema{MarkdownDescription: "Reads a pool that something else manages.", Attributes: attributes}
}

// readPool are the attributes of a pool that is only read.
func readPool() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":                    readText("Id of the pool: `name` in the scope `default`, `scope.name` elsewhere."),
		"uid":                   readText("Immutable key of the pool, which stays when it is renamed."),
		"scope":                 readText("Scope of the pool."),
		"name":                  readText("Name of the pool."),
		"parent":                readText("Id of the parent; null for a root pool."),
		"cidr":                  schema.StringAttribute{Computed: true, CustomType: cidrType{}, MarkdownDescription: "CIDR of the pool."},
		"prefix_length":         readNumber("Size of the pool in leading bits."),
		"ip_version":            readNumber("4 or 6."),
		"strategy":              readText("How blocks are chosen."),
		"min_prefix_length":     readNumber("Shortest prefix length that the pool hands out; null without a rule."),
		"max_prefix_length":     readNumber("Longest prefix length that the pool hands out; null without a rule."),
		"default_prefix_length": readNumber("What a request gets that names no size; null without a rule."),
		"account":               readText("Cloud account or project that the pool is for."),
		"region":                readText("Region that the pool is for."),
		"environment":           readText("Environment that the pool is for."),
		"owner":                 readText("Who answers for the pool."),
		"description":           readText("What it is for, in words."),
		"labels":                readLabels(),
		"deletion_protection":   schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether deleting the pool is refused."},
		"max_observed_age":      schema.StringAttribute{Computed: true, MarkdownDescription: "How old the last complete view of its accounts may be for the pool to hand anything out; null where it may be of any age."},
		"quarantine":            schema.StringAttribute{Computed: true, MarkdownDescription: "How long what is released in the pool is not free; null where the pool around it decides."},
	}
}

// Read reads the pool. Absent texts are empty rather than null, so that they can be used without a check.
func (d *poolDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m poolFacts
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	pool, err := d.session.client.GetPool(ctx, m.ID.ValueString())
	if err != nil {
		resp.Diagnostics.Append(m.attempt("read").diagnose(err)...)
		return
	}
	m, diags := readPoolFacts(pool)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

func readPoolFacts(pool cloudpam.Pool) (poolFacts, diag.Diagnostics) {
	m := poolFacts{Account: empty, Region: empty, Environment: empty, Owner: empty, Description: empty, Labels: noLabels}
	diags := m.set(pool)
	return m, diags
}

var (
	empty    = types.StringValue("")
	noLabels = types.MapValueMust(types.StringType, nil)
)

func readText(description string) schema.StringAttribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

func readNumber(description string) schema.Int64Attribute {
	return schema.Int64Attribute{Computed: true, MarkdownDescription: description}
}

func readLabels() schema.MapAttribute {
	return schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Free key-value pairs."}
}
