// Package issuertest has an issuer for tests: it publishes its keys over HTTP and signs whatever it is asked to.
package issuertest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// Issuer is one issuer, at URL.
type Issuer struct {
	URL   string
	Down  atomic.Bool  // it answers nothing but errors
	Asked atomic.Int64 // how often for its keys
	Hang  chan struct{}

	mu   sync.Mutex
	keys []Key
}

// Key is one of its keys.
type Key struct {
	ID      string
	Private *rsa.PrivateKey
}

// Start starts an issuer with one key.
func Start(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{Hang: make(chan struct{})}
	close(i.Hang)
	i.Rotate(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		<-i.Hang
		if i.Down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		answer(w, map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys", "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		i.Asked.Add(1)
		var set jose.JSONWebKeySet
		for _, k := range i.Keys() {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Private.Public(), KeyID: k.ID, Algorithm: "RS256", Use: "sig"})
		}
		answer(w, set)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.URL = server.URL
	return i
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // who asks sees that it ended early
}

// Keys are those that it publishes, the newest last.
func (i *Issuer) Keys() []Key {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]Key(nil), i.keys...)
}

// Rotate publishes another key instead of those before.
func (i *Issuer) Rotate(t testing.TB) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = []Key{{fmt.Sprintf("key-%x", private.N.Bytes()[:8]), private}}
}

// Sign makes a JWT with the newest key.
func (i *Issuer) Sign(t testing.TB, claims map[string]any) string {
	t.Helper()
	keys := i.Keys()
	return Sign(t, keys[len(keys)-1].Private, jose.RS256, map[string]any{"kid": keys[len(keys)-1].ID, "typ": "JWT"}, claims)
}

// Sign makes a JWT with any key, algorithm and headers.
func Sign(t testing.TB, key any, algorithm jose.SignatureAlgorithm, headers, claims map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	for name, value := range headers {
		options = options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
