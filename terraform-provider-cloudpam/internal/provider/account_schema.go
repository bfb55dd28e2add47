package provider

import (
	"context"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Schema describes the resource.
func (r *accountResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "An AWS account, a GCP project or another place that networks live in. It holds no secret: `role_arn` and `workload_identity` name who to act as.",
		Attributes: map[string]schema.Attribute{
			"id":  computedText("Id of the account: the cloud and the cloud's own id, such as `aws:123456789012`. Known while planning."),
			"uid": computedText("Immutable key of the account, `account_…`."),
			"cloud": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{stringvalidator.OneOf("aws", "gcp", "custom")},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
				MarkdownDescription: "`aws`, `gcp`, or `custom` for any other place: a data centre, an office, a smaller provider.",
			},
			"external_id": schema.StringAttribute{
				Required:      true,
				Validators:    []validator.String{stringvalidator.LengthBetween(1, 63)},
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
				MarkdownDescription: "The cloud's own id: the 12 digits of an AWS account in quotes, the id of a GCP project with its domain where it has one " +
					"(`example.com:my-project`), a name of your choice for `custom`.",
			},
			"scope": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(defaultScope),
				Validators:          []validator.String{stringvalidator.RegexMatches(slugForm, slugHelp), stringvalidator.LengthAtMost(63)},
				MarkdownDescription: "Scope that its networks live in. `default` where absent. May change in place.",
			},
			"name": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(allocationForm, nameHelp), stringvalidator.LengthAtMost(127)},
				MarkdownDescription: "What people call it, such as `payments-prod`. Need not be unique.",
			},
			"description": text(),
			"owner":       word("Who answers for the account."),
			"platform":    word("Platform or product that the account belongs to."),
			"tier": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{stringvalidator.OneOf("dev", "stg", "sbx", "prd")},
				MarkdownDescription: "`dev`, `stg`, `sbx` or `prd`.",
			},
			"environment": word("Environment that runs there, such as `prod`."),
			"regions": schema.SetAttribute{
				Optional: true, ElementType: types.StringType,
				Validators: []validator.Set{setvalidator.SizeAtMost(64), setvalidator.ValueStringsAre(stringvalidator.RegexMatches(
					regexp.MustCompile(`^`+slugPattern+`$`), "must be the name of a region, such as eu-west-1"), stringvalidator.LengthAtMost(63))},
				MarkdownDescription: "Regions in use there.",
			},
			"mode": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString("observe"),
				Validators:          []validator.String{stringvalidator.OneOf("observe", "plan", "apply")},
				MarkdownDescription: "What CloudPAM may do there: `observe` (default) only looks, `plan` proposes changes, `apply` makes those that were approved. Nothing looks at accounts yet.",
			},
			"role_arn":          word("AWS only: ARN of the role to assume to see the account, a role of this very account."),
			"workload_identity": word("GCP only: e-mail address of the service account to act as to see the project."),
			"labels":            labels(),
			"labels_all":        labelsAll(),
		},
	}
}

// IdentitySchema describes what names an account for good.
func (r *accountResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema("Id of the account: the cloud and the cloud's own id.")
}

var (
	awsAccountForm = regexp.MustCompile(`^[0-9]{12}$`)
	accountIDForm  = regexp.MustCompile(`^(aws:[0-9]{12}|gcp:[a-z0-9.:-]+|custom:[A-Za-z0-9._-]+)$`)
)

const accountIDHelp = "Name the account by its id: the cloud, a colon and the cloud's own id, such as aws:123456789012, gcp:my-project or gcp:example.com:my-project."

// ValidateConfig refuses, without a server, what belongs to another cloud.
func (r *accountResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m accountModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || m.Cloud.IsUnknown() {
		return
	}
	cloud := m.Cloud.ValueString()
	if id := m.ExternalID; cloud == "aws" && !id.IsUnknown() && !awsAccountForm.MatchString(id.ValueString()) {
		resp.Diagnostics.AddAttributeError(path.Root("external_id"), "Not an AWS account number", "\""+id.ValueString()+
			"\" is not 12 digits. Write the account number in quotes: without them Terraform reads a number and drops its leading zeros.")
	}
	if cloud != "aws" && !m.RoleARN.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("role_arn"), "Only AWS accounts have a role", "This account is of the cloud "+cloud+". Remove role_arn.")
	}
	if cloud != "gcp" && !m.WorkloadIdentity.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("workload_identity"), "Only GCP projects have a workload identity", "This account is of the cloud "+cloud+". Remove workload_identity.")
	}
}

// ModifyPlan computes the id.
func (r *accountResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return // a destroy
	}
	var plan accountModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.ID = types.StringUnknown()
	if !plan.Cloud.IsUnknown() && !plan.ExternalID.IsUnknown() {
		plan.ID = types.StringValue(plan.Cloud.ValueString() + ":" + plan.ExternalID.ValueString())
	}
	resp.Diagnostics.Append(r.session.label(plan.Labels, &plan.LabelsAll)...)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}
