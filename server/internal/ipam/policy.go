package ipam

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Policy is what a pool asks of the allocations and child pools in it and in all pools below it. The policies around a pool hold
// together: one that is further in can only ask for more.
type Policy struct {
	UID UID `json:"uid"`
	In
	CIDR        netip.Prefix `json:"-"` // the pool's, now
	Description string       `json:"description"`
	Rules       Rules        `json:"rules"`
	Version     int64        `json:"version"`
	CreatedAt   time.Time    `json:"created_at"`
	UpdatedAt   time.Time    `json:"updated_at"`
}

// Rules are those of one policy; the zero value of each asks for nothing.
type Rules struct {
	Min            *int                `json:"min_prefix_length,omitempty"` // of allocations: the largest block
	Max            *int                `json:"max_prefix_length,omitempty"`
	PoolMin        *int                `json:"pool_min_prefix_length,omitempty"` // of child pools
	PoolMax        *int                `json:"pool_max_prefix_length,omitempty"`
	Accounts       []string            `json:"accounts,omitempty"`
	Regions        []string            `json:"regions,omitempty"`
	Environments   []string            `json:"environments,omitempty"`
	RequiredLabels map[string][]string `json:"required_labels,omitempty"` // with the values that do; none is any
	OwnerRequired  bool                `json:"owner_required,omitempty"`
	NamePattern    string              `json:"name_pattern,omitempty"` // RE2, of the whole name
	Exclude        []netip.Prefix      `json:"exclude,omitempty"`
	ExcludeSets    []string            `json:"exclude_sets,omitempty"` // names of ExcludeSets
	UsableOnly     bool                `json:"usable_only,omitempty"`  // of single addresses: not the first of the pool, nor the last of an IPv4 one
	SkipFirst      int                 `json:"skip_first,omitempty"`   // of single addresses: how many at the pool's start
	MaxOwnerShare  int                 `json:"max_owner_share_percent,omitempty"`
	Expression     string              `json:"expression,omitempty"` // CEL, which is true of what may be
	Message        string              `json:"expression_message,omitempty"`
	ApprovalAbove  *int                `json:"approval_above,omitempty"`         // larger allocations wait for a second person
	PoolApproval   *int                `json:"pool_approval_above,omitempty"`    // larger child pools do
	ApprovalGroups []ApprovalGroup     `json:"approval_groups,omitempty"`        // of whom either is another
	Release        *int                `json:"release_approval_above,omitempty"` // larger blocks wait before they are given up
}

// ExcludeSets are ranges that people keep out of use, by the name of who takes them.
var ExcludeSets = map[string][]netip.Prefix{
	"docker":           {netip.MustParsePrefix("172.17.0.0/16")}, // the bridge that every Docker host has
	"link_local":       {netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fe80::/10")},
	"kubeadm_services": {netip.MustParsePrefix("10.96.0.0/12")},
	"k3s_services":     {netip.MustParsePrefix("10.43.0.0/16")},
	"eks_services":     {netip.MustParsePrefix("10.100.0.0/16"), netip.MustParsePrefix("172.20.0.0/16")},
	"gke_services":     {netip.MustParsePrefix("34.118.224.0/20")},
	"aks_services":     {netip.MustParsePrefix("10.0.0.0/16")},
}

// NewPolicy asks for the policy of a pool.
type NewPolicy struct {
	Description string
	Rules       Rules
}

// ETag names a state of the policy.
func (p Policy) ETag() string { return etag(p.UID, p.Version) }

// Excluded are the ranges that the rules exclude, by themselves or by a set.
func (r Rules) Excluded() []netip.Prefix {
	all := slices.Clone(r.Exclude)
	for _, name := range r.ExcludeSets {
		all = append(all, ExcludeSets[name]...)
	}
	return all
}

// Named is the policy as a refusal calls it.
func (p Policy) Named() string { return "the policy of pool " + p.Pool }

// Check refuses rules that cannot be meant for a pool. Whether its expression can be read, and what other policies say, is for package
// policy. Errors: CodeInvalid.
func (r Rules) Check(pool Pool) error {
	most := width(Family(pool.CIDR))
	for _, rule := range []struct {
		pointer string
		length  *int
	}{{"min_prefix_length", r.Min}, {"max_prefix_length", r.Max}, {"pool_min_prefix_length", r.PoolMin}, {"pool_max_prefix_length", r.PoolMax}, {"approval_above", r.ApprovalAbove}, {"pool_approval_above", r.PoolApproval}, {"release_approval_above", r.Release}} {
		if rule.length != nil && (*rule.length < pool.CIDR.Bits() || *rule.length > most) {
			return Invalid("/rules/"+rule.pointer, "/%d does not fit in pool %s (%s); use %d to %d", *rule.length, pool.ID, pool.CIDR, pool.CIDR.Bits(), most)
		}
	}
	for _, pair := range []struct {
		min, max *int
		prefix   string
	}{{r.Min, r.Max, ""}, {r.PoolMin, r.PoolMax, "pool_"}} {
		if pair.min != nil && pair.max != nil && *pair.min > *pair.max {
			return Invalid("/rules/"+pair.prefix+"max_prefix_length", "%smax_prefix_length %d is smaller than %smin_prefix_length %d; the longest length is the smallest block", pair.prefix, *pair.max, pair.prefix, *pair.min)
		}
	}
	if err := r.checkGroups(pool); err != nil {
		return err
	}
	for _, list := range []struct {
		pointer string
		values  []string
	}{{"accounts", r.Accounts}, {"regions", r.Regions}, {"environments", r.Environments}} {
		if i := slices.Index(list.values, ""); i >= 0 {
			return Invalid(fmt.Sprintf("/rules/%s/%d", list.pointer, i), "an empty value allows nothing; leave it out")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.RequiredLabels)) {
		for _, value := range append([]string{""}, r.RequiredLabels[key]...) {
			if err := CheckLabels(Labels{key: value}); err != nil {
				return Invalid("/rules/required_labels", "%s", err)
			}
		}
	}
	if _, err := regexp.Compile(r.NamePattern); err != nil {
		return Invalid("/rules/name_pattern", "%q is no regular expression (RE2): %s", r.NamePattern, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	for i, name := range r.ExcludeSets {
		if ExcludeSets[name] == nil {
			return Invalid(fmt.Sprintf("/rules/exclude_sets/%d", i), "%q is no set of ranges; use %s", name, strings.Join(slices.Sorted(maps.Keys(ExcludeSets)), ", "))
		}
	}
	switch {
	case r.SkipFirst < 0 || r.SkipFirst > 1024:
		return Invalid("/rules/skip_first", "%d addresses cannot be skipped; use 0 to 1024", r.SkipFirst)
	case r.MaxOwnerShare < 0 || r.MaxOwnerShare > 100:
		return Invalid("/rules/max_owner_share_percent", "%d is no share; use 1 to 100", r.MaxOwnerShare)
	case r.Message != "" && r.Expression == "":
		return Invalid("/rules/expression_message", "there is no expression that it would be about")
	case r.Empty():
		return Invalid("/rules", "the policy asks for nothing; name one rule at least, or delete the policy")
	}
	return nil
}

// checkGroups refuses groups that nobody is in, or that change nothing.
func (r Rules) checkGroups(pool Pool) error {
	most := width(Family(pool.CIDR))
	for i, g := range r.ApprovalGroups {
		at := fmt.Sprintf("/rules/approval_groups/%d", i)
		switch {
		case g.Role == "" && len(g.Labels) == 0:
			return Invalid(at, "a group is of a role, or of the labels that bindings are narrowed to; name one of them")
		case g.Role != "" && g.Role != Operator && g.Role != Admin:
			return Invalid(at+"/role", "%q asks for no blocks; use operator or admin", g.Role)
		case g.Role == Admin && len(g.Labels) > 0:
			return Invalid(at+"/labels", "no binding of an admin is narrowed to labels; leave them out, or name the operator")
		case g.Above == nil && g.PoolAbove == nil:
			return Invalid(at, "the group has no size; name approval_above or pool_approval_above")
		case g.Above != nil && r.ApprovalAbove == nil:
			return Invalid(at+"/approval_above", "the policy has no approval_above that this would differ from; name that too")
		case g.PoolAbove != nil && r.PoolApproval == nil:
			return Invalid(at+"/pool_approval_above", "the policy has no pool_approval_above that this would differ from; name that too")
		}
		for name, length := range map[string]*int{"approval_above": g.Above, "pool_approval_above": g.PoolAbove} {
			if length != nil && (*length < pool.CIDR.Bits() || *length > most) {
				return Invalid(at+"/"+name, "/%d does not fit in pool %s (%s); use %d to %d", *length, pool.ID, pool.CIDR, pool.CIDR.Bits(), most)
			}
		}
		if err := CheckLabels(g.Labels); err != nil {
			return Invalid(at+"/labels", "%s", err)
		}
	}
	return nil
}

// Empty reports whether the rules ask for nothing.
func (r Rules) Empty() bool {
	return r.Min == nil && r.Max == nil && r.PoolMin == nil && r.PoolMax == nil && len(r.Accounts)+len(r.Regions)+len(r.Environments)+len(r.RequiredLabels)+len(r.Exclude)+len(r.ExcludeSets) == 0 &&
		r.ApprovalAbove == nil && r.PoolApproval == nil && r.Release == nil && !r.OwnerRequired && r.NamePattern == "" && !r.UsableOnly && r.SkipFirst == 0 && r.MaxOwnerShare == 0 && r.Expression == ""
}

// Meant is what a plan says that its hold is for, as far as a policy asks for that.
type Meant struct {
	Owner, Purpose, Account, Region, Environment string
	Labels                                       Labels
}

// Violation is one rule that something breaks.
type Violation struct {
	Rule    string // as in Rules
	Pool    string // whose policy it is
	Pointer string // of the field that breaks it
	Detail  string // what breaks it, and what would do
}

// Broken is what of a pool breaks its policies.
type Broken struct {
	Kind       Kind
	ID         string
	Name       string
	In         In
	CIDR       netip.Prefix
	Violations []Violation
}

// Violates is the refusal of what breaks policies.
func Violates(broken []Violation) error {
	if len(broken) == 0 {
		return nil
	}
	details := make([]string, len(broken))
	e := Errorf(CodePolicyViolation, "")
	for i, v := range broken {
		details[i] = v.Detail
		e.Fields = append(e.Fields, FieldError{Pointer: v.Pointer, Detail: v.Detail})
	}
	e.Detail, e.Violations = strings.Join(details, "; "), broken
	return e
}
