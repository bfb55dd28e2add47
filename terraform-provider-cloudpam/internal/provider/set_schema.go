package provider

import (
	"context"
	"maps"
	"regexp"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/objectvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var memberKeyForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)

const (
	memberKeyWant = "must be 1 to 63 letters, digits and . _ -, with a letter or digit at both ends"
	mostMembers   = 256
)

// Schema describes the resource.
func (r *setResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A map of sizes handed out from one pool, all or nothing. A key keeps its CIDR while others come, go and change their size: " +
			"adding an availability zone plans only additions. Each member is an allocation named `NAME/KEY`.",
		Attributes: map[string]schema.Attribute{
			"id":            computedText("Id that the server gives the set."),
			"scope":         computedText("Scope of the pool."),
			"pool":          poolOfBlock(),
			"pool_selector": selector(),
			"name": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{matching(allocationForm, nameHelp), stringvalidator.LengthAtMost(127)},
				MarkdownDescription: "Name, unique among the sets of its pool. Changing it renames in place, its members too.",
			},
			"subnets": schema.MapAttribute{
				Optional: true, ElementType: types.Int64Type,
				Validators: append(memberKeys(), mapvalidator.ValueInt64sAre(int64validator.Between(0, 128)),
					mapvalidator.AtLeastOneOf(path.MatchRoot("subnets"), path.MatchRoot("hosts"), path.MatchRoot("gke"), path.MatchRoot("eks"), path.MatchRoot("fixed"))),
				MarkdownDescription: "Prefix length of each member by its key, such as `{ app-a = 24, db-a = 26 }`. A member whose size shrinks keeps its first address, one that grows gets another block; the others stay.",
			},
			"hosts": schema.MapAttribute{
				Optional: true, ElementType: types.Int64Type,
				Validators: append(memberKeys(), mapvalidator.ValueInt64sAre(int64validator.Between(1, 1<<32)),
					mapvalidator.AlsoRequires(path.MatchRoot("target"))),
				MarkdownDescription: "How many hosts each member must have addresses for, by its key, such as `{ app-a = 300 }`: the smallest block that `target` leaves that many.",
			},
			"fixed": schema.MapAttribute{
				Optional: true, ElementType: types.StringType,
				Validators:          append(memberKeys(), mapvalidator.ValueStringsAre(cidrOnly{})),
				MarkdownDescription: "CIDR of each member that shall have that very block, by its key, such as `{ dns = \"10.0.0.0/28\" }`. One that contains the present block or lies in it resizes in place; any other is another block.",
			},
			"renamed": schema.MapAttribute{
				Optional: true, ElementType: types.StringType,
				Validators: append(memberKeys(), mapvalidator.ValueStringsAre(matching(memberKeyForm, memberKeyWant), stringvalidator.LengthAtMost(63))),
				MarkdownDescription: "Members that are asked for under another key than before: the old key of each by its new one, such as `{ web-a = \"app-a\" }`. Such a member keeps its CIDR and its allocation, which is renamed in place. " +
					"Two may exchange their keys. An entry is carried out once and may stay, like a `moved` block; one whose old key is no member does nothing.",
			},
			"adopt": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Whether an allocation of the pool that has the name of a new member, `NAME/KEY`, and is in no set becomes that member, with its id and its CIDR, instead of being in its way. " +
					"Its size or CIDR must be what is asked for. Take the `cloudpam_allocation` that it was out of the configuration with a `removed` block that does not destroy it. Needs `pool`. Default: `false`.",
			},
			"target":      target("`subnets` and `hosts`"),
			"strategy":    placingStrategy("new blocks are", "the pool"),
			"exclude":     exclude(),
			"gke":         gkeBundle(),
			"eks":         eksBundle(),
			"cidrs":       computedMap("CIDR of each member by its key, known while planning."),
			"ids":         computedMap("Id of the allocation of each member by its key."),
			"account":     word("Cloud account or project that uses the blocks."),
			"region":      word("Region that uses the blocks."),
			"environment": word("Environment that uses the blocks, such as `prod`."),
			"owner":       word("Who answers for the blocks."),
			"purpose":     word("What the blocks are used for, such as `cluster`."),
			"description": text(),
			"labels":      labels(),
			"labels_all":  labelsAll(),
		},
	}
}

func memberKeys() []validator.Map {
	return []validator.Map{
		mapvalidator.SizeAtMost(mostMembers), mapvalidator.NoNullValues(),
		mapvalidator.KeysAre(matching(memberKeyForm, memberKeyWant), stringvalidator.LengthAtMost(63)),
	}
}

func computedMap(description string) schema.MapAttribute {
	return schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: description}
}

// selector is the attribute that finds a pool by its labels.
func selector() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Takes the first pool, in the order of their ids, that has all of these labels and room. It decides when the block is first planned; " +
			"changed later, it moves nothing. Name pools of the same configuration in `depends_on`, so that they are planned before and destroyed after.",
		Attributes: map[string]schema.Attribute{
			"labels": schema.MapAttribute{
				Required: true, ElementType: types.StringType,
				Validators:          append(labelValidators(), mapvalidator.SizeBetween(1, 16)),
				MarkdownDescription: "Labels that the pool must have.",
			},
			"scope": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{matching(slugForm, "must be the name of a scope")},
				MarkdownDescription: "Scope of the pool. Default: `default`.",
			},
			"family": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{oneOf{"ipv4", "ipv6"}},
				MarkdownDescription: "`ipv4` (default) or `ipv6`.",
			},
		},
	}
}

// noSelector is a pool_selector that is not there.
func noSelector() types.Object {
	return types.ObjectNull(selector().GetType().(types.ObjectType).AttrTypes)
}

// target is the attribute that says what blocks will become.
func target(of string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional:   true,
		Validators: []validator.String{oneOf(slices.Sorted(maps.Keys(targets)))},
		MarkdownDescription: "What " + of + " will become: `aws_subnet`, `gcp_subnetwork` or `azure_subnet`. It counts the addresses that the cloud takes for itself, " +
			"five, four and five, and refuses a size that the cloud refuses.",
	}
}

func gkeBundle() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "What a GKE cluster needs: the members `nodes` (the subnetwork's range, with an address for the control plane's endpoint), `pods` and `services` (its secondary ranges). " +
			"A node takes a pod range of at least twice the pods that it may run.",
		Attributes: map[string]schema.Attribute{
			"nodes":             count(true, 1, 15000, "The most nodes that the cluster will have: those of all zones, and those that an upgrade adds."),
			"max_pods_per_node": count(false, 8, 256, "The most pods of a node. Default 110."),
			"services":          count(false, 1, 65536, "The most services. Default 4096."),
		},
	}
}

func eksBundle() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "What an EKS cluster needs whose pods take addresses of its subnets: for each zone the members `nodes-ZONE` and `control-plane-ZONE`. " +
			"The services' range is an allocation of another pool: EKS takes none that overlaps its VPC.",
		Validators: []validator.Object{objectvalidator.ConflictsWith(path.MatchRoot("gke"))},
		Attributes: map[string]schema.Attribute{
			"zones": schema.ListAttribute{
				Required: true, ElementType: types.StringType,
				Validators: []validator.List{
					listvalidator.SizeBetween(1, 16), listvalidator.UniqueValues(), listvalidator.NoNullValues(),
					listvalidator.ValueStringsAre(matching(memberKeyForm, memberKeyWant)),
				},
				MarkdownDescription: "Keys of the zones, such as `[\"a\", \"b\", \"c\"]`.",
			},
			"nodes_per_zone":    count(true, 1, 5000, "The most nodes of a zone."),
			"max_pods_per_node": count(false, 1, 250, "The most pods of a node. Default 110."),
		},
	}
}

func count(required bool, from, to int64, description string) schema.Int64Attribute {
	return schema.Int64Attribute{
		Required: required, Optional: !required,
		Validators: []validator.Int64{int64validator.Between(from, to)}, MarkdownDescription: description,
	}
}

// IdentitySchema describes what names an allocation set for good.
func (r *setResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema("Id of the allocation set.")
}
