package acctest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Issuer is an OIDC issuer at URL, like that of a CI system: it publishes its key and signs JWTs.
type Issuer struct {
	URL string
	key *rsa.PrivateKey
}

// StartIssuer starts an issuer.
func StartIssuer(t testing.TB) *Issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &Issuer{key: key}
	answers := http.NewServeMux()
	answer := func(path string, value func() any) {
		answers.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(value()) // who asks sees that it ended early
		})
	}
	answer("/.well-known/openid-configuration", func() any {
		return map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys", "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token"}
	})
	answer("/keys", func() any {
		return map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": encoded(key.N.Bytes()), "e": encoded(big.NewInt(int64(key.E)).Bytes()),
		}}}
	})
	server := httptest.NewServer(answers)
	t.Cleanup(server.Close)
	i.URL = server.URL
	return i
}

// Setting is the server's setting that trusts the issuer, for an audience of "cloudpam", by rules in JSON.
func (i *Issuer) Setting(rules string) string {
	return fmt.Sprintf(`CLOUDPAM_ISSUERS=[{"name":"ci","issuer":%q,"audience":"cloudpam","rules":%s}]`, i.URL, rules)
}

// Sign makes a JWT for an hour, with some claims besides.
func (i *Issuer) Sign(t testing.TB, claims map[string]any) string {
	t.Helper()
	all := map[string]any{"iss": i.URL, "aud": "cloudpam", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range claims {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	signed := encoded([]byte(`{"alg":"RS256","kid":"1","typ":"JWT"}`)) + "." + encoded(text)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encoded(signature)
}

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
