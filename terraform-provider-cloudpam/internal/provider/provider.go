// Package provider is the Terraform provider of CloudPAM: pools and allocations as resources and data sources.
// Everything it knows about the server it learns through the public client.
package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var (
	_ provider.ProviderWithFunctions          = (*cloudpamProvider)(nil)
	_ provider.ProviderWithListResources      = (*cloudpamProvider)(nil)
	_ provider.ProviderWithEphemeralResources = (*cloudpamProvider)(nil)
)

// New returns the provider's constructor for a release.
func New(version string) func() provider.Provider {
	return func() provider.Provider { return &cloudpamProvider{version: version} }
}

type cloudpamProvider struct{ version string }

// providerModel is the provider block.
type providerModel struct {
	Endpoint        types.String `tfsdk:"endpoint"`
	Token           types.String `tfsdk:"token"`
	TokenFile       types.String `tfsdk:"token_file"`
	CACertFile      types.String `tfsdk:"ca_cert_file"`
	MaxRetries      types.Int64  `tfsdk:"max_retries"`
	RequestTimeout  types.String `tfsdk:"request_timeout"`
	PlanMode        types.String `tfsdk:"plan_mode"`
	HoldTTL         types.String `tfsdk:"hold_ttl"`
	Holder          types.String `tfsdk:"holder"`
	ApprovalTimeout types.String `tfsdk:"approval_timeout"`
	PlanID          types.String `tfsdk:"plan_id"`
	Applying        types.Bool   `tfsdk:"applying"`
	DefaultLabels   types.Map    `tfsdk:"default_labels"`
}

// session is what Configure hands to every resource and data source. Its client is nil while the provider's
// configuration is not known, which planning survives and everything else reports.
type session struct {
	client   *cloudpam.Client
	endpoint string
	unknown  string // the argument that is not known yet
	planning planning
	claims   claims
	renames  renames
	gather   gather
	deletes  deletes
	leaving  leaving
	policies policies
	defaults defaultLabels

	allocations *refreshes[cloudpam.Allocation]
	pools       *refreshes[cloudpam.Pool]

	sets         *refreshes[cloudpam.AllocationSet]
	reservations *refreshes[cloudpam.Reservation]
	accounts     *refreshes[cloudpam.Account]
}

// Metadata names the provider.
func (p *cloudpamProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName, resp.Version = "cloudpam", p.version
}

// Schema describes the provider block.
func (p *cloudpamProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "CloudPAM plans and hands out IP address space. The provider creates pools and allocates subnets from them.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "URL of the CloudPAM server, for example `https://cloudpam.example.com`. Environment: `CLOUDPAM_ENDPOINT`.",
			},
			"token": schema.StringAttribute{
				Optional: true, Sensitive: true,
				MarkdownDescription: "API token, `cpam_…`, or a JWT of an issuer that the server trusts. Environment: `CLOUDPAM_TOKEN`. In a run of HCP Terraform that has `TFC_WORKLOAD_IDENTITY_AUDIENCE` nothing is needed: `TFC_WORKLOAD_IDENTITY_TOKEN_CLOUDPAM`, or `TFC_WORKLOAD_IDENTITY_TOKEN`, is taken where nothing else is set.",
			},
			"token_file": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1), stringvalidator.ConflictsWith(path.MatchRoot("token"))},
				MarkdownDescription: "A file that holds the token instead. It is read again whenever it changes, so whoever writes a new JWT to it before the old one expires keeps a long run going. Environment: `CLOUDPAM_TOKEN_FILE`.",
			},
			"ca_cert_file": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "PEM file with certificates to trust beside those of the system. Environment: `CLOUDPAM_CA_CERT`.",
			},
			"max_retries": schema.Int64Attribute{
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(0, 50)},
				MarkdownDescription: "How often a request is repeated when the server is busy or unreachable. Default 6, which bridges about six seconds. A repeated write never has a second effect.",
			},
			"request_timeout": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{durationValidator{}},
				MarkdownDescription: "How long one attempt of a request may take, for example `45s`. Default `30s`.",
			},
			"plan_mode": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{oneOf{"hold", "off"}},
				MarkdownDescription: "`hold` (default): planning asks the server for each new CIDR, which is held until it is applied, so the plan shows it. `off`: planning asks nothing, and CIDRs are known after apply. Environment: `CLOUDPAM_PLAN_MODE`.",
			},
			"hold_ttl": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{durationValidator{shortestHold, longestHold}},
				MarkdownDescription: "How long a planned CIDR is promised, from `1m` to `720h`. Default `24h`. After that its space is used last. Environment: `CLOUDPAM_HOLD_TTL`.",
			},
			"approval_timeout": schema.StringAttribute{
				Optional:   true,
				Validators: []validator.String{durationValidator{0, longestApprovalWait}},
				MarkdownDescription: "How long an apply waits where a policy wants a second person to approve what it creates or grows, for example `45m`. Default `20m`. Who applies is told by the plan who decides and where. " +
					"A run that ends before, and with `0s` each at once, says how to go on: an apply after the approval gets exactly the CIDR that was shown. Environment: `CLOUDPAM_APPROVAL_TIMEOUT`.",
			},
			"holder": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Who plans: a name of this configuration and workspace, such as `\"network/${terraform.workspace}\"`. Two holders never plan the same name, and one may plan with one token and apply with another. " +
					"Default: the workspace of HCP Terraform, the stack of Spacelift, or the backend and the workspace that Terraform uses; without a backend the host, the folder and the workspace. Environment: `CLOUDPAM_HOLDER`.",
			},
			"plan_id": schema.StringAttribute{
				Optional:   true,
				Validators: []validator.String{stringvalidator.LengthBetween(1, 127)},
				MarkdownDescription: "Names the plan, the same while it is made and while it is applied and never used for another: the id of a pipeline run, or `plantimestamp()`, which counts seconds. " +
					"A saved plan is then told when a newer plan was promised its CIDRs, instead of failing as a bug of the provider. Not needed where plans are applied in the order in which they are made. " +
					"With `plantimestamp()` the command `terraform import` does not work, because it cannot know the time of a plan; `import` blocks do. Default: the run of HCP Terraform or Spacelift. Environment: `CLOUDPAM_PLAN_ID`.",
			},
			"default_labels": schema.MapAttribute{
				Optional: true, ElementType: types.StringType,
				Validators:          labelValidators(),
				MarkdownDescription: "Labels of everything that this provider block creates. A resource's own `labels` win where both name a key; `labels_all` shows what an object has. Changing them updates what exists in place.",
			},
			"applying": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Set it to `terraform.applying`, so that OpenTofu reports what was lost between plan and apply at once and always in words of ours; Terraform 1.11 and later tell it by themselves. Environment: `CLOUDPAM_APPLYING`.",
			},
		},
	}
}

// Configure builds the client. It makes no network call, so that validating and planning what needs no server works without one.
func (p *cloudpamProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	s, diags := p.session(model, req.TerraformVersion)
	resp.Diagnostics.Append(diags...)
	resp.ResourceData, resp.DataSourceData, resp.ListResourceData, resp.EphemeralResourceData = s, s, s, s
}

func (p *cloudpamProvider) session(model providerModel, terraformVersion string) (*session, diag.Diagnostics) {
	var diags diag.Diagnostics
	if unknown := model.unknown(); unknown != "" {
		return &session{unknown: unknown, defaults: defaultLabels{model.DefaultLabels}}, nil
	}
	endpoint := model.endpoint()
	if endpoint == "" {
		diags.AddAttributeError(path.Root("endpoint"), "CloudPAM endpoint is missing",
			"Set endpoint in the provider block, or the environment variable CLOUDPAM_ENDPOINT, for example https://cloudpam.example.com.")
	}
	token, err := model.token()
	switch {
	case err != nil:
		diags.AddAttributeError(path.Root("token"), "CloudPAM token cannot be read", err.Error())
	case token == nil:
		diags.AddAttributeError(path.Root("token"), "CloudPAM token is missing",
			"Set CLOUDPAM_TOKEN, or CLOUDPAM_TOKEN_FILE to a file that holds the token, or token or token_file in the provider block.")
	}
	if diags.HasError() {
		return nil, diags
	}
	planning, err := model.planning()
	if err != nil {
		diags.AddError("The environment does not say how to plan", sentence(err.Error()))
		return nil, diags
	}
	if _, err := cloudpam.New(endpoint, ""); err != nil {
		diags.AddAttributeError(path.Root("endpoint"), "Endpoint is not a URL", sentence(err.Error()))
		return nil, diags
	}
	opts := append(model.options(), cloudpam.WithSource("terraform"), cloudpam.WithUserAgent("terraform-provider-cloudpam/"+p.version+" terraform/"+terraformVersion))
	client, err := cloudpam.New(endpoint, token(), append(opts, cloudpam.WithTokenFrom(token))...)
	if err != nil {
		diags.AddError("CloudPAM cannot be used with this configuration", sentence(err.Error()))
		return nil, diags
	}
	return &session{
		client: client, endpoint: endpoint, planning: planning, gather: gather{client: client}, defaults: defaultLabels{model.DefaultLabels},
		allocations: allocationRefreshes(client), pools: poolRefreshes(client),
		sets: setRefreshes(client), reservations: reservationRefreshes(client), accounts: accountRefreshes(client),
	}, nil
}

// Resources lists what the provider manages.
func (p *cloudpamProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newScopeResource, newPoolResource, newAllocationResource, newSetResource, newReservationResource, newAccountResource, newWebhookResource, newPolicyResource, newRoleBindingResource}
}

// EphemeralResources lists what lives for one command.
func (p *cloudpamProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{newTokenEphemeral}
}

// ListResources lists what the provider finds for an import.
func (p *cloudpamProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{newScopeList, newPoolList, newAllocationList, newReservationList, newAccountList}
}

// Functions lists what the provider computes without a server.
func (p *cloudpamProvider) Functions(context.Context) []func() function.Function { return functions() }

// DataSources lists what the provider reads.
func (p *cloudpamProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		newScopeDataSource, newPoolDataSource, newPoolsDataSource, newAllocationDataSource, newAllocationsDataSource,
		newAccountDataSource, newAccountsDataSource, newFreeBlocksDataSource, newUtilizationDataSource, newSetDataSource, newLookupDataSource, newPrefixSetDataSource,
		newObservedNetworksDataSource, newObservedSubnetsDataSource,
	}
}
