package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var _ datasource.DataSourceWithConfigure = (*utilizationDataSource)(nil)

type utilizationDataSource struct{ session *session }

func newUtilizationDataSource() datasource.DataSource { return &utilizationDataSource{} }

// utilizationModel is how full a pool is.
type utilizationModel struct {
	Pool                    types.String  `tfsdk:"pool"`
	Used                    types.String  `tfsdk:"used"`
	Free                    types.String  `tfsdk:"free"`
	Total                   types.String  `tfsdk:"total"`
	UsedRatio               types.Float64 `tfsdk:"used_ratio"`
	Fragmentation           types.Float64 `tfsdk:"fragmentation"`
	LargestFreePrefixLength types.Int64   `tfsdk:"largest_free_prefix_length"`
	Children                types.Int64   `tfsdk:"children"`
	Allocations             types.Int64   `tfsdk:"allocations"`
}

// Metadata names the data source.
func (d *utilizationDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_utilization"
}

// Configure takes the client.
func (d *utilizationDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *utilizationDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Tells how full a pool is, for a `check` or a warning. Blocks that plans hold count as used.",
		Attributes: map[string]schema.Attribute{
			"pool":                       poolToRead(),
			"used":                       readText("Addresses taken, as a decimal string: an IPv6 pool may have more than a number can hold."),
			"free":                       readText("Addresses free, as a decimal string."),
			"total":                      readText("Addresses of the pool, as a decimal string."),
			"used_ratio":                 schema.Float64Attribute{Computed: true, MarkdownDescription: "The share that is taken, 0 to 1."},
			"fragmentation":              schema.Float64Attribute{Computed: true, MarkdownDescription: "1 minus the share of the free space that lies in the largest free block: 0 is one block, towards 1 is crumbs."},
			"largest_free_prefix_length": readNumber("Size of the largest free block in leading bits; null when nothing is free."),
			"children":                   readNumber("Pools directly in this one."),
			"allocations":                readNumber("Allocations directly in this pool."),
		},
	}
}

// Read measures the pool.
func (d *utilizationDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m utilizationModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	u, err := d.session.client.GetPoolUtilization(ctx, m.Pool.ValueString())
	if err != nil {
		resp.Diagnostics.Append(attempt{verb: "read", kind: "pool", name: m.Pool.ValueString()}.diagnose(err)...)
		return
	}
	m.Used, m.Free, m.Total = types.StringValue(u.Used), types.StringValue(u.Free), types.StringValue(u.Total)
	m.UsedRatio, m.Fragmentation = types.Float64Value(u.UsedRatio), types.Float64Value(u.Fragmentation)
	m.LargestFreePrefixLength = fromLength(u.LargestFreePrefixLength)
	m.Children, m.Allocations = types.Int64Value(u.Children), types.Int64Value(u.Allocations)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
