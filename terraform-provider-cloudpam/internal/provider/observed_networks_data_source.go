package provider

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var _ datasource.DataSourceWithConfigure = (*observedNetworksDataSource)(nil)

type observedNetworksDataSource struct{ session *session }

func newObservedNetworksDataSource() datasource.DataSource { return &observedNetworksDataSource{} }

// observedNetworksModel is a list of networks that clouds showed, and what it was narrowed by.
type observedNetworksModel struct {
	observedFilter
	Networks []observedNetwork          `tfsdk:"networks"`
	ByID     map[string]observedNetwork `tfsdk:"by_id"`
	Blocks   map[string]observedBlock   `tfsdk:"blocks"`
}

type observedNetwork struct {
	ID              types.String      `tfsdk:"id"`
	CloudID         types.String      `tfsdk:"cloud_id"`
	Name            types.String      `tfsdk:"name"`
	Account         types.String      `tfsdk:"account"`
	Cloud           types.String      `tfsdk:"cloud"`
	Scope           types.String      `tfsdk:"scope"`
	MappedBy        types.String      `tfsdk:"mapped_by"`
	Region          types.String      `tfsdk:"region"`
	Owner           types.String      `tfsdk:"owner"`
	Default         types.Bool        `tfsdk:"default"`
	CIDRs           []string          `tfsdk:"cidrs"`
	Subnets         types.Int64       `tfsdk:"subnets"`
	SecondaryRanges types.Int64       `tfsdk:"secondary_ranges"`
	Tags            map[string]string `tfsdk:"tags"`
	FirstSeenAt     types.String      `tfsdk:"first_seen_at"`
	LastSeenAt      types.String      `tfsdk:"last_seen_at"`
}

// Metadata names the data source.
func (d *observedNetworksDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_observed_networks"
}

// Configure takes the client.
func (d *observedNetworksDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *observedNetworksDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	network := schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
		"id":               readText("The cloud and the network's id there, such as `aws:vpc-0123`."),
		"cloud_id":         readText("The cloud's own id, which `import` of the cloud's Terraform provider takes."),
		"name":             readText("Its name in the cloud."),
		"account":          readText("Account that shows it, such as `aws:123456789012`."),
		"cloud":            readText("`aws`, `gcp` or `custom`."),
		"scope":            readText("Scope that it is in; empty for none."),
		"mapped_by":        readText("Why it is in this scope, or in none: `tag`, `account`, or `default`, a network that the cloud made by itself."),
		"region":           readText("Region; `global` where it is in all of them."),
		"owner":            readText("The cloud's id of the account that has it: another one's where it is shared."),
		"default":          schema.BoolAttribute{Computed: true, MarkdownDescription: "The cloud made it by itself."},
		"cidrs":            schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "All its blocks, sorted. A network of GCP has none of its own."},
		"subnets":          readNumber("How many subnets it has."),
		"secondary_ranges": readNumber("How many secondary ranges they have."),
		"tags":             schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "The cloud's tags."},
		"first_seen_at":    readText("When it was seen first, RFC 3339."),
		"last_seen_at":     readText("When the last complete view of its region began, RFC 3339; null where that did not show it, and of a network without blocks of its own. It changes with every look."),
	}}
	attributes := observedFilters()
	attributes["networks"] = schema.ListNestedAttribute{Computed: true, NestedObject: network, MarkdownDescription: "The networks by account and id."}
	attributes["by_id"] = schema.MapNestedAttribute{Computed: true, NestedObject: network, MarkdownDescription: "The same networks by `id`."}
	attributes["blocks"] = readBlocks("cloudpam_pool")
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the networks that clouds showed: VPCs with all their blocks. Filters narrow the list together; those about blocks and tags keep networks that have such a block. " +
			"It shows what was seen when the server looked last, and changes nothing.",
		Attributes: attributes,
	}
}

// Read lists the networks, page after page.
func (d *observedNetworksDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m observedNetworksModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	blocks, diags := m.blocks(ctx, d.session, true)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	of := map[[2]string][]cloudpam.Observation{} // a network that is shared is seen by several accounts
	for _, o := range blocks {
		at := [2]string{o.Account, o.ID}
		of[at] = append(of[at], o)
	}
	resp.Diagnostics.Append(m.list(ctx, d.session, of)...)
	if resp.Diagnostics.HasError() {
		return
	}
	blocks = blocks[:0]
	for _, n := range m.Networks {
		blocks = append(blocks, of[[2]string{n.Account.ValueString(), n.ID.ValueString()}]...)
	}
	m.Blocks = importBlocks(blocks)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// list gathers the networks, each of which must have one of the blocks where the filter is about those.
func (m *observedNetworksModel) list(ctx context.Context, s *session, of map[[2]string][]cloudpam.Observation) diag.Diagnostics {
	ask := cloudpam.ListNetworksParams{
		Scope: optionalText(m.Scope), Account: optionalText(m.Account), Cloud: (*cloudpam.Cloud)(optionalText(m.Cloud)), Region: optionalText(m.Region), Limit: new(pageSize),
	}
	if m.Unmapped.ValueBool() {
		ask.Unmapped = new(true)
	}
	var all []cloudpam.Network
	for n, err := range s.client.Networks(ctx, ask) {
		if err != nil {
			return attempt{verb: "list", kind: "networks that clouds showed"}.diagnose(err)
		}
		if !m.Network.IsNull() && cloudsOwn(n.ID) != m.Network || m.byBlock() && len(of[[2]string{n.Account, n.ID}]) == 0 {
			continue
		}
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b cloudpam.Network) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.ID, b.ID))
	})
	m.Networks, m.ByID = []observedNetwork{}, map[string]observedNetwork{}
	for _, n := range all {
		cloud, _, _ := strings.Cut(n.ID, ":")
		one := observedNetwork{
			ID: types.StringValue(n.ID), CloudID: cloudsOwn(n.ID), Name: types.StringValue(n.Name), Account: types.StringValue(n.Account), Cloud: types.StringValue(cloud),
			Scope: types.StringValue(n.Scope), MappedBy: types.StringValue(string(n.MappedBy)), Region: types.StringValue(n.Region), Owner: types.StringValue(n.Owner), Default: types.BoolValue(n.Default),
			CIDRs: append([]string{}, n.Cidrs...), Subnets: types.Int64Value(n.Subnets), SecondaryRanges: types.Int64Value(n.SecondaryRanges), Tags: n.Labels, FirstSeenAt: moment(&n.FirstSeenAt),
		}
		for _, o := range of[[2]string{n.Account, n.ID}] {
			one.LastSeenAt = moment(o.LastSeenAt)
		}
		m.Networks = append(m.Networks, one)
		m.ByID[n.ID] = one
	}
	return nil
}
