package drift

import (
	"slices"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Action is what becomes of a drift.
type Action string

// The actions.
const (
	Ignore    Action = "ignore"  // it is known, and not shown among what is to be done
	Propose   Action = "propose" // it waits for somebody
	AutoAdopt Action = "adopt"   // it is adopted by itself; of what is unmanaged only
)

// Rule says what becomes of drifts: of those that match all that it says. What it does not say matches all.
type Rule struct {
	Kinds    []Kind        `json:"kinds,omitempty"`
	Scopes   []string      `json:"scopes,omitempty"`
	Accounts []string      `json:"accounts,omitempty"`
	OlderBy  time.Duration `json:"older_by,omitempty"` // the drift has lasted at least so long
	Labels   ipam.Labels   `json:"labels,omitempty"`   // what is observed carries all of these tags
	Action   Action        `json:"action"`
}

// Check refuses a rule that could not be followed.
func (r Rule) Check() error {
	switch {
	case r.Action != Ignore && r.Action != Propose && r.Action != AutoAdopt:
		return ipam.Invalid("/action", "%q is not an action; use ignore, propose or adopt", r.Action)
	case r.Action == AutoAdopt && !slices.Equal(r.Kinds, []Kind{Unmanaged}):
		return ipam.Invalid("/kinds", "only what is unmanaged can be adopted; let kinds say [unmanaged]")
	case r.OlderBy < 0:
		return ipam.Invalid("/older_by", "a drift lasts no time below zero")
	}
	for _, k := range r.Kinds {
		if !slices.Contains([]Kind{Unmanaged, Missing, Mismatched, Conflicting, Misplaced, Stale, Vanished}, k) {
			return ipam.Invalid("/kinds", "%q is not a kind of drift", k)
		}
	}
	return nil
}

func (r Rule) matches(d Drift, now time.Time) bool {
	if len(r.Kinds) > 0 && !slices.Contains(r.Kinds, d.Kind) || len(r.Scopes) > 0 && !slices.Contains(r.Scopes, d.Scope) || len(r.Accounts) > 0 && !slices.Contains(r.Accounts, d.Account) {
		return false
	}
	if r.OlderBy > 0 && (d.Since.IsZero() || now.Sub(d.Since) < r.OlderBy) {
		return false
	}
	for key, value := range r.Labels {
		if has, said := d.Labels[key]; !said || has != value {
			return false
		}
	}
	return true
}

// Decide is what becomes of a drift: what the first rule that matches says, whose place it names from 0, or that it is proposed, with
// -1. It changes nothing: asked for all drifts it is a dry run of the rules.
func Decide(rules []Rule, d Drift, now time.Time) (Action, int) {
	for i, r := range rules {
		if r.matches(d, now) {
			return r.Action, i
		}
	}
	return Propose, -1
}
