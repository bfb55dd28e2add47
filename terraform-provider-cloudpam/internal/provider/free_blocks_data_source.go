package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var _ datasource.DataSourceWithConfigure = (*freeBlocksDataSource)(nil)

type freeBlocksDataSource struct{ session *session }

func newFreeBlocksDataSource() datasource.DataSource { return &freeBlocksDataSource{} }

// freeBlocksModel is what is free in a pool, by size.
type freeBlocksModel struct {
	Pool   types.String     `tfsdk:"pool"`
	Blocks []freeBlockModel `tfsdk:"blocks"`
}

type freeBlockModel struct {
	PrefixLength types.Int64  `tfsdk:"prefix_length"`
	Blocks       types.Int64  `tfsdk:"blocks"`
	First        types.String `tfsdk:"first"`
	Fits         types.String `tfsdk:"fits"`
}

// Metadata names the data source.
func (d *freeBlocksDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_free_blocks"
}

// Configure takes the client.
func (d *freeBlocksDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *freeBlocksDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Tells what is free in a pool, by size. It is advice and reserves nothing: a block that it shows may be taken the moment after, and the answer " +
			"changes with every allocation. Do not build CIDRs from it; leave `cidr` out of `cloudpam_allocation` and CloudPAM chooses a free block that is held for the plan.",
		Attributes: map[string]schema.Attribute{
			"pool": poolToRead(),
			"blocks": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The sizes in which there are free blocks, the largest block first.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"prefix_length": readNumber("The size in leading bits."),
					"blocks":        readNumber("How many free blocks have exactly this size."),
					"first":         readText("The lowest of them."),
					"fits":          readText("How many blocks of this size fit in all that is free, as a decimal string: an IPv6 pool may have more than a number can hold."),
				}},
			},
		},
	}
}

// poolToRead is the attribute of a data source about one pool.
func poolToRead() schema.StringAttribute {
	return schema.StringAttribute{
		Required:            true,
		Validators:          []validator.String{stringvalidator.RegexMatches(poolIDForm, poolIDWant), stringvalidator.LengthAtMost(127)},
		MarkdownDescription: "Id of the pool.",
	}
}

// Read counts the free blocks.
func (d *freeBlocksDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m freeBlocksModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	blocks, err := d.session.client.ListFreeBlocks(ctx, m.Pool.ValueString())
	if err != nil {
		resp.Diagnostics.Append(attempt{verb: "read", kind: "pool", name: m.Pool.ValueString()}.diagnose(err)...)
		return
	}
	m.Blocks = []freeBlockModel{}
	for _, b := range blocks {
		m.Blocks = append(m.Blocks, freeBlockModel{
			PrefixLength: types.Int64Value(int64(b.PrefixLength)), Blocks: types.Int64Value(b.Count), First: types.StringValue(b.First), Fits: types.StringValue(b.Fits),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
