package choose

import (
	"cmp"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/policy"
)

// Allowed is a claim of a length as it may be placed in a pool: past the caller's role, the sizes of the pool and its policies, and with
// what those keep out of use. The caller holds the pool's lock. Errors: CodeForbidden, CodeInvalid, CodePolicyViolation.
func Allowed(c change.Change, pool ipam.Pool, want Claim, length int) (Claim, error) {
	if err := c.MayHave(pool.Inside(), want.Extent(length)); err != nil {
		return want, err
	}
	if want.Keeps() { // none of that is handed out as a block of its own
		return want, pool.Fits(length)
	}
	chain, err := c.Policies(pool.Inside())
	if err := cmp.Or(err, pool.Allow(length)); err != nil || len(chain) == 0 {
		return want, err
	}
	kind := want.Kind
	if kind != ipam.KindPool {
		kind = ipam.KindAllocation
		want.Barred, want.BarredBy = chain.Barred(pool, length)
	}
	return want, ipam.Violates(chain.JudgeLength(kind, length, pool))
}

// AllowedHold is what a plan asks for with what policies keep out of use: what it was promised there before, it is not promised again.
func AllowedHold(c change.Change, pool ipam.Pool, in ipam.NewHold, length int) (ipam.NewHold, error) {
	if ipam.CheckFreeName("", in.Name) != nil {
		return in, nil
	}
	chain, err := c.Policies(pool.Inside())
	in.Barred, in.BarredBy = chain.Barred(pool, length)
	return in, err
}

// Kept is the error of a promise: a refusal where what is promised would not be allowed, as far as the plan says what it is for.
func Kept(c change.Change, pool ipam.Pool, in ipam.NewHold, h ipam.Hold, err error) error {
	if err != nil || ipam.CheckFreeName("", in.Name) != nil {
		return err
	}
	return c.Allow(policy.Promise(pool.Inside(), in.Name, h.CIDR, in.Meant))
}
