package ipam

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"
)

// Token lets a caller in. Its secret is never stored, only a keyed hash of it.
type Token struct {
	ID        string     `json:"id"` // its digits are those of the principal
	Name      string     `json:"name"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
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
