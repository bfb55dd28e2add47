package provider_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const given = "cloudpam_role_binding.x"

func TestARoleIsGivenChangedAndImported(t *testing.T) {
	t.Parallel()
	by := acctest.StartIssuer(t)
	server := acctest.Start(t, by.Setting(pipelineRules))
	others(corpPool)(t, server.Client)
	made, err := server.Client.CreateToken(t.Context(), cloudpam.NewToken{Name: "ci", Bindings: []cloudpam.TokenBinding{{Role: "viewer"}}})
	if err != nil {
		t.Fatal(err)
	}
	binding := func(lines string) string { return "resource \"cloudpam_role_binding\" \"x\" {\n" + lines + "\n}\n" }
	token := fmt.Sprintf("principal = %q\n", made.Token.Principal)
	machine := fmt.Sprintf("issuer = %q\nsubject = \"repo:acme/network:push\"\n", by.URL)
	narrowed := token + "role = \"operator\"\npool = \"corp\"\nlargest_prefix_length = 24\nlabels = { team = \"net\" }\n"
	replaces := plans(given, plancheck.ResourceActionReplace)
	steps(t, server,
		resource.TestStep{Config: binding(token + "role = \"viewer\"\nscope = \"default\""), ConfigStateChecks: []statecheck.StateCheck{has(given, "actor", "token:ci"), has(given, "principal", made.Token.Principal)}},
		resource.TestStep{Config: binding(token + "role = \"viewer\"\nscope = \"default\""), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: binding(narrowed), ConfigPlanChecks: replaces},
		resource.TestStep{Config: binding(narrowed), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: binding(narrowed), ResourceName: given, ImportState: true, ImportStateVerify: true},
		resource.TestStep{Config: binding(machine + "role = \"admin\""), ConfigPlanChecks: replaces, ConfigStateChecks: []statecheck.StateCheck{has(given, "actor", "machine:repo:acme/network:push")}},
		resource.TestStep{Config: binding(machine + "role = \"admin\""), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: binding(machine + "role = \"admin\""), ResourceName: given, ImportState: true, ImportStateVerify: true},
		refuses(binding(token+"role = \"root\""), `value must be one of: ["viewer" "planner" "operator" "admin"]`),
		refuses(binding("issuer = \"https://evil.example\"\nsubject = \"x\"\nrole = \"viewer\""), `No issuer "https://evil.example" is trusted here; CLOUDPAM_ISSUERS has ci`),
		refuses(binding(token+"role = \"viewer\"\nscope = \"nowhere\""), `There is no scope "nowhere"`),
		refuses(binding(token+"role = \"viewer\"\nlargest_prefix_length = 24"), `Only the roles planner and operator can be narrowed`),
	)
	// The machine has never come in before, and what it was given is there when it does.
	client, err := cloudpam.New(server.Endpoint, job(t, by, "push"))
	if err != nil {
		t.Fatal(err)
	}
	me, err := client.GetMe(t.Context())
	if err != nil || me.Actor != "machine:repo:acme/network:push" {
		t.Errorf("%+v, %v", me, err)
	}
}
