package ipam

import (
	"net/netip"
	"time"
)

// Observation is one block that a cloud showed. It is a fact and takes no space: blocks of observations may overlap and repeat.
type Observation struct {
	UID      UID
	Account  string // AccountID
	Scope    string // that its network is mapped to; "": to none, so that it is compared with nothing
	ScopeUID UID
	Kind     ObservationKind
	CloudID  string // the thing's id in its cloud: "vpc-…", "my-project/europe-west1/my-subnet"
	Part     string // the name of a secondary range
	Network  string // the id of its network in its cloud; of a network its own
	Region   string
	Zone     string
	Name     string
	Owner    string // the cloud's id of the account that has it: another one's where it is shared
	Standard bool   // the cloud made it by itself: a default VPC
	CIDR     netip.Prefix
	Mark     Mark
	Labels   Labels
	// Misses is how many complete views in a row did not show it, 0 to 2: with the third it is gone.
	Misses    int
	FirstSeen time.Time
	ChangedAt time.Time
}

// ID is what people call what is observed: its cloud and its id there, which is also what imports take.
func (o Observation) ID() string { return CloudOf(o.Account) + ":" + o.CloudID }

// What looks ask for.
const (
	LookNetworks = "networks"
	LookSubnets  = "subnets" // with their secondary ranges
)

// LookKind is the kind of looks that show it.
func (o Observation) LookKind() string {
	if o.Kind == ObservedNetwork {
		return LookNetworks
	}
	return LookSubnets
}

// ObservationKind is what an observation is of.
type ObservationKind string

// The kinds.
const (
	ObservedNetwork   ObservationKind = "network"
	ObservedSubnet    ObservationKind = "subnet"
	ObservedSecondary ObservationKind = "secondary"
)

// Mark is what tells that CloudPAM made something; zero on what it did not make.
type Mark struct {
	Instance, Allocation string
	Epoch                int64
}

// SyncState is how well one region of an account has been seen, for one kind of thing.
type SyncState struct {
	UID     UID
	Kind    string // "networks" or "subnets"
	Region  string
	TriedAt time.Time
	// Seen are when the last complete looks began, the last one first; zero where there were none.
	Seen              [3]time.Time
	Code, Detail, Fix string // of the last look; Code is "" where it was complete
}

// CloudOf is the cloud of an account by its id.
func CloudOf(account string) string {
	for i := range account {
		if account[i] == ':' {
			return account[:i]
		}
	}
	return account
}

// Standing is what is desired where something is observed.
type Standing struct {
	By   *Prefix // the allocation that has the block or is around it, or the pool that is a network's very block; nil: nothing has it
	Pool string  // that By is in, else the innermost one around the block; "" for none
}

// Shown is an observation as people are told of it.
type Shown struct {
	Observation
	Standing

	LastSeen time.Time // when the last complete view of its region began; zero where that did not show it
}

// ObservationFilter narrows a list of observations; zero fields are no rule.
type ObservationFilter struct {
	Scope, Account, Region, Network string
	Cloud                           Cloud
	ID                              string // as Observation.ID, or its UID
	Kind                            ObservationKind
	Unmapped                        bool // those in no scope
	Labels                          []Label
	Text                            string
	Around                          Around
}

// InUse is the refusal of a block in which a cloud has something else.
func InUse(at netip.Prefix, o Observation) error {
	e := Errorf(CodeCIDRTaken, "%s is in use: the %s %s of account %s has %s; name that very block to take it over, or another one", at, o.Kind, o.ID(), o.Account, o.CIDR)
	e.Fields = []FieldError{{Pointer: "/cidr", Detail: e.Detail}}
	return e
}

// Seen is what of clouds must have been seen completely before a block is handed out.
type Seen struct {
	MaxAge  time.Duration // of the last view of each account around the pool; 0: of any age
	Account string        // AccountID of one that must have been looked at since Since; "": none
	Since   time.Time
}

// Unseen is an account that has not been seen completely since some time.
type Unseen struct {
	Account Account   // its ids and its scope
	SeenAt  time.Time // when the last complete view of it began; zero: there was none
}

// MaxMaxObservedAge and MinMaxObservedAge bound what a pool may ask for.
const (
	MinMaxObservedAge = time.Minute
	MaxMaxObservedAge = 90 * 24 * time.Hour
)

// CheckMaxObservedAge refuses an age, in seconds, that no pool may ask for.
func CheckMaxObservedAge(seconds *int64) error {
	if seconds == nil || *seconds >= int64(MinMaxObservedAge.Seconds()) && *seconds <= int64(MaxMaxObservedAge.Seconds()) {
		return nil
	}
	return Invalid("/max_observed_age_seconds", "an age is %d to %d seconds, which is 90 days; this one %d", int64(MinMaxObservedAge.Seconds()), int64(MaxMaxObservedAge.Seconds()), *seconds)
}

// ObservationTooOld is the refusal to hand out of a pool what a cloud may use by now. Rule says since when the account must have been
// seen, and why; Wrong is what went wrong with the last look at it.
func ObservationTooOld(pool string, u Unseen, rule string, wrong *SyncState) *Error {
	seen := "never"
	if !u.SeenAt.IsZero() {
		seen = "last at " + u.SeenAt.UTC().Format(time.RFC3339)
	}
	e := Errorf(CodeObservationTooOld, "pool %s hands nothing out: account %s was seen completely %s, and %s. Look at it: cloudpam sync %s", pool, u.Account.ID, seen, rule, u.Account.ID)
	if wrong != nil {
		e.Detail += ". The last look failed: " + wrong.Detail
		if wrong.Fix != "" {
			e.Detail += ". " + wrong.Fix
		}
	}
	return e
}

// Network is a network that clouds showed, with all its blocks.
type Network struct {
	Observation                // of its first block; of one that has none what its subnets say of it
	CIDRs       []netip.Prefix // sorted; none of a network without blocks of its own
	Subnets     int64
	Secondary   int64
}

// MappedBy is why a network is in its scope, or in none: its tag, its account, or that the cloud made it by itself.
func (n Network) MappedBy() string {
	switch _, tagged := n.Labels[ScopeTag]; {
	case tagged:
		return "tag"
	case n.Standard:
		return "default"
	}
	return "account"
}

// ScopeTag is the tag of a network that names its scope; "-" is none.
const ScopeTag = "cloudpam:scope"

// NetworkFilter narrows a list of networks; zero fields are no rule.
type NetworkFilter struct {
	Scope, Account, Region string
	Cloud                  Cloud
	ID                     string // as Observation.ID
	Unmapped               bool
}
