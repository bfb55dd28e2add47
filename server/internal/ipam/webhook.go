package ipam

import (
	"crypto/rand"
	"encoding/base64"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Webhook sends events to an address. What it is signed with is in no JSON: not in events, and not in stored answers.
type Webhook struct {
	ID          UID      `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	URL         string   `json:"url"`
	Scope       string   `json:"scope"`     // only events of this scope; "" is all
	ScopeUID    UID      `json:"scope_uid"` // "" is all
	Actions     []string `json:"actions"`   // "allocation.created", "allocation.*"; none is all
	Format      string   `json:"format"`
	Enabled     bool     `json:"enabled"`

	Secrets Secrets       `json:"-"`
	Health  WebhookHealth `json:"-"`

	Version   int64     `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// In is where a webhook belongs: the scope that it tells of, or everywhere.
func (w Webhook) In() In { return In{Scope: w.Scope, ScopeUID: w.ScopeUID} }

// The formats of messages.
const (
	FormatStandard = "standard" // Standard Webhooks: type, timestamp, data
	FormatSlack    = "slack"    // a line of text
)

// Secrets are what messages of a webhook are signed with: the present one and, until a time, the one before.
type Secrets struct {
	Now, Former string
	FormerUntil *time.Time
}

// SecretOverlap is how long messages are signed with a former secret too.
const SecretOverlap = 24 * time.Hour

// At lists the secrets to sign with at a time, the present one first.
func (s Secrets) At(now time.Time) []string {
	if s.FormerUntil != nil && now.Before(*s.FormerUntil) {
		return []string{s.Now, s.Former}
	}
	return []string{s.Now}
}

// Rotated has a new secret, and the one before for SecretOverlap.
func (s Secrets) Rotated(secret string, now time.Time) Secrets {
	until := now.Add(SecretOverlap)
	return Secrets{Now: secret, Former: s.Now, FormerUntil: &until}
}

// WebhookHealth is how deliveries go. It moves without events.
type WebhookHealth struct {
	Failures      int // in a row, of the receiver as a whole
	FailingSince  *time.Time
	RetryAt       *time.Time // when a receiver that fails is tried next
	LastError     string
	Waiting, Dead int64 // deliveries
}

// WebhookPatch changes a webhook; nil leaves a field as it is.
type WebhookPatch struct {
	Name, Description, URL, Format *string
	Actions                        *[]string
	Enabled                        *bool
}

// Apply returns the webhook with the patch applied.
func (w Webhook) Apply(patch WebhookPatch) Webhook {
	set(&w.Name, patch.Name)
	set(&w.Description, patch.Description)
	set(&w.URL, patch.URL)
	set(&w.Format, patch.Format)
	set(&w.Enabled, patch.Enabled)
	if patch.Actions != nil {
		w.Actions = slices.Clone(*patch.Actions)
	}
	return w.Filled()
}

// Filled is the webhook that a request describes: with a format, and its actions in order.
func (w Webhook) Filled() Webhook {
	if w.Format == "" {
		w.Format = FormatStandard
	}
	w.Actions = sortedSet(w.Actions)
	return w
}

// Check refuses a webhook that could send nothing. Where it may send to is for the guard of package webhook.
func (w Webhook) Check() error {
	if err := CheckSlug("/name", w.Name); err != nil {
		return err
	}
	if w.Format != FormatStandard && w.Format != FormatSlack {
		return Invalid("/format", "%q is not a format; use standard or slack", w.Format)
	}
	for _, a := range w.Actions {
		if kind, _, ok := strings.Cut(a, "."); !ok || !slices.Contains(EventKinds, kind) {
			return Invalid("/actions", "%q is no action of an event; one is like \"allocation.created\", or \"allocation.*\" for all of a kind: %s", a, strings.Join(EventKinds, ", "))
		}
	}
	return CheckWebhookURL(w.URL)
}

// EventKinds are what events are about.
var EventKinds = []string{
	"account", "allocation", "allocation_set", "approval", "binding", "drift_ignore", "drift_rules", "hold", "import", "policy", "pool", "principal", "quarantine", "reservation", "restoration",
	"scope", "session", "token", "webhook",
}

// CheckWebhookURL refuses what is not the address of a receiver. An address with numbers in it is refused unless it is written as
// IPv4 and IPv6 are: other spellings, such as 0x7f.1, mean different hosts to different programs.
func CheckWebhookURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Hostname() == "" {
		return Invalid("/url", "%q is not a URL to send to; one is like \"https://hooks.example.com/cloudpam\"", text)
	}
	host := u.Hostname()
	last := host[strings.LastIndexByte(strings.TrimSuffix(host, "."), '.')+1:]
	_, notIP := netip.ParseAddr(host)
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return Invalid("/url", "events are sent over https, not %s", u.Scheme)
	case u.User != nil:
		return Invalid("/url", "leave the user and password out of the URL: messages are signed, which the receiver can check")
	case u.Fragment != "":
		return Invalid("/url", "a URL to send to has no fragment (#%s)", u.Fragment)
	case notIP != nil && (strings.Trim(last, "0123456789.") == "" || strings.HasPrefix(strings.ToLower(last), "0x")):
		return Invalid("/url", "%q is neither a host name nor an address as it is written: 192.0.2.10, or [2001:db8::10]", host)
	case notIP == nil && strings.Contains(host, "%"):
		return Invalid("/url", "%q names a zone, which only this host would understand", host)
	}
	return nil
}

// Wants reports whether an event is for the webhook.
func (w Webhook) Wants(e Event) bool {
	if w.ScopeUID != "" && w.ScopeUID != e.ScopeUID {
		return false
	}
	return len(w.Actions) == 0 || slices.ContainsFunc(w.Actions, func(a string) bool {
		kind, all := strings.CutSuffix(a, "*")
		return a == e.Action || all && strings.HasPrefix(e.Action, kind)
	})
}

const secretPrefix = "whsec_"

// NewWebhookSecret makes a secret of 256 random bits, as Standard Webhooks writes it.
func NewWebhookSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return secretPrefix + base64.StdEncoding.EncodeToString(b[:])
}

// CheckWebhookSecret refuses a secret that Standard Webhooks would not take: "whsec_" and the base64 of 24 to 64 bytes.
func CheckWebhookSecret(secret string) error {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	raw, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(raw) < 24 || len(raw) > 64 {
		return Invalid("/secret", "a secret is \"whsec_\" and the base64 of 24 to 64 random bytes: echo whsec_$(openssl rand -base64 32); or leave it out, and one is made")
	}
	return nil
}

// Delivery is one event for one webhook.
type Delivery struct {
	ID       UID
	Webhook  UID
	Event    string // its id, which is that of the message: a receiver that has seen it needs it no more
	ObjectID string
	Action   string
	State    DeliveryState
	Attempts int
	Status   int // what the receiver answered last; 0 for nothing
	Error    string
	RetryAt  time.Time
	At       time.Time  // since when it waits
	EndedAt  *time.Time // when it was delivered or given up
}

// DeliveryState is how far a delivery is.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryWaiting DeliveryState = "waiting"
	Delivered       DeliveryState = "delivered"
	DeliveryDead    DeliveryState = "dead"
)

// Replay says which events to send again: that of a delivery, or all since a time.
type Replay struct {
	Delivery     UID
	Since, Until time.Time
}
