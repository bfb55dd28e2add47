package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/provider"
)

// wire speaks Terraform's protocol to the provider: what a newer Terraform asks than the one at hand.
type wire struct {
	t       *testing.T
	server  lister
	schemas *tfprotov6.GetProviderSchemaResponse
}

// lister is a provider that can be queried too.
type lister interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
}

func newWire(t *testing.T, server *acctest.Server) *wire {
	t.Helper()
	provided, err := providerserver.NewProtocol6WithError(provider.New("test")())()
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, server: provided.(lister)}
	w.schemas, err = w.server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	w.ok(err, w.schemas.Diagnostics)
	configured, err := w.server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{TerraformVersion: "1.14.0", Config: w.value(w.schemas.Provider, map[string]any{
		"endpoint": server.Endpoint, "token": acctest.Token,
	})})
	w.ok(err, configured.Diagnostics)
	return w
}

func (w *wire) ok(err error, diags []*tfprotov6.Diagnostic) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range diags {
		w.t.Fatalf("%s: %s", d.Summary, d.Detail)
	}
}

// value is an object of a schema with these attributes; the others are null.
func (w *wire) value(schema *tfprotov6.Schema, set map[string]any) *tfprotov6.DynamicValue {
	w.t.Helper()
	object := schema.ValueType().(tftypes.Object)
	values := map[string]tftypes.Value{}
	for name, typ := range object.AttributeTypes {
		values[name] = tftypes.NewValue(typ, set[name])
	}
	out, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, values))
	if err != nil {
		w.t.Fatal(err)
	}
	return &out
}

// attributes reads the texts of an object of a schema.
func (w *wire) attributes(schema *tfprotov6.Schema, value *tfprotov6.DynamicValue) map[string]string {
	w.t.Helper()
	object, err := value.Unmarshal(schema.ValueType())
	if err != nil {
		w.t.Fatal(err)
	}
	if object.IsNull() {
		return nil
	}
	values, texts := map[string]tftypes.Value{}, map[string]string{}
	if err := object.As(&values); err != nil {
		w.t.Fatal(err)
	}
	for name, v := range values {
		var text string
		if v.Type().Is(tftypes.String) && !v.IsNull() && v.As(&text) == nil {
			texts[name] = text
		}
	}
	return texts
}

// identifies is the attribute of a type's identity.
func identifies(typ string) string {
	if typ == "cloudpam_scope" || typ == "cloudpam_pool" {
		return "uid"
	}
	return "id"
}

func identityType(typ string) tftypes.Object {
	return tftypes.Object{AttributeTypes: map[string]tftypes.Type{identifies(typ): tftypes.String}}
}

func (w *wire) identity(typ, id string) *tfprotov6.ResourceIdentityData {
	w.t.Helper()
	object := identityType(typ)
	out, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, map[string]tftypes.Value{identifies(typ): tftypes.NewValue(tftypes.String, id)}))
	if err != nil {
		w.t.Fatal(err)
	}
	return &tfprotov6.ResourceIdentityData{IdentityData: &out}
}

func (w *wire) idOf(typ string, identity *tfprotov6.ResourceIdentityData) string {
	w.t.Helper()
	if identity == nil {
		w.t.Fatal("there is no identity")
	}
	object, err := identity.IdentityData.Unmarshal(identityType(typ))
	if err != nil {
		w.t.Fatal(err)
	}
	values := map[string]tftypes.Value{}
	var id string
	if err := object.As(&values); err != nil {
		w.t.Fatal(err)
	}
	if err := values[identifies(typ)].As(&id); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// list is what a list block gives: display names by identity.
func (w *wire) list(typ string, filter map[string]any, limit int64) (names map[string]string, states []map[string]string) {
	w.t.Helper()
	config := w.value(w.schemas.ListResourceSchemas[typ], filter)
	valid, err := w.server.ValidateListResourceConfig(w.t.Context(), &tfprotov6.ValidateListResourceConfigRequest{TypeName: typ, Config: config})
	w.ok(err, valid.Diagnostics)
	stream, err := w.server.ListResource(w.t.Context(), &tfprotov6.ListResourceRequest{TypeName: typ, Config: config, Limit: limit, IncludeResource: true})
	if err != nil {
		w.t.Fatal(err)
	}
	names = map[string]string{}
	for result := range stream.Results {
		w.ok(nil, result.Diagnostics)
		names[w.idOf(typ, result.Identity)] = result.DisplayName
		states = append(states, w.attributes(w.schemas.ResourceSchemas[typ], result.Resource))
	}
	return names, states
}
