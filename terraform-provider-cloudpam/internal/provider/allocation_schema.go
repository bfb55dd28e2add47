package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

const nameHelp = "must be 1 to 127 letters, digits and . _ - : /, with a letter or digit at both ends"

// Schema describes the resource.
func (r *allocationResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A subnet or a single address handed out from a pool. Renaming and describing it are updates in place. Another size is " +
			"one too, while the space beside it is free to grow over; otherwise the plan replaces it and says who is in the way. Released and asked for again under the same name and size, it gets its CIDR back while that is free.",
		Attributes: map[string]schema.Attribute{
			"id":            computedText("Id that the server gives the allocation."),
			"scope":         computedText("Scope of the pool."),
			"pool":          poolOfBlock(),
			"pool_selector": selector(),
			"name": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{matching(allocationForm, nameHelp), stringvalidator.LengthAtMost(127)},
				MarkdownDescription: "Name, unique in its pool. Changing it renames in place.",
			},
			"cidr": schema.StringAttribute{
				Optional: true, Computed: true, CustomType: cidrType{},
				PlanModifiers:       []planmodifier.String{keepCIDRSpelling{}, stringplanmodifier.UseStateForUnknown()},
				MarkdownDescription: "The block. CloudPAM chooses a free one where absent. One that contains the present block or lies in it resizes in place; any other replaces.",
			},
			"prefix_length": schema.Int64Attribute{
				Optional: true, Computed: true,
				Validators:          []validator.Int64{int64validator.Between(0, 128)},
				PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
				MarkdownDescription: "Size of the block in leading bits, 32 or 128 for a single address. Changing it grows the block where it stands, or shrinks it towards its first address. When it grows, Google's provider extends its subnetwork in place and AWS's replaces its subnet. The pool's `default_prefix_length` where this, `cidr` and `hosts` are absent. Both may be set when they agree.",
			},
			"hosts": schema.Int64Attribute{
				Optional: true,
				Validators: []validator.Int64{
					int64validator.Between(1, 1<<32), int64validator.AlsoRequires(path.MatchRoot("target")),
					int64validator.ConflictsWith(path.MatchRoot("cidr"), path.MatchRoot("prefix_length")),
				},
				MarkdownDescription: "How many hosts the block must have addresses for, instead of a `prefix_length`: the smallest block that `target` leaves that many. 300 in an `aws_subnet` are a /23.",
			},
			"target":   target("the block"),
			"strategy": placingStrategy("the block is", "the pool"),
			"exclude":  exclude(),
			"ip_version": schema.Int64Attribute{
				Computed:            true,
				PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
				MarkdownDescription: "4 or 6.",
			},
			"network_address": computedText("The address part of `cidr`."),
			"first_address":   computedText("Lowest address of the block."),
			"last_address":    computedText("Highest address of the block."),
			"account":         word("Cloud account or project that uses the block."),
			"region":          word("Region that uses the block."),
			"environment":     word("Environment that uses the block, such as `prod`."),
			"owner":           word("Who answers for the block."),
			"purpose":         word("What the block is used for, such as `nodes`."),
			"description":     text(),
			"expires_at": schema.StringAttribute{
				Optional: true, CustomType: momentType{},
				PlanModifiers:       []planmodifier.String{keepMomentSpelling{}},
				MarkdownDescription: "When the block is released by itself, in RFC 3339, such as `2027-06-30T00:00:00Z`; it stands until it is destroyed where absent. Each apply may renew it in place: `timeadd(plantimestamp(), \"72h\")` keeps the block of a preview for three days after the last apply. One that has ended is created again by the next apply, with its CIDR.",
			},
			"labels":     labels(),
			"labels_all": labelsAll(),
		},
	}
}

func computedText(description string) schema.StringAttribute {
	return schema.StringAttribute{
		Computed:            true,
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
		MarkdownDescription: description,
	}
}

// IdentitySchema describes what names an allocation for good.
func (r *allocationResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema("Id of the allocation, alloc_….")
}

// poolOfBlock is the pool that a block is allocated from.
func poolOfBlock() schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true, Computed: true,
		Validators: []validator.String{
			matching(poolIDForm, poolIDWant), stringvalidator.LengthAtMost(127),
			poolOrSelector{},
		},
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
		MarkdownDescription: "Id of the pool to allocate from. Another pool replaces; another name of the same pool changes in place. Reference `cloudpam_pool.NAME.id` rather than repeat it, so that Terraform orders creation and destruction. One of this and `pool_selector`.",
	}
}
