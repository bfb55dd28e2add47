package provider

import (
	"context"
	"reflect"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// defaultScope is the scope of a pool whose id has no dot.
const defaultScope = "default"

// scopeOfPool reads the scope off a pool's id; no pool at all means the default scope.
func scopeOfPool(id types.String) types.String {
	if id.IsUnknown() {
		return types.StringUnknown()
	}
	scope, _, found := strings.Cut(id.ValueString(), ".")
	if !found {
		scope = defaultScope
	}
	return types.StringValue(scope)
}

// poolID is the id that the server will give a pool, so that it is known while planning.
func poolID(scope, name types.String) types.String {
	switch {
	case scope.IsUnknown() || name.IsUnknown():
		return types.StringUnknown()
	case scope.ValueString() == defaultScope:
		return name
	default:
		return types.StringValue(scope.ValueString() + "." + name.ValueString())
	}
}

// fromText keeps null apart from "": the server knows only "", so what the practitioner wrote decides.
func fromText(prior types.String, s string) types.String {
	if s == "" && (prior.IsNull() || prior.IsUnknown()) {
		return types.StringNull()
	}
	return types.StringValue(s)
}

// fromLabels keeps a null map apart from an empty one, for the same reason.
func fromLabels(prior types.Map, labels cloudpam.Labels) (types.Map, diag.Diagnostics) {
	if len(labels) == 0 && (prior.IsNull() || prior.IsUnknown()) {
		return types.MapNull(types.StringType), nil
	}
	return types.MapValueFrom(context.Background(), types.StringType, map[string]string(labels))
}

func fromLength(n *int) types.Int64 {
	if n == nil {
		return types.Int64Null()
	}
	return types.Int64Value(int64(*n))
}

// optionalText is nil for null, unknown and "": the server takes absence for all three.
func optionalText(v types.String) *string {
	if v.ValueString() == "" {
		return nil
	}
	return new(v.ValueString())
}

func optionalLength(v types.Int64) *int {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	return new(int(v.ValueInt64()))
}

func optionalLabels(ctx context.Context, v types.Map) (*cloudpam.Labels, diag.Diagnostics) {
	if v.IsNull() || v.IsUnknown() {
		return nil, nil
	}
	labels, diags := toLabels(ctx, v)
	return &labels, diags
}

// toLabels takes what is known of the labels: a plan asks for a block before every label of it is known.
func toLabels(_ context.Context, v types.Map) (cloudpam.Labels, diag.Diagnostics) {
	labels := cloudpam.Labels{}
	for key, value := range v.Elements() {
		if text, ok := value.(types.String); ok && !text.IsUnknown() {
			labels[key] = text.ValueString()
		}
	}
	return labels, nil
}

// changedText is what a patch says about a text: nil when it stays, "" when it was removed.
func changedText(state, plan types.String) *string {
	if state.Equal(plan) || plan.IsUnknown() {
		return nil
	}
	return new(plan.ValueString())
}

// updated changes an object, or only reads it when there is nothing to change: what it refers to has another name.
func updated[T, P any](
	ctx context.Context, id string, patch P, get func(context.Context, string, ...cloudpam.CallOption) (T, error), update func(context.Context, string, P, ...cloudpam.CallOption) (T, error),
) (T, error) {
	if reflect.ValueOf(patch).IsZero() {
		return get(ctx, id)
	}
	return update(ctx, id, patch)
}
