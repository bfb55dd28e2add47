package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// spelling is what a text means that may be written in more ways than one. The zero value of its type is all of it.
type spelling interface {
	name() string // in error messages
	wrong() string
	check(text string) error
	same(a, b string) bool
}

// spelled is the attribute type of such texts: checked offline, and equal in every spelling.
type spelled[S spelling] struct{ basetypes.StringType }

// spelledValue is such a text, possibly null or unknown, in the spelling of the configuration.
type spelledValue[S spelling] struct{ basetypes.StringValue }

var (
	_ basetypes.StringTypable                    = spelled[cidrSpelling]{}
	_ basetypes.StringValuableWithSemanticEquals = spelledValue[cidrSpelling]{}
	_ xattr.ValidateableAttribute                = spelledValue[cidrSpelling]{}
	_ planmodifier.String                        = keepSpelling[cidrSpelling]{}
)

// String names the type in error messages.
func (spelled[S]) String() string { return (*new(S)).name() }

// Equal reports whether the other type is this one.
func (t spelled[S]) Equal(other attr.Type) bool {
	o, ok := other.(spelled[S])
	return ok && t.StringType.Equal(o.StringType)
}

// ValueType returns a value of the type.
func (spelled[S]) ValueType(context.Context) attr.Value { return spelledValue[S]{} }

// ValueFromString wraps a string; the value checks itself.
func (spelled[S]) ValueFromString(_ context.Context, s basetypes.StringValue) (basetypes.StringValuable, diag.Diagnostics) {
	return spelledValue[S]{s}, nil
}

// ValueFromTerraform converts from Terraform's own type system.
func (t spelled[S]) ValueFromTerraform(ctx context.Context, in tftypes.Value) (attr.Value, error) {
	v, err := t.StringType.ValueFromTerraform(ctx, in)
	if err != nil {
		return nil, err
	}
	return spelledValue[S]{v.(basetypes.StringValue)}, nil
}

func (v spelledValue[S]) known() bool      { return !v.IsNull() && !v.IsUnknown() }
func (v spelledValue[S]) pointer() *string { return optionalText(v.StringValue) }

// Type returns the type of the value.
func (spelledValue[S]) Type(context.Context) attr.Type { return spelled[S]{} }

// Equal compares spellings, as Terraform does; StringSemanticEquals compares what they mean.
func (v spelledValue[S]) Equal(other attr.Value) bool {
	o, ok := other.(spelledValue[S])
	return ok && v.StringValue.Equal(o.StringValue)
}

// StringSemanticEquals keeps the configuration's spelling in the state when the server answers with its own.
func (v spelledValue[S]) StringSemanticEquals(_ context.Context, other basetypes.StringValuable) (bool, diag.Diagnostics) {
	o, ok := other.(spelledValue[S])
	return ok && (*new(S)).same(v.ValueString(), o.ValueString()), nil
}

// ValidateAttribute checks the value at terraform validate, without a server.
func (v spelledValue[S]) ValidateAttribute(_ context.Context, req xattr.ValidateAttributeRequest, resp *xattr.ValidateAttributeResponse) {
	if !v.known() {
		return
	}
	if err := (*new(S)).check(v.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, (*new(S)).wrong(), sentence(err.Error()))
	}
}

// keepSpelling plans no change when only the spelling changed in the configuration.
type keepSpelling[S spelling] struct{}

// Description says what the modifier does.
func (keepSpelling[S]) Description(context.Context) string {
	return "Another spelling of the same " + (*new(S)).name() + " is not a change."
}

// MarkdownDescription is Description.
func (m keepSpelling[S]) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

// PlanModifyString plans the state's spelling when it means the same.
func (keepSpelling[S]) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.StateValue.IsNull() || req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if (*new(S)).same(req.StateValue.ValueString(), req.ConfigValue.ValueString()) {
		resp.PlanValue = req.StateValue
	}
}
