package cloudpam

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// CallOption changes one call.
type CallOption func(*call)

// call is what one request carries beside its parameters, and what is kept of its answer beside its body.
type call struct {
	ifMatch        string
	idempotencyKey string
	reason         string
	dryRun         bool
	readETag       []*string
}

// WithIfMatch makes a change only if what it changes still has this ETag; otherwise it fails with ErrPreconditionFailed.
// Without it a change applies to whatever version stands.
func WithIfMatch(etag string) CallOption { return func(c *call) { c.ifMatch = etag } }

// ReadETag stores the ETag of what the call returned, for a later WithIfMatch.
func ReadETag(etag *string) CallOption {
	return func(c *call) { c.readETag = append(c.readETag, etag) }
}

// WithIdempotencyKey names the write, so that repeating it, also from another process, has one effect.
// Without it each call makes a key of its own, which covers its retries.
func WithIdempotencyKey(key string) CallOption { return func(c *call) { c.idempotencyKey = key } }

// WithReason says why a change is made: text of at most 1,024 characters, which stays with the events of the change.
func WithReason(reason string) CallOption { return func(c *call) { c.reason = reason } }

// WithDryRun has a change answered as it would be, or refused as it would be, by the same code; nothing of it stays.
func WithDryRun() CallOption { return func(c *call) { c.dryRun = true } }

func newCall(opts []CallOption) *call {
	c := &call{}
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// edit puts the call's headers on a generated request.
func (c *call) edit(_ context.Context, req *http.Request) error {
	// An empty id would turn "read one" into "list all", and its answer would decode into an empty object.
	if strings.HasSuffix(req.URL.Path, "/") || strings.Contains(req.URL.Path, "//") {
		return errors.New("the id is empty")
	}
	if c.ifMatch != "" {
		req.Header.Set("If-Match", c.ifMatch)
	}
	if c.reason != "" {
		req.Header.Set("Cloudpam-Reason", url.PathEscape(c.reason))
	}
	if c.dryRun {
		req.Header.Set("Cloudpam-Dry-Run", "true")
	}
	if c.idempotencyKey != "" {
		req.Header.Set(idempotencyHeader, c.idempotencyKey)
	}
	return nil
}

// current runs a change that the server guards with If-Match. When the caller named no ETag it reads the one that
// stands, and once more if somebody else changed the object in between: a patch names only the fields it sets, so
// applying it to the newer version is what the caller asked for.
func current[T any](opts []CallOption, read func(CallOption) error, change func(*call) (T, error)) (T, error) {
	c := newCall(opts)
	if c.ifMatch != "" {
		return change(c)
	}
	for again := false; ; again = true {
		if err := read(ReadETag(&c.ifMatch)); err != nil {
			var none T
			return none, err
		}
		out, err := change(c)
		if again || !errors.Is(err, ErrPreconditionFailed) {
			return out, err
		}
		if c.idempotencyKey != "" {
			// The server remembers the refusal under the first key.
			c.idempotencyKey += "-again"
		}
	}
}
