package provider

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The validators of the framework's library say what they compare; these say what to write instead.

// oneOf accepts these words only.
type oneOf []string

// Description says what is accepted.
func (v oneOf) Description(context.Context) string {
	return strings.Join(v[:len(v)-1], ", ") + " or " + v[len(v)-1]
}

// MarkdownDescription is Description.
func (v oneOf) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString checks the value.
func (v oneOf) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() || slices.Contains(v, req.ConfigValue.ValueString()) {
		return
	}
	resp.Diagnostics.AddAttributeError(req.Path, fmt.Sprintf("There is no such %s", req.Path),
		fmt.Sprintf("%s is %q. It must be %s.", req.Path, req.ConfigValue.ValueString(), v.Description(ctx)))
}

// poolOrSelector accepts a pool exactly where there is no pool_selector.
type poolOrSelector struct{}

// Description says what is accepted.
func (poolOrSelector) Description(context.Context) string {
	return "must be set unless pool_selector is"
}

// MarkdownDescription is Description.
func (v poolOrSelector) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString checks that one of both is there.
func (poolOrSelector) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	var selector types.Object
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("pool_selector"), &selector)...)
	switch {
	case resp.Diagnostics.HasError() || req.ConfigValue.IsUnknown() || selector.IsUnknown():
	case req.ConfigValue.IsNull() && selector.IsNull():
		resp.Diagnostics.AddError("No pool is named",
			"Set pool to the id of the pool to allocate from (pool = cloudpam_pool.NAME.id), or pool_selector to take any pool with the labels that it names.")
	case !req.ConfigValue.IsNull() && !selector.IsNull():
		resp.Diagnostics.AddAttributeError(req.Path, "The pool is named twice", "pool names one pool, and pool_selector any of several. Leave one of them out.")
	}
}

// matching accepts texts of a form, and says what the form must be.
func matching(form *regexp.Regexp, must string) validator.String { return formValidator{form, must} }

type formValidator struct {
	form *regexp.Regexp
	must string
}

// Description says what is accepted.
func (v formValidator) Description(context.Context) string { return v.must }

// MarkdownDescription is Description.
func (v formValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString checks the value.
func (v formValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() || v.form.MatchString(req.ConfigValue.ValueString()) {
		return
	}
	resp.Diagnostics.AddAttributeError(req.Path, fmt.Sprintf("%s is not valid", req.Path),
		fmt.Sprintf("%s is %q. It %s.", req.Path, req.ConfigValue.ValueString(), v.must))
}

// noNullLabels refuses labels without a value.
type noNullLabels struct{}

// Description says what is accepted.
func (noNullLabels) Description(context.Context) string { return "every label has a value" }

// MarkdownDescription is Description.
func (v noNullLabels) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateMap checks the value.
func (noNullLabels) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	for key, value := range req.ConfigValue.Elements() {
		if value.IsNull() {
			resp.Diagnostics.AddAttributeError(req.Path.AtMapKey(key), "Label has no value",
				fmt.Sprintf("The label %q is null. Leave its key out, or give it a value; \"\" is one.", key))
		}
	}
}

// durationValidator accepts what time.ParseDuration does, above zero, or in a range, which may begin at zero.
type durationValidator struct{ least, most time.Duration }

// Description says what is accepted.
func (v durationValidator) Description(context.Context) string {
	if v.most == 0 {
		return `a duration such as "30s" or "2m"`
	}
	return fmt.Sprintf(`a duration from %s to %s, such as "90m" or "24h"`, short(v.least), short(v.most))
}

// MarkdownDescription is Description.
func (v durationValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString checks the value.
func (v durationValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() || v.accepts(req.ConfigValue.ValueString()) {
		return
	}
	resp.Diagnostics.AddAttributeError(req.Path, fmt.Sprintf("%s is not valid", req.Path),
		fmt.Sprintf("%s is %q. It must be %s.", req.Path, req.ConfigValue.ValueString(), v.Description(ctx)))
}

func (v durationValidator) accepts(s string) bool {
	d, err := time.ParseDuration(s)
	return err == nil && (d > 0 || d == 0 && v.least == 0 && v.most > 0) && d >= v.least && (v.most == 0 || d <= v.most)
}

// short writes 720h instead of 720h0m0s.
func short(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
