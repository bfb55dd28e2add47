package provider

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// observedFilter is what both lists of what clouds showed can be narrowed by. What is not set does not narrow.
type observedFilter struct {
	Scope    types.String `tfsdk:"scope"`
	Account  types.String `tfsdk:"account"`
	Cloud    types.String `tfsdk:"cloud"`
	Region   types.String `tfsdk:"region"`
	Network  types.String `tfsdk:"network"`
	Tags     types.Map    `tfsdk:"tags"`
	Search   types.String `tfsdk:"search"`
	Within   cidrValue    `tfsdk:"within"`
	Contains types.String `tfsdk:"contains"`
	Managed  types.Bool   `tfsdk:"managed"`
	Unmapped types.Bool   `tfsdk:"unmapped"`
}

func observedFilters() map[string]schema.Attribute {
	shared := filterAttributes(nil)
	tags := shared["labels"].(schema.MapAttribute)
	tags.MarkdownDescription = "Only what has all of these tags of the cloud's, at most 16."
	return map[string]schema.Attribute{
		"scope": shared["scope"], "within": shared["within"], "contains": shared["contains"], "tags": tags,
		"account": schema.StringAttribute{
			Optional:            true,
			Validators:          []validator.String{stringvalidator.RegexMatches(accountIDForm, "must be the id of an account: the cloud and the cloud's own id, such as aws:123456789012")},
			MarkdownDescription: "Only this account, such as `aws:123456789012`.",
		},
		"cloud": schema.StringAttribute{
			Optional:            true,
			Validators:          []validator.String{stringvalidator.OneOf("aws", "gcp", "custom")},
			MarkdownDescription: "Only accounts of this cloud: `aws`, `gcp` or `custom`.",
		},
		"region":   filterByWord("Only this region.", 63),
		"network":  filterByWord("Only the network with this id of the cloud's, such as `vpc-0123`.", 255),
		"search":   filterByWord("Only what has these words in its id, name, account, region, network or tags, in any case.", 256),
		"managed":  schema.BoolAttribute{Optional: true, MarkdownDescription: "`true`: only blocks that something in CloudPAM has. `false`: only those that nothing has. Do not feed the `for_each` of a resource with `false`: once a block is adopted it is not there any more, and Terraform would destroy what imported it."},
		"unmapped": schema.BoolAttribute{Optional: true, MarkdownDescription: "`true`: only what is in no scope, such as default VPCs, and so is compared with nothing."},
	}
}

// byBlock reports whether something narrows the list to some blocks of a network.
func (f observedFilter) byBlock() bool {
	return !f.Tags.IsNull() || !f.Search.IsNull() || !f.Within.IsNull() || !f.Contains.IsNull() || !f.Managed.IsNull()
}

// blocks are the blocks that the filter lets through, sorted by account, id and address.
func (f observedFilter) blocks(ctx context.Context, s *session, networks bool) ([]cloudpam.Observation, diag.Diagnostics) {
	list := listFilter{Labels: f.Tags, Within: f.Within, Contains: f.Contains}
	tags, diags := list.labels(ctx)
	if diags.HasError() {
		return nil, diags
	}
	ask := cloudpam.ListObservationsParams{
		Scope: optionalText(f.Scope), Account: optionalText(f.Account), Cloud: (*cloudpam.Cloud)(optionalText(f.Cloud)), Network: optionalText(f.Network), Label: tags,
		Q: optionalText(f.Search), Within: list.within(), Contains: list.contains(), Managed: f.Managed.ValueBoolPointer(), Limit: new(pageSize),
	}
	if f.Unmapped.ValueBool() {
		ask.Unmapped = new(true)
	}
	if networks {
		ask.Kind = new(cloudpam.ObservationKindNetwork) // of any region: a network of several has one of its own
	} else {
		ask.Region = optionalText(f.Region)
	}
	var all []cloudpam.Observation
	for o, err := range s.client.Observations(ctx, ask) {
		if err != nil {
			return nil, attempt{verb: "list", kind: "what clouds showed"}.diagnose(err)
		}
		if networks == (o.Kind == cloudpam.ObservationKindNetwork) {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b cloudpam.Observation) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.ID, b.ID), compareCIDRs(a.CIDR, b.CIDR), strings.Compare(a.Part, b.Part))
	})
	return all, nil
}

func compareCIDRs(a, b string) int {
	p, err := parseCIDR(a)
	q, other := parseCIDR(b)
	if err != nil || other != nil {
		return strings.Compare(a, b)
	}
	return p.Compare(q)
}

// observedBlock is a block of what a cloud showed, as an import wants it: what is absent is null, to be handed on to a resource.
type observedBlock struct {
	ID        types.String     `tfsdk:"id"`
	Kind      types.String     `tfsdk:"kind"`
	Part      types.String     `tfsdk:"part"`
	CIDR      types.String     `tfsdk:"cidr"`
	Account   types.String     `tfsdk:"account"`
	Region    types.String     `tfsdk:"region"`
	Network   types.String     `tfsdk:"network"`
	Scope     types.String     `tfsdk:"scope"`
	Pool      types.String     `tfsdk:"pool"`
	Name      types.String     `tfsdk:"name"`
	ManagedBy *observedManager `tfsdk:"managed_by"`
}

type observedManager struct {
	Kind types.String `tfsdk:"kind"`
	ID   types.String `tfsdk:"id"`
	Name types.String `tfsdk:"name"`
	Pool types.String `tfsdk:"pool"`
	CIDR types.String `tfsdk:"cidr"`
}

func readBlocks(becomes string) schema.MapNestedAttribute {
	return schema.MapNestedAttribute{
		Computed: true,
		MarkdownDescription: "The blocks for `for_each`, by what an `import` of `" + becomes + "` takes: `<cloud>:<id>@<cidr>`. What lies inside of an allocation is left out: that has its space. " +
			"What is absent is null, so that it can be handed on to a resource as it is.",
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"id":      readText("The cloud and the thing's id there, such as `aws:subnet-0123`."),
			"kind":    readText("`network`, `subnet` or `secondary`."),
			"part":    readText("The name of a secondary range."),
			"cidr":    readText("The block."),
			"account": readText("Account that shows it."),
			"region":  readText("Region, null where it is in all of them."),
			"network": readText("The cloud's id of its network."),
			"scope":   readText("Scope that its network is in, null for none."),
			"pool":    readText("Pool that what has it is in; of what nothing has, the innermost pool around it, into which an import adopts it. Null for none."),
			"name": readText("Name of what has it; of what nothing has, the one that an import adopts it with: the cloud's own name or id, with the id behind it where several have one name. " +
				"Where names repeat, run `cloudpam adopt` first: which of them an import meets first is not known, and a plan would rename."),
			"managed_by": readManager(),
		}},
	}
}

func readManager() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Computed: true, MarkdownDescription: "What in CloudPAM has the block; null where nothing has.",
		Attributes: map[string]schema.Attribute{
			"kind": readText("`pool` or `allocation`."),
			"id":   readText("Its id."),
			"name": readText("Its name."),
			"pool": readText("The pool that it is in, null for a root pool."),
			"cidr": readText("Its block."),
		},
	}
}

// importBlocks are the blocks that an import takes, by its id.
func importBlocks(all []cloudpam.Observation) map[string]observedBlock {
	type place struct{ scope, pool, name string }
	at := func(o cloudpam.Observation) place {
		p := place{o.Scope, o.Pool, o.SuggestedNames[0]}
		if o.ManagedBy != nil {
			p.name = o.ManagedBy.Name
		}
		if o.Kind == cloudpam.ObservationKindNetwork {
			p.pool = "" // a pool's name is one of its scope's
		}
		return p
	}
	named := map[place]int{}
	for _, o := range all {
		named[at(o)]++
	}
	blocks := map[string]observedBlock{}
	for _, o := range all {
		if o.ManagedBy != nil && o.ManagedBy.CIDR != o.CIDR {
			continue
		}
		name := at(o).name
		if o.ManagedBy == nil && named[at(o)] > 1 && len(o.SuggestedNames) > 1 {
			name = o.SuggestedNames[1]
		}
		region := o.Region
		if region == "global" {
			region = ""
		}
		b := observedBlock{
			ID: types.StringValue(o.ID), Kind: types.StringValue(string(o.Kind)), Part: orNull(o.Part), CIDR: types.StringValue(o.CIDR), Account: types.StringValue(o.Account),
			Region: orNull(region), Network: orNull(o.Network), Scope: orNull(o.Scope), Pool: orNull(o.Pool), Name: types.StringValue(name),
		}
		if by := o.ManagedBy; by != nil {
			b.ManagedBy = &observedManager{
				Kind: types.StringValue(string(by.Kind)), ID: types.StringValue(by.ID), Name: types.StringValue(by.Name), Pool: orNull(by.Pool), CIDR: types.StringValue(by.CIDR),
			}
		}
		blocks[o.ID+"@"+o.CIDR] = b
	}
	return blocks
}

// cloudsOwn is an id without its cloud, as the cloud's own Terraform provider imports it.
func cloudsOwn(id string) types.String {
	_, own, _ := strings.Cut(id, ":")
	return types.StringValue(own)
}

func orNull(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

func moment(t *time.Time) types.String {
	if t == nil || t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}
