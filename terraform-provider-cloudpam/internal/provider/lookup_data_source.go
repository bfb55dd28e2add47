package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var _ datasource.DataSourceWithConfigure = (*lookupDataSource)(nil)

type lookupDataSource struct{ session *session }

func newLookupDataSource() datasource.DataSource { return &lookupDataSource{} }

// lookupModel is what is at an address or a CIDR in one scope. Absent texts are empty rather than null, so that they can be used without a check.
type lookupModel struct {
	Address     types.String `tfsdk:"address"`
	Scope       types.String `tfsdk:"scope"`
	Status      types.String `tfsdk:"status"`
	Pools       types.List   `tfsdk:"pools"`
	Pool        types.String `tfsdk:"pool"`
	Kind        types.String `tfsdk:"kind"`
	ID          types.String `tfsdk:"id"`
	Name        types.String `tfsdk:"name"`
	CIDR        types.String `tfsdk:"cidr"`
	Owner       types.String `tfsdk:"owner"`
	Purpose     types.String `tfsdk:"purpose"`
	Account     types.String `tfsdk:"account"`
	Region      types.String `tfsdk:"region"`
	Environment types.String `tfsdk:"environment"`
	Labels      types.Map    `tfsdk:"labels"`
	Free        types.String `tfsdk:"free"`
}

// Metadata names the data source.
func (d *lookupDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_lookup"
}

// Configure takes the client.
func (d *lookupDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *lookupDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Tells whose an address is: the pools around it, and what has it, or that it is free. What nobody said is an empty text.",
		Attributes: map[string]schema.Attribute{
			"address": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{networkValidator{}},
				MarkdownDescription: "An address or a CIDR.",
			},
			"scope": schema.StringAttribute{
				Optional: true, Computed: true,
				Validators:          []validator.String{matching(slugForm, slugHelp), stringvalidator.LengthAtMost(63)},
				MarkdownDescription: "The scope to look in; `default` where absent.",
			},
			"status":      readText("`allocated`, `reserved`, `held` or `quarantined` where one thing has all of it; `free`; `mixed` where several things are in it; `outside` where no pool has it."),
			"pools":       schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Ids of the pools that contain it, the outermost first."},
			"pool":        readText("Id of the innermost of them."),
			"kind":        readText("What has it: `allocation`, `reservation`, `hold`, `quarantine`, or `pool` of one that a plan has drafted."),
			"id":          readText("Id of what has it."),
			"name":        readText("Name of what has it."),
			"cidr":        readText("All of the block that it is in."),
			"owner":       readText("Who has it."),
			"purpose":     readText("What it is for; of a reservation its reason."),
			"account":     readText("Cloud account or project it is for."),
			"region":      readText("Region it is for."),
			"environment": readText("Environment it is for."),
			"labels":      readLabels(),
			"free":        readText("The free block that it is in, where it is free."),
		},
	}
}

// Read looks the address up.
func (d *lookupDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m lookupModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	if m.Scope.IsNull() {
		m.Scope = types.StringValue("default")
	}
	if _, err := d.session.client.GetScope(ctx, m.Scope.ValueString()); err != nil { // or a misspelt one would read as free of everything
		resp.Diagnostics.Append(attempt{verb: "read", kind: "scope", name: m.Scope.ValueString()}.diagnose(err)...)
		return
	}
	found, err := d.session.client.Search(ctx, cloudpam.SearchParams{Q: m.Address.ValueString(), Scope: optionalText(m.Scope), Limit: new(1)})
	if err != nil {
		resp.Diagnostics.Append(attempt{verb: "look up", kind: "address", name: m.Address.ValueString()}.diagnose(err)...)
		return
	}
	place := cloudpam.Place{Status: cloudpam.PlaceStatusOutside}
	if len(found.Places) > 0 {
		place = found.Places[0]
	}
	holder := cloudpam.PlaceHolder{}
	if place.Holder != nil {
		holder = *place.Holder
	}
	pools := []string{}
	for _, p := range place.Pools {
		pools = append(pools, p.ID)
	}
	m.Status, m.Pool, m.Free = types.StringValue(string(place.Status)), empty, empty
	if len(pools) > 0 {
		m.Pool = types.StringValue(pools[len(pools)-1])
	}
	if place.Free != nil {
		m.Free = types.StringValue(*place.Free)
	}
	m.Kind, m.ID, m.Name, m.CIDR = types.StringValue(string(holder.Kind)), types.StringValue(holder.ID), types.StringValue(holder.Name), types.StringValue(holder.CIDR)
	m.Owner, m.Purpose, m.Account = types.StringValue(holder.Owner), types.StringValue(holder.Purpose), types.StringValue(holder.Account)
	m.Region, m.Environment = types.StringValue(holder.Region), types.StringValue(holder.Environment)
	list, diags := types.ListValueFrom(ctx, types.StringType, pools)
	resp.Diagnostics.Append(diags...)
	m.Pools, m.Labels = list, noLabels
	if len(holder.Labels) > 0 {
		m.Labels, diags = types.MapValueFrom(ctx, types.StringType, holder.Labels)
		resp.Diagnostics.Append(diags...)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
