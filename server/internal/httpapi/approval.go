package httpapi

import (
	"context"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListApprovals lists a page of requests.
func (s *Server) ListApprovals(ctx context.Context, req api.ListApprovalsRequestObject) (api.ListApprovalsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	f := ipam.ApprovalFilter{
		Scope: value(req.Params.Scope), Pool: value(req.Params.Pool), Status: ipam.ApprovalStatus(value(req.Params.Status)),
		Requester: value(req.Params.Requester), Text: value(req.Params.Q),
	}
	items, err := s.approvals.Approvals(ctx, caller(ctx).Sees(), f, p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(a ipam.Approval) ipam.Cursor { return ipam.Cursor{ID: string(a.ID)} })
	return api.ListApprovals200JSONResponse{Items: each(items, approvalOf), NextPageToken: next}, nil
}

// GetApproval reads a request.
func (s *Server) GetApproval(ctx context.Context, req api.GetApprovalRequestObject) (api.GetApprovalResponseObject, error) {
	found, err := s.approvals.Approval(ctx, caller(ctx).Sees(), req.Approval)
	if err != nil {
		return nil, err
	}
	return api.GetApproval200JSONResponse(approvalOf(found)), nil
}

// WithdrawApproval ends a request of the caller's own.
func (s *Server) WithdrawApproval(ctx context.Context, req api.WithdrawApprovalRequestObject) (api.WithdrawApprovalResponseObject, error) {
	if _, err := s.approvals.Withdraw(ctx, caller(ctx), req.Approval); err != nil {
		return nil, err
	}
	return api.WithdrawApproval204Response{}, nil
}

// DecideApprovals approves or refuses requests, each answered by itself.
func (s *Server) DecideApprovals(ctx context.Context, req api.DecideApprovalsRequestObject) (api.DecideApprovalsResponseObject, error) {
	decisions := each(req.Body.Decisions, func(d api.NewDecision) ipam.Decision {
		return ipam.Decision{ID: d.Approval, Digest: d.Digest, Approve: d.Decision == api.NewDecisionDecisionApprove, Comment: value(d.Comment)}
	})
	var out api.DecideApprovals200JSONResponse
	for _, d := range s.approvals.Decide(ctx, caller(ctx), decisions) {
		item := api.DecisionItem{}
		if d.Err != nil {
			item.Problem = new(problem(ctx, s.log, d.Err))
		} else {
			item.Approval = new(approvalOf(d.Approval))
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

func approvalOf(a ipam.Approval) api.Approval {
	return api.Approval{
		ID: string(a.ID), Scope: a.Scope, Pool: a.Pool, Requester: string(a.Requester), RequestedBy: a.Actor, Action: a.Action, Digest: a.Digest, Blocks: each(a.Blocks, needed),
		Reason: a.Reason, Source: a.Source, Status: api.ApprovalStatus(a.Status), DecidedBy: optional(a.DecidedBy), DecidedAt: a.DecidedAt, Comment: optional(a.Comment),
		Emergency: a.Emergency, EmergencyAt: a.EmergencyAt, Until: a.Until, Deciders: a.Deciders(), URL: a.URL, CreatedAt: a.CreatedAt,
	}
}

func needed(n ipam.Needed) api.ApprovalBlock {
	b := api.ApprovalBlock{
		Kind: api.PrefixKind(n.Kind), ID: optional(n.ID), Pool: n.Pool, Name: n.Name, CIDR: n.CIDR.String(), Owner: optional(n.Owner), Purpose: optional(n.Purpose),
		Account: optional(n.Account), Region: optional(n.Region), Environment: optional(n.Environment), Rule: n.Rule, Above: n.Above, PolicyPool: n.Of.Pool, Detail: n.Why(),
	}
	if n.Was.IsValid() {
		b.Was = new(n.Was.String())
	}
	if len(n.Labels) > 0 {
		b.Labels = new(labels(n.Labels))
	}
	return b
}
