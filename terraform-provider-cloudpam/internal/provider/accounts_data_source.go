package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var _ datasource.DataSourceWithConfigure = (*accountsDataSource)(nil)

type accountsDataSource struct{ session *session }

func newAccountsDataSource() datasource.DataSource { return &accountsDataSource{} }

// accountQuery is what a list of accounts can be narrowed by.
type accountQuery struct {
	Scope       types.String `tfsdk:"scope"`
	Cloud       types.String `tfsdk:"cloud"`
	Environment types.String `tfsdk:"environment"`
	Labels      types.Map    `tfsdk:"labels"`
	Search      types.String `tfsdk:"search"`
}

func accountFilters() map[string]schema.Attribute {
	shared := filterAttributes(nil)
	return map[string]schema.Attribute{
		"scope": shared["scope"], "labels": shared["labels"],
		"cloud": schema.StringAttribute{
			Optional:            true,
			Validators:          []validator.String{stringvalidator.OneOf("aws", "gcp", "custom")},
			MarkdownDescription: "Only this cloud: `aws`, `gcp` or `custom`.",
		},
		"environment": filterByWord("Only this environment.", 255),
		"search":      filterByWord("Only what has this text in its id, name, owner, platform or description, in any case.", 256),
	}
}

func (q accountQuery) params(ctx context.Context) (cloudpam.ListAccountsParams, diag.Diagnostics) {
	labels, diags := listFilter{Labels: q.Labels}.labels(ctx)
	return cloudpam.ListAccountsParams{
		Scope: optionalText(q.Scope), Cloud: (*cloudpam.Cloud)(optionalText(q.Cloud)), Environment: optionalText(q.Environment), Label: labels,
		Q: optionalText(q.Search), Limit: new(pageSize),
	}, diags
}

// accountsModel is a list of accounts and what it was narrowed by.
type accountsModel struct {
	accountQuery
	Accounts []accountFacts          `tfsdk:"accounts"`
	ByID     map[string]accountFacts `tfsdk:"by_id"`
}

// Metadata names the data source.
func (d *accountsDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_accounts"
}

// Configure takes the client.
func (d *accountsDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *accountsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	account := schema.NestedAttributeObject{Attributes: readAccount()}
	attributes := accountFilters()
	attributes["accounts"] = schema.ListNestedAttribute{Computed: true, NestedObject: account, MarkdownDescription: "The accounts by id."}
	attributes["by_id"] = schema.MapNestedAttribute{Computed: true, NestedObject: account, MarkdownDescription: "The same accounts for `for_each`, by id."}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists accounts. Filters narrow the list together; without any it holds every account that the token may read.",
		Attributes:          attributes,
	}
}

// Read lists the accounts, page after page.
func (d *accountsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m accountsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	filter, diags := m.params(ctx)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	m.Accounts, m.ByID = []accountFacts{}, map[string]accountFacts{}
	for account, err := range d.session.client.Accounts(ctx, filter) {
		if err != nil {
			resp.Diagnostics.Append(attempt{verb: "list", kind: "accounts"}.diagnose(err)...)
			return
		}
		one, diags := readAccountFacts(account)
		resp.Diagnostics.Append(diags...)
		m.Accounts = append(m.Accounts, one)
		m.ByID[account.ID] = one
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
