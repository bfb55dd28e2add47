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

var _ datasource.DataSourceWithConfigure = (*accountDataSource)(nil)

type accountDataSource struct{ session *session }

func newAccountDataSource() datasource.DataSource { return &accountDataSource{} }

// Metadata names the data source.
func (d *accountDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "cloudpam_account"
}

// Configure takes the client.
func (d *accountDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema describes the data source.
func (d *accountDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := readAccount()
	attributes["id"] = schema.StringAttribute{
		Required:            true,
		Validators:          []validator.String{stringvalidator.RegexMatches(accountIDForm, "must be the id of an account: the cloud and the cloud's own id, such as aws:123456789012")},
		MarkdownDescription: "Id of the account: the cloud and the cloud's own id, such as `aws:123456789012`.",
	}
	resp.Schema = schema.Schema{MarkdownDescription: "Reads an account that something else manages.", Attributes: attributes}
}

// readAccount are the attributes of an account that is only read.
func readAccount() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":                readText("Id of the account: the cloud and the cloud's own id, such as `aws:123456789012`."),
		"uid":               readText("Immutable key of the account."),
		"cloud":             readText("`aws`, `gcp` or `custom`."),
		"external_id":       readText("The cloud's own id."),
		"scope":             readText("Scope that its networks live in."),
		"name":              readText("What people call it."),
		"description":       readText("What it is for, in words."),
		"owner":             readText("Who answers for the account."),
		"platform":          readText("Platform or product that the account belongs to."),
		"tier":              readText("`dev`, `stg`, `sbx` or `prd`; null when nobody said."),
		"environment":       readText("Environment that runs there."),
		"regions":           schema.SetAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Regions in use there."},
		"mode":              readText("What CloudPAM may do there: `observe`, `plan` or `apply`."),
		"role_arn":          readText("ARN of the role to assume to see the AWS account."),
		"workload_identity": readText("E-mail address of the service account to act as to see the GCP project."),
		"labels":            readLabels(),
	}
}

// Read reads the account. Absent texts are empty rather than null, so that they can be used without a check.
func (d *accountDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m accountFacts
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.session.ready(&resp.Diagnostics) {
		return
	}
	account, err := d.session.client.GetAccount(ctx, m.ID.ValueString())
	if err != nil {
		resp.Diagnostics.Append(m.attempt("read").diagnose(err)...)
		return
	}
	m, diags := readAccountFacts(account)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

func readAccountFacts(a cloudpam.Account) (accountFacts, diag.Diagnostics) {
	m := accountFacts{
		Description: empty, Owner: empty, Platform: empty, Environment: empty, RoleARN: empty, WorkloadIdentity: empty,
		Regions: types.SetValueMust(types.StringType, nil), Labels: noLabels,
	}
	diags := m.set(a)
	return m, diags
}
