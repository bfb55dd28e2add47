package bulk

import (
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Pool is a row that asks for a pool.
type Pool struct {
	New     ipam.NewPool
	Invalid *ipam.Error    // why that cannot be a new one
	Patch   ipam.PoolPatch // Labels nil: as they are, but for Label

	Label  Labels
	Inside bool // its parent is the innermost pool around its CIDR, where no column says
}

// scope is that which the row says, or the parent's.
func (p *Pool) scope() string { return p.New.Pool().Scope }

func (p *Pool) copied() Ask { return new(*p) }

func (p *Pool) around(w *work) (scope, pool string, err error) {
	if p.Invalid != nil {
		return "", "", p.Invalid
	}
	err = p.settle(w)
	return p.scope(), p.New.Parent, err
}

// settle finds the parent by address, where the file has no column for it.
func (p *Pool) settle(w *work) error {
	if !p.Inside || !p.New.CIDR.IsValid() || p.New.Parent != "" {
		return nil
	}
	around, err := w.innermost(p.scope(), p.New.CIDR, func(q ipam.Pool) bool { return q.CIDR != p.New.CIDR })
	p.New.Parent = around.ID
	return err
}

func (p *Pool) find(w *work, key string) (object, bool, error) {
	found, is, err := known(key, func() (ipam.Pool, error) { return ipam.RealPool(w.Tx.Pool(w.By.Sees(), key)) })
	switch {
	case err != nil:
		return object{}, false, err
	case is && p.New.Scope != "" && p.New.Scope != found.Scope:
		return object{}, false, ipam.Invalid("/scope", "pool %s (%s) is in scope %s, and pools do not change scopes; leave its uid out to make another one in scope %s", found.ID, found.UID, found.Scope, p.New.Scope)
	case is:
		return poolObject(found), true, nil
	case p.Invalid != nil:
		return object{}, false, p.Invalid
	}
	id := ipam.PoolID(p.scope(), p.New.Name)
	found, is, err = known(id, func() (ipam.Pool, error) { return ipam.RealPool(w.Tx.Pool(w.By.Sees(), id)) })
	return poolObject(found), is, err
}

func (p *Pool) would(_ *work, now any) (any, error) {
	before := now.(ipam.Pool)
	p.Patch.Labels = p.Label.over(p.Patch.Labels, before.Labels)
	after := before.Apply(p.Patch)
	if before.Moves(p.Patch) {
		after.Parent = *p.Patch.Parent
	}
	if p.Patch.CIDR != nil {
		after.CIDR = *p.Patch.CIDR
	} else if to, err := before.Resized(p.Patch); err == nil {
		after.CIDR = to
	}
	return after, nil
}

func (p *Pool) create(w *work) (object, error) {
	if err := p.settle(w); err != nil {
		return object{}, err
	}
	in := p.New
	in.Labels = p.Label.of(in.Labels)
	made, err := w.registry.CreatePool(w.ctx, w.By, in)
	if err != nil {
		return object{}, err
	}
	if known, read := w.pools[made.Scope]; read && len(made.Enclosed) == 0 {
		w.pools[made.Scope] = append(known, made)
	} else {
		delete(w.pools, made.Scope)
	}
	return poolObject(made), nil
}

func (p *Pool) update(w *work, now object) (object, error) {
	clear(w.pools)
	after, err := w.registry.UpdatePool(w.ctx, w.By, string(now.key), ipam.Exactly(now.etag), p.Patch)
	return poolObject(after), err
}

func poolObject(p ipam.Pool) object {
	return object{"pool", p.UID, p.ID, p.Name, p.Parent, p.CIDR.String(), p.Version, p.ETag(), p}
}

// innermost is the smallest pool of a scope around a block; the zero Pool where there is none to see.
func (w *work) innermost(scope string, cidr netip.Prefix, may func(ipam.Pool) bool) (ipam.Pool, error) {
	all, err := w.poolsOf(scope)
	best := ipam.Pool{}
	for _, p := range all {
		if p.CIDR.Bits() <= cidr.Bits() && p.CIDR.Contains(cidr.Addr()) && (best.ID == "" || best.LockedBefore(p)) && may(p) {
			best = p
		}
	}
	return best, err
}
