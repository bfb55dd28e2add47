package provider

import (
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// seen is what has been seen of a run, which is a plan or an apply: Terraform starts a provider for each. A plan refreshes what is
// managed, before it plans it, and changes nothing; an apply changes and refreshes nothing. In terraform test one session may do
// both, run after run, and nothing is concluded. It is safe for concurrent use.
type seen struct {
	mu                         sync.Mutex
	refresh, change, runsAgain bool
}

func (s *seen) note(what *bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*what = true
}

// applies is what follows from it; nil when nothing does.
func (s *seen) applies() *bool {
	if s == nil { // the provider's configuration is not known
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runsAgain || s.refresh == s.change {
		return nil
	}
	return new(s.change)
}

// refreshes is ready for a resource that is read, which only a plan does.
func (s *session) refreshes(diags *diag.Diagnostics) bool {
	if !s.ready(diags) {
		return false
	}
	s.planning.seen.note(&s.planning.seen.refresh)
	return true
}

// changes is ready for a resource that is created, updated or deleted, which only an apply does.
func (s *session) changes(diags *diag.Diagnostics) bool {
	if !s.ready(diags) {
		return false
	}
	s.planning.seen.note(&s.planning.seen.change)
	return true
}

// validated notes that a resource was validated under a key. Twice before it is planned is terraform test.
func (s *session) validated(key string) {
	if s == nil {
		return
	}
	if s.claims.validated(key) > 1 && key != "" && s.planning.seen != nil {
		s.planning.seen.note(&s.planning.seen.runsAgain)
	}
}

// phase reports whether Terraform applies. Terraform 1.11 to 1.14 allow deferrals in an apply only; OpenTofu never does, and the
// absence is no sign of a plan therefore. Where nothing tells, the server reports a lost promise once.
func (p planning) phase(req resource.ModifyPlanRequest) *bool {
	if p.applying != nil {
		return p.applying
	}
	if req.ClientCapabilities.DeferralAllowed {
		return new(true)
	}
	return p.seen.applies()
}

// applies reports whether Terraform surely applies.
func (p planning) applies(req resource.ModifyPlanRequest) bool {
	phase := p.phase(req)
	return phase != nil && *phase
}

// verb is what a run does that asks for a promise: the planning call of an apply creates.
func (p planning) verb(req resource.ModifyPlanRequest) string {
	if p.applies(req) {
		return "create"
	}
	return "plan"
}
