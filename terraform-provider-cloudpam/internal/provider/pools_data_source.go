package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var _ datasource.DataSourceWithConfigure = (*poolsDataSource)(nil)

type poolsDataSource struct{ session *session }

func newPoolsDataSource() datasource.DataSource { return &poolsDataSource{} }

// poolQuery is what a list of pools can be narrowed by.
type poolQuery struct {
	listFilter
	Parent types.String `tfsdk:"parent"`
}

func poolFilters() map[string]schema.Attribute {
	return filterAttributes(map[string]schema.Attribute{"parent": filterByPool("Only the direct children of the pool with this id.")})
}

func (q poolQuery) params(ctx context.Context) (cloudpam.ListPoolsParams, diag.Diagnostics) {
	labels, diags := q.labels(ctx)
	return cloudpam.ListPoolsParams{
		Scope: optionalText(q.Scope), Parent: optionalText(q.Parent), Family: q.family(), Label: labels,
		Q: optionalText(q.Search), Within: q.within(), Contains: q.contains(), Limit: new(pageSize),
	}, diags
}

// poolsModel is a list of pools and what it was narrowed by.
type poolsModel struct {
	poolQuery
	Pools  []poolFacts          `tfsdk:"pools"`
	ByName map[string]poolFacts `tfsdk:"by_name"`
}

// Metadata names the data source.
func (d *poolsDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_pools"
}

// Configure takes the client.
func (d *poolsDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *poolsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	pool := schema.NestedAttributeObject{Attributes: readPool()}
	attributes := poolFilters()
	attributes["pools"] = schema.ListNestedAttribute{Computed: true, NestedObject: pool, MarkdownDescription: "The pools by id."}
	attributes["by_name"] = schema.MapNestedAttribute{
		Computed: true, NestedObject: pool,
		MarkdownDescription: "The same pools for `for_each`: by `name` in the scope `default`, by `scope.name` elsewhere, which is their id.",
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists pools. Filters narrow the list together; without any it holds every pool that the token may read.",
		Attributes:          attributes,
	}
}

// Read lists the pools, page after page.
func (d *poolsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m poolsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	filter, diags := m.params(ctx)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	m.Pools, m.ByName = []poolFacts{}, map[string]poolFacts{}
	for pool, err := range d.session.client.Pools(ctx, filter) {
		if err != nil {
			resp.Diagnostics.Append(attempt{verb: "list", kind: "pools"}.diagnose(err)...)
			return
		}
		one, diags := readPoolFacts(pool)
		resp.Diagnostics.Append(diags...)
		m.Pools = append(m.Pools, one)
		m.ByName[pool.ID] = one
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
