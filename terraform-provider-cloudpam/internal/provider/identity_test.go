package provider_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// stock is a server with a scope, two pools and three allocations, made by somebody else.
func stock(t *testing.T) (*acctest.Server, []cloudpam.Allocation) {
	t.Helper()
	server := acctest.Start(t)
	if _, err := server.Client.CreateScope(t.Context(), cloudpam.NewScope{Name: "partner"}); err != nil {
		t.Fatal(err)
	}
	for _, pool := range []cloudpam.NewPool{{Name: "corp", CIDR: new("10.0.0.0/16")}, {Name: "corp", Scope: new("partner"), CIDR: new("2001:db8::/48")}} {
		if _, err := server.Client.CreatePool(t.Context(), pool); err != nil {
			t.Fatal(err)
		}
	}
	var all []cloudpam.Allocation
	for _, ask := range []cloudpam.NewAllocation{
		{Pool: "corp", Name: "app", CIDR: new("10.0.1.0/24"), Labels: &cloudpam.Labels{"team": "pay"}},
		{Pool: "corp", Name: "web", CIDR: new("10.0.2.0/24")},
		{Pool: "partner.corp", Name: "app", CIDR: new("2001:db8:0:1::/64")},
	} {
		a, err := server.Client.CreateAllocation(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return server, all
}

func uidOfScope(t *testing.T, server *acctest.Server, id string) string {
	t.Helper()
	scope, err := server.Client.GetScope(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return scope.UID
}

func uidOfPool(t *testing.T, server *acctest.Server, id string) string {
	t.Helper()
	pool, err := server.Client.GetPool(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return pool.UID
}

func TestEveryResourceHasForIdentityWhatNoRenameChanges(t *testing.T) {
	t.Parallel()
	w := newWire(t, acctest.Start(t))
	identities, err := w.server.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	w.ok(err, identities.Diagnostics)
	for typ := range w.schemas.ResourceSchemas {
		schema := identities.IdentitySchemas[typ]
		if schema == nil {
			t.Errorf("%s has no identity", typ)
			continue
		}
		if len(schema.IdentityAttributes) != 1 || schema.IdentityAttributes[0].Name != identifies(typ) || !schema.IdentityAttributes[0].RequiredForImport {
			t.Errorf("%s has the identity %+v", typ, schema.IdentityAttributes)
		}
	}
}

func TestAnImportByIdentityReadsTheObject(t *testing.T) {
	t.Parallel()
	server, all := stock(t)
	w := newWire(t, server)
	for typ, id := range map[string]string{"cloudpam_scope": "partner", "cloudpam_pool": "partner.corp", "cloudpam_allocation": all[2].ID} {
		key := id
		switch typ {
		case "cloudpam_scope":
			key = uidOfScope(t, server, id)
		case "cloudpam_pool":
			key = uidOfPool(t, server, id)
		}
		imported, err := w.server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: typ, Identity: w.identity(typ, key)})
		w.ok(err, imported.Diagnostics)
		one := imported.ImportedResources[0]
		read, err := w.server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: typ, CurrentState: one.State, CurrentIdentity: one.Identity, Private: one.Private})
		w.ok(err, read.Diagnostics)
		state := w.attributes(w.schemas.ResourceSchemas[typ], read.NewState)
		if state["id"] != id || w.idOf(typ, read.NewIdentity) != key || state["name"] == "" {
			t.Errorf("%s %s reads %v with the identity %q", typ, id, state, w.idOf(typ, read.NewIdentity))
		}
	}
}

// The framework refuses an answer without an identity, also one that says that there is nothing. Terraform before 1.12
// stores none, so the Read that finds an object gone must make it up from the state.
func TestAReadThatFindsNothingStillHasItsIdentity(t *testing.T) {
	t.Parallel()
	w := newWire(t, acctest.Start(t))
	for typ, id := range map[string]string{"cloudpam_scope": "gone", "cloudpam_pool": "gone", "cloudpam_allocation": "alloc_gone"} {
		read, err := w.server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
			TypeName: typ, CurrentState: w.value(w.schemas.ResourceSchemas[typ], map[string]any{"id": id}),
		})
		w.ok(err, read.Diagnostics)
		if state := w.attributes(w.schemas.ResourceSchemas[typ], read.NewState); state != nil || w.idOf(typ, read.NewIdentity) != id {
			t.Errorf("%s reads %v", typ, state)
		}
	}
}

func TestAListBlockFindsWhatItsFiltersAskFor(t *testing.T) {
	t.Parallel()
	server, all := stock(t)
	w := newWire(t, server)
	standard, partner := uidOfScope(t, server, "default"), uidOfScope(t, server, "partner")
	corp, theirs := uidOfPool(t, server, "corp"), uidOfPool(t, server, "partner.corp")
	app, web, six := all[0].ID, all[1].ID, all[2].ID
	labels := map[string]tftypes.Value{"team": tftypes.NewValue(tftypes.String, "pay")}
	type names = map[string]string
	for i, c := range []struct {
		typ    string
		filter map[string]any
		limit  int64
		want   names
	}{
		{"cloudpam_scope", nil, 0, names{standard: "default", partner: "partner"}},
		{"cloudpam_pool", nil, 0, names{corp: "corp (10.0.0.0/16)", theirs: "partner.corp (2001:db8::/48)"}},
		{"cloudpam_pool", map[string]any{"scope": "partner"}, 0, names{theirs: "partner.corp (2001:db8::/48)"}},
		{"cloudpam_pool", map[string]any{"parent": "corp"}, 0, names{}},
		{"cloudpam_allocation", nil, 0, names{app: "corp/app (10.0.1.0/24)", web: "corp/web (10.0.2.0/24)", six: "partner.corp/app (2001:db8:0:1::/64)"}},
		{"cloudpam_allocation", nil, 2, names{app: "corp/app (10.0.1.0/24)", web: "corp/web (10.0.2.0/24)"}},
		{"cloudpam_allocation", map[string]any{"pool": "corp", "labels": labels}, 0, names{app: "corp/app (10.0.1.0/24)"}},
		{"cloudpam_allocation", map[string]any{"ip_version": 6}, 0, names{six: "partner.corp/app (2001:db8:0:1::/64)"}},
		{"cloudpam_allocation", map[string]any{"within": "10.0.2.0/23"}, 0, names{web: "corp/web (10.0.2.0/24)"}},
	} {
		got, states := w.list(c.typ, c.filter, c.limit)
		if !maps.Equal(got, c.want) {
			t.Errorf("list %d: %s with %v is %v, want %v", i, c.typ, c.filter, got, c.want)
		}
		for _, state := range states {
			if _, ok := c.want[state[identifies(c.typ)]]; !ok || state["name"] == "" {
				t.Errorf("list %d: state %v", i, state)
			}
		}
	}
}

func TestAListedResourceIsWhatAnImportReads(t *testing.T) {
	t.Parallel()
	server, all := stock(t)
	w := newWire(t, server)
	_, states := w.list("cloudpam_allocation", map[string]any{"pool": "corp"}, 1)
	imported, err := w.server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: "cloudpam_allocation", Identity: w.identity("cloudpam_allocation", all[0].ID)})
	w.ok(err, imported.Diagnostics)
	one := imported.ImportedResources[0]
	read, err := w.server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: "cloudpam_allocation", CurrentState: one.State, CurrentIdentity: one.Identity, Private: one.Private})
	w.ok(err, read.Diagnostics)
	if got := w.attributes(w.schemas.ResourceSchemas["cloudpam_allocation"], read.NewState); fmt.Sprint(got) != fmt.Sprint(states[0]) {
		t.Errorf("listed %v, imported %v", states[0], got)
	}
}

func TestAListThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	w := newWire(t, server)
	config := w.value(w.schemas.ListResourceSchemas["cloudpam_pool"], map[string]any{"parent": "nowhere"})
	server.Stop(t)
	stream, err := w.server.ListResource(t.Context(), &tfprotov6.ListResourceRequest{TypeName: "cloudpam_pool", Config: config})
	if err != nil {
		t.Fatal(err)
	}
	var summaries []string
	for result := range stream.Results {
		for _, d := range result.Diagnostics {
			summaries = append(summaries, d.Summary)
		}
	}
	if fmt.Sprint(summaries) != "[Cannot reach CloudPAM]" {
		t.Errorf("the list says %q", summaries)
	}
}

// A state of Terraform 1.12 and later that was written before uids has the id for identity.
func TestAnIdentityThatIsAnIDIsUpgradedToTheKey(t *testing.T) {
	t.Parallel()
	server, _ := stock(t)
	w := newWire(t, server)
	for typ, want := range map[string]string{"cloudpam_scope": uidOfScope(t, server, "partner"), "cloudpam_pool": uidOfPool(t, server, "partner.corp")} {
		old := map[string]string{"cloudpam_scope": "partner", "cloudpam_pool": "partner.corp"}[typ]
		upgraded, err := w.server.UpgradeResourceIdentity(t.Context(), &tfprotov6.UpgradeResourceIdentityRequest{
			TypeName: typ, Version: 0, RawIdentity: &tfprotov6.RawState{JSON: fmt.Appendf(nil, `{"id":%q}`, old)},
		})
		w.ok(err, upgraded.Diagnostics)
		if got := w.idOf(typ, upgraded.UpgradedIdentity); got != want {
			t.Errorf("%s: the identity %q becomes %q, want %q", typ, old, got, want)
		}
		// The state next to it has no uid either. Reading it changes no identity.
		state := w.value(w.schemas.ResourceSchemas[typ], map[string]any{"id": old})
		read, err := w.server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: typ, CurrentState: state, CurrentIdentity: upgraded.UpgradedIdentity})
		w.ok(err, read.Diagnostics)
		if got := w.attributes(w.schemas.ResourceSchemas[typ], read.NewState); got["uid"] != want {
			t.Errorf("%s reads %v", typ, got)
		}
	}
}
