package provider

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// policies are what holds in the pools of a run, each asked for once. It is safe for concurrent use.
type policies struct{ of sync.Map } // by pool, func() []cloudpam.Policy

// in answers the policies of a pool; none where they cannot be read, since they only serve to say something beforehand.
func (p *policies) in(ctx context.Context, client *cloudpam.Client, pool string) []cloudpam.Policy {
	asked, _ := p.of.LoadOrStore(pool, sync.OnceValue(func() []cloudpam.Policy {
		effective, err := client.GetEffectivePolicy(ctx, pool)
		if err != nil {
			tflog.Debug(ctx, "cannot read policies", map[string]any{"pool": pool, "error": err.Error()})
		}
		return effective.Policies
	}))
	all, _ := asked.(func() []cloudpam.Policy)
	return all()
}

// border is the block of something that stands, and what becomes of it: zero where it is given up.
type border struct{ from, to netip.Prefix }

// willChange warns while planning of blocks of a pool that are given up, shrink or grow only once somebody allows it. What is new is told of
// by the server, with its hold. Whom a policy asks from another size on is not known here: then the plan says that it may be.
func (s *session) willChange(ctx context.Context, a attempt, req resource.ModifyPlanRequest, pool string, borders ...border) diag.Diagnostics {
	if s == nil || s.client == nil || pool == "" || s.planning.applies(req) {
		return nil
	}
	pool = s.renames.askPool(pool)
	f := cloudpam.ApprovalForecast{URL: "/approvals"}
	var of []string
	for _, p := range s.policies.in(ctx, s.client, pool) {
		for _, b := range borders {
			if block, needs := b.needs(a.kind == "pool", p); needs {
				block.Pool = pool
				f.Blocks, of = append(f.Blocks, block), append(of, p.Pool)
			}
		}
	}
	if len(f.Blocks) == 0 {
		return nil
	}
	f.Deciders = "a person other than who applies, who is admin of pool " + strings.Join(slices.Compact(of), " and of pool ")
	return s.willWait(a, req, &f)
}

// needs is what a policy asks before a border moves, in the words of the server.
func (b border) needs(ofPool bool, p cloudpam.Policy) (cloudpam.ApprovalBlock, bool) {
	rule, above, detail := releaseRule, p.Rules.ReleaseApprovalAbove, ""
	switch {
	case !b.from.IsValid():
		return cloudpam.ApprovalBlock{}, false
	case !b.to.IsValid():
		detail = fmt.Sprintf("giving up a /%d, which", b.from.Bits())
	case b.to.Bits() > b.from.Bits():
		detail = fmt.Sprintf("making a /%d smaller, which", b.from.Bits())
	case ofPool:
		rule, above = "pool_approval_above", p.Rules.PoolApprovalAbove
	default:
		rule, above = "approval_above", p.Rules.ApprovalAbove
	}
	size, cidr := b.from.Bits(), b.from.String()
	if detail == "" {
		size, cidr, detail = b.to.Bits(), b.to.String(), fmt.Sprintf("a /%d", b.to.Bits())
	}
	if above == nil || size >= *above || b.to == b.from {
		return cloudpam.ApprovalBlock{}, false
	}
	detail += fmt.Sprintf(" is larger than a /%d: the policy of pool %s has %s %d here", *above, p.Pool, rule, *above)
	if rule != releaseRule && len(p.Rules.ApprovalGroups) > 0 {
		detail += ", and other sizes for some groups"
	}
	return cloudpam.ApprovalBlock{CIDR: cidr, Rule: rule, Detail: detail}, true
}

// given are borders of blocks that are given up.
func given(blocks ...netip.Prefix) (all []border) {
	for _, b := range blocks {
		all = append(all, border{from: b})
	}
	return all
}
