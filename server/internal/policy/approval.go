package policy

import (
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Needs are the blocks, each with its rule, for which policies ask a second person: what is new, or larger than it was, and above the size
// of a policy. What stands already where the policy is as large as it is then, was approved or is older. Member reports whether who asks is
// in a group of a policy, whose size then is the one that counts; of several groups the most generous.
func (c Chain) Needs(f, was Facts, stood bool, member func(ipam.ApprovalGroup) bool) (needs []ipam.Needed) {
	for _, p := range c {
		above := threshold(p.Rules, f.Kind, member)
		if above == nil || f.CIDR.Bits() >= *above {
			continue
		}
		if stood && was.Kind == f.Kind && was.CIDR.Bits() <= f.CIDR.Bits() && was.CIDR.Contains(f.CIDR.Addr()) && p.CIDR.Contains(was.CIDR.Addr()) && p.ScopeUID == was.ScopeUID {
			continue
		}
		rule := "approval_above"
		if f.Kind == ipam.KindPool {
			rule = "pool_approval_above"
		}
		n := needed(f, p, rule, *above)
		if stood {
			n.Was = was.CIDR
		}
		needs = append(needs, n)
	}
	return needs
}

// Released are the blocks, each with its rule, for which policies ask a second person before they are given up: all of one, or but for left.
func (c Chain) Released(was Facts, left netip.Prefix) (needs []ipam.Needed) {
	for _, p := range c {
		if p.Rules.Release == nil || was.CIDR.Bits() >= *p.Rules.Release {
			continue
		}
		n := needed(was, p, ipam.ReleaseRule, *p.Rules.Release)
		n.Was, n.CIDR = was.CIDR, left
		needs = append(needs, n)
	}
	return needs
}

func needed(f Facts, p ipam.Policy, rule string, above int) ipam.Needed {
	return ipam.Needed{
		Kind: f.Kind, In: f.In, Name: f.Name, CIDR: f.CIDR, Owner: f.Owner, Purpose: f.Purpose, Account: f.Account, Region: f.Region, Environment: f.Environment, Labels: f.Labels,
		Rule: rule, Above: above, Of: p.In, Policy: p.UID, PolicyVersion: p.Version,
	}
}

// threshold is the prefix length of the largest block that needs no approval; nil where none does.
func threshold(r ipam.Rules, kind ipam.Kind, member func(ipam.ApprovalGroup) bool) *int {
	of := func(above, pools *int) *int {
		if kind == ipam.KindPool {
			return pools
		}
		return above
	}
	all := of(r.ApprovalAbove, r.PoolApproval)
	var most *int
	for _, g := range r.ApprovalGroups {
		if above := of(g.Above, g.PoolAbove); all != nil && above != nil && (most == nil || *above < *most) && member(g) {
			most = above
		}
	}
	if most != nil {
		return most
	}
	return all
}
