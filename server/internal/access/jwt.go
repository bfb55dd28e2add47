package access

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/issuer"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// vouched is a JWT that was accepted, with what its principal may do.
type vouched struct {
	identity  issuer.Identity
	principal ipam.Principal
	bindings  []ipam.Binding
	verified  time.Time // when its signature was looked at
	read      time.Time // when the bindings were
}

// verifiedMemory is how long a signature is believed: a key that an issuer withdraws lets nobody in for longer, once that is known.
const verifiedMemory = time.Minute

// vouchedFor tells whom a JWT stands for. Nobody who has a genuine one waits because of others at his address who have not.
func (g *Gate) vouchedFor(ctx context.Context, from netip.Addr, raw string) (ipam.Caller, error) {
	hash := sha256.Sum256([]byte(raw))
	g.mu.Lock()
	v := g.vouched[hash]
	g.mu.Unlock()
	if time.Since(v.verified) >= verifiedMemory || !g.k.Now().Before(v.identity.Ends) {
		identity, err := g.trust.Verify(ctx, raw)
		if err != nil {
			g.forget(hash)
			return ipam.Caller{}, g.counted(from, err)
		}
		v = vouched{identity: identity, verified: time.Now()}
		if v.principal, err = g.meet(ctx, identity); err != nil {
			return ipam.Caller{}, err
		}
	}
	if time.Since(v.read) >= tokenMemory {
		at := time.Now()
		var err error
		if v.bindings, err = g.rights(ctx, v.principal.UID, v.identity.By, v.identity.Gives); err != nil {
			return ipam.Caller{}, err
		}
		v.read = at
		g.keep(hash, v)
	}
	return ipam.Caller{Principal: v.principal, Rights: ipam.Rights{Bindings: v.bindings}}, nil
}

// counted counts a refusal, and is one more of them where an address has had too many.
func (g *Gate) counted(from netip.Addr, err error) error {
	if code := ipam.CodeOf(err); code != ipam.CodeUnauthenticated && code != ipam.CodeForbidden {
		return err
	}
	if g.tooMany(from) {
		return g.errTooMany()
	}
	g.failed(from)
	return err
}

func (g *Gate) keep(hash [sha256.Size]byte, v vouched) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.vouched) >= maxKnown {
		clear(g.vouched)
	}
	g.vouched[hash] = v
}

func (g *Gate) forget(hash [sha256.Size]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.vouched, hash)
}

// meet reads the principal of an identity. The first time, it makes it; and it gives it the name that it has now.
func (g *Gate) meet(ctx context.Context, id issuer.Identity) (ipam.Principal, error) {
	known, err := change.Glance(ctx, g.k, func(tx *store.Tx) (ipam.Vouched, error) { return tx.PrincipalOf(id.Issuer, id.Subject) })
	if err == nil && known.Name == id.Name || err != nil && ipam.CodeOf(err) != ipam.CodeNotFound {
		return known.Principal, err
	}
	return change.Write(ctx, g.k, ipam.System("issuer"), "system", func(c change.Change) (ipam.Principal, error) {
		if err := c.Tx.LockSystem(); err != nil {
			return ipam.Principal{}, err
		}
		return introduce(c, ipam.Principal{Kind: id.Kind, Name: id.Name, Issuer: id.Issuer, Subject: id.Subject})
	})
}

// introduce makes a principal whom an issuer vouches for, unless there is one by now, and gives it the name that it has now.
func introduce(c change.Change, p ipam.Principal) (ipam.Principal, error) {
	was, err := c.Tx.PrincipalOf(p.Issuer, p.Subject)
	switch {
	case ipam.CodeOf(err) == ipam.CodeNotFound:
		p.UID = ipam.NewUID("principal")
		if err := c.Tx.InsertPrincipal(p, c.At); err != nil {
			return p, err
		}
		return p, c.Record(principalObject(p), "created", nil, ipam.Vouched{Principal: p, CreatedAt: c.At})
	case err != nil || was.Name == p.Name || p.Name == "":
		return was.Principal, err
	}
	is := was
	is.Name = p.Name
	if err := c.Tx.RenamePrincipal(is.UID, is.Name); err != nil {
		return is.Principal, err
	}
	return is.Principal, c.Record(principalObject(is.Principal), "updated", was, is)
}

// principalObject is a principal in the system's chain, as a token.
func principalObject(p ipam.Principal) change.Object {
	return change.Object{Kind: "principal", ID: string(p.UID)}
}

// rights are the bindings of a principal and what rules give it. A rule whose place is not there, or no more, gives nothing.
func (g *Gate) rights(ctx context.Context, principal ipam.UID, by string, gives []issuer.Give) ([]ipam.Binding, error) {
	return change.Get(ctx, g.k, func(tx *store.Tx) ([]ipam.Binding, error) {
		all, err := tx.BindingsOf(principal, ipam.MaxBindings)
		for _, give := range gives {
			if err != nil {
				break
			}
			var b ipam.Binding
			if b, err = given(tx, give); ipam.CodeOf(err) == ipam.CodeNotFound {
				err = nil
				continue
			}
			b.Principal, b.Rule = principal, by+"/"+give.Rule
			all = append(all, b)
		}
		return all, err
	})
}

func given(tx *store.Tx, give issuer.Give) (b ipam.Binding, err error) {
	b = ipam.Binding{Role: give.Role, Labels: give.Labels}
	if give.Largest != nil {
		b.Largest = *give.Largest
	}
	switch {
	case give.Pool != "":
		var pool ipam.Pool
		pool, err = ipam.RealPool(tx.Pool(ipam.Everything, give.Pool))
		b.In = pool.Inside()
	case give.Scope != "":
		var scope ipam.Scope
		scope, err = ipam.RealScope(tx.Scope(ipam.Everything, give.Scope))
		b.In = scope.Root()
	}
	return b, err
}
