package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/provider"
)

// schemas lists the arguments of everything the provider has, under "resource TYPE" and "data TYPE".
func schemas(t *testing.T) map[string]map[string]bool {
	t.Helper()
	ctx := t.Context()
	p := provider.New("test")()
	all := map[string]map[string]bool{}
	for _, newResource := range p.Resources(ctx) {
		var meta resource.MetadataResponse
		var resp resource.SchemaResponse
		newResource().Metadata(ctx, resource.MetadataRequest{}, &meta)
		newResource().Schema(ctx, resource.SchemaRequest{}, &resp)
		names := map[string]bool{}
		for name, a := range resp.Schema.Attributes {
			names[name] = a.IsOptional() || a.IsRequired()
		}
		all["resource "+meta.TypeName] = names
	}
	for _, newDataSource := range p.DataSources(ctx) {
		var meta datasource.MetadataResponse
		var resp datasource.SchemaResponse
		newDataSource().Metadata(ctx, datasource.MetadataRequest{}, &meta)
		newDataSource().Schema(ctx, datasource.SchemaRequest{}, &resp)
		names := map[string]bool{}
		for name, a := range resp.Schema.Attributes {
			names[name] = a.IsOptional() || a.IsRequired()
		}
		all["data "+meta.TypeName] = names
	}
	return all
}

func replaceOnce(t *testing.T, s, old, by string) string {
	t.Helper()
	if strings.Count(s, old) != 1 {
		t.Fatalf("%q is not there exactly once", old)
	}
	return strings.Replace(s, old, by, 1)
}
