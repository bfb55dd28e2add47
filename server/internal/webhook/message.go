package webhook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// message is what is sent: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
type message struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

// told is an event as GET /events answers it.
type told struct {
	ID         string          `json:"id"`
	Chain      ipam.UID        `json:"chain"`
	Sequence   int64           `json:"sequence"`
	Scope      string          `json:"scope"`
	At         time.Time       `json:"at"`
	Principal  ipam.UID        `json:"principal"`
	Actor      string          `json:"actor"`
	Action     string          `json:"action"`
	ObjectKind string          `json:"object_kind"`
	ObjectID   string          `json:"object_id"`
	RequestID  string          `json:"request_id"`
	Source     string          `json:"source"`
	Address    string          `json:"address"`
	Reason     string          `json:"reason"`
	CIDR       string          `json:"cidr,omitempty"`
	Before     json.RawMessage `json:"before,omitempty"`
	After      json.RawMessage `json:"after,omitempty"`
	Hash       string          `json:"hash"`
}

// body is the message about an event in a format.
func (b *Book) body(format string, e ipam.Event) ([]byte, error) {
	if format == ipam.FormatSlack {
		return encode(map[string]string{"text": b.line(e)})
	}
	return encode(message{e.Action, e.At, told{
		ID: e.ID, Chain: e.Chain, Sequence: e.Seq, Scope: e.Scope, At: e.At, Principal: e.Principal, Actor: e.Actor, Action: e.Action,
		ObjectKind: e.ObjectKind, ObjectID: e.ObjectID, RequestID: e.RequestID, Source: e.Source, Address: e.Address, Reason: e.Reason, CIDR: e.BlockText(), Before: e.Before, After: e.After, Hash: fmt.Sprintf("%x", e.Hash),
	}})
}

// testBody is the message of a test.
func testBody(w ipam.Webhook, at time.Time) ([]byte, error) {
	if w.Format == ipam.FormatSlack {
		return encode(map[string]string{"text": "CloudPAM can reach this channel by the webhook " + escape(w.Name) + "."})
	}
	return encode(message{"webhook.test", at, map[string]string{"webhook": string(w.ID), "name": w.Name}})
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode a message: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// line is an event as people read it: "allocation created: app-a 10.0.1.0/24 in default/corp, by token:ci".
func (b *Book) line(e ipam.Event) string {
	state := e.After
	if state == nil {
		state = e.Before
	}
	if e.ObjectKind == "approval" {
		return b.asked(e, state)
	}
	var o struct{ ID, Name, CIDR, Pool, Reason string }
	_ = json.Unmarshal(state, &o) // what cannot be read is left out
	kind, verb, _ := strings.Cut(e.Action, ".")
	words := strings.ReplaceAll(kind+" "+verb, "_", " ") + ":"
	for _, w := range []string{cmp.Or(o.Name, o.Reason, o.ID), o.CIDR} {
		if w != "" {
			words += " " + escape(w)
		}
	}
	if in := cmp.Or(o.Pool, e.Scope); in != "" {
		words += " in " + escape(in)
	}
	return words + ", by " + escape(e.Actor)
}

// asked is what became of a request for approval: what it is about, and while it waits, who decides and where.
func (b *Book) asked(e ipam.Event, state json.RawMessage) string {
	var a ipam.Approval
	if err := json.Unmarshal(state, &a); err != nil || len(a.Blocks) == 0 {
		return escape(e.Action + " " + e.ObjectID + ", by " + e.Actor)
	}
	words := strings.Replace(e.Action, ".", " ", 1) + ": " + a.Shown() + ", by " + e.Actor
	if why := cmp.Or(a.Comment, a.Reason); why != "" {
		words += fmt.Sprintf(", saying %q", why)
	}
	if a.Status != ipam.ApprovalPending {
		return escape(words)
	}
	words += "; " + a.Deciders() + " decides, until " + a.Until.UTC().Format(time.RFC3339)
	if b.URL != "" {
		words += ": " + a.Page(b.URL)
	}
	return escape(words)
}

// escape keeps names from being read as marks and mentions: https://docs.slack.dev/messaging/formatting-message-text
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
