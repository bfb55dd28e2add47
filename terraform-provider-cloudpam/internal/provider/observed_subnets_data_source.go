package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var _ datasource.DataSourceWithConfigure = (*observedSubnetsDataSource)(nil)

type observedSubnetsDataSource struct{ session *session }

func newObservedSubnetsDataSource() datasource.DataSource { return &observedSubnetsDataSource{} }

// observedSubnetsModel is a list of subnets that clouds showed, and what it was narrowed by.
type observedSubnetsModel struct {
	observedFilter
	Subnets []*observedSubnet          `tfsdk:"subnets"`
	ByID    map[string]*observedSubnet `tfsdk:"by_id"`
	Blocks  map[string]observedBlock   `tfsdk:"blocks"`
}

type observedSubnet struct {
	ID              types.String      `tfsdk:"id"`
	CloudID         types.String      `tfsdk:"cloud_id"`
	Name            types.String      `tfsdk:"name"`
	Account         types.String      `tfsdk:"account"`
	Cloud           types.String      `tfsdk:"cloud"`
	Scope           types.String      `tfsdk:"scope"`
	Network         types.String      `tfsdk:"network"`
	Region          types.String      `tfsdk:"region"`
	Zone            types.String      `tfsdk:"zone"`
	Owner           types.String      `tfsdk:"owner"`
	Default         types.Bool        `tfsdk:"default"`
	CIDRs           []string          `tfsdk:"cidrs"`
	SecondaryRanges map[string]string `tfsdk:"secondary_ranges"`
	Tags            map[string]string `tfsdk:"tags"`
	FirstSeenAt     types.String      `tfsdk:"first_seen_at"`
	LastSeenAt      types.String      `tfsdk:"last_seen_at"`
}

// Metadata names the data source.
func (d *observedSubnetsDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_observed_subnets"
}

// Configure takes the client.
func (d *observedSubnetsDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *observedSubnetsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	subnet := schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
		"id":               readText("The cloud and the subnet's id there, such as `aws:subnet-0123` or `gcp:my-project/europe-west1/nodes`."),
		"cloud_id":         readText("The cloud's own id, which `import` of the cloud's Terraform provider takes."),
		"name":             readText("Its name in the cloud."),
		"account":          readText("Account that shows it, such as `aws:123456789012`."),
		"cloud":            readText("`aws`, `gcp` or `custom`."),
		"scope":            readText("Scope that its network is in; empty for none."),
		"network":          readText("The cloud's id of its network."),
		"region":           readText("Region."),
		"zone":             readText("Availability zone; empty where it is in all of the region."),
		"owner":            readText("The cloud's id of the account that has it: another one's where it is shared."),
		"default":          schema.BoolAttribute{Computed: true, MarkdownDescription: "The cloud made it by itself."},
		"cidrs":            schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Its blocks that the filters let through, sorted: of IPv4 and of IPv6."},
		"secondary_ranges": schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Its secondary ranges that the filters let through: name to block."},
		"tags":             schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "The cloud's tags."},
		"first_seen_at":    readText("When it was seen first, RFC 3339."),
		"last_seen_at":     readText("When the last complete view of its region began, RFC 3339; null where that did not show it. It changes with every look."),
	}}
	attributes := observedFilters()
	attributes["subnets"] = schema.ListNestedAttribute{Computed: true, NestedObject: subnet, MarkdownDescription: "The subnets by account and id."}
	attributes["by_id"] = schema.MapNestedAttribute{Computed: true, NestedObject: subnet, MarkdownDescription: "The same subnets by `id`."}
	attributes["blocks"] = readBlocks("cloudpam_allocation")
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the subnets and secondary ranges that clouds showed. Filters narrow the list together. It shows what was seen when the server looked last, and changes nothing. " +
			"To import what it lists adopts what nobody has adopted yet, while planning.",
		Attributes: attributes,
	}
}

// Read lists the subnets, page after page.
func (d *observedSubnetsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m observedSubnetsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	blocks, diags := m.blocks(ctx, d.session, false)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	m.Subnets, m.ByID, m.Blocks = []*observedSubnet{}, map[string]*observedSubnet{}, importBlocks(blocks)
	for _, o := range blocks {
		one := m.ByID[o.ID]
		if one == nil {
			cloud, _, _ := strings.Cut(o.ID, ":")
			one = &observedSubnet{
				ID: types.StringValue(o.ID), CloudID: cloudsOwn(o.ID), Name: types.StringValue(o.Name), Account: types.StringValue(o.Account), Cloud: types.StringValue(cloud),
				Scope: types.StringValue(o.Scope), Network: types.StringValue(o.Network), Region: types.StringValue(o.Region), Zone: types.StringValue(o.Zone), Owner: types.StringValue(o.Owner),
				Default: types.BoolValue(o.Default), CIDRs: []string{}, SecondaryRanges: map[string]string{}, Tags: o.Labels, FirstSeenAt: moment(&o.FirstSeenAt), LastSeenAt: moment(o.LastSeenAt),
			}
			m.ByID[o.ID] = one
			m.Subnets = append(m.Subnets, one)
		}
		if o.Kind == cloudpam.ObservationKindSecondary {
			one.SecondaryRanges[o.Part] = o.CIDR
		} else {
			one.CIDRs = append(one.CIDRs, o.CIDR)
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
