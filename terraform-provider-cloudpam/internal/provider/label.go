package provider

import (
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// mostLabels is how many labels the server lets an object have.
const mostLabels = 64

// defaultLabels are the provider block's labels for everything that it manages; they may be null or not known yet.
//
// The server knows one set of labels. In Terraform labels holds what a resource's own block says, and labels_all what the
// object has: the defaults with the resource's own over them.
type defaultLabels struct{ set types.Map }

// merge plans labels_all. It is unknown while either side is; a value that is unknown alone stays alone.
func (d defaultLabels) merge(own types.Map) (types.Map, diag.Diagnostics) {
	if d.set.IsUnknown() || own.IsUnknown() {
		return types.MapUnknown(types.StringType), nil
	}
	all := map[string]attr.Value{}
	maps.Copy(all, d.set.Elements())
	maps.Copy(all, own.Elements())
	var diags diag.Diagnostics
	if len(all) > mostLabels {
		diags.AddAttributeError(path.Root("labels"), "Too many labels", fmt.Sprintf(
			"With the provider's default_labels these are %d labels; an object has at most %d. Leave some of them out.", len(all), mostLabels))
		return types.MapUnknown(types.StringType), diags // the server would only say so again
	}
	return types.MapValueMust(types.StringType, all), diags
}

// split turns the labels that the server says an object has into labels and labels_all. A label is the resource's own when
// it was before, and otherwise when it is neither a default nor what a default was when labels_all was written: changed
// defaults are no drift of labels.
func (d defaultLabels) split(own, all types.Map, said cloudpam.Labels) (newOwn, newAll types.Map) {
	mine, everything := map[string]attr.Value{}, map[string]attr.Value{}
	for key, text := range said {
		value := types.StringValue(text)
		everything[key] = value
		_, was := own.Elements()[key]
		if was || !value.Equal(d.set.Elements()[key]) && !value.Equal(all.Elements()[key]) {
			mine[key] = value
		}
	}
	newOwn, newAll = types.MapValueMust(types.StringType, mine), types.MapValueMust(types.StringType, everything)
	if len(mine) == 0 && (own.IsNull() || own.IsUnknown()) {
		newOwn = types.MapNull(types.StringType) // null and empty are one to the server: what was written decides
	}
	return newOwn, newAll
}

// label plans labels_all of a resource whose own labels are planned.
func (s *session) label(own types.Map, all *types.Map) (diags diag.Diagnostics) {
	if s == nil {
		*all = types.MapUnknown(types.StringType)
		return nil
	}
	*all, diags = s.defaults.merge(own)
	return diags
}
