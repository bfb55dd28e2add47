package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// Schema describes the resource.
func (r *reservationResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A block of a pool that is kept out of use, with a reason and perhaps an end. The pool's `min_prefix_length` and " +
			"`max_prefix_length` do not bind it.\n\n" +
			"A configured `cidr` is held while planning, so that what the same plan places elsewhere in the pool keeps clear of it; where an allocation " +
			"is planned first, `depends_on` settles the order. A block that CloudPAM chooses by `prefix_length` is chosen and held while planning, " +
			"by the reservation's `name`.\n\n" +
			"Past `expires_at` the block is free again: the server uses it for others and forgets the reservation. The next plan then finds it gone, " +
			"and says so until the resource is removed from the configuration or given a later end; `terraform destroy` then needs `-refresh=false`.",
		Attributes: map[string]schema.Attribute{
			"id":    computedText("Id that the server gives the reservation."),
			"scope": computedText("Scope of the pool."),
			"pool": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(poolIDForm, poolIDWant), stringvalidator.LengthAtMost(127)},
				MarkdownDescription: "Id of the pool. Another pool replaces; another name of the same pool changes in place. Reference `cloudpam_pool.NAME.id` rather than repeat it, so that Terraform orders creation and destruction.",
			},
			"name": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{matching(allocationForm, nameHelp), stringvalidator.LengthAtMost(115)},
				MarkdownDescription: "Name, unique among the reservations of its pool; up to 115 characters, and no CIDR. The plan keeps the block of a `prefix_length` by it, so it is needed where `cidr` is not set. A reservation that is destroyed and made again comes back to its block. Changing it renames in place.",
			},
			"cidr": schema.StringAttribute{
				Optional: true, Computed: true, CustomType: cidrType{},
				PlanModifiers: []planmodifier.String{
					keepCIDRSpelling{}, stringplanmodifier.UseStateForUnknown(), stringplanmodifier.RequiresReplaceIfConfigured(),
				},
				MarkdownDescription: "The block to keep. One of `cidr` and `prefix_length` is needed.",
			},
			"prefix_length": schema.Int64Attribute{
				Optional: true, Computed: true,
				Validators:          []validator.Int64{int64validator.Between(0, 128)},
				PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown(), int64planmodifier.RequiresReplaceIfConfigured()},
				MarkdownDescription: "Size of the block in leading bits, for one that CloudPAM chooses by the pool's strategy. Needs a `name`.",
			},
			"reason": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{stringvalidator.LengthBetween(1, 1024)},
				MarkdownDescription: "Why the block is kept: what others read who meet it.",
			},
			"expires_at": schema.StringAttribute{
				Optional: true, CustomType: momentType{},
				PlanModifiers:       []planmodifier.String{keepMomentSpelling{}},
				MarkdownDescription: "When the block becomes free again, in RFC 3339, such as `2027-06-30T00:00:00Z`. It stands until it is released where absent. May be moved in place.",
			},
			"owner":      word("Who answers for the reservation."),
			"labels":     labels(),
			"labels_all": labelsAll(),
		},
	}
}

// IdentitySchema describes what names a reservation for good.
func (r *reservationResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema("Id of the reservation, rsv_….")
}
