// Package govern keeps the policies of pools: what each asks of all that is in it and below. It changes no space, and what stands stays; it
// lists what of that a policy would not allow.
package govern

import (
	"cmp"
	"context"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/policy"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Book serves the policies. It is safe for concurrent use.
type Book struct{ k *change.Kernel }

// New makes a Book.
func New(k *change.Kernel) *Book { return &Book{k: k} }

// Policy reads the policy of a pool by the pool's id; CodeNotFound when there is no pool to see, or it has no policy of its own.
func (b *Book) Policy(ctx context.Context, see ipam.Visible, pool string) (ipam.Policy, error) {
	return change.Read(ctx, b.k, func(tx *store.Tx) (ipam.Policy, error) {
		p, err := ipam.RealPool(tx.Pool(see, pool))
		if err != nil {
			return ipam.Policy{}, err
		}
		return tx.PolicyOf(p)
	})
}

// Effective lists the policies that hold in a pool, the outermost first: who sees a pool may know what binds it, also from above.
func (b *Book) Effective(ctx context.Context, see ipam.Visible, pool string) ([]ipam.Policy, error) {
	return change.Read(ctx, b.k, func(tx *store.Tx) ([]ipam.Policy, error) {
		p, err := tx.Pool(see, pool)
		if err != nil {
			return nil, err
		}
		return tx.PoliciesAbove(p.Inside())
	})
}

// SetPolicy gives a pool a policy, or makes the one that it has another. It holds for all that is asked for from then on in the pool and
// below. Errors: CodeNotFound, CodeInvalid, also where policies around or below contradict it, CodePreconditionFailed,
// CodePreconditionRequired where there is one.
func (b *Book) SetPolicy(ctx context.Context, by ipam.Caller, pool string, m ipam.Match, in ipam.NewPolicy) (ipam.Policy, error) {
	return b.write(ctx, by, pool, func(c change.Change, p ipam.Pool, below []ipam.UID) (ipam.Policy, error) {
		if err := cmp.Or(in.Rules.Check(p), policy.CheckExpression(in.Rules)); err != nil {
			return ipam.Policy{}, err
		}
		before, err := c.Tx.PolicyOf(p)
		missing := ipam.CodeOf(err) == ipam.CodeNotFound
		if err != nil && !missing {
			return before, err
		}
		var after ipam.Policy
		if missing {
			if err := m.Check("policy of pool", p.ID, ""); err != nil {
				return before, err
			}
			after = ipam.Policy{UID: ipam.NewUID("policy"), In: p.Inside(), CIDR: p.CIDR, Description: in.Description, Rules: in.Rules, Version: 1, CreatedAt: c.At, UpdatedAt: c.At}
			if err := c.Tx.InsertPolicy(after); err != nil {
				return after, err
			}
			return after, cmp.Or(consistent(c, below), c.Record(change.PolicyObject(after), "created", nil, after))
		}
		if err := m.Require("policy of pool", p.ID, before.ETag()); err != nil {
			return before, err
		}
		after = before
		after.Description, after.Rules, after.Version, after.UpdatedAt = in.Description, in.Rules, before.Version+1, c.At
		if err := c.Tx.UpdatePolicy(after, c.At); err != nil {
			return after, err
		}
		return after, cmp.Or(consistent(c, below), c.Record(change.PolicyObject(after), "updated", before, after))
	})
}

// DeletePolicy takes the policy of a pool away: what is around it still holds. Errors: CodeNotFound, CodePreconditionFailed,
// CodePreconditionRequired.
func (b *Book) DeletePolicy(ctx context.Context, by ipam.Caller, pool string, m ipam.Match) error {
	_, err := b.write(ctx, by, pool, func(c change.Change, p ipam.Pool, _ []ipam.UID) (ipam.Policy, error) {
		known, err := c.Tx.PolicyOf(p)
		if err != nil {
			return known, err
		}
		if err := m.Require("policy of pool", p.ID, known.ETag()); err != nil {
			return known, err
		}
		return known, c.EndPolicy(p)
	})
	return err
}

// write changes the policy of a pool under the locks of that and of all pools in it: no request that is on its way is judged by what was,
// and done after what is.
func (b *Book) write(ctx context.Context, by ipam.Caller, id string, body func(change.Change, ipam.Pool, []ipam.UID) (ipam.Policy, error)) (ipam.Policy, error) {
	known, err := change.Get(ctx, b.k, func(tx *store.Tx) (ipam.Pool, error) { return ipam.RealPool(tx.Pool(by.Sees(), id)) })
	if err != nil {
		return change.OrReplay[ipam.Policy](ctx, b.k, by, err)
	}
	return change.Write(ctx, b.k, by, "policy "+string(known.UID), func(c change.Change) (ipam.Policy, error) {
		below, err := c.Tx.LockPoolsBelow(known.UID)
		if err != nil {
			return ipam.Policy{}, ipam.GonePool(err, known)
		}
		pool, err := c.Tx.Pool(ipam.Everything, string(known.UID))
		if err != nil {
			return ipam.Policy{}, err
		}
		if err := c.May(pool.Inside()); err != nil {
			return ipam.Policy{}, err
		}
		return body(c, pool, below)
	})
}

// consistent refuses policies that contradict each other around any of some pools.
func consistent(c change.Change, pools []ipam.UID) error {
	for _, uid := range pools {
		pool, err := c.Tx.Pool(ipam.Everything, string(uid))
		if err != nil {
			return err
		}
		chain, err := c.Policies(pool.Inside())
		if err != nil {
			return err
		}
		if err := chain.Contradiction(pool); err != nil {
			return err
		}
	}
	return nil
}
