package provider_test

import (
	"path/filepath"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// madeBy asserts which token placed the one hold, and which created the one allocation.
func madeBy(t *testing.T, server *acctest.Server, planner, operator string) {
	t.Helper()
	for action, name := range map[string]string{"hold.placed": planner, "allocation.created": operator} {
		events, err := cloudpam.Collect(server.Client.Events(t.Context(), cloudpam.ListEventsParams{Action: &action}))
		if err != nil || len(events) != 1 || !strings.Contains(events[0].Actor, name) {
			t.Errorf("%s: %+v, %v; want one by %s", action, events, err, name)
		}
	}
}

func TestTheJobThatAppliesMayHaveAnotherToken(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	tf := acctest.NewTerraform(t, server, appOfCorp)
	tf.Setenv("CLOUDPAM_HOLDER", "network/prod")
	tf.Setenv("CLOUDPAM_TOKEN", server.NewToken(t, "planner"))
	tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
	tf.Setenv("CLOUDPAM_TOKEN", server.NewToken(t, "operator"))
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	madeBy(t, server, "planner", "operator")
	applied(t, server, tf, "10.0.0.0/24")
}

// The guide's own files: one command plans with one token and applies with another.
func TestOneRunMayPlanWithOneTokenAndApplyWithAnother(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others([]cloudpam.NewPool{{Name: "prod-euw1", CIDR: new("10.0.0.0/16")}})(t, server.Client)
	tf := example(t, server, filepath.Join(registryExamples, "guides", "read-only-ci"))
	tf.Setenv("TF_VAR_plan_token", server.NewToken(t, "planner"))
	tf.Setenv("TF_VAR_apply_token", server.NewToken(t, "operator"))
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	madeBy(t, server, "planner", "operator")
	applied(t, server, tf, "10.0.0.0/22")
}

// The folder is the holder, whatever token asks.
func TestOneFolderIsOnePlanWithAnyToken(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	tf := acctest.NewTerraform(t, server, appOfCorp)
	tf.Setenv("CLOUDPAM_TOKEN", server.NewToken(t, "planner"))
	tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
	tf.Setenv("CLOUDPAM_TOKEN", server.NewToken(t, "operator"))
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	madeBy(t, server, "planner", "operator")
}
