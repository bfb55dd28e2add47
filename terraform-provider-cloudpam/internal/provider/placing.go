package provider

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// How a block is chosen is said when it is: once it stands, another strategy or exclusion changes nothing but the state.

func strategies() []validator.String {
	return []validator.String{oneOf{"best_fit", "first_fit", "largest_fit", "sparse"}}
}

// placingStrategy is the attribute that says how blocks are chosen.
func placingStrategy(of, where string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true, Validators: strategies(),
		MarkdownDescription: "How " + of + " chosen: `best_fit`, `first_fit`, `largest_fit` or `sparse`; as " + where + " does where absent. It counts when a block is chosen; changed later, it moves nothing.",
	}
}

// exclude is the attribute that says which space is not used.
func exclude() schema.SetAttribute {
	return schema.SetAttribute{
		Optional: true, ElementType: types.StringType,
		Validators:          []validator.Set{setvalidator.SizeBetween(1, 64), setvalidator.ValueStringsAre(cidrOnly{})},
		MarkdownDescription: "CIDRs that are not used: what is chosen shares no address with any of them. It counts when a block is chosen; changed later, it moves nothing.",
	}
}

func noExclude() types.Set { return types.SetNull(types.StringType) }

// excluded is what an exclude names, canonically; nil where that is nothing.
func excluded(ctx context.Context, exclude types.Set) (*cloudpam.Exclude, diag.Diagnostics) {
	prefixes, diags := prefixes(ctx, exclude)
	if len(prefixes) == 0 {
		return nil, diags
	}
	var out cloudpam.Exclude
	for _, p := range prefixes {
		out = append(out, p.String())
	}
	slices.Sort(out)
	return &out, diags
}

// prefixes are those of an exclude that are known and right.
func prefixes(ctx context.Context, exclude types.Set) (out []netip.Prefix, diags diag.Diagnostics) {
	if exclude.IsNull() || exclude.IsUnknown() {
		return nil, nil
	}
	var texts []types.String
	diags = exclude.ElementsAs(ctx, &texts, false)
	for _, text := range texts {
		if p, err := parseCIDR(text.ValueString()); err == nil {
			out = append(out, p)
		}
	}
	return out, diags
}

func chosenBy(strategy types.String) *cloudpam.Strategy {
	if strategy.ValueString() == "" {
		return nil
	}
	return new(cloudpam.Strategy(strategy.ValueString()))
}

// contradict refuses a block that is asked for and excluded.
func contradict(ctx context.Context, at path.Path, block netip.Prefix, exclude types.Set, diags *diag.Diagnostics) {
	all, more := prefixes(ctx, exclude)
	diags.Append(more...)
	for _, x := range all {
		if block.IsValid() && x.Overlaps(block) {
			diags.AddAttributeError(at, "CIDR is excluded", fmt.Sprintf(
				"%s is asked for, and exclude names %s, with which it shares addresses. Choose another CIDR, or take %s out of exclude.", block, x, x))
			return
		}
	}
}

// cidrOnly accepts CIDRs, in any spelling.
type cidrOnly struct{}

// Description says what is accepted.
func (cidrOnly) Description(context.Context) string { return "must be a CIDR" }

// MarkdownDescription is Description.
func (v cidrOnly) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString checks a value that is known.
func (cidrOnly) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := parseCIDR(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Not a CIDR", sentence(err.Error()))
	}
}
