package web_test

import (
	"testing"

	"github.com/oauth2-proxy/mockoidc"
)

// startWithIssuer starts a server where people sign in by an issuer, Acme: who is in its group network has a role in the scope default.
func startWithIssuer(t *testing.T, role string) (*server, *mockoidc.MockOIDC) {
	t.Helper()
	by, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = by.Shutdown() })
	c := by.Config()
	return startServer(t, "CLOUDPAM_URL=$URL", `CLOUDPAM_ISSUERS=[{"name":"sso","issuer":"`+c.Issuer+`","name_claim":"email",
		"rules":[{"name":"net","when":{"groups":"network"},"role":"`+role+`","scope":"default"}],
		"login":{"label":"Acme","client_id":"`+c.ClientID+`","client_secret":"`+c.ClientSecret+`","scopes":["email","groups"]}}]`), by
}
