package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const (
	slugHelp   = "must be 1 to 63 lower-case letters, digits, - and _, with a letter or digit at both ends"
	poolIDWant = "must be the id of a pool: name in the scope default, scope.name elsewhere"
)

// Schema describes the resource.
func (r *poolResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A CIDR to allocate from. Pools nest to any depth: a child pool is a block of its parent. " +
			"A pool is resized in place, and only deleted or replaced when it is empty.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
				MarkdownDescription: "Id: `name` in the scope `default`, `scope.name` elsewhere. Known while planning; it follows the name. Reference it rather than repeat it, so that Terraform orders what depends on it.",
			},
			"uid": computedText("Immutable key of the pool, `pool_…`: it stays when the pool is renamed."),
			"scope": schema.StringAttribute{
				Optional: true, Computed: true,
				Validators:          []validator.String{matching(slugForm, slugHelp), stringvalidator.LengthAtMost(63)},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
				MarkdownDescription: "The isolated address space that the pool is in. Another scope is another pool; a scope that is renamed is not. That of the parent where absent, or `default`.",
			},
			"name": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{matching(slugForm, slugHelp), stringvalidator.LengthAtMost(63)},
				MarkdownDescription: "Name, unique in its scope. Changing it renames in place: the id follows, and what refers to it shows a change of its `pool` or `parent`, while nothing moves.",
			},
			"parent": schema.StringAttribute{
				Optional: true, Computed: true,
				Validators:          []validator.String{matching(poolIDForm, poolIDWant), stringvalidator.LengthAtMost(127)},
				MarkdownDescription: "Id of the pool that this one is a block of. A pool without a parent and a `pool_selector` is a root pool. An empty pool moves to another parent of its scope in place, where it gets another CIDR; one that is not empty stays. One that another pool was put above (`encloses`) may leave `parent` out, and stays in that.",
			},
			"pool_selector":   parentSelector(),
			"parent_strategy": placingStrategy("the pool's own block is", "its parent"),
			"exclude":         exclude(),
			"encloses": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Put the pool above the pools that stand in its `cidr`: a supernet above root pools, or a layer between a pool and its children. " +
					"They become its children when it is created and keep their CIDRs and all that is in them; set their `parent` to it in the same plan. " +
					"When it is destroyed, the pools that are still in it stay where they are. Default `false`: both are refused.",
			},
			"cidr": schema.StringAttribute{
				Optional: true, Computed: true, CustomType: cidrType{},
				PlanModifiers:       []planmodifier.String{keepCIDRSpelling{}, stringplanmodifier.UseStateForUnknown()},
				MarkdownDescription: "The pool's CIDR. Required for a root pool; chosen from the parent where absent. Changing it grows or shrinks the pool in place.",
			},
			"prefix_length": schema.Int64Attribute{
				Optional: true, Computed: true,
				Validators:          []validator.Int64{int64validator.Between(0, 128)},
				PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
				MarkdownDescription: "Size of the pool in leading bits. Changing it grows or shrinks the pool in place.",
			},
			"ip_version": schema.Int64Attribute{
				Computed:            true,
				PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
				MarkdownDescription: "4 or 6.",
			},
			"strategy": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString("best_fit"),
				Validators:          strategies(),
				MarkdownDescription: "How blocks in the pool are chosen: `best_fit` (default, the smallest free block that is large enough), `first_fit`, `largest_fit` or `sparse` (leaves room to grow).",
			},
			"min_prefix_length":     sizeRule("Shortest prefix length, the largest block, that the pool hands out."),
			"max_prefix_length":     sizeRule("Longest prefix length, the smallest block, that the pool hands out."),
			"default_prefix_length": sizeRule("What a request gets that names no size."),
			"account":               word("Cloud account or project that the pool is for."),
			"region":                word("Region that the pool is for."),
			"environment":           word("Environment that the pool is for, such as `prod`."),
			"owner":                 word("Who answers for the pool."),
			"description":           text(),
			"labels":                labels(),
			"labels_all":            labelsAll(),
			"deletion_protection": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Refuse to delete the pool, whoever asks; Terraform refuses while planning to destroy it. Default `false`.",
			},
			"quarantine": schema.StringAttribute{
				Optional:      true,
				Validators:    []validator.String{quarantineTime{}},
				PlanModifiers: []planmodifier.String{quarantineTime{}},
				MarkdownDescription: "How long a block that is released in the pool is not handed out to anybody else, such as `168h`, at most `2160h`. The same name and size has it back at any time, so a destroy and an apply give the same CIDRs. " +
					"As in the pool around it where absent; `0s` is not at all. With it, what a plan releases is no room for what else the plan puts there.",
			},
			"max_observed_age": schema.StringAttribute{
				Optional:      true,
				Validators:    []validator.String{quarantineTime{least: time.Minute}},
				PlanModifiers: []planmodifier.String{quarantineTime{}},
				MarkdownDescription: "How old the last complete view of the accounts of the pool's scope, and of those that show something in it, may be for the pool to hand anything out, such as `1h`: `60s` to `2160h`. " +
					"A plan that needs a new block is refused while it is older. No rule where absent.",
			},
		},
	}
}

func parentSelector() schema.SingleNestedAttribute {
	selector := selector()
	selector.MarkdownDescription = "Instead of `parent`: takes the first pool, in the order of their ids, that has all of these labels and room. It decides when the pool is first planned; " +
		"changed later, it moves nothing. Name pools of the same configuration in `depends_on`, so that they are planned before and destroyed after."
	return selector
}

func sizeRule(description string) schema.Int64Attribute {
	return schema.Int64Attribute{Optional: true, Validators: []validator.Int64{int64validator.Between(0, 128)}, MarkdownDescription: description}
}

func word(description string) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, Validators: []validator.String{stringvalidator.LengthAtMost(255)}, MarkdownDescription: description}
}

func text() schema.StringAttribute {
	return schema.StringAttribute{Optional: true, Validators: []validator.String{stringvalidator.LengthAtMost(1024)}, MarkdownDescription: "What it is for, in words."}
}

func labels() schema.MapAttribute {
	return schema.MapAttribute{
		Optional: true, ElementType: types.StringType,
		Validators:          labelValidators(),
		MarkdownDescription: "Free key-value pairs, at most 64. They win over the provider's `default_labels`.",
	}
}

func labelsAll() schema.MapAttribute {
	return schema.MapAttribute{
		Computed: true, ElementType: types.StringType,
		MarkdownDescription: "All labels: `labels` and the provider's `default_labels`.",
	}
}

func labelValidators() []validator.Map {
	return []validator.Map{
		mapvalidator.SizeAtMost(mostLabels),
		noNullLabels{},
		mapvalidator.KeysAre(stringvalidator.LengthBetween(1, 128)),
		mapvalidator.ValueStringsAre(stringvalidator.LengthAtMost(256)),
	}
}

// IdentitySchema describes what names a pool for good.
func (r *poolResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = uidIdentity("Immutable key of the pool, pool_….")
}

// UpgradeIdentity reads the identity of a state in which the pool's id was it.
func (r *poolResource) UpgradeIdentity(context.Context) map[int64]resource.IdentityUpgrader {
	return upgradeToUID(func(ctx context.Context, id string) (string, error) {
		if r.session == nil || r.session.client == nil {
			return "", nil
		}
		pool, err := r.session.client.GetPool(ctx, id)
		return pool.UID, err
	})
}
