package httpapi

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// GetPolicy reads the policy of a pool.
func (s *Server) GetPolicy(ctx context.Context, req api.GetPolicyRequestObject) (api.GetPolicyResponseObject, error) {
	found, err := s.policies.Policy(ctx, caller(ctx).Sees(), req.Pool)
	if err != nil {
		return nil, err
	}
	return api.GetPolicy200JSONResponse{Body: policy(found), Headers: api.GetPolicy200ResponseHeaders{ETag: etag(found.ETag())}}, nil
}

// SetPolicy gives a pool a policy.
func (s *Server) SetPolicy(ctx context.Context, req api.SetPolicyRequestObject) (api.SetPolicyResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	asked, err := rules(req.Body.Rules)
	if err != nil {
		return nil, err
	}
	after, err := s.policies.SetPolicy(ctx, caller(ctx), req.Pool, version, ipam.NewPolicy{Description: value(req.Body.Description), Rules: asked})
	if err != nil {
		return nil, err
	}
	return api.SetPolicy200JSONResponse{Body: policy(after), Headers: api.SetPolicy200ResponseHeaders{ETag: etag(after.ETag())}}, nil
}

// DeletePolicy takes the policy of a pool away.
func (s *Server) DeletePolicy(ctx context.Context, req api.DeletePolicyRequestObject) (api.DeletePolicyResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := s.policies.DeletePolicy(ctx, caller(ctx), req.Pool, version); err != nil {
		return nil, err
	}
	return api.DeletePolicy204Response{}, nil
}

// GetEffectivePolicy lists the policies that hold in a pool.
func (s *Server) GetEffectivePolicy(ctx context.Context, req api.GetEffectivePolicyRequestObject) (api.GetEffectivePolicyResponseObject, error) {
	all, err := s.policies.Effective(ctx, caller(ctx).Sees(), req.Pool)
	if err != nil {
		return nil, err
	}
	return api.GetEffectivePolicy200JSONResponse{Policies: each(all, policy)}, nil
}

// ListPolicyViolations lists what stands and would not be allowed.
func (s *Server) ListPolicyViolations(ctx context.Context, req api.ListPolicyViolationsRequestObject) (api.ListPolicyViolationsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	found, next, err := s.policies.Violations(ctx, caller(ctx).Sees(), req.Pool, p)
	if err != nil {
		return nil, err
	}
	out := api.ListPolicyViolations200JSONResponse{Items: each(found, func(b ipam.Broken) api.PolicyViolator {
		return api.PolicyViolator{Kind: api.PrefixKind(b.Kind), ID: b.ID, Name: b.Name, Pool: b.In.Pool, CIDR: b.CIDR.String(), Violations: each(b.Violations, violation)}
	})}
	if next.ID != "" {
		out.NextPageToken = cursorToken(next)
	}
	return out, nil
}

func violation(v ipam.Violation) api.PolicyViolation {
	return api.PolicyViolation{Rule: v.Rule, Pool: v.Pool, Detail: v.Detail}
}

func policy(p ipam.Policy) api.Policy {
	return api.Policy{
		UID: string(p.UID), Scope: p.Scope, Pool: p.Pool, PoolUID: string(p.PoolUID), Description: p.Description, Rules: rulesOf(p.Rules),
		Version: p.Version, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
}

func rulesOf(r ipam.Rules) api.PolicyRules {
	list := func(values []string) *api.PolicyValues {
		if len(values) == 0 {
			return nil
		}
		return &values
	}
	return api.PolicyRules{
		MinPrefixLength: r.Min, MaxPrefixLength: r.Max, PoolMinPrefixLength: r.PoolMin, PoolMaxPrefixLength: r.PoolMax,
		Accounts: list(r.Accounts), Regions: list(r.Regions), Environments: list(r.Environments), RequiredLabels: r.RequiredLabels, OwnerRequired: optional(r.OwnerRequired),
		NamePattern: optional(r.NamePattern), Exclude: each(r.Exclude, netip.Prefix.String), ExcludeSets: r.ExcludeSets, UsableOnly: optional(r.UsableOnly),
		SkipFirst: optional(r.SkipFirst), MaxOwnerSharePercent: optional(r.MaxOwnerShare), Expression: optional(r.Expression), ExpressionMessage: optional(r.Message),
		ApprovalAbove: r.ApprovalAbove, PoolApprovalAbove: r.PoolApproval, ReleaseApprovalAbove: r.Release, ApprovalGroups: each(r.ApprovalGroups, groupOf),
	}
}

func rules(r api.PolicyRules) (ipam.Rules, error) {
	out := ipam.Rules{
		Min: r.MinPrefixLength, Max: r.MaxPrefixLength, PoolMin: r.PoolMinPrefixLength, PoolMax: r.PoolMaxPrefixLength,
		Accounts: value(r.Accounts), Regions: value(r.Regions), Environments: value(r.Environments), RequiredLabels: r.RequiredLabels, OwnerRequired: value(r.OwnerRequired),
		NamePattern: value(r.NamePattern), ExcludeSets: r.ExcludeSets, UsableOnly: value(r.UsableOnly), SkipFirst: value(r.SkipFirst),
		MaxOwnerShare: value(r.MaxOwnerSharePercent), Expression: value(r.Expression), Message: value(r.ExpressionMessage),
		ApprovalAbove: r.ApprovalAbove, PoolApproval: r.PoolApprovalAbove, Release: r.ReleaseApprovalAbove,
	}
	for _, g := range r.ApprovalGroups {
		out.ApprovalGroups = append(out.ApprovalGroups, ipam.ApprovalGroup{Role: ipam.Role(value(g.Role)), Labels: g.Labels, Above: g.ApprovalAbove, PoolAbove: g.PoolApprovalAbove})
	}
	for i, text := range r.Exclude {
		x, err := prefixAt(fmt.Sprintf("/rules/exclude/%d", i), &text)
		if err != nil {
			return out, err
		}
		out.Exclude = append(out.Exclude, x)
	}
	return out, nil
}

func groupOf(g ipam.ApprovalGroup) api.ApprovalGroup {
	return api.ApprovalGroup{Role: optional(api.ApprovalGroupRole(g.Role)), Labels: g.Labels, ApprovalAbove: g.Above, PoolApprovalAbove: g.PoolAbove}
}
