package change

import (
	"fmt"
	"math/big"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/policy"
)

// Policies are those around a place. The caller holds the lock of its pool.
func (c Change) Policies(in ipam.In) (policy.Chain, error) {
	all, err := c.Tx.PoliciesAbove(in)
	return policy.Chain(all), err
}

// judge refuses a change that a policy forbids. It stands where events are recorded, since no object changes without one: there is no
// way around it. What broke a rule before in the same way, and what only ends, is not refused. Errors: CodePolicyViolation.
func (c Change) judge(before, after any) error {
	f, judged := policy.Of(after)
	if !judged {
		return nil
	}
	broken, err := c.breaks(f)
	if err != nil {
		return err
	}
	was, had := policy.Standing(before)
	if had && len(broken) > 0 {
		before, err := c.breaks(was)
		if err != nil {
			return err
		}
		broken = without(broken, before)
	}
	if !had || was.Owner != f.Owner || was.CIDR.Bits() > f.CIDR.Bits() || was.PoolUID != f.PoolUID {
		over, err := c.overShares(f)
		if err != nil {
			return err
		}
		broken = append(broken, over...)
	}
	return ipam.Violates(broken)
}

// Allow refuses what a plan says that it will do where a policy forbids that. Errors: CodePolicyViolation.
func (c Change) Allow(f policy.Facts) error {
	broken, err := c.breaks(f)
	if err != nil {
		return err
	}
	over, err := c.overShares(f)
	if err != nil {
		return err
	}
	return ipam.Violates(append(broken, over...))
}

// EndPolicy takes away the policy of a pool, if it has one.
func (c Change) EndPolicy(pool ipam.Pool) error {
	p, err := c.Tx.PolicyOf(pool)
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.Tx.DeletePolicy(p); err != nil {
		return err
	}
	return c.Record(PolicyObject(p), "deleted", p, nil)
}

// PolicyObject is a policy, in the chain of its pool.
func PolicyObject(p ipam.Policy) Object {
	return Object{Kind: "policy", ID: string(p.UID), Space: p.PoolUID, Scope: p.Scope, ScopeUID: p.ScopeUID}
}

func without(broken, had []ipam.Violation) (fresh []ipam.Violation) {
	known := map[ipam.Violation]bool{}
	for _, v := range had {
		known[v] = true
	}
	for _, v := range broken {
		if !known[v] {
			fresh = append(fresh, v)
		}
	}
	return fresh
}

// breaks says which rules something breaks. The caller holds the lock of its pool.
func (c Change) breaks(f policy.Facts) ([]ipam.Violation, error) {
	chain, err := c.Policies(f.In)
	if err != nil || len(chain) == 0 {
		return nil, err
	}
	pool, err := c.Tx.Pool(ipam.Everything, string(f.PoolUID))
	if err != nil {
		return nil, err
	}
	return chain.Judge(f, pool), nil
}

// overShares says of which shares an allocation, which is there already unless it is a promise, makes its owner have more.
func (c Change) overShares(f policy.Facts) (over []ipam.Violation, err error) {
	if !f.Told || f.Owner == "" || f.Kind != ipam.KindAllocation {
		return nil, nil
	}
	chain, err := c.Policies(f.In)
	for _, p := range chain {
		if err == nil && p.Rules.MaxOwnerShare > 0 {
			over, err = c.overShare(over, p, f)
		}
	}
	return over, err
}

// overShare adds to what is over that an owner has more of a pool than its policy allows.
func (c Change) overShare(over []ipam.Violation, p ipam.Policy, f policy.Facts) ([]ipam.Violation, error) {
	blocks, err := c.Tx.OwnerShare(p, f.Owner)
	if err != nil {
		return over, err
	}
	width := p.CIDR.Addr().BitLen()
	size := func(length int) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(width-length)) }
	has := new(big.Int)
	for length, n := range blocks {
		has.Add(has, new(big.Int).Mul(size(length), big.NewInt(n)))
	}
	if f.ID == "" { // promised, and not there yet
		has.Add(has, size(f.CIDR.Bits()))
	}
	may := new(big.Int).Div(new(big.Int).Mul(size(p.CIDR.Bits()), big.NewInt(int64(p.Rules.MaxOwnerShare))), big.NewInt(100))
	if has.Cmp(may) <= 0 {
		return over, nil
	}
	return append(over, ipam.Violation{Rule: "max_owner_share_percent", Pool: p.Pool, Pointer: "/owner", Detail: fmt.Sprintf("%s would have %s addresses in pool %s (%s), and %s allows one owner %d%%, which is %s; ask for less, or release some",
		f.Owner, has, p.Pool, p.CIDR, p.Named(), p.Rules.MaxOwnerShare, may)}), nil
}
