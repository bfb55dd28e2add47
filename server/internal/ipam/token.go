package ipam

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"time"
)

// Token lets a caller in. Its secret is never stored, only a keyed hash of it.
type Token struct {
	ID        string     `json:"id"` // its digits are those of the principal
	Name      string     `json:"name"`
	ScopeUID  UID        `json:"scope_uid,omitempty"` // that all of it reaches, in which its name is unique; "" where it reaches more
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	UsedAt    *time.Time `json:"-"` // last, to a minute or two; not in events
}

// Bootstrap is the name of the first token, which no other has. It always may do everything: who has locked himself out comes in by it.
const Bootstrap = "bootstrap"

// NewToken asks for a token, with what it may do. Without an end it lives until it is revoked.
type NewToken struct {
	Name      string
	ExpiresAt *time.Time
	Bindings  []NewBinding
}

// Check refuses a token that cannot be. Errors: CodeInvalid.
func (n NewToken) Check() error {
	if err := CheckSlug("/name", n.Name); err != nil {
		return err
	}
	if n.Name == Bootstrap {
		return Invalid("/name", "%q is the name of the first token; choose another", n.Name)
	}
	if len(n.Bindings) == 0 || len(n.Bindings) > MaxBindings {
		return Invalid("/bindings", "a token needs 1 to %d bindings, which say what it may do, and this has %d", MaxBindings, len(n.Bindings))
	}
	for i, b := range n.Bindings {
		if err := b.Check(); err != nil {
			return Below(fmt.Sprintf("/bindings/%d", i), err)
		}
	}
	return nil
}

// CheckIn is Check at a time. Errors: CodeInvalid.
func (n NewToken) CheckIn(now time.Time) error {
	if n.ExpiresAt != nil && !now.Before(*n.ExpiresAt) {
		return Invalid("/expires_at", "%s is past; it is %s now", n.ExpiresAt.Format(time.RFC3339), now.Format(time.RFC3339))
	}
	return n.Check()
}

// Home is the scope that all of a token's bindings are in; "" where they are in more.
func Home(bindings []Binding) UID {
	home := bindings[0].ScopeUID
	for _, b := range bindings {
		if b.ScopeUID != home {
			return ""
		}
	}
	return home
}

// MinSecret is the fewest characters of a secret that is chosen by hand.
const MinSecret = 32

// NewSecret makes the secret of a token: cpam_, the token's id and 160 random bits, findable by secret scanners.
func NewSecret(id string) string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	_, id, _ = strings.Cut(id, "_")
	return "cpam_" + id + "_" + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// HashSecret is what is stored of a secret. Secrets have too many bits to be guessed, so a fast keyed hash is right: it is
// checked on every request, and a slow one would be a way to exhaust the server.
func HashSecret(key []byte, secret string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(secret))
	return h.Sum(nil)
}

// Principal is who acts with the token. Two tokens of one name are two principals.
func (t Token) Principal() Principal {
	return Principal{UID: KeyUID("principal", UID(t.ID).Key()), Kind: "token", Name: t.Name}
}

// Active reports whether the token lets anyone in at a time.
func (t Token) Active(at time.Time) bool {
	return t.RevokedAt == nil && (t.ExpiresAt == nil || at.Before(*t.ExpiresAt))
}
