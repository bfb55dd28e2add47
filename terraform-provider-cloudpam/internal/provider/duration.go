package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const mostQuarantine = 90 * 24 * time.Hour

// secondsOf reads a duration of whole seconds, such as 168h; nil where it is null, unknown or none.
func secondsOf(text types.String) *int64 {
	d, err := time.ParseDuration(text.ValueString())
	if err != nil || d%time.Second != 0 {
		return nil
	}
	return new(int64(d / time.Second))
}

// fromSeconds is a duration in the spelling that it has, where that says the same.
func fromSeconds(has types.String, seconds *int64) types.String {
	if seconds == nil {
		return types.StringNull()
	}
	if own := secondsOf(has); own != nil && *own == *seconds {
		return has
	}
	text := (time.Duration(*seconds) * time.Second).String()
	if short, whole := strings.CutSuffix(text, "m0s"); whole {
		text = short + "m"
	}
	if short, whole := strings.CutSuffix(text, "h0m"); whole {
		text = short + "h"
	}
	return types.StringValue(text)
}

// quarantineTime checks how long a block is kept, and plans no change where only its spelling is another.
type quarantineTime struct {
	least time.Duration
}

var (
	_ validator.String    = quarantineTime{}
	_ planmodifier.String = quarantineTime{}
)

// Description says what is right.
func (q quarantineTime) Description(context.Context) string {
	if q.least > 0 {
		return "a time of 60s to 2160h, which is 90 days, such as 1h"
	}
	return "a time of 0s to 2160h, which is 90 days, such as 168h"
}

// MarkdownDescription is Description.
func (q quarantineTime) MarkdownDescription(ctx context.Context) string { return q.Description(ctx) }

// ValidateString checks the value at terraform validate, without a server.
func (q quarantineTime) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if s := secondsOf(req.ConfigValue); s == nil || *s < int64(q.least/time.Second) || *s > int64(mostQuarantine/time.Second) {
		resp.Diagnostics.AddAttributeError(req.Path, "Not such a time", fmt.Sprintf("%q is not %s.", req.ConfigValue.ValueString(), q.Description(ctx)))
	}
}

// PlanModifyString plans the state's spelling when it is the same time.
func (quarantineTime) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	was, now := secondsOf(req.StateValue), secondsOf(req.ConfigValue)
	if was != nil && now != nil && *was == *now {
		resp.PlanValue = req.StateValue
	}
}
