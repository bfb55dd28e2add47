package cloudpam

import (
	"net/http"
	"time"
)

// What a client does unless told otherwise.
const (
	// DefaultRetries is how often a call is repeated after its first attempt: about six seconds in all,
	// enough for a server to restart.
	DefaultRetries = 6
	// DefaultRequestTimeout bounds one attempt, the answer's body included.
	DefaultRequestTimeout = 30 * time.Second
)

// Option changes how a Client behaves.
type Option func(*settings)

type settings struct {
	httpClient *http.Client
	userAgent  string
	source     string
	retries    int
	timeout    time.Duration
	caFile     string
	tokenFrom  func() string
}

// WithTokenFrom asks for the token anew with each call, instead of presenting the same for as long as the client lives. See TokenFile.
func WithTokenFrom(token func() string) Option { return func(s *settings) { s.tokenFrom = token } }

// WithClient uses an HTTP client of your own. Its timeout bounds each attempt; WithRequestTimeout has no effect on it.
func WithClient(hc *http.Client) Option { return func(s *settings) { s.httpClient = hc } }

// WithUserAgent says who is calling, for the server's log.
func WithUserAgent(agent string) Option { return func(s *settings) { s.userAgent = agent } }

// WithSource says for the audit from where the calls come: api, which is so without it, ui or terraform.
func WithSource(source string) Option { return func(s *settings) { s.source = source } }

// WithRetries sets how often a call is repeated after its first attempt. Zero turns retries off.
func WithRetries(n int) Option { return func(s *settings) { s.retries = max(n, 0) } }

// WithRequestTimeout bounds one attempt of a call. Use the context to bound a call with all its attempts.
func WithRequestTimeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// WithCAFile trusts the PEM certificates in the file, beside those of the system.
func WithCAFile(path string) Option { return func(s *settings) { s.caFile = path } }
