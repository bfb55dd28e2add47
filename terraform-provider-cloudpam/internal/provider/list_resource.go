package provider

import (
	"context"
	"iter"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// What `terraform query` of Terraform 1.14 lists, to import it: each list resource is its resource with a List next to it, in
// the file of its noun, and takes the same filters as the data source of that list.

// results streams objects as Terraform reads them, page after page: read says what identifies an object, its display name and its state.
func results[T any](
	ctx context.Context, req list.ListRequest, kind string, objects iter.Seq2[T, error],
	read func(T) (id, display string, state any, diags diag.Diagnostics),
) iter.Seq[list.ListResult] {
	return func(push func(list.ListResult) bool) {
		var n int64
		for object, err := range objects {
			if err != nil {
				push(list.ListResult{Diagnostics: attempt{verb: "list", kind: kind}.diagnose(err)})
				return
			}
			result := req.NewListResult(ctx)
			id, display, state, diags := read(object)
			result.DisplayName, result.Diagnostics = display, diags
			for key := range result.Identity.Schema.GetAttributes() { // id, or uid
				result.Diagnostics.Append(result.Identity.SetAttribute(ctx, path.Root(key), id)...)
			}
			if req.IncludeResource {
				result.Diagnostics.Append(result.Resource.Set(ctx, state)...)
			}
			if n++; !push(result) || n == req.Limit {
				return
			}
		}
	}
}

// listSchema turns the filters of a data source into those of a list block.
func listSchema(description string, filters map[string]schema.Attribute) listschema.Schema {
	attributes := map[string]listschema.Attribute{}
	for name, filter := range filters {
		switch f := filter.(type) {
		case schema.StringAttribute:
			attributes[name] = listschema.StringAttribute{Optional: true, CustomType: f.CustomType, Validators: f.Validators, MarkdownDescription: f.MarkdownDescription}
		case schema.Int64Attribute:
			attributes[name] = listschema.Int64Attribute{Optional: true, Validators: f.Validators, MarkdownDescription: f.MarkdownDescription}
		case schema.MapAttribute:
			attributes[name] = listschema.MapAttribute{Optional: true, ElementType: f.ElementType, Validators: f.Validators, MarkdownDescription: f.MarkdownDescription}
		}
	}
	return listschema.Schema{MarkdownDescription: description, Attributes: attributes}
}
