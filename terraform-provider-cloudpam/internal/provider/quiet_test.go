package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/provider"
)

// quiet fails where a refresh finds a change that nobody made, which may be one of private state that no plan shows.
func quiet(t *testing.T, tf *acctest.Terraform, args ...string) {
	t.Helper()
	before := states(t, tf)
	_, out, err := tf.Try(append([]string{"plan", "-refresh-only", "-detailed-exitcode", "-no-color", "-out=refreshed"}, args...)...)
	if err == nil {
		return
	}
	tf.Run(t, "apply", "-no-color", "refreshed")
	for address, after := range states(t, tf) {
		if after != before[address] {
			t.Errorf("%s is\n%s\nand was\n%s", address, after, before[address])
		}
	}
	t.Fatalf("%v\n%s", err, out)
}

// states are what a state keeps of each resource, by address.
func states(t *testing.T, tf *acctest.Terraform) map[string]string {
	t.Helper()
	var state struct {
		Resources []struct {
			Type, Name string
			Instances  []json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(tf.Read(t, "terraform.tfstate")), &state); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, r := range state.Resources {
		for i, instance := range r.Instances {
			all[fmt.Sprint(r.Type, ".", r.Name, " ", i)] = string(instance)
		}
	}
	return all
}

func TestNothingHasChangedWhenWhatWasAppliedIsRefreshed(t *testing.T) {
	t.Parallel()
	tf := acctest.NewTerraform(t, acctest.Start(t), blocksOf(standing))
	for _, newResource := range provider.New("test")().Resources(t.Context()) {
		var name resource.MetadataResponse
		newResource().Metadata(t.Context(), resource.MetadataRequest{ProviderTypeName: "cloudpam"}, &name)
		if !strings.Contains(blocksOf(standing), `"`+name.TypeName+`"`) {
			t.Errorf("no %s is applied", name.TypeName)
		}
	}
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	quiet(t, tf)
	every := maps.Clone(standing)
	for _, c := range changes {
		switch {
		case c.says != "" || c.argument == "enabled": // others are planned by what they say; and nobody is to be called
		case c.old == "":
			every[c.of] += "\n  " + c.new
		default:
			every[c.of] = strings.Replace(every[c.of], c.old, c.new, 1)
		}
	}
	tf.Write(t, "main.tf", blocksOf(every))
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	quiet(t, tf)
	tf.Run(t, "plan", "-detailed-exitcode", "-no-color")
}
