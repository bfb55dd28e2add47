package cloudpam

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"
)

const (
	idempotencyHeader = "Idempotency-Key"

	// firstPause doubles with every attempt up to longestPause; the actual pause is random below it.
	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second
	// longestRetryAfter bounds what a server may ask for.
	longestRetryAfter = time.Minute
)

// retrier sends a request until it gets an answer that is worth returning. It sits below the generated request
// methods, so that every operation retries alike.
type retrier struct {
	next     *http.Client
	endpoint string
	retries  int
	// wait and jitter are fields for the sake of tests, which neither wait nor roll dice.
	wait   func(context.Context, time.Duration) error
	jitter func(time.Duration) time.Duration
}

// Do sends the request. All attempts of a write carry one Idempotency-Key, so that a write whose answer was lost
// is answered again rather than done again.
func (r *retrier) Do(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet && req.Header.Get(idempotencyHeader) == "" {
		req.Header.Set(idempotencyHeader, uuid.NewString())
	}
	ctx := req.Context()
	for attempt := 1; ; attempt++ {
		resp, err := r.attempt(req)
		if err == nil && !passing(resp.StatusCode) {
			return resp, nil
		}
		final := attempt > r.retries || ctx.Err() != nil || permanent(err)
		pause := r.pause(attempt, resp)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < pause {
			final = true // the caller's time would be spent waiting: the answer at hand says more
		}
		if !final && r.wait(ctx, pause) == nil {
			continue
		}
		if err == nil {
			return resp, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &UnreachableError{Endpoint: r.endpoint, Attempts: attempt, Err: cause(err)}
	}
}

// attempt sends the request once and reads the whole answer, so that a connection lost in the middle of an answer
// is a connection error like any other.
func (r *retrier) attempt(req *http.Request) (*http.Response, error) {
	try := req.Clone(req.Context())
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		try.Body = body
	}
	resp, err := r.next.Do(try)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// passing reports whether a status says "not now" rather than "no".
func passing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// permanent reports whether an error would be the same next time: a certificate that is not trusted, a name that
// does not exist, a server that speaks no TLS.
func permanent(err error) bool {
	var certificate *tls.CertificateVerificationError
	var unknownAuthority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	switch {
	case errors.As(err, &certificate), errors.As(err, &unknownAuthority), errors.As(err, &hostname), errors.As(err, &record):
		return true
	case errors.As(err, &dns):
		return dns.IsNotFound
	}
	return errors.Is(err, http.ErrSchemeMismatch)
}

// cause takes off the wrapping that repeats the method and the URL.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// pause is how long to wait after an attempt: what the server asked for, or a random time below a doubling bound.
func (r *retrier) pause(attempt int, resp *http.Response) time.Duration {
	bound := min(firstPause<<min(attempt-1, 16), longestPause)
	if resp != nil {
		if asked := retryAfter(resp.Header.Get("Retry-After")); asked > 0 {
			// Everybody was told the same second; the jitter on top spreads them.
			return min(asked, longestRetryAfter) + r.jitter(firstPause)
		}
	}
	return r.jitter(bound)
}

// retryAfter reads the header in both of its forms; zero when it is absent or nonsense.
func retryAfter(value string) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(seconds, 0), 3600)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// fullJitter spreads retries evenly below the bound, so that clients that failed together do not return together.
func fullJitter(bound time.Duration) time.Duration { return rand.N(bound + 1) }

// wait returns after d, or with an error when the context ends first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
