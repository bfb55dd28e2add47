package httpapi

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/adopt"
	"github.com/cloudpam/cloudpam/server/internal/drift"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	look "github.com/cloudpam/cloudpam/server/internal/observe"
)

// scopeOr is the scope that a request names, or the default one.
func scopeOr[T ~string](scope *T) string {
	if scope == nil || *scope == "" {
		return ipam.DefaultScope
	}
	return string(*scope)
}

// ListDrifts lists a page of drifts. They are not stored: each page is of the facts as they are.
func (s *Server) ListDrifts(ctx context.Context, req api.ListDriftsRequestObject) (api.ListDriftsResponseObject, error) {
	q := req.Params
	p, err := page(q.Limit, q.PageToken)
	if err != nil {
		return nil, err
	}
	all, err := s.observer.Drifts(ctx, caller(ctx).Sees(), scopeOr(q.Scope))
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(d look.Answered) bool {
		return d.ID <= p.After.ID || q.Kind != nil && drift.Kind(*q.Kind) != d.Kind || q.Account != nil && *q.Account != d.Account || d.Ignored() != value(q.Ignored)
	})
	slices.SortFunc(all, func(a, b look.Answered) int { return strings.Compare(a.ID, b.ID) })
	items := all[:min(p.Limit, len(all))]
	next := nextPage(p, items, func(d look.Answered) ipam.Cursor { return ipam.Cursor{ID: d.ID} })
	now := s.observer.Now()
	return api.ListDrifts200JSONResponse{Items: each(items, func(d look.Answered) api.Drift { return driftOut(d, now) }), NextPageToken: next}, nil
}

func driftOut(d look.Answered, now time.Time) api.Drift {
	out := api.Drift{
		ID: d.ID, Kind: api.DriftKind(d.Kind), Scope: d.Scope, Account: d.Account, Region: d.Region, CIDR: d.CIDR.String(), Desired: d.Desired, Observed: d.Observed, Pool: d.Pool,
		Detail: d.Detail, Task: string(d.Task), Facts: d.Facts, Since: optional(d.Since), FirstSeenAt: optional(d.FirstSeen), LastSeenAt: &now, Action: new(api.DriftAction(d.Action)), Rule: ruleOf(d.Rule),
	}
	if d.Ignore != nil {
		out.Ignored = &api.DriftIgnore{Reason: d.Ignore.Reason, By: d.Ignore.By, At: d.Ignore.CreatedAt}
	}
	return out
}

func ruleOf(rule int) *int {
	if rule < 0 {
		return nil
	}
	return &rule
}

// AnswerDrifts ignores, sees again or adopts drifts.
func (s *Server) AnswerDrifts(ctx context.Context, req api.AnswerDriftsRequestObject) (api.AnswerDriftsResponseObject, error) {
	b, who, scope := req.Body, caller(ctx), scopeOr(req.Body.Scope)
	if b.Answer == api.DriftAnswerAnswerAdopt {
		items, err := s.adoptDrifts(ctx, scope, b.Ids, value(b.DryRun))
		return api.AnswerDrifts200JSONResponse{Items: items}, err
	}
	who.DryRun = who.DryRun || value(b.DryRun)
	verdict := map[api.DriftAnswerAnswer]api.DriftVerdictVerdict{api.DriftAnswerAnswerIgnore: "ignored", api.DriftAnswerAnswerSee: "seen"}[b.Answer]
	refused, err := s.observer.Ignore(ctx, who, scope, b.Ids, value(b.Reason), b.Answer == api.DriftAnswerAnswerSee)
	if err != nil {
		return nil, err
	}
	items := make([]api.DriftVerdict, len(b.Ids))
	for i, id := range b.Ids {
		items[i] = api.DriftVerdict{ID: id, Verdict: verdict}
		if refused[i] != nil {
			items[i] = s.refusedDrift(ctx, id, refused[i])
		}
	}
	return api.AnswerDrifts200JSONResponse{Items: items}, nil
}

func (s *Server) refusedDrift(ctx context.Context, id string, err error) api.DriftVerdict {
	p := problem(ctx, s.log, err)
	return api.DriftVerdict{ID: id, Verdict: api.DriftVerdictVerdictRefused, Problem: &p}
}

// adoptDrifts adopts what some drifts are about, where it is unmanaged.
func (s *Server) adoptDrifts(ctx context.Context, scope string, ids []string, dry bool) ([]api.DriftVerdict, error) {
	all, err := s.observer.Drifts(ctx, caller(ctx).Sees(), scope)
	if err != nil {
		return nil, err
	}
	there := map[string]look.Answered{}
	for _, d := range all {
		there[d.ID] = d
	}
	items := make([]api.DriftVerdict, len(ids))
	ask := adopt.Ask{DryRun: dry}
	at := map[string]int{}
	for i, id := range ids {
		switch d, is := there[id]; {
		case !is:
			items[i] = s.refusedDrift(ctx, id, ipam.Errorf(ipam.CodeNotFound, "there is no drift %q in scope %s now", id, scope))
		case d.Kind != drift.Unmanaged:
			items[i] = s.refusedDrift(ctx, id, ipam.Invalid("/ids", "%s is %s; only what is unmanaged can be adopted", id, d.Kind))
		default:
			one := d.Observed + "@" + d.CIDR.String()
			at[one] = i
			ask.IDs = append(ask.IDs, one)
		}
	}
	if len(ask.IDs) == 0 {
		return items, nil
	}
	adopted, err := s.adopter.Adopt(ctx, caller(ctx), ask)
	if err != nil {
		return nil, err
	}
	for _, a := range adopted {
		i, is := at[a.Observation.ID()+"@"+a.Observation.CIDR.String()]
		if !is {
			i = at[a.ID]
		}
		if a.Problem != nil {
			items[i] = s.refusedDrift(ctx, ids[i], a.Problem)
			continue
		}
		items[i] = api.DriftVerdict{ID: ids[i], Verdict: api.DriftVerdictVerdict(a.Verdict)}
	}
	return items, nil
}

// ListDriftHistory lists a page of the drifts that a scope has or had.
func (s *Server) ListDriftHistory(ctx context.Context, req api.ListDriftHistoryRequestObject) (api.ListDriftHistoryResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	scope, items, err := s.observer.History(ctx, caller(ctx).Sees(), scopeOr(req.Params.Scope), p)
	if err != nil {
		return nil, err
	}
	now := s.observer.Now()
	next := nextPage(p, items, func(r ipam.DriftRecord) ipam.Cursor { return ipam.Cursor{ID: string(r.UID)} })
	return api.ListDriftHistory200JSONResponse{NextPageToken: next, Items: each(items, func(r ipam.DriftRecord) api.DriftRecord {
		out := api.DriftRecord{
			ID: r.ID, Kind: api.DriftKind(r.Kind), Scope: scope.ID, Account: r.Account, Region: r.Region, CIDR: r.CIDR, Desired: r.Desired, Observed: r.Observed, Detail: r.Detail,
			Facts: r.Facts, FirstSeenAt: r.FirstSeen, LastSeenAt: now, EndedAt: r.EndedAt,
		}
		if r.EndedAt != nil {
			out.LastSeenAt = *r.EndedAt
		}
		return out
	})}, nil
}

// GetDriftRules reads the rules about drifts.
func (s *Server) GetDriftRules(ctx context.Context, _ api.GetDriftRulesRequestObject) (api.GetDriftRulesResponseObject, error) {
	r, err := s.observer.Rules(ctx)
	if err != nil {
		return nil, err
	}
	return api.GetDriftRules200JSONResponse{Body: driftRules(r), Headers: api.GetDriftRules200ResponseHeaders{ETag: etag(r.ETag())}}, nil
}

// SetDriftRules replaces the rules about drifts.
func (s *Server) SetDriftRules(ctx context.Context, req api.SetDriftRulesRequestObject) (api.SetDriftRulesResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	r, err := s.observer.SetRules(ctx, caller(ctx), version, each(req.Body.Rules, driftRuleIn))
	if err != nil {
		return nil, err
	}
	return api.SetDriftRules200JSONResponse{Body: driftRules(r), Headers: api.SetDriftRules200ResponseHeaders{ETag: etag(r.ETag())}}, nil
}

// PreviewDriftRules says what rules would make of the drifts of a scope.
func (s *Server) PreviewDriftRules(ctx context.Context, req api.PreviewDriftRulesRequestObject) (api.PreviewDriftRulesResponseObject, error) {
	all, err := s.observer.TryRules(ctx, caller(ctx).Sees(), scopeOr(req.Params.Scope), each(req.Body.Rules, driftRuleIn))
	if err != nil {
		return nil, err
	}
	return api.PreviewDriftRules200JSONResponse{Items: each(all, func(d look.Answered) api.DriftVerdict {
		return api.DriftVerdict{ID: d.ID, Verdict: api.DriftVerdictVerdict(d.Action), Rule: ruleOf(d.Rule)}
	})}, nil
}

func driftRules(r look.Rules) api.DriftRules {
	return api.DriftRules{Version: r.Version, Rules: each(r.Rules, func(r drift.Rule) api.DriftRule {
		out := api.DriftRule{Action: api.DriftAction(r.Action)}
		if len(r.Kinds) > 0 {
			out.Kinds = each(r.Kinds, func(k drift.Kind) api.DriftKind { return api.DriftKind(k) })
		}
		if len(r.Scopes) > 0 {
			out.Scopes = r.Scopes
		}
		if len(r.Accounts) > 0 {
			out.Accounts = r.Accounts
		}
		if r.OlderBy > 0 {
			out.OlderSeconds = new(int64(r.OlderBy / time.Second))
		}
		if len(r.Labels) > 0 {
			out.Labels = new(labels(r.Labels))
		}
		return out
	})}
}

func driftRuleIn(r api.DriftRule) drift.Rule {
	return drift.Rule{
		Kinds: each(r.Kinds, func(k api.DriftKind) drift.Kind { return drift.Kind(k) }), Scopes: r.Scopes, Accounts: r.Accounts,
		OlderBy: time.Duration(value(r.OlderSeconds)) * time.Second, Labels: ipam.Labels(value(r.Labels)), Action: drift.Action(r.Action),
	}
}
