package provider_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const (
	hook      = "cloudpam_webhook.x"
	oneSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newSecret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

func TestAWebhookIsMadeChangedInPlaceAndImported(t *testing.T) {
	t.Parallel()
	signed := make(chan string, 20)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		signed <- r.Header.Get("Webhook-Signature")
	}))
	t.Cleanup(receiver.Close)
	server := acctest.Start(t, "CLOUDPAM_WEBHOOK_ALLOW=127.0.0.1/32")
	webhook := func(secret, more string) string {
		return "resource \"cloudpam_webhook\" \"x\" {\n  name = \"inventory\"\n  url = \"" + receiver.URL + "\"\n  secret_wo = \"" + secret + "\"\n" + more + "\n}\n"
	}
	updates := plans(hook, plancheck.ResourceActionUpdate)
	full := "description = \"to the CMDB\"\nactions = [\"allocation.*\", \"webhook.updated\"]\nsecret_wo_version = 2\n"
	steps(t, server,
		resource.TestStep{Config: webhook(oneSecret, ""), ConfigStateChecks: []statecheck.StateCheck{has(hook, "format", "standard")}},
		resource.TestStep{Config: webhook(oneSecret, ""), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: webhook(newSecret, full), ConfigPlanChecks: updates, Check: func(*terraform.State) error {
			for strings.Count(<-signed, "v1,") != 2 { // until one is signed with the new secret and with the one before
			}
			return nil
		}},
		resource.TestStep{Config: webhook(newSecret, full), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: webhook(newSecret, full), ResourceName: hook, ImportState: true, ImportStateId: "inventory", ImportStateVerify: true, ImportStateVerifyIgnore: []string{"secret_wo_version"}},
		refuses(webhook("whsec_short", full), "must be whsec_ and the base64 of 24 to 64 random bytes"),
		refuses(strings.Replace(webhook(newSecret, full), receiver.URL, "http://169.254.169.254/latest", 1), "it is not a public address, and the server's CLOUDPAM_WEBHOOK_ALLOW does not have it"),
		refuses(webhook(newSecret, "scope = \"nowhere\""), `There is no scope "nowhere"`),
	)
}
