package ipam

import (
	"maps"
	"regexp"
	"slices"
	"time"
)

// Cloud is where an account lives.
type Cloud string

// The clouds. Custom is any other place with networks: a data centre, an office, a smaller provider.
const (
	AWS    Cloud = "aws"
	GCP    Cloud = "gcp"
	Custom Cloud = "custom"
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

// ModeObserve is what CloudPAM may do in an account that does not say: only look.
const ModeObserve = "observe"

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
	a.Regions = regionSet(a.Regions)
	a.Labels = orEmpty(a.Labels)
	return a
}

func regionSet(regions []string) []string {
	set := slices.Compact(slices.Sorted(slices.Values(regions)))
	if set == nil {
		return []string{}
	}
	return set
}

var (
	awsAccount = regexp.MustCompile(`^[0-9]{12}$`)
	gcpProject = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
	customID   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)
	roleARN    = regexp.MustCompile(`^arn:aws(-[a-z]+)*:iam::([0-9]{12}):role/([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,64}$`)
	gcpService = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?@([a-z0-9-]+\.)+gserviceaccount\.com$`)
	regionName = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$`)
)

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
	case !slices.Contains([]string{ModeObserve, "plan", "apply"}, a.Mode):
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
	switch {
	case a.Cloud != AWS && a.Cloud != GCP && a.Cloud != Custom:
		return Invalid("/cloud", "%q is not a cloud; use aws, gcp or custom", a.Cloud)
	case a.Cloud == AWS && !awsAccount.MatchString(a.ExternalID):
		return Invalid("/external_id", "%q is not an AWS account number: that is 12 digits, leading zeros included, as text", a.ExternalID)
	case a.Cloud == GCP && !gcpProject.MatchString(a.ExternalID):
		return Invalid("/external_id", "%q is not a GCP project id: that is 6 to 30 lower-case letters, digits and hyphens, starting with a letter, with its domain where it has one: \"example.com:my-project\". The project's number and its display name are not its id", a.ExternalID)
	case a.Cloud == Custom && !customID.MatchString(a.ExternalID):
		return Invalid("/external_id", "%q is not an id; use 1 to 63 letters, digits and . _ -, with a letter or digit at both ends", a.ExternalID)
	}
	return nil
}

func (a Account) checkRole() error {
	if a.RoleARN != "" {
		if a.Cloud != AWS {
			return Invalid("/role_arn", "a role_arn is for AWS accounts; this one is of the cloud %s", a.Cloud)
		}
		found := roleARN.FindStringSubmatch(a.RoleARN)
		if found == nil {
			return Invalid("/role_arn", "%q is not the ARN of a role; one looks like \"arn:aws:iam::%s:role/cloudpam\"", a.RoleARN, a.ExternalID)
		}
		if found[2] != a.ExternalID {
			return Invalid("/role_arn", "%q is a role of account %s, which cannot see account %s; name a role of the account itself", a.RoleARN, found[2], a.ExternalID)
		}
	}
	if a.WorkloadIdentity != "" {
		if a.Cloud != GCP {
			return Invalid("/workload_identity", "a workload_identity is for GCP projects; this one is of the cloud %s", a.Cloud)
		}
		if !gcpService.MatchString(a.WorkloadIdentity) {
			return Invalid("/workload_identity", "%q is not a service account; one looks like \"cloudpam@my-project.iam.gserviceaccount.com\"", a.WorkloadIdentity)
		}
	}
	return nil
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
		a.Regions = regionSet(*patch.Regions)
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
	Environment string
	Labels      []Label
	Text        string
}
