package ipam

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// Principal is who acts. Its name is for people: it may change, and two principals may have the same.
type Principal struct {
	UID  UID    `json:"uid"`
	Kind string `json:"kind"` // system, token, user, machine or agent
	Name string `json:"name"`

	// Whom an issuer vouches for is one principal for ever: the address of the issuer, and what it calls the subject. Empty of others.
	Issuer  string `json:"issuer,omitempty"`
	Subject string `json:"subject,omitempty"`
}

// Vouched is a principal whom an issuer vouches for, as it is kept.
type Vouched struct {
	Principal
	CreatedAt time.Time `json:"created_at"`
}

// SystemPrincipal acts where nobody asked: sweeps, commands on the server.
var SystemPrincipal = Principal{UID: SystemPrincipalUID, Kind: "system", Name: "system"}

// System is the system itself as a caller, which may do all.
func System(request string) Caller {
	return Caller{Principal: SystemPrincipal, Rights: AllRights, RequestID: request, Source: SourceSystem}
}

// String is how people read it: "token:ci", or "system".
func (p Principal) String() string { return actorText(p.Kind, p.Name) }

func actorText(kind, name string) string {
	if kind == name || kind == "" {
		return name
	}
	return kind + ":" + name
}

// Caller is who asks, and under which request. It is handed on by argument, so that no rule depends on a hidden value.
type Caller struct {
	Principal
	Rights
	RequestID string
	Source    string // from where the request comes: one of Sources
	Address   string // that it comes from
	Reason    string // that is given for it
	DryRun    bool   // nothing of what it asks for is to last
	Retry     *Retry // nil: the request carries no Idempotency-Key
	Session   UID    // of a browser; "" where a token was sent
}

// Sources are from where a change may come: of those a caller says the first three of itself.
const (
	SourceAPI       = "api"
	SourceUI        = "ui"
	SourceTerraform = "terraform"
	SourceImport    = "import"
	SourceSystem    = "system"
)

// Retry identifies a request that may be sent again.
type Retry struct {
	Key         string
	Fingerprint [sha256.Size]byte // of method, path and body: the same key with another request is refused
	Replayed    bool              // set when the stored answer was given
}

// OneOf is the caller of the i-th of several things that one request asks for.
func (c Caller) OneOf(i int) Caller {
	if c.Retry != nil {
		c.Retry = &Retry{Key: fmt.Sprintf("%s#%d", c.Retry.Key, i), Fingerprint: c.Retry.Fingerprint}
	}
	return c
}

// In is where an object belongs: by name, as people say it, and by key, which is what rows refer to.
type In struct {
	Scope    string `json:"scope"`
	ScopeUID UID    `json:"scope_uid"`
	Pool     string `json:"pool"`
	PoolUID  UID    `json:"pool_uid"`
}

// Around is where the pool itself belongs: in its parent, or at the root of its scope.
func (p Pool) Around() In { return In{p.Scope, p.ScopeUID, p.Parent, p.ParentUID} }

// Root is where root pools of the scope belong.
func (s Scope) Root() In { return In{Scope: s.ID, ScopeUID: s.UID} }

// Inside is where objects of the pool belong.
func (p Pool) Inside() In { return In{p.Scope, p.ScopeUID, p.ID, p.UID} }
