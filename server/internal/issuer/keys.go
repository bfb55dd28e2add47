package issuer

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

const (
	keysFresh   = 10 * time.Minute // keys are read again in the background after that
	keysKept    = 24 * time.Hour   // and believed for so long where an issuer does not answer
	keysPause   = 10 * time.Second // an issuer is not asked more often, whatever tokens say
	askTimeout  = 5 * time.Second  // of one look
	maxDocument = 1 << 20          // bytes of what an issuer answers
	maxKeys     = 100
)

// source is what an issuer says of itself: its endpoints and its keys. A look asks for both, one look at a time, and nobody but those
// who have a token of this issuer waits for it.
type source struct {
	url    string
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	known   *document
	asked   time.Time     // when a look began last
	looking chan struct{} // closed when the look under way is over; nil: there is none
	failed  error         // of the last look
}

// document is what a look found.
type document struct {
	endpoint oauth2.Endpoint
	keys     []jose.JSONWebKey
	at       time.Time
}

// errSilent is that an issuer does not answer, or not as an issuer does.
var errSilent = errors.New("the issuer does not answer")

// document answers what is known. It looks where nothing is, where what is known is too old, or where need says that it is not enough,
// but not more often than keysPause. Errors: errSilent.
func (s *source) document(ctx context.Context, need func(*document) bool) (*document, error) {
	s.mu.Lock()
	now := s.now()
	usable := s.known != nil && now.Sub(s.known.at) < keysKept
	enough := usable && need(s.known)
	if s.looking == nil && (!enough || now.Sub(s.known.at) > keysFresh) && (s.asked.IsZero() || now.Sub(s.asked) >= keysPause) {
		s.asked, s.looking = now, make(chan struct{})
		go s.look(context.WithoutCancel(ctx), s.looking)
	}
	looking := s.looking
	known, failed := s.known, s.failed
	s.mu.Unlock()
	switch {
	case enough:
		return known, nil
	case looking == nil && usable:
		return known, nil // it was asked a moment ago
	case looking == nil:
		return nil, errors.Join(errSilent, failed)
	}
	select {
	case <-looking:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || s.now().Sub(s.known.at) >= keysKept {
		return nil, errors.Join(errSilent, s.failed)
	}
	return s.known, nil
}

// look asks the issuer, with a bound of its own: who waits for it may leave.
func (s *source) look(ctx context.Context, over chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	found, err := s.ask(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed = err; err == nil {
		s.known = found
	}
	s.looking = nil
	close(over)
}

func (s *source) ask(ctx context.Context) (*document, error) {
	at := s.now()
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, s.client), s.url)
	if err != nil {
		return nil, fmt.Errorf("read %s/.well-known/openid-configuration: %w", s.url, err)
	}
	var says struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&says); err != nil {
		return nil, fmt.Errorf("read %s/.well-known/openid-configuration: %w", s.url, err)
	}
	if err := checkURL(says.Keys); err != nil {
		return nil, fmt.Errorf("its jwks_uri is %q, which is no https:// address", says.Keys)
	}
	keys, err := s.keys(ctx, says.Keys)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", says.Keys, err)
	}
	return &document{endpoint: provider.Endpoint(), keys: keys, at: at}, nil
}

func (s *source) keys(ctx context.Context, url string) ([]jose.JSONWebKey, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", answer.Status)
	}
	var list struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		return nil, fmt.Errorf("decode the keys: %w", err)
	}
	var good []jose.JSONWebKey
	for _, text := range list.Keys[:min(len(list.Keys), maxKeys)] {
		var k jose.JSONWebKey // one that this program does not know is no reason to refuse the others
		if k.UnmarshalJSON(text) == nil && k.Valid() && strong(k) && (k.Use == "" || k.Use == "sig") {
			good = append(good, k)
		}
	}
	if len(good) == 0 {
		return nil, errors.New("there is no key for signatures in it")
	}
	return good, nil
}

// strong reports whether a key is a public one that is long enough.
func strong(k jose.JSONWebKey) bool {
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= 2048
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}

// fits are the keys that a token may be signed with: of its kid, or all where it names none.
func (d *document) fits(alg, kid string) (all []jose.JSONWebKey) {
	for _, k := range d.keys {
		if (kid == "" || k.KeyID == kid) && (k.Algorithm == "" || k.Algorithm == alg) {
			all = append(all, k)
		}
	}
	return all
}

// ring is the keys for one token, as go-oidc asks for them.
type ring struct {
	keys       []jose.JSONWebKey
	algorithms []jose.SignatureAlgorithm
}

var errSignature = errors.New("no key of the issuer has made its signature")

// VerifySignature answers what was signed.
func (r ring) VerifySignature(_ context.Context, raw string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(raw, r.algorithms)
	if err != nil {
		return nil, err
	}
	for _, k := range r.keys {
		if payload, err := signed.Verify(k.Key); err == nil {
			return payload, nil
		}
	}
	return nil, errSignature
}

// bounded lets no answer be longer than maxDocument, and follows no redirect away from TLS.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !loopback(r.URL.Hostname()) {
		return nil, errors.New("its address is no https:// address")
	}
	answer, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, maxDocument), answer.Body}
	}
	return answer, err
}
