package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Schema describes the resource.
func (r *policyResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	exclude := exclude()
	exclude.MarkdownDescription = "CIDRs that no allocation shares an address with: blocks are chosen around them. No child pool lies in one."
	values := func(description string) schema.SetAttribute {
		return schema.SetAttribute{
			Optional: true, ElementType: types.StringType,
			Validators:          []validator.Set{setvalidator.SizeBetween(1, 200), setvalidator.ValueStringsAre(stringvalidator.LengthBetween(1, 255))},
			MarkdownDescription: description,
		}
	}
	yes := func(description string) schema.BoolAttribute {
		return schema.BoolAttribute{Optional: true, MarkdownDescription: description}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "What a pool asks of the allocations and child pools in it and in all pools below. A plan that breaks it is refused, with the rule, the pool whose rule it is, and what would pass. " +
			"It holds for what is asked for from then on, and what stands is not touched. The policies around a pool hold together, so that one further in can only ask for more. A pool has one policy.",
		Attributes: map[string]schema.Attribute{
			"id": computedText("Key of the pool, `pool_…`."),
			"pool": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{stringvalidator.LengthBetween(1, 127)},
				MarkdownDescription: "Id of the pool that the policy is of. Another pool replaces it; another name of the pool does not.",
			},
			"description":            text(),
			"min_prefix_length":      sizeRule("Of allocations: the shortest prefix length (the largest block)."),
			"max_prefix_length":      sizeRule("Of allocations: the longest prefix length (the smallest block)."),
			"pool_min_prefix_length": sizeRule("Of child pools: the shortest prefix length (the largest block)."),
			"pool_max_prefix_length": sizeRule("Of child pools: the longest prefix length (the smallest block)."),
			"accounts":               values("The only accounts: an allocation names one of them, and a child pool no other."),
			"regions":                values("The only regions, as `accounts`."),
			"environments":           values("The only environments, as `accounts`."),
			"required_labels": schema.MapAttribute{
				Optional: true, ElementType: types.SetType{ElemType: types.StringType},
				Validators:          []validator.Map{mapvalidator.SizeBetween(1, 16), mapvalidator.KeysAre(stringvalidator.LengthBetween(1, 128))},
				MarkdownDescription: "Labels that an allocation has, each with the values that do; `[]` is any value.",
			},
			"owner_required": yes("Whether an allocation names an `owner`."),
			"name_pattern": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthBetween(1, 256)},
				MarkdownDescription: "A regular expression ([RE2](https://github.com/google/re2/wiki/Syntax)) for the whole name of an allocation, or of a member of a set, which is `SET/KEY`.",
			},
			"exclude": exclude,
			"exclude_sets": schema.SetAttribute{
				Optional: true, ElementType: types.StringType,
				Validators:          []validator.Set{setvalidator.SizeBetween(1, 16)},
				MarkdownDescription: "Ranges by who takes them, as in `exclude`: `docker`, `link_local`, `kubeadm_services`, `k3s_services`, `eks_services`, `gke_services`, `aks_services`.",
			},
			"usable_only": yes("Whether a single address is neither the first of its pool nor, of an IPv4 one, the last. Both addresses of a `/31` are usable."),
			"skip_first": schema.Int64Attribute{
				Optional: true, Validators: []validator.Int64{int64validator.Between(1, 1024)},
				MarkdownDescription: "How many addresses at the start of a pool are not handed out singly.",
			},
			"max_owner_share_percent": schema.Int64Attribute{
				Optional: true, Validators: []validator.Int64{int64validator.Between(1, 100)},
				MarkdownDescription: "The largest part of the pool's addresses that the allocations of one owner have, in the pool and below.",
			},
			"expression": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthBetween(1, 2048)},
				MarkdownDescription: "[CEL](https://cel.dev) that is true of what is allowed, over `kind` (`allocation` or `pool`), `name`, `scope`, `pool`, `cidr`, `prefix_length`, `owner`, `purpose`, `account`, `region`, `environment` and `labels`.",
			},
			"expression_message": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthBetween(1, 1024), stringvalidator.AlsoRequires(path.MatchRoot("expression"))},
				MarkdownDescription: "What a refusal by the `expression` says.",
			},
			"approval_above":         sizeRule("Of allocations: one that is larger than this prefix length says, or grows past it, waits until a second person approves it. `24` lets a /24 pass and asks for a /23."),
			"pool_approval_above":    sizeRule("Of child pools, as `approval_above`."),
			"release_approval_above": sizeRule("A block that is larger than this prefix length says waits until a second person approves it before it is given up: before its allocation is released or made smaller, its child pool is destroyed or made smaller, or its quarantine is ended early."),
			"approval_groups": schema.ListNestedAttribute{
				Optional:            true,
				Validators:          []validator.List{listvalidator.SizeBetween(1, 16)},
				MarkdownDescription: "Who is asked for approval from another size on. Of several groups that somebody is in, the most generous counts.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"role": schema.StringAttribute{
						Optional: true, Validators: []validator.String{oneOf{"operator", "admin"}},
						MarkdownDescription: "Those who have at least this role in the pool: `operator` or `admin`.",
					},
					"labels": schema.MapAttribute{
						Optional: true, ElementType: types.StringType, Validators: []validator.Map{mapvalidator.SizeBetween(1, 16)},
						MarkdownDescription: "Those whose role binding is narrowed to these labels.",
					},
					"approval_above":      sizeRule("Of their allocations, in place of the policy's."),
					"pool_approval_above": sizeRule("Of their child pools, in place of the policy's."),
				}},
			},
		},
	}
}

// IdentitySchema describes what names a policy for good.
func (r *policyResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema("Key of the pool, pool_….")
}
