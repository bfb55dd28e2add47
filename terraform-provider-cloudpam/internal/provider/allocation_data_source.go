package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var (
	_ datasource.DataSourceWithConfigure      = (*allocationDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*allocationDataSource)(nil)
)

type allocationDataSource struct{ session *session }

func newAllocationDataSource() datasource.DataSource { return &allocationDataSource{} }

// Metadata names the data source.
func (d *allocationDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_allocation"
}

// Configure takes the client.
func (d *allocationDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *allocationDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := readAllocation()
	attributes["id"] = schema.StringAttribute{Optional: true, Computed: true, MarkdownDescription: "Id of the allocation."}
	attributes["pool"] = schema.StringAttribute{
		Optional: true, Computed: true,
		Validators:          []validator.String{matching(poolIDForm, poolIDWant)},
		MarkdownDescription: "Id of the pool.",
	}
	attributes["name"] = schema.StringAttribute{Optional: true, Computed: true, MarkdownDescription: "Name of the allocation."}
	attributes["cidr"] = schema.StringAttribute{Optional: true, Computed: true, CustomType: cidrType{}, MarkdownDescription: "The block."}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads an allocation that something else manages: by `id`, by `pool` and `name`, or by `pool` and `cidr`.",
		Attributes:          attributes,
	}
}

// readAllocation are the attributes of an allocation that is only read.
func readAllocation() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":              readText("Id of the allocation."),
		"scope":           readText("Scope of the pool."),
		"pool":            readText("Id of the pool."),
		"name":            readText("Name of the allocation."),
		"cidr":            schema.StringAttribute{Computed: true, CustomType: cidrType{}, MarkdownDescription: "The block."},
		"prefix_length":   readNumber("Size of the block in leading bits."),
		"ip_version":      readNumber("4 or 6."),
		"network_address": readText("The address part of `cidr`."),
		"first_address":   readText("Lowest address of the block."),
		"last_address":    readText("Highest address of the block."),
		"account":         readText("Cloud account or project that uses the block."),
		"region":          readText("Region that uses the block."),
		"environment":     readText("Environment that uses the block."),
		"owner":           readText("Who answers for the block."),
		"purpose":         readText("What the block is used for."),
		"description":     readText("What it is for, in words."),
		"expires_at":      schema.StringAttribute{Computed: true, CustomType: momentType{}, MarkdownDescription: "When the block is released by itself; null when it stands until somebody does."},
		"labels":          readLabels(),
	}
}

// ValidateConfig asks for exactly one way to find the allocation.
func (d *allocationDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var m allocationFacts
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	byID, byPool, byName, byCIDR := !m.ID.IsNull(), !m.Pool.IsNull(), !m.Name.IsNull(), !m.CIDR.IsNull()
	if one := byName != byCIDR; byID != byPool && byPool == (byName || byCIDR) && byPool == one {
		return
	}
	at := path.Root("pool")
	if byID {
		at = path.Root("id")
	}
	resp.Diagnostics.AddAttributeError(at, "Name the allocation in one way", "Set id, or pool and name, or pool and cidr, and nothing else.")
}

// Read finds the allocation. Absent texts are empty rather than null, so that they can be used without a check.
func (d *allocationDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m allocationFacts
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	key := allocationKey{id: m.ID.ValueString(), pool: m.Pool.ValueString(), name: m.Name.ValueString(), cidr: prefixOf(m.CIDR)}
	allocation, diags := key.find(ctx, d.session.client, "read")
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	m, diags = readAllocationFacts(allocation)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

func readAllocationFacts(a cloudpam.Allocation) (allocationFacts, diag.Diagnostics) {
	m := allocationFacts{Account: empty, Region: empty, Environment: empty, Owner: empty, Purpose: empty, Description: empty, Labels: noLabels}
	diags := m.set(a)
	return m, diags
}
