package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var _ datasource.DataSourceWithConfigure = (*allocationsDataSource)(nil)

type allocationsDataSource struct{ session *session }

func newAllocationsDataSource() datasource.DataSource { return &allocationsDataSource{} }

// allocationQuery is what a list of allocations can be narrowed by.
type allocationQuery struct {
	listFilter
	Pool    types.String `tfsdk:"pool"`
	Account types.String `tfsdk:"account"`
	Owner   types.String `tfsdk:"owner"`
}

func allocationFilters() map[string]schema.Attribute {
	return filterAttributes(map[string]schema.Attribute{
		"pool":    filterByPool("Only the pool with this id, without the pools in it."),
		"account": filterByWord("Only this cloud account or project.", 127),
		"owner":   filterByWord("Only this owner.", 255),
	})
}

func (q allocationQuery) params(ctx context.Context) (cloudpam.ListAllocationsParams, diag.Diagnostics) {
	labels, diags := q.labels(ctx)
	return cloudpam.ListAllocationsParams{
		Scope: optionalText(q.Scope), Pool: optionalText(q.Pool), Account: optionalText(q.Account), Owner: optionalText(q.Owner),
		Family: q.family(), Label: labels, Q: optionalText(q.Search), Within: q.within(), Contains: q.contains(), Limit: new(pageSize),
	}, diags
}

// allocationsModel is a list of allocations and what it was narrowed by.
type allocationsModel struct {
	allocationQuery
	Allocations []allocationFacts          `tfsdk:"allocations"`
	ByName      map[string]allocationFacts `tfsdk:"by_name"`
}

// Metadata names the data source.
func (d *allocationsDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_allocations"
}

// Configure takes the client.
func (d *allocationsDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *allocationsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	allocation := schema.NestedAttributeObject{Attributes: readAllocation()}
	attributes := allocationFilters()
	attributes["allocations"] = schema.ListNestedAttribute{Computed: true, NestedObject: allocation, MarkdownDescription: "The allocations."}
	attributes["by_name"] = schema.MapNestedAttribute{
		Computed: true, NestedObject: allocation,
		MarkdownDescription: "The same allocations for `for_each`: by `name` where `pool` is set, by `pool/name` otherwise, because a name is unique in its pool only.",
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists allocations. Filters narrow the list together; without any it holds every allocation that the token may read.",
		Attributes:          attributes,
	}
}

// Read lists the allocations, page after page.
func (d *allocationsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m allocationsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	filter, diags := m.params(ctx)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	m.Allocations, m.ByName = []allocationFacts{}, map[string]allocationFacts{}
	for allocation, err := range d.session.client.Allocations(ctx, filter) {
		if err != nil {
			resp.Diagnostics.Append(attempt{verb: "list", kind: "allocations"}.diagnose(err)...)
			return
		}
		one, diags := readAllocationFacts(allocation)
		resp.Diagnostics.Append(diags...)
		m.Allocations = append(m.Allocations, one)
		if m.Pool.IsNull() {
			m.ByName[one.key()] = one
		} else {
			m.ByName[allocation.Name] = one
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
