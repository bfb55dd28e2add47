// Package remote asks a CloudPAM server over its API, for the commands that are its clients.
package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
)

// Config says which server, and as whom. The names are those that the Terraform provider reads, too.
type Config struct {
	Endpoint  string `env:"CLOUDPAM_ENDPOINT" default:"http://127.0.0.1:8080" help:"Address of the server."`
	Token     string `env:"CLOUDPAM_TOKEN" help:"Token that asks."`
	TokenFile string `env:"CLOUDPAM_TOKEN_FILE" help:"File that holds the token."`
	CACert    string `name:"ca-cert" env:"CLOUDPAM_CA_CERT" help:"PEM file of the authority that signed the server's certificate."`
}

// Server is a server that is asked.
type Server struct {
	endpoint, token string
	http            *http.Client
}

// Open reads what the configuration names. It asks nothing yet.
func (c Config) Open() (*Server, error) {
	address, err := url.Parse(c.Endpoint)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, fmt.Errorf("CLOUDPAM_ENDPOINT is %q; write the address of the server, like https://cloudpam.example.com", c.Endpoint)
	}
	s := &Server{endpoint: strings.TrimRight(c.Endpoint, "/"), token: c.Token, http: &http.Client{Timeout: 6 * time.Minute}}
	if c.TokenFile != "" && c.Token == "" {
		text, err := os.ReadFile(c.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("CLOUDPAM_TOKEN_FILE: %w", err)
		}
		s.token = strings.TrimSpace(string(text))
	}
	if s.token == "" {
		return nil, errors.New("no token; set CLOUDPAM_TOKEN, or CLOUDPAM_TOKEN_FILE to a file that holds one")
	}
	if c.CACert != "" {
		text, err := os.ReadFile(c.CACert)
		if err != nil {
			return nil, fmt.Errorf("CLOUDPAM_CA_CERT: %w", err)
		}
		authorities := x509.NewCertPool()
		if !authorities.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("CLOUDPAM_CA_CERT: %s has no certificate in PEM", c.CACert)
		}
		transport, _ := http.DefaultTransport.(*http.Transport)
		transport = transport.Clone()
		transport.TLSClientConfig = &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}
		s.http.Transport = transport
	}
	return s, nil
}

// Refusal is an answer that is a problem.
type Refusal struct{ api.Problem }

func (r *Refusal) Error() string {
	text := r.Detail
	for _, f := range r.Errors {
		if f.Detail != r.Detail {
			text += "; " + f.Detail
		}
	}
	return text
}

// Get reads an answer.
func Get[T any](ctx context.Context, s *Server, path string, query url.Values) (answer T, err error) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return answer, s.do(ctx, http.MethodGet, path, nil, http.Header{}, &answer)
}

// Post sends a request once, under a key of its own: sent again by a proxy it has one effect.
func Post[T any](ctx context.Context, s *Server, path string, body any) (answer T, err error) {
	return post[T](ctx, s, path, body, http.Header{})
}

// Try is Post of what shall have no effect.
func Try[T any](ctx context.Context, s *Server, path string, body any) (answer T, err error) {
	return post[T](ctx, s, path, body, http.Header{"Cloudpam-Dry-Run": {"true"}})
}

func post[T any](ctx context.Context, s *Server, path string, body any, header http.Header) (answer T, err error) {
	text := []byte{}
	if body != nil {
		if text, err = json.Marshal(body); err != nil {
			return answer, fmt.Errorf("encode the request: %w", err)
		}
	}
	header.Set("Content-Type", "application/json")
	header.Set("Idempotency-Key", rand.Text())
	return answer, s.do(ctx, http.MethodPost, path, text, header, &answer)
}

// Pages visits all items of a list; of a page, items are those and the token of the next.
func Pages[P, T any](ctx context.Context, s *Server, path string, query url.Values, items func(P) ([]T, *string)) (all []T, err error) {
	query.Set("limit", "1000")
	for {
		page, err := Get[P](ctx, s, path, query)
		if err != nil {
			return nil, err
		}
		some, next := items(page)
		all = append(all, some...)
		if next == nil {
			return all, nil
		}
		query.Set("page_token", *next)
	}
}

func (s *Server) do(ctx context.Context, method, path string, body []byte, header http.Header, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.endpoint+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask %s: %w", s.endpoint, err)
	}
	req.Header = header
	req.Header.Set("Authorization", "Bearer "+s.token)
	res, err := s.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w; is CLOUDPAM_ENDPOINT right?", s.endpoint, err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", s.endpoint, err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		var refusal Refusal
		if json.Unmarshal(text, &refusal.Problem) != nil || refusal.Code == "" {
			return fmt.Errorf("%s answers %s, and not as CloudPAM does; is CLOUDPAM_ENDPOINT right?", s.endpoint, res.Status)
		}
		return &refusal
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("%s answers what is no answer of CloudPAM; is CLOUDPAM_ENDPOINT right? %w", s.endpoint, err)
	}
	return nil
}
