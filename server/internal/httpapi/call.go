package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/trace"
)

// maxBody bounds a request's body, and maxFile one that has a file in it, of 8 MiB, which is longer as JSON, or what Terraform states have:
// some 100,000 subnets.
const (
	maxBody = 1 << 20
	maxFile = 12 << 20
)

// fileTime is how long a request may take that has a file in it, or is about one: its rows are one transaction.
const fileTime = 6 * time.Minute

// ofFile reports whether a request has a file in it, or is about one.
func ofFile(c echo.Context) bool { return strings.HasPrefix(c.Path(), "/api/v1/imports") }

// bodyLimit is how long the body of a request may be.
func bodyLimit(c echo.Context) int64 {
	if ofFile(c) || c.Path() == "/api/v1/state-joins" {
		return maxFile
	}
	return maxBody
}

type callKey struct{}

// caller is who asks. The middleware hands it to the handler by context, one step; the handler passes it on by name.
func caller(ctx context.Context) ipam.Caller {
	if c, ok := ctx.Value(callKey{}).(*ipam.Caller); ok {
		return *c
	}
	return ipam.Caller{}
}

func requestID(ctx context.Context) string { return caller(ctx).RequestID }

// identify gives every request an id; one that the client chose is kept when it is short and plain.
func identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get("X-Request-Id")
		if len(id) < 8 || len(id) > 64 || strings.ContainsFunc(id, notPlain) {
			id = uuid.NewString()
		}
		c.Response().Header().Set("X-Request-Id", id)
		r := c.Request()
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), callKey{}, &ipam.Caller{RequestID: id, Source: ipam.SourceAPI, Address: c.RealIP()})))
		return next(c)
	}
}

func notPlain(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
}

// explain notes what a request says of itself: from where it comes and why, for the audit, and whether it is only tried.
func explain(next echo.HandlerFunc) echo.HandlerFunc {
	const most = 1024
	return func(c echo.Context) error {
		r := c.Request()
		who := r.Context().Value(callKey{}).(*ipam.Caller)
		if source := r.Header.Get("Cloudpam-Source"); source != "" {
			if source != ipam.SourceAPI && source != ipam.SourceUI && source != ipam.SourceTerraform {
				return ipam.Invalid("header:Cloudpam-Source", "%q is not a source; use api, ui or terraform", source)
			}
			who.Source = source
		}
		reason, err := url.PathUnescape(r.Header.Get("Cloudpam-Reason"))
		if err != nil || !isText(reason) || utf8.RuneCountInString(reason) > most {
			return ipam.Invalid("header:Cloudpam-Reason", "a reason is text of at most %d characters, percent-encoded where it is not ASCII or has a percent sign", most)
		}
		who.Reason = reason
		switch dry := r.Header.Get("Cloudpam-Dry-Run"); dry {
		case "", "false":
		case "true":
			who.DryRun = true
			c.Response().Header().Set("Cloudpam-Dry-Run", "true")
		default:
			return ipam.Invalid("header:Cloudpam-Dry-Run", "%q is not a choice; use true or false", dry)
		}
		return next(c)
	}
}

// observe logs and counts each request once, when it is over.
func observe(log *slog.Logger, m *Metrics) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
			err := next(c)
			if err != nil {
				c.Error(err) // render now, so that the status is known
			}
			took, status, who := time.Since(start), c.Response().Status, caller(c.Request().Context())
			m.request(c.Request().Method, c.Path(), status, took)
			trace.Served(c.Request().Context(), plainMethod(c.Request().Method), c.Path(), c.RealIP(), who.RequestID)
			level := slog.LevelInfo
			if !strings.HasPrefix(c.Path(), "/api/") {
				level = slog.LevelDebug // probes and pages
			}
			if log.Enabled(c.Request().Context(), level) {
				log.LogAttrs(c.Request().Context(), level, "served",
					slog.String("request_id", who.RequestID), slog.String("actor", who.String()), slog.String("method", c.Request().Method),
					slog.String("path", c.Request().URL.Path), slog.Int("status", status), slog.Duration("took", took), slog.String("remote", c.RealIP()))
			}
			return nil
		}
	}
}

// readBody reads the body within its limit, refuses JSON that two parsers could read differently, and notes the
// Idempotency-Key with a fingerprint of the request.
func readBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		var body []byte
		if ofFile(c) && r.Method == http.MethodPost {
			if err := http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(fileTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
				return err
			}
		}
		if r.Body != nil && r.Body != http.NoBody {
			var err error
			body, err = io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, bodyLimit(c)))
			if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
				return ipam.Errorf(codeBodyTooLarge, "the body is larger than %d MiB", bodyLimit(c)>>20)
			}
			if err != nil {
				return ipam.Errorf(ipam.CodeInvalid, "the body ended early")
			}
			value, err := parseJSON(body)
			if err != nil {
				return err
			}
			r.Body = parsedBody{io.NopCloser(bytes.NewReader(body)), value}
		}
		if key := r.Header.Get("Idempotency-Key"); key != "" {
			retry := &ipam.Retry{Key: key, Fingerprint: sha256.Sum256([]byte(r.Method + " " + r.URL.Path + "?" + r.URL.RawQuery + "\n" + r.Header.Get("If-Match") + "\n" + string(body)))}
			r.Context().Value(callKey{}).(*ipam.Caller).Retry = retry
			c.Response().Before(func() {
				if retry.Replayed {
					c.Response().Header().Set("Idempotency-Replayed", "true")
				}
			})
		}
		c.Response().Header().Set("Cache-Control", "no-store")
		return next(c)
	}
}

// parsedBody is a body that was read: the contract and the handlers take its value and do not parse it again.
type parsedBody struct {
	io.ReadCloser
	value any
}

// ValidatedValue is what the generated handlers look for.
func (b parsedBody) ValidatedValue() any { return b.value }

// remote is the address that a request comes from.
func remote(c echo.Context) netip.Addr {
	addr, _ := netip.ParseAddr(c.RealIP())
	return addr
}

// whoAsks reads the bearer token of a request, or where it has none, the session of a browser. Only with that does it matter from which
// site the request comes.
func whoAsks(c echo.Context, gate *access.Gate, d *desk) (ipam.Caller, error) {
	r := c.Request()
	if r.Header.Get("Authorization") == "" {
		who, err := d.signedIn(c)
		if err == nil {
			err = d.allow(r)
		}
		return who, err
	}
	secret, err := bearerOf(r)
	if err != nil {
		return ipam.Caller{}, err
	}
	return gate.Authenticate(r.Context(), remote(c), secret)
}

func bearerOf(r *http.Request) (string, error) {
	scheme, secret, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") || secret == "" || len(secret) > access.MaxSecret {
		return "", ipam.Errorf(ipam.CodeUnauthenticated, "send a token, Authorization: Bearer cpam_…, or a JWT of at most %d bytes", access.MaxSecret)
	}
	return secret, nil
}

// authenticate names the actor of a request by its bearer token or its session, with its rights and the role that the operation takes. Where the actor
// must have that role, the use case decides on what it reads.
func authenticate(gate *access.Gate, d *desk, needs map[string]ipam.Role, log *slog.Logger) echo.MiddlewareFunc {
	var warned atomic.Int64 // when the first token was told of last
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.URL.Path == "/api/v1/version" {
				return next(c)
			}
			who, err := whoAsks(c, gate, d)
			if err != nil {
				return err
			}
			call := r.Context().Value(callKey{}).(*ipam.Caller)
			call.Principal, call.Rights, call.Session = who.Principal, who.Rights, who.Session
			call.Need = needs[r.Method+" "+c.Path()]
			canAskAgain(c, func() (ipam.Caller, error) { return whoAsks(c, gate, d) })
			if now := time.Now().Unix(); who.Name == ipam.Bootstrap && who.Kind == "token" && now-warned.Load() >= 60 {
				warned.Store(now)
				log.WarnContext(r.Context(), "the first token is in use, which may do everything: make others, and keep it for emergencies",
					"request_id", call.RequestID, "method", r.Method, "path", r.URL.Path, "remote", c.RealIP())
			}
			return next(c)
		}
	}
}
