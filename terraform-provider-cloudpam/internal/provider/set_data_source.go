package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var (
	_ datasource.DataSourceWithConfigure      = (*setDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*setDataSource)(nil)
)

type setDataSource struct{ session *session }

func newSetDataSource() datasource.DataSource { return &setDataSource{} }

// setFacts is a set that is only read.
type setFacts struct {
	ID          types.String `tfsdk:"id"`
	Scope       types.String `tfsdk:"scope"`
	Pool        types.String `tfsdk:"pool"`
	Name        types.String `tfsdk:"name"`
	CIDRs       types.Map    `tfsdk:"cidrs"`
	IDs         types.Map    `tfsdk:"ids"`
	Account     types.String `tfsdk:"account"`
	Region      types.String `tfsdk:"region"`
	Environment types.String `tfsdk:"environment"`
	Owner       types.String `tfsdk:"owner"`
	Purpose     types.String `tfsdk:"purpose"`
	Description types.String `tfsdk:"description"`
	Labels      types.Map    `tfsdk:"labels"`
}

// Metadata names the data source.
func (d *setDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_allocation_set"
}

// Configure takes the client.
func (d *setDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *setDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads an allocation set that something else manages, by its id or by its pool and name.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{Optional: true, Computed: true, MarkdownDescription: "Id of the set."},
			"pool": schema.StringAttribute{
				Optional: true, Computed: true,
				Validators:          []validator.String{stringvalidator.RegexMatches(poolIDForm, poolIDWant)},
				MarkdownDescription: "Id of the pool.",
			},
			"name":        schema.StringAttribute{Optional: true, Computed: true, MarkdownDescription: "Name of the set."},
			"scope":       readText("Scope of the pool."),
			"cidrs":       readMap("CIDR of each member by its key."),
			"ids":         readMap("Id of the allocation of each member by its key."),
			"account":     readText("Cloud account or project that uses the blocks."),
			"region":      readText("Region that uses the blocks."),
			"environment": readText("Environment that uses the blocks."),
			"owner":       readText("Who answers for the blocks."),
			"purpose":     readText("What the blocks are used for."),
			"description": readText("What it is for, in words."),
			"labels":      readLabels(),
		},
	}
}

func readMap(description string) schema.MapAttribute {
	return schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: description}
}

// ValidateConfig asks for exactly one way to find the set.
func (d *setDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var m setFacts
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	byID, byPool, byName := !m.ID.IsNull(), !m.Pool.IsNull(), !m.Name.IsNull()
	if byPool == byName && byID != byPool {
		return
	}
	at := path.Root("pool")
	if byID {
		at = path.Root("id")
	}
	resp.Diagnostics.AddAttributeError(at, "Name the allocation set in one way", "Set id, or pool and name, and nothing else.")
}

// Read reads the set. Absent texts are empty rather than null, so that they can be used without a check.
func (d *setDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m setFacts
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	var set cloudpam.AllocationSet
	var diags diag.Diagnostics
	if id := m.ID.ValueString(); id != "" {
		found, err := d.session.client.GetAllocationSet(ctx, id)
		if err != nil {
			diags = attempt{verb: "read", kind: "allocation set", name: id}.diagnose(err)
		}
		set = found
	} else {
		set, diags = findSet(ctx, d.session.client, m.Pool.ValueString(), m.Name.ValueString())
	}
	resp.Diagnostics.Append(diags...)
	if diags.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, readSetFacts(set))...)
}

// findSet reads the set of a pool by its name.
func findSet(ctx context.Context, c *cloudpam.Client, pool, name string) (cloudpam.AllocationSet, diag.Diagnostics) {
	var diags diag.Diagnostics
	for set, err := range c.AllocationSets(ctx, cloudpam.ListAllocationSetsParams{Pool: &pool, Name: &name}) {
		if err != nil {
			return set, attempt{verb: "read", kind: "allocation set", name: name, pool: pool}.diagnose(err)
		}
		return set, nil
	}
	diags.AddError("Allocation set does not exist", fmt.Sprintf("There is no allocation set %q in pool %q. It may have been released, or lie in another pool.", name, pool))
	return cloudpam.AllocationSet{}, diags
}

func readSetFacts(set cloudpam.AllocationSet) *setFacts {
	cidrs, ids := memberMaps(set)
	labels, _ := fromLabels(noLabels, set.Labels)
	return &setFacts{
		ID: types.StringValue(set.ID), Scope: types.StringValue(set.Scope), Pool: types.StringValue(set.Pool), Name: types.StringValue(set.Name),
		CIDRs: cidrs, IDs: ids, Account: types.StringValue(set.Account), Region: types.StringValue(set.Region), Environment: types.StringValue(set.Environment),
		Owner: types.StringValue(set.Owner), Purpose: types.StringValue(set.Purpose), Description: types.StringValue(set.Description), Labels: labels,
	}
}

// memberMaps are the blocks and the allocations of a set by key.
func memberMaps(set cloudpam.AllocationSet) (cidrs, ids types.Map) {
	blocks, allocations := map[string]attr.Value{}, map[string]attr.Value{}
	for _, member := range set.Members {
		blocks[member.Key], allocations[member.Key] = types.StringValue(member.CIDR), types.StringValue(member.Allocation)
	}
	return types.MapValueMust(types.StringType, blocks), types.MapValueMust(types.StringType, allocations)
}
