package cloudpam

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// apiPath is where the API of this client's version lives below the endpoint.
const apiPath = "/api/v1"

// Client speaks to one CloudPAM server. It is safe for concurrent use and meant to be shared: it keeps
// connections open between calls.
type Client struct {
	raw *rawClient
}

// New returns a client of the server at endpoint, for example https://cloudpam.example.com, that presents token: one of the server, or
// a JWT of an issuer that the server trusts.
// It makes no network call. An endpoint that ends in /api/v1 is accepted too.
func New(endpoint, token string, opts ...Option) (*Client, error) {
	base, err := baseURL(endpoint)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(token, " \t\r\n") {
		return nil, errWhiteSpace
	}
	s := settings{userAgent: "cloudpam-go", retries: DefaultRetries, timeout: DefaultRequestTimeout}
	for _, opt := range opts {
		opt(&s)
	}
	hc, err := s.client()
	if err != nil {
		return nil, err
	}
	raw, err := NewClient(base+apiPath,
		WithHTTPClient(&retrier{next: hc, endpoint: base, retries: s.retries, wait: wait, jitter: fullJitter}),
		WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
			token := token
			if s.tokenFrom != nil {
				token = s.tokenFrom()
			}
			if token != "" {
				req.Header.Set("Authorization", "Bearer "+token)
			}
			req.Header.Set("User-Agent", s.userAgent)
			if s.source != "" {
				req.Header.Set("Cloudpam-Source", s.source)
			}
			req.Header.Set("Accept", "application/json, application/problem+json")
			return nil
		}))
	if err != nil {
		return nil, err
	}
	return &Client{raw: raw}, nil
}

// baseURL checks endpoint and returns it without a trailing slash or API path.
func baseURL(endpoint string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(endpoint))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", fmt.Errorf("endpoint %q is not an http or https URL; write it like https://cloudpam.example.com", endpoint)
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", fmt.Errorf("endpoint %q must be a plain URL without user, query or fragment", u.Redacted())
	}
	return strings.TrimSuffix(strings.TrimRight(u.String(), "/"), apiPath), nil
}

// client builds the HTTP client that the settings describe.
func (s settings) client() (*http.Client, error) {
	if s.httpClient != nil {
		if s.caFile != "" {
			return nil, errors.New("WithCAFile has no effect on an HTTP client of your own; set its TLS roots instead")
		}
		return s.httpClient, nil
	}
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.caFile != "" {
		roots, err := rootsWith(s.caFile)
		if err != nil {
			return nil, err
		}
		tlsConfig.RootCAs = roots
	}
	return &http.Client{
		Timeout: s.timeout,
		// A redirected POST would become a GET and its answer be mistaken for a success.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:       tlsConfig,
			TLSHandshakeTimeout:   10 * time.Second,
			ExpectContinueTimeout: time.Second,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          256,
			// Go keeps two idle connections per host; Terraform alone runs ten or more calls at once.
			MaxIdleConnsPerHost: 128,
			IdleConnTimeout:     90 * time.Second,
		},
	}, nil
}

// rootsWith returns the system's certificate roots and those of a PEM file.
func rootsWith(caFile string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read CA certificates: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", caFile)
	}
	return roots, nil
}
