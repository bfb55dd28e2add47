package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// parseMoment reads a point in time in RFC 3339, as exactly as the server keeps it: to the microsecond.
func parseMoment(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%q is not a point in time. Write it in RFC 3339, like \"2027-06-30T00:00:00Z\" or \"2027-06-30T02:00:00+02:00\"", s)
	}
	return t.UTC().Truncate(time.Microsecond), nil
}

func sameMoment(a, b string) bool {
	t, err := parseMoment(a)
	if err != nil {
		return a == b
	}
	u, err := parseMoment(b)
	return err == nil && t.Equal(u)
}

// momentType is the attribute type of a point in time: checked offline, and equal in every spelling.
type momentType struct{ basetypes.StringType }

var (
	_ basetypes.StringTypable                    = momentType{}
	_ basetypes.StringValuableWithSemanticEquals = momentValue{}
	_ xattr.ValidateableAttribute                = momentValue{}
	_ planmodifier.String                        = keepMomentSpelling{}
)

// String names the type in error messages.
func (momentType) String() string { return "moment" }

// Equal reports whether the other type is this one.
func (t momentType) Equal(other attr.Type) bool {
	o, ok := other.(momentType)
	return ok && t.StringType.Equal(o.StringType)
}

// ValueType returns a value of the type.
func (momentType) ValueType(context.Context) attr.Value { return momentValue{} }

// ValueFromString wraps a string; the value checks itself.
func (momentType) ValueFromString(_ context.Context, s basetypes.StringValue) (basetypes.StringValuable, diag.Diagnostics) {
	return momentValue{s}, nil
}

// ValueFromTerraform converts from Terraform's own type system.
func (t momentType) ValueFromTerraform(ctx context.Context, in tftypes.Value) (attr.Value, error) {
	v, err := t.StringType.ValueFromTerraform(ctx, in)
	if err != nil {
		return nil, err
	}
	return momentValue{v.(basetypes.StringValue)}, nil
}

// momentValue is a point in time, possibly null or unknown, in the spelling of the configuration.
type momentValue struct{ basetypes.StringValue }

// fromMoment is what the server says, nil for never.
func fromMoment(t *time.Time) momentValue {
	if t == nil {
		return momentValue{basetypes.NewStringNull()}
	}
	return momentValue{basetypes.NewStringValue(t.UTC().Format(time.RFC3339Nano))}
}

// time is nil when the value is null, unknown or wrong.
func (v momentValue) time() *time.Time {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	t, err := parseMoment(v.ValueString())
	if err != nil {
		return nil
	}
	return &t
}

// Type returns the type of moments.
func (momentValue) Type(context.Context) attr.Type { return momentType{} }

// Equal compares spellings, as Terraform does; StringSemanticEquals compares moments.
func (v momentValue) Equal(other attr.Value) bool {
	o, ok := other.(momentValue)
	return ok && v.StringValue.Equal(o.StringValue)
}

// StringSemanticEquals keeps the configuration's spelling in the state when the server answers in UTC.
func (v momentValue) StringSemanticEquals(_ context.Context, other basetypes.StringValuable) (bool, diag.Diagnostics) {
	o, ok := other.(momentValue)
	return ok && sameMoment(v.ValueString(), o.ValueString()), nil
}

// ValidateAttribute checks the value at terraform validate, without a server.
func (v momentValue) ValidateAttribute(_ context.Context, req xattr.ValidateAttributeRequest, resp *xattr.ValidateAttributeResponse) {
	if v.IsNull() || v.IsUnknown() {
		return
	}
	if _, err := parseMoment(v.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Not a point in time", sentence(err.Error()))
	}
}

// keepMomentSpelling plans no change when only the spelling of a moment changed in the configuration.
type keepMomentSpelling struct{}

// Description says what the modifier does.
func (keepMomentSpelling) Description(context.Context) string {
	return "Another spelling of the same moment is not a change."
}

// MarkdownDescription is Description.
func (m keepMomentSpelling) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyString plans the state's spelling when it is the same moment.
func (keepMomentSpelling) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.StateValue.IsNull() || req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if sameMoment(req.StateValue.ValueString(), req.ConfigValue.ValueString()) {
		resp.PlanValue = req.StateValue
	}
}
