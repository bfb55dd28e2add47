package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

func TestTheSchemasAreValidAndEveryAttributeIsDescribed(t *testing.T) {
	ctx := t.Context()
	p := New("test")()
	var schema provider.SchemaResponse
	p.Schema(ctx, provider.SchemaRequest{}, &schema)
	if diags := schema.Schema.ValidateImplementation(ctx); diags.HasError() {
		t.Error(diags)
	}
	if !schema.Schema.Attributes["token"].IsSensitive() {
		t.Error("the token is not sensitive")
	}
	for _, newResource := range p.Resources(ctx) {
		var resp resource.SchemaResponse
		newResource().Schema(ctx, resource.SchemaRequest{}, &resp)
		if diags := resp.Schema.ValidateImplementation(ctx); diags.HasError() {
			t.Error(diags)
		}
		for name, a := range resp.Schema.Attributes {
			if a.GetMarkdownDescription() == "" {
				t.Errorf("attribute %s is not described", name)
			}
		}
	}
	for _, newDataSource := range p.DataSources(ctx) {
		var resp datasource.SchemaResponse
		newDataSource().Schema(ctx, datasource.SchemaRequest{}, &resp)
		if diags := resp.Schema.ValidateImplementation(ctx); diags.HasError() {
			t.Error(diags)
		}
	}
}
