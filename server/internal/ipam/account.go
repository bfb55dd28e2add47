package ipam

import (
	"maps"
	"regexp"
	"slices"
	"time"
)

// Account is an AWS account, a GCP project or another place that networks live in. Its ID is AccountID of its cloud and
// the cloud's own id, neither of which changes. It holds no secret: RoleARN and WorkloadIdentity name who to act as.
type Account struct {
	ID               string    `json:"id"`
	UID              UID       `json:"uid"`
	Scope            string    `json:"scope"` // the scope that its networks live in
	ScopeUID         UID       `json:"scope_uid"`
	Cloud            Cloud     `json:"cloud"`
	ExternalID       string    `json:"external_id"`
	Name             string    `json:"name"`
	Description      string    `json:"description"`
	Owner            string    `json:"owner"`
	Platform         string    `json:"platform"`
	Tier             string    `json:"tier,omitempty"` // dev, stg, sbx, prd or "" when nobody said
	Environment      string    `json:"environment"`
	Regions          []string  `json:"regions"` // sorted, each once
	Labels           Labels    `json:"labels"`
	Mode             string    `json:"mode"` // observe, plan or apply
	RoleARN          string    `json:"role_arn"`
	WorkloadIdentity string    `json:"workload_identity"`
	Version          int64     `json:"version"`
	CreatedAt        time.Time `json:"created_at"`
	UpdatedAt        time.Time `json:"updated_at"`
}

// What CloudPAM may do in an account: only look, which it is where nobody says; propose what it would do; do it.
const (
	ModeObserve = "observe"
	ModePlan    = "plan"
	ModeApply   = "apply"
)

// AccountID is the address of an account: "aws:123456789012".
func AccountID(cloud Cloud, externalID string) string { return string(cloud) + ":" + externalID }

// Filled is the account that a request describes: with its id, a scope, a mode and its regions in order.
func (a Account) Filled() Account {
	a.ID = AccountID(a.Cloud, a.ExternalID)
	if a.Scope == "" {
		a.Scope = DefaultScope
	}
	if a.Mode == "" {
		a.Mode = ModeObserve
	}
	a.Regions = sortedSet(a.Regions)
	if a.Labels == nil {
		a.Labels = Labels{}
	}
	return a
}

// sortedSet has each text once, in order; no texts are an empty list.
func sortedSet(texts []string) []string {
	set := slices.Compact(slices.Sorted(slices.Values(texts)))
	if set == nil {
		return []string{}
	}
	return set
}

var regionName = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$`)

// Check refuses an account that its cloud cannot have.
func (a Account) Check() error {
	if err := a.checkID(); err != nil {
		return err
	}
	if err := CheckName("/name", a.Name); err != nil {
		return err
	}
	switch {
	case !slices.Contains([]string{"", "dev", "stg", "sbx", "prd"}, a.Tier):
		return Invalid("/tier", "%q is not a tier; use dev, stg, sbx or prd", a.Tier)
	case !slices.Contains([]string{ModeObserve, ModePlan, ModeApply}, a.Mode):
		return Invalid("/mode", "%q is not a mode; use observe, plan or apply", a.Mode)
	}
	for _, region := range a.Regions {
		if !regionName.MatchString(region) {
			return Invalid("/regions", "%q is not the name of a region; one looks like \"eu-west-1\"", region)
		}
	}
	if err := a.checkRole(); err != nil {
		return err
	}
	return CheckLabels(a.Labels)
}

func (a Account) checkID() error {
	facts, known := FactsOf(a.Cloud)
	if !known || !facts.hasAccounts() {
		return Invalid("/cloud", "%q is not a cloud that has accounts here; use %s", a.Cloud, cloudNames)
	}
	if !facts.Account.Regexp.MatchString(a.ExternalID) {
		return Invalid("/external_id", "%q is not %s", a.ExternalID, facts.Account.Is)
	}
	return nil
}

// checkRole refuses a role of another cloud, and one that cannot see the account.
func (a Account) checkRole() error {
	for _, facts := range clouds {
		role := facts.Role
		if role == nil || a.roleIn(role.Pointer) == "" {
			continue
		}
		said := a.roleIn(role.Pointer)
		if a.Cloud != facts.Cloud {
			return Invalid(role.Pointer, "a %s is for accounts of the cloud %s; this one is of the cloud %s", role.Pointer[1:], facts.Cloud, a.Cloud)
		}
		found := role.Regexp.FindStringSubmatch(said)
		if found == nil {
			return Invalid(role.Pointer, "%q is not %s", said, role.Is)
		}
		if role.Account > 0 && found[role.Account] != a.ExternalID {
			return Invalid(role.Pointer, "%q is a role of account %s, which cannot see account %s; name a role of the account itself", said, found[role.Account], a.ExternalID)
		}
	}
	return nil
}

func (a Account) roleIn(pointer string) string {
	if pointer == "/role_arn" {
		return a.RoleARN
	}
	return a.WorkloadIdentity
}

// AccountPatch changes an account; nil leaves a field as it is, and an empty Tier takes it away.
type AccountPatch struct {
	Scope, Name, Description  *string
	Owner, Platform           *string
	Tier, Environment, Mode   *string
	RoleARN, WorkloadIdentity *string
	Regions                   *[]string
	Labels                    *Labels
}

// Apply returns the account with the patch applied.
func (a Account) Apply(patch AccountPatch) Account {
	set(&a.Scope, patch.Scope)
	set(&a.Name, patch.Name)
	set(&a.Description, patch.Description)
	set(&a.Owner, patch.Owner)
	set(&a.Platform, patch.Platform)
	set(&a.Tier, patch.Tier)
	set(&a.Environment, patch.Environment)
	set(&a.Mode, patch.Mode)
	set(&a.RoleARN, patch.RoleARN)
	set(&a.WorkloadIdentity, patch.WorkloadIdentity)
	if patch.Regions != nil {
		a.Regions = sortedSet(*patch.Regions)
	}
	if patch.Labels != nil {
		a.Labels = maps.Clone(*patch.Labels)
	}
	return a
}

// AccountFilter narrows a list of accounts; zero fields are no rule.
type AccountFilter struct {
	Scope       string
	Cloud       Cloud
	Platform    string
	Tier        string
	Owner       string
	Environment string
	Region      string // among others
	Labels      []Label
	Text        string
}

// In is where the account belongs.
func (a Account) In() In { return In{Scope: a.Scope, ScopeUID: a.ScopeUID} }
