package provider

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// pageSize is what the lists ask for at once, the most that the server gives.
const pageSize = 1000

// listFilter is what both lists can be narrowed by. What is not set does not narrow.
type listFilter struct {
	Scope     types.String `tfsdk:"scope"`
	IPVersion types.Int64  `tfsdk:"ip_version"`
	Labels    types.Map    `tfsdk:"labels"`
	Search    types.String `tfsdk:"search"`
	Within    cidrValue    `tfsdk:"within"`
	Contains  types.String `tfsdk:"contains"`
}

func filterAttributes(more map[string]schema.Attribute) map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{
		"scope": schema.StringAttribute{
			Optional:            true,
			Validators:          []validator.String{matching(slugForm, slugHelp), stringvalidator.LengthAtMost(63)},
			MarkdownDescription: "Only this scope. All scopes where absent.",
		},
		"ip_version": schema.Int64Attribute{
			Optional:            true,
			Validators:          []validator.Int64{int64validator.OneOf(4, 6)},
			MarkdownDescription: "Only this address family: 4 or 6.",
		},
		"labels": schema.MapAttribute{
			Optional: true, ElementType: types.StringType,
			Validators:          []validator.Map{mapvalidator.SizeAtMost(16)},
			MarkdownDescription: "Only what has all of these labels, at most 16.",
		},
		"search": schema.StringAttribute{
			Optional:            true,
			Validators:          []validator.String{stringvalidator.LengthAtMost(256)},
			MarkdownDescription: "Only what has this text in its name, owner or description, in any case.",
		},
		"within": schema.StringAttribute{Optional: true, CustomType: cidrType{}, MarkdownDescription: "Only CIDRs inside this one or equal to it."},
		"contains": schema.StringAttribute{
			Optional:            true,
			Validators:          []validator.String{networkValidator{}},
			MarkdownDescription: "Only CIDRs that contain this address or CIDR.",
		},
	}
	maps.Copy(attributes, more)
	return attributes
}

func filterByPool(description string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional:            true,
		Validators:          []validator.String{matching(poolIDForm, poolIDWant), stringvalidator.LengthAtMost(127)},
		MarkdownDescription: description,
	}
}

func filterByWord(description string, most int) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, Validators: []validator.String{stringvalidator.LengthBetween(1, most)}, MarkdownDescription: description}
}

func (f listFilter) family() *cloudpam.Family {
	switch f.IPVersion.ValueInt64() {
	case 4:
		return new(cloudpam.FamilyIpv4)
	case 6:
		return new(cloudpam.FamilyIpv6)
	}
	return nil
}

func (f listFilter) labels(ctx context.Context) (cloudpam.LabelFilter, diag.Diagnostics) {
	labels, diags := toLabels(ctx, f.Labels)
	if len(labels) == 0 {
		return nil, diags
	}
	var pairs cloudpam.LabelFilter
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, key+"="+labels[key])
	}
	return pairs, diags
}

func (f listFilter) within() *string {
	if !f.Within.known() {
		return nil
	}
	return new(prefixOf(f.Within).String())
}

func (f listFilter) contains() *string {
	p, err := network(0, f.Contains.ValueString())
	if err != nil {
		return nil // absent; the validator has refused everything else
	}
	return new(p.String())
}

// networkValidator accepts what the provider's functions take for a network: a CIDR or an address.
type networkValidator struct{}

// Description says what is accepted.
func (networkValidator) Description(context.Context) string { return "a CIDR or an address" }

// MarkdownDescription is Description.
func (v networkValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString checks the value.
func (networkValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := network(0, req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Not a CIDR or an address", sentence(err.Text))
	}
}
