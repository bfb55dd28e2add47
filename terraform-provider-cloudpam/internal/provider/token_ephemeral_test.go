package provider_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

func TestATokenLivesForOneCommandAndIsInNoPlanAndNoState(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	tf := acctest.NewTerraform(t, server, `
	ephemeral "cloudpam_token" "run" {
	  name       = "run"
	  expires_in = "30m"
	  bindings   = [{ role = "operator", pool = "corp", largest_prefix_length = 24 }]
	}
	provider "cloudpam" {
	  alias    = "run"
	  endpoint = "`+server.Endpoint+`"
	  token    = ephemeral.cloudpam_token.run.token
	}
	resource "cloudpam_allocation" "app" {
	  provider      = cloudpam.run
	  pool          = "corp"
	  name          = "app"
	  prefix_length = 24
	}`)
	tf.StartsProviders() // each provider block is a process of its own, as it is for users
	tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	madeBy(t, server, "run-", "run-")

	tokens, err := cloudpam.Collect(server.Client.Tokens(t.Context(), cloudpam.ListTokensParams{}))
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, token := range tokens {
		if strings.HasPrefix(token.Name, "run-") {
			made++
			if token.RevokedAt == nil || token.ExpiresAt == nil || token.ExpiresAt.Sub(token.CreatedAt).Minutes() > 31 || *token.Bindings[0].LargestPrefixLength != 24 {
				t.Errorf("%+v", token)
			}
		}
	}
	if made < 2 { // one for the plan, and one for the apply
		t.Errorf("%d tokens were made", made)
	}
	for _, file := range []string{"p.tfplan", "terraform.tfstate"} {
		content, err := os.ReadFile(filepath.Join(tf.Dir, file))
		if err != nil || strings.Contains(string(content), "cpam_") {
			t.Errorf("%s has a token, or %v", file, err)
		}
	}
}

func TestATokenOfWhatIsNotThereIsRefused(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, "ephemeral \"cloudpam_token\" \"x\" {\n  name = \"x\"\n  bindings = [{ role = \"viewer\", pool = \"none\" }]\n}\n")
	if _, out, err := tf.Try("plan", "-no-color"); err == nil || !said(`There is no pool "none"`).MatchString(out) {
		t.Errorf("%v\n%s", err, out)
	}
}
