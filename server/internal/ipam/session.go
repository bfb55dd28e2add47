package ipam

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
	"time"
)

// Session is somebody who is signed in with a browser. It ends when it is not used, when its time is over, when it is ended, and with
// the token that opened it. Its secret is never stored, only a keyed hash of it.
type Session struct {
	ID        UID       `json:"id"`
	Principal Principal `json:"principal"`
	Token     UID       `json:"token,omitempty"` // that opened it; "" where an issuer vouched
	CreatedAt time.Time `json:"created_at"`
	EndsAt    time.Time `json:"ends_at"` // at the latest
	UsedAt    time.Time `json:"-"`       // last, to a minute or two; not in events
	Claims    []byte    `json:"-"`       // what rules look at, as JSON, as it was at the login; nobody else's business
}

// NewSessionSecret makes the secret of a session: 160 random bits, which scanners find.
func NewSessionSecret() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return "cpams_" + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// Over reports whether a session has ended by a time, when it may be idle for so long.
func (s Session) Over(now time.Time, idle time.Duration) bool {
	return !now.Before(s.EndsAt) || !now.Before(s.UsedAt.Add(idle))
}

// SessionFilter narrows a list of sessions; zero fields are no rule.
type SessionFilter struct {
	ID        string
	Principal UID
}
