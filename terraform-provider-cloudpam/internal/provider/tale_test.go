package provider_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// tale is one way in which a run goes wrong, told by Terraform as a person reads it.
type tale struct {
	others  func(t *testing.T, c *cloudpam.Client)       // what others have done before
	through func(t *testing.T, s *acctest.Server) string // the endpoint; nil: the server's own
	applied string                                       // a configuration that is applied first
	args    string                                       // an argument of the provider block
	config  string                                       // main.tf
	between func(t *testing.T, s *acctest.Server)        // after what is applied; without that, between plan and apply
	command string                                       // the one that fails; plan where empty
}

// Every one of these texts is read by somebody who is stuck: what happened, to what, and what to do now.
func TestEveryFailureIsToldWell(t *testing.T) {
	t.Parallel()
	for name, tale := range tales {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			acctest.Golden(t, name, tale.tell(t))
		})
	}
}

func (tale tale) tell(t *testing.T) string {
	t.Helper()
	server := acctest.Start(t, "CLOUDPAM_HOLD_QUOTA=2")
	if tale.others != nil {
		tale.others(t, server.Client)
	}
	endpoint := server.Endpoint
	if tale.through != nil {
		endpoint = tale.through(t, server)
	}
	block := map[string]string{"endpoint": `"` + endpoint + `"`, "token": `"` + acctest.Token + `"`, "max_retries": "0"}
	if name, value, ok := strings.Cut(tale.args, " = "); ok {
		block[name] = value
	}
	arguments := ""
	for _, name := range slices.Sorted(maps.Keys(block)) {
		arguments += "  " + name + " = " + block[name] + "\n"
	}
	tf := acctest.NewTerraform(t, server, cmp.Or(tale.applied, tale.config))
	command := strings.Fields(cmp.Or(tale.command, "plan"))
	if tale.applied != "" {
		tf.Run(t, "apply", "-auto-approve")
		tf.Write(t, "main.tf", tale.config)
	}
	tf.Setenv("CLOUDPAM_ENDPOINT", "") // all is said in the provider block
	tf.Setenv("CLOUDPAM_TOKEN", "")
	tf.Write(t, "provider.tf", "provider \"cloudpam\" {\n"+arguments+"}\n")
	if tale.applied == "" && tale.between != nil {
		tf.Run(t, "plan", "-out=p.tfplan")
		command = []string{"apply", "p.tfplan"}
	}
	if tale.between != nil {
		tale.between(t, server)
	}
	if command[0] == "destroy" || command[0] == "apply" && tale.applied != "" {
		command = append(command, "-auto-approve")
	}
	_, printed, _ := tf.Try(command...)
	told := acctest.Diagnostics(printed)
	if told == "" {
		t.Fatalf("terraform %v told nothing:\n%s", command, printed)
	}
	return told
}
