// Package config reads CLOUDPAM_* and the flags of the same names once, and reports every mistake at once.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/issuer"
	"github.com/cloudpam/cloudpam/server/internal/trace"
)

// Database is what every command that opens the database needs.
type Database struct {
	DatabaseURL string `name:"database-url" env:"CLOUDPAM_DATABASE_URL" default:"sqlite://cloudpam.db" help:"sqlite:///path/to/file or postgres://user@host/db."`
}

// Serve is the configuration of the server.
type Serve struct {
	Database           `embed:""`
	Listen             string        `env:"CLOUDPAM_LISTEN" default:"127.0.0.1:8080" help:"Address to listen on."`
	TLSCertFile        string        `name:"tls-cert-file" env:"CLOUDPAM_TLS_CERT_FILE" help:"PEM file of the certificate, with those above it, to speak TLS with; read again when it changes."`
	TLSKeyFile         string        `name:"tls-key-file" env:"CLOUDPAM_TLS_KEY_FILE" help:"PEM file of its key."`
	BootstrapToken     string        `env:"CLOUDPAM_BOOTSTRAP_TOKEN" help:"Secret of the first token, 32 characters or more, for unattended first starts."`
	BootstrapTokenFile string        `env:"CLOUDPAM_BOOTSTRAP_TOKEN_FILE" help:"File that holds the secret of the first token."`
	Migrate            bool          `env:"CLOUDPAM_MIGRATE" default:"true" negatable:"" help:"Bring the schema up to date at the start."`
	PostgresRead       int           `name:"postgres-read-connections" env:"CLOUDPAM_POSTGRES_READ_CONNECTIONS" default:"6" help:"The most connections to PostgreSQL for reads."`
	PostgresWrite      int           `name:"postgres-write-connections" env:"CLOUDPAM_POSTGRES_WRITE_CONNECTIONS" default:"8" help:"The most connections to PostgreSQL for writes."`
	PostgresAuth       int           `name:"postgres-auth-connections" env:"CLOUDPAM_POSTGRES_AUTH_CONNECTIONS" default:"2" help:"The most connections to PostgreSQL for authentication and readiness."`
	HoldQuota          int           `env:"CLOUDPAM_HOLD_QUOTA" default:"10000" help:"The most blocks of one pool that the plans of one token may hold at a time; 0 is no limit."`
	LoginFailures      int           `env:"CLOUDPAM_LOGIN_FAILURES" default:"60" help:"How many wrong tokens one address may send in a minute; 0 is no limit."`
	Clouds             []string      `env:"CLOUDPAM_CLOUDS" help:"Clouds whose accounts the server looks into: aws, gcp, custom; separated by commas."`
	SyncEvery          time.Duration `env:"CLOUDPAM_SYNC_EVERY" default:"15m" help:"How often the server looks into each account; a minute or more."`
	AWSExternalID      string        `name:"aws-external-id" env:"CLOUDPAM_AWS_EXTERNAL_ID" help:"External id that goes with every role of AWS that the server assumes."`
	CustomDir          string        `env:"CLOUDPAM_CUSTOM_DIR" help:"Folder of the JSON documents that say what is in accounts of the cloud custom."`
	URL                string        `env:"CLOUDPAM_URL" help:"Address of the server as browsers know it, https://cloudpam.example.com; logins by an issuer need it."`
	SessionIdle        time.Duration `env:"CLOUDPAM_SESSION_IDLE" default:"1h" help:"How long somebody stays signed in without doing anything; 5m or more."`
	SessionLength      time.Duration `env:"CLOUDPAM_SESSION_LENGTH" default:"12h" help:"How long somebody stays signed in at most; up to 720h."`
	IssuersJSON        string        `name:"issuers" env:"CLOUDPAM_ISSUERS" help:"JSON list of the issuers whose JWTs and logins are trusted."`
	IssuersFile        string        `env:"CLOUDPAM_ISSUERS_FILE" help:"File that holds it, instead."`
	TrustedProxies     []string      `env:"CLOUDPAM_TRUSTED_PROXIES" help:"Networks of the proxies whose X-Forwarded-For is believed: CIDRs, with commas between them."`
	ApprovalTTL        time.Duration `name:"approval-ttl" env:"CLOUDPAM_APPROVAL_TTL" default:"24h" help:"How long a request waits for approval with its blocks held, and an approval for its change; 1s to 720h."`
	ApprovalDelay      time.Duration `env:"CLOUDPAM_APPROVAL_DELAY" default:"15m" help:"How long a request has waited before the first token may approve it in place of a second person."`
	SealKeyFile        string        `env:"CLOUDPAM_SEAL_KEY_FILE" help:"File with the Ed25519 key (PKCS #8, PEM) that signs where the chains of events end; one in the database where absent."`
	MetricsPools       int           `env:"CLOUDPAM_METRICS_POOLS" default:"0" help:"How many pools, the fullest, the metrics name with how full they are; whoever reads metrics then reads their names."`
	DrainDelay         time.Duration `env:"CLOUDPAM_DRAIN_DELAY" default:"0s" help:"How long /readyz fails before connections close on shutdown."`
	WebhookAllow       []string      `env:"CLOUDPAM_WEBHOOK_ALLOW" help:"Networks that webhooks may send to besides public addresses, also over http: 10.0.0.0/8,192.168.1.7/32."`
	LogLevel           string        `env:"CLOUDPAM_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
	LogFormat          string        `env:"CLOUDPAM_LOG_FORMAT" default:"auto" help:"json, text, or auto: text on a terminal."`
}

// Check reads the files that are named and returns every mistake, each with what would be right.
func (c *Serve) Check() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		fail("CLOUDPAM_LISTEN is %q; write host:port, like 127.0.0.1:8080", c.Listen)
	}
	if !strings.HasPrefix(c.DatabaseURL, "sqlite://") && !strings.HasPrefix(c.DatabaseURL, "postgres://") && !strings.HasPrefix(c.DatabaseURL, "postgresql://") {
		fail("CLOUDPAM_DATABASE_URL starts with sqlite:// or postgres://") // not quoted: it may hold a password
	}
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		fail("CLOUDPAM_TLS_CERT_FILE and CLOUDPAM_TLS_KEY_FILE go together; set both, or none to speak plain HTTP")
	}
	if c.BootstrapTokenFile != "" {
		if c.BootstrapToken != "" {
			fail("CLOUDPAM_BOOTSTRAP_TOKEN and CLOUDPAM_BOOTSTRAP_TOKEN_FILE are both set; leave one out")
		} else if secret, err := os.ReadFile(c.BootstrapTokenFile); err != nil {
			fail("CLOUDPAM_BOOTSTRAP_TOKEN_FILE: %w", err)
		} else {
			c.BootstrapToken = strings.TrimSpace(string(secret))
		}
	}
	if c.BootstrapToken != "" && len(c.BootstrapToken) < ipam.MinSecret {
		fail("the bootstrap token has %d characters; it needs %d or more", len(c.BootstrapToken), ipam.MinSecret)
	}
	for _, name := range c.Clouds {
		if !slices.Contains([]string{string(ipam.AWS), string(ipam.GCP), string(ipam.Custom)}, name) {
			fail("CLOUDPAM_CLOUDS names %q; the server can look into aws, gcp and custom", name)
		}
	}
	if len(c.Clouds) > 0 && c.SyncEvery < time.Minute {
		fail("CLOUDPAM_SYNC_EVERY is %s; clouds are not asked more often than once a minute", c.SyncEvery)
	}
	for i, n := range []int{c.PostgresRead, c.PostgresWrite, c.PostgresAuth} {
		if n < 1 || n > 1000 {
			fail("CLOUDPAM_POSTGRES_%s_CONNECTIONS is %d; use 1 to 1000", []string{"READ", "WRITE", "AUTH"}[i], n)
		}
	}
	if c.HoldQuota < 0 {
		fail("CLOUDPAM_HOLD_QUOTA is %d; use 0 for no limit, or a number of holds", c.HoldQuota)
	}
	if c.MetricsPools < 0 || c.MetricsPools > 10_000 {
		fail("CLOUDPAM_METRICS_POOLS is %d; use 0 for no pool, up to 10000", c.MetricsPools)
	}
	if c.LoginFailures < 0 {
		fail("CLOUDPAM_LOGIN_FAILURES is %d; use 0 for no limit, or a number of requests", c.LoginFailures)
	}
	if _, err := c.Proxies(); err != nil {
		fail("CLOUDPAM_TRUSTED_PROXIES: %w", err)
	}
	c.checkLogins(fail)
	if c.ApprovalTTL < time.Second || c.ApprovalTTL > ipam.MaxHoldTTL {
		fail("CLOUDPAM_APPROVAL_TTL is %s; use 1s to %s", c.ApprovalTTL, ipam.MaxHoldTTL)
	}
	if c.ApprovalDelay < 0 || c.ApprovalDelay >= c.ApprovalTTL {
		fail("CLOUDPAM_APPROVAL_DELAY is %s; use 0s or more, and less than CLOUDPAM_APPROVAL_TTL, which is %s", c.ApprovalDelay, c.ApprovalTTL)
	}
	if c.DrainDelay < 0 || c.DrainDelay > time.Minute {
		fail("CLOUDPAM_DRAIN_DELAY is %s; use 0s to 1m", c.DrainDelay)
	}
	for _, text := range c.WebhookAllow {
		if _, err := ipam.ParseCIDR(text); err != nil {
			fail("CLOUDPAM_WEBHOOK_ALLOW: %w", err)
		}
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		fail("CLOUDPAM_LOG_LEVEL is %q; use debug, info, warn or error", c.LogLevel)
	}
	if !slices.Contains([]string{"auto", "json", "text"}, c.LogFormat) {
		fail("CLOUDPAM_LOG_FORMAT is %q; use auto, json or text", c.LogFormat)
	}
	if err := trace.Check(); err != nil {
		fail("%w", err)
	}
	return errors.Join(errs...)
}

// WebhookNetworks are the networks that WebhookAllow names; Check has read them.
func (c *Serve) WebhookNetworks() (all []netip.Prefix) {
	for _, text := range c.WebhookAllow {
		if p, err := ipam.ParseCIDR(text); err == nil {
			all = append(all, p)
		}
	}
	return all
}

func (c *Serve) checkLogins(fail func(string, ...any)) {
	if u, err := url.Parse(c.URL); c.URL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil) {
		fail("CLOUDPAM_URL is %q; write scheme and host, like https://cloudpam.example.com", c.URL)
	}
	if c.SessionIdle < 5*time.Minute || c.SessionLength < c.SessionIdle || c.SessionLength > 720*time.Hour {
		fail("CLOUDPAM_SESSION_IDLE is %s and CLOUDPAM_SESSION_LENGTH %s; use 5m or more for the first, and for the second no less than that and 720h at most", c.SessionIdle, c.SessionLength)
	}
	all, err := c.Issuers()
	if err != nil {
		fail("%w", err)
	}
	if c.URL == "" && slices.ContainsFunc(all, func(s issuer.Settings) bool { return s.Login != nil }) {
		fail("an issuer has a login, which needs CLOUDPAM_URL, the address of this server as browsers know it, like https://cloudpam.example.com")
	}
}

// Issuers are those that are trusted.
func (c *Serve) Issuers() ([]issuer.Settings, error) {
	name, text := "CLOUDPAM_ISSUERS", []byte(c.IssuersJSON)
	if c.IssuersFile != "" {
		if name = "CLOUDPAM_ISSUERS_FILE"; c.IssuersJSON != "" {
			return nil, errors.New("CLOUDPAM_ISSUERS and CLOUDPAM_ISSUERS_FILE are both set; leave one out")
		}
		var err error
		if text, err = os.ReadFile(c.IssuersFile); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(text) == 0 && c.IssuersFile == "" {
		return nil, nil
	}
	all, err := issuer.Parse(text, os.ReadFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return all, nil
}

// Proxies are the networks of the proxies that are trusted.
func (c *Serve) Proxies() (all []netip.Prefix, err error) {
	for _, text := range c.TrustedProxies {
		p, err := ipam.ParseCIDR(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// Logger makes the logger that the configuration asks for, on standard error.
func (c *Serve) Logger() *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // Check has said so
	terminal := term.IsTerminal(int(os.Stderr.Fd()))
	if c.LogFormat == "text" || c.LogFormat == "auto" && terminal {
		return slog.New(tint.NewTextHandler(os.Stderr, &tint.Options{Level: level, TimeFormat: time.DateTime, NoColor: !terminal}))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

// known are the variables that this program, its clients and its Terraform provider read.
var known = []string{
	"DATABASE_URL", "LISTEN", "TLS_CERT_FILE", "TLS_KEY_FILE", "CLOUDS", "SYNC_EVERY", "AWS_EXTERNAL_ID", "CUSTOM_DIR", "LOGIN_FAILURES", "BOOTSTRAP_TOKEN", "BOOTSTRAP_TOKEN_FILE", "MIGRATE", "HOLD_QUOTA", "TRUSTED_PROXIES", "URL", "SESSION_IDLE", "SESSION_LENGTH", "APPROVAL_TTL", "APPROVAL_DELAY", "ISSUERS", "ISSUERS_FILE", "SEAL_KEY_FILE", "POSTGRES_READ_CONNECTIONS", "POSTGRES_WRITE_CONNECTIONS", "POSTGRES_AUTH_CONNECTIONS", "METRICS_POOLS", "DRAIN_DELAY", "WEBHOOK_ALLOW", "LOG_LEVEL", "LOG_FORMAT",
	"ENDPOINT", "TOKEN", "TOKEN_FILE", "CA_CERT", "PLAN_MODE", "HOLD_TTL", "HOLDER", "APPLYING", "PLAN_ID", "APPROVAL_TIMEOUT",
	"TEST_POSTGRES_URL", "TEST_ENGINES", "TEST_AWS", "TEST_GCP", "CHROMIUM", "SCREENSHOTS", "SERVER",
}

// Unknown lists the CLOUDPAM_* variables of an environment that nothing reads: most often a misspelling.
func Unknown(environ []string) []string {
	var out []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if short, ours := strings.CutPrefix(name, "CLOUDPAM_"); ours && !slices.Contains(known, short) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
