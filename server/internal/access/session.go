package access

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/issuer"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// How long a session lasts without use, and at most, where nothing else is set; and how many one principal has.
const (
	DefaultIdle   = time.Hour
	DefaultLength = 12 * time.Hour
	maxSessions   = 100
)

// signedIn is a session as it was read, with what its principal may do.
type signedIn struct {
	session  ipam.Session
	bindings []ipam.Binding
	at       time.Time
}

func sessionObject(s ipam.Session) change.Object {
	return change.Object{Kind: "session", ID: string(s.ID)}
}

// OpenSession signs in whoever showed a token of this server, and returns the secret of the session. Errors: CodeInvalid for others.
func (g *Gate) OpenSession(ctx context.Context, by ipam.Caller) (ipam.Session, string, error) {
	if by.Kind != "token" || by.Session != "" {
		return ipam.Session{}, "", ipam.Invalid("header:Authorization", "a session is opened by a token of this server, and this is %s", by)
	}
	return g.open(ctx, by, func(c change.Change) (ipam.Session, error) {
		s := ipam.Session{Principal: by.Principal, Token: ipam.KeyUID("token", by.UID.Key()), EndsAt: c.At.Add(g.SessionLength)}
		t, err := tokenOf(c.Tx, s)
		if err == nil && t.ExpiresAt != nil && t.ExpiresAt.Before(s.EndsAt) {
			s.EndsAt = *t.ExpiresAt
		}
		return s, err
	})
}

// SignIn signs in whom an issuer vouches for, and returns the secret of the session.
func (g *Gate) SignIn(ctx context.Context, by ipam.Caller, id issuer.Identity) (ipam.Session, string, error) {
	claims, err := json.Marshal(id.Claims)
	if err != nil {
		return ipam.Session{}, "", err
	}
	if by.Principal, err = g.meet(ctx, id); err != nil {
		return ipam.Session{}, "", err
	}
	return g.open(ctx, by, func(c change.Change) (ipam.Session, error) {
		return ipam.Session{Principal: by.Principal, Claims: claims, EndsAt: c.At.Add(g.SessionLength)}, nil
	})
}

func (g *Gate) open(ctx context.Context, by ipam.Caller, who func(change.Change) (ipam.Session, error)) (ipam.Session, string, error) {
	secret := ipam.NewSessionSecret() // not of the transaction, whose answer is stored
	by.Retry = nil                    // each login is a session of its own
	s, err := change.Write(ctx, g.k, by, "system", func(c change.Change) (ipam.Session, error) {
		if err := c.Tx.LockSystem(); err != nil {
			return ipam.Session{}, err
		}
		key, err := c.Tx.TokenKey()
		if err != nil {
			return ipam.Session{}, err
		}
		s, err := who(c)
		if err != nil {
			return s, err
		}
		if err := makeRoom(c, s.Principal.UID); err != nil {
			return s, err
		}
		s.ID, s.CreatedAt, s.UsedAt = ipam.NewUID("session"), c.At, c.At
		if err := c.Tx.InsertSession(s, ipam.HashSecret(key, secret)); err != nil {
			return s, err
		}
		return s, c.Record(sessionObject(s), "created", nil, s)
	})
	return s, secret, err
}

// makeRoom ends the oldest session of a principal that has as many as it may.
func makeRoom(c change.Change, principal ipam.UID) error {
	n, err := c.Tx.CountSessions(principal)
	if err != nil || n < maxSessions {
		return err
	}
	oldest, err := c.Tx.Sessions(ipam.SessionFilter{Principal: principal}, ipam.Page{Limit: 1})
	if err != nil || len(oldest) == 0 {
		return err
	}
	return endSession(c, oldest[0])
}

func endSession(c change.Change, s ipam.Session) error {
	ended, err := c.Tx.DeleteSession(s.ID)
	if err != nil || !ended {
		return err
	}
	return c.Record(sessionObject(s), "ended", s, nil)
}

// Session tells whom the secret of a session stands for, with its bindings, both read at most once a second. Errors:
// CodeUnauthenticated when it has ended; CodeTooManyFailures; CodeForbidden when no rule of its issuer is about it any more.
func (g *Gate) Session(ctx context.Context, from netip.Addr, secret string) (ipam.Caller, error) {
	return g.standing(ctx, from, secret, true)
}

// SessionUnused is Session, and no use of it: without others it comes to its end.
func (g *Gate) SessionUnused(ctx context.Context, from netip.Addr, secret string) (ipam.Caller, error) {
	return g.standing(ctx, from, secret, false)
}

func (g *Gate) standing(ctx context.Context, from netip.Addr, secret string, use bool) (ipam.Caller, error) {
	s, err := g.signedInBy(ctx, from, secret)
	if err != nil {
		return ipam.Caller{}, err
	}
	now := g.k.Now()
	g.mu.Lock()
	if used := g.usedSessions[s.session.ID]; used.After(s.session.UsedAt) {
		s.session.UsedAt = used
	}
	over := s.session.Over(now, g.SessionIdle)
	if !over && use {
		g.usedSessions[s.session.ID] = now
	}
	g.mu.Unlock()
	if over {
		return ipam.Caller{}, errSessionOver
	}
	return ipam.Caller{Principal: s.session.Principal, Session: s.session.ID, Rights: ipam.Rights{Bindings: s.bindings}}, nil
}

var errSessionOver = ipam.Errorf(ipam.CodeUnauthenticated, "you are not signed in any more; sign in again")

func (g *Gate) signedInBy(ctx context.Context, from netip.Addr, secret string) (signedIn, error) {
	known := false
	if key := g.tokenKey.Load(); key != nil {
		g.mu.Lock()
		var s signedIn
		s, known = g.signed[string(ipam.HashSecret(*key, secret))]
		g.mu.Unlock()
		if known && time.Since(s.at) < tokenMemory {
			return s, nil
		}
	}
	if !known && g.tooMany(from) {
		return signedIn{}, g.errTooMany()
	}
	var hash []byte
	s, err := change.Glance(ctx, g.k, func(tx *store.Tx) (s signedIn, err error) {
		s.at = time.Now()
		key, err := g.keyOfTokens(tx)
		if err != nil {
			return s, err
		}
		hash = ipam.HashSecret(key, secret)
		if s.session, err = tx.SessionByHash(hash); err != nil || s.session.Token == "" {
			return s, err
		}
		t, err := tokenOf(tx, s.session)
		if err == nil && !t.Active(g.k.Now()) {
			err = errSessionOver
		}
		return s, err
	})
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		g.failed(from)
		err = errSessionOver
	}
	if err != nil {
		return s, err
	}
	by, gives, err := g.givesOf(s.session)
	if err != nil {
		return s, err
	}
	if s.bindings, err = g.rights(ctx, s.session.Principal.UID, by, gives); err != nil {
		return s, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.signed) >= maxKnown {
		clear(g.signed)
	}
	g.signed[string(hash)] = s
	return s, nil
}

// tokenOf is the token that opened a session.
func tokenOf(tx *store.Tx, s ipam.Session) (ipam.Token, error) {
	found, err := tx.Tokens(ipam.Everything, ipam.TokenFilter{ID: string(s.Token)}, ipam.Page{Limit: 1})
	if err == nil && len(found) == 0 {
		err = ipam.NoSuch("token", string(s.Token))
	}
	if err != nil {
		return ipam.Token{}, err
	}
	return found[0], nil
}

// givesOf are what rules give to a session that an issuer vouched for.
func (g *Gate) givesOf(s ipam.Session) (by string, gives []issuer.Give, err error) {
	if s.Token != "" {
		return "", nil, nil
	}
	var claims issuer.Claims
	if err := json.Unmarshal(s.Claims, &claims); err != nil {
		return "", nil, err
	}
	return g.trust.Gives(s.Principal.Issuer, s.Principal.Subject, claims)
}

// Sessions lists a page of sessions by age: one's own, and to who is admin everywhere those of all.
func (g *Gate) Sessions(ctx context.Context, by ipam.Caller, p ipam.Page) ([]ipam.Session, error) {
	return change.Get(ctx, g.k, func(tx *store.Tx) ([]ipam.Session, error) { return tx.Sessions(ownOrAll(by), p) })
}

func ownOrAll(by ipam.Caller) ipam.SessionFilter {
	if by.Rights.As(ipam.Admin).Everywhere() {
		return ipam.SessionFilter{}
	}
	return ipam.SessionFilter{Principal: by.UID}
}

// EndSession ends a session at once. Errors: CodeNotFound, also of one that is not one's own, to who is not admin everywhere.
func (g *Gate) EndSession(ctx context.Context, by ipam.Caller, id string) error {
	_, err := change.Write(ctx, g.k, by, "system", func(c change.Change) (struct{}, error) {
		none := struct{}{}
		if err := c.Tx.LockSystem(); err != nil {
			return none, err
		}
		f := ownOrAll(c.By)
		if f.ID = id; ipam.KeyOf("session", id) == 0 {
			return none, ipam.NoSuch("session", id)
		}
		found, err := c.Tx.Sessions(f, ipam.Page{Limit: 1})
		if err == nil && len(found) == 0 {
			err = ipam.NoSuch("session", id)
		}
		if err != nil {
			return none, err
		}
		return none, endSession(c, found[0])
	})
	g.forgetAll()
	return err
}

// EndSessions ends sessions that are over, some at a time, and reports of how many.
func (g *Gate) EndSessions(ctx context.Context) (int64, error) {
	const some = 500
	if _, err := g.NoteUse(ctx); err != nil {
		return 0, err
	}
	return change.Write(ctx, g.k, ipam.System("sessions"), "system", func(c change.Change) (int64, error) {
		if err := c.Tx.LockSystem(); err != nil {
			return 0, err
		}
		// Other servers write a use a minute later; a session that is used is not idle in the database for much longer.
		over, err := c.Tx.OverSessions(c.Due, c.Due.Add(-g.SessionIdle-5*time.Minute), some)
		for _, s := range over {
			if err == nil {
				err = endSession(c, s)
			}
		}
		return int64(len(over)), err
	})
}
