package ipam

import (
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
)

// Labels are free key-value pairs.
type Labels map[string]string

// Pool is a CIDR to allocate from.
type Pool struct {
	ID        string         `json:"id"` // PoolID of its scope and name, both of which may change
	UID       UID            `json:"uid"`
	Scope     string         `json:"scope"`
	ScopeUID  UID            `json:"scope_uid"`
	Name      string         `json:"name"`
	Parent    string         `json:"parent,omitempty"` // "" for a root pool
	ParentUID UID            `json:"parent_uid,omitempty"`
	CIDR      netip.Prefix   `json:"cidr"`
	Strategy  alloc.Strategy `json:"strategy"`
	Sizes     Sizes          `json:"sizes"`
	Details
	DeletionProtection bool      `json:"deletion_protection"`
	Quarantine         *int64    `json:"quarantine_seconds,omitempty"`       // how long what is released in it is not free; nil: as in its parent
	MaxObservedAge     *int64    `json:"max_observed_age_seconds,omitempty"` // how old the last complete view of its accounts may be for it to hand anything out; nil: of any age
	Version            int64     `json:"version"`
	CreatedAt          time.Time `json:"created_at"`
	UpdatedAt          time.Time `json:"updated_at"`
	// DraftUntil is until when a draft is promised: a pool that only a plan knows. Nil on a real pool.
	DraftUntil *time.Time `json:"draft_until,omitempty"`
	// DraftPrincipal is whose plan it was last promised to, and DraftActor its name.
	DraftPrincipal UID    `json:"draft_principal,omitempty"`
	DraftActor     string `json:"draft_actor,omitempty"`
	// DraftHolder is who asked besides the actor: a workspace, a pipeline.
	DraftHolder string `json:"draft_holder,omitempty"`
	// DraftRun is the run of the plan that asked for the draft, or for something in it, last. Not in events: every plan is another.
	DraftRun string `json:"-"`
	// DraftNamed reports whether it was asked for by its CIDR.
	DraftNamed bool `json:"-"`
	// DraftBefore is what an earlier plan of the name was shown, as of a hold.
	DraftBefore netip.Prefix `json:"-"`
	// DraftEncloses reports whether pools stand in the draft's CIDR until it is created: it has no prefix of its own, but drafts that
	// it is to grow over between them.
	DraftEncloses bool `json:"draft_encloses,omitempty"`
	// DraftGrows is the pool that is to grow over the draft.
	DraftGrows UID `json:"draft_grows,omitempty"`
	// Enclosed are the ids of the pools that became its children when it was created; in the answer and the event of that only.
	Enclosed []string `json:"enclosed,omitempty"`
}

// Sizes is what a pool hands out, in prefix lengths: Min is the largest block, Max the smallest, Default what a request
// gets that names no size. Nil is no rule.
type Sizes struct {
	Min     *int `json:"min_prefix_length,omitempty"`
	Max     *int `json:"max_prefix_length,omitempty"`
	Default *int `json:"default_prefix_length,omitempty"`
}

// Space is the key of the space that the pool itself occupies: its parent, or the root of its scope.
func (p Pool) Space() UID {
	if p.ParentUID == "" {
		return p.ScopeUID
	}
	return p.ParentUID
}

// LockedBefore reports whether a pool is locked before another: what may contain before what may be contained, and by key where neither
// can.
func (p Pool) LockedBefore(q Pool) bool {
	switch {
	case p.CIDR.Bits() != q.CIDR.Bits():
		return p.CIDR.Bits() < q.CIDR.Bits()
	case p.ParentUID == q.UID || q.ParentUID == p.UID:
		return q.ParentUID == p.UID // a child as large as its parent
	}
	return p.UID < q.UID
}

// Lane names the space that the pool occupies or is to occupy, for writes to queue in.
func (p Pool) Lane() string {
	if p.Parent == "" {
		return ScopeLane(p.Scope)
	}
	return p.Parent
}

// LaneOf is the lane of a change of the pool. A move locks two spaces; it has a lane of its own, so that it begins with no lock
// that another write of its batch took, and the order in which it locks is the whole order.
func (p Pool) LaneOf(patch PoolPatch) string {
	if p.Moves(patch) {
		return "move " + p.ID
	}
	return p.Lane()
}

// NewPool asks for a pool: a root pool names its CIDR, a child pool its parent and a CIDR or a length.
type NewPool struct {
	Scope    string
	Name     string
	Parent   string
	Selector *PoolSelector // of the parent; nil: Parent
	CIDR     netip.Prefix  // zero: to be placed
	Length   *int
	Placing  Placing        // of the pool's own block, in its parent
	Strategy alloc.Strategy // of the blocks in the pool
	Sizes    Sizes
	Details
	DeletionProtection bool
	Quarantine         *int64
	MaxObservedAge     *int64
	Encloses           bool // the pools that stand in CIDR become its children
}

// In is the request of a pool in a parent that was chosen for it.
func (n NewPool) In(parent string) NewPool {
	n.Parent, n.Selector = parent, nil
	return n
}

// Size is the block that the pool asks its parent for.
func (n NewPool) Size() BlockSize {
	return BlockSize{CIDR: n.CIDR, Length: n.Length, Placing: n.Placing}
}

// PoolPatch changes a pool; nil leaves a field as it is, and a size that points to nil clears the rule. A Parent that points
// to "" makes a root pool.
type PoolPatch struct {
	Name              *string
	Parent            *string
	CIDR              *netip.Prefix
	Length            *int
	Strategy          *alloc.Strategy
	Min, Max, Default **int
	DetailsPatch
	DeletionProtection *bool
	Quarantine         **int64
	MaxObservedAge     **int64
}

// PoolID is how people call a pool: its name in the default scope, scope.name elsewhere. Names have no dots, so ids never collide.
func PoolID(scope, name string) string {
	if scope == DefaultScope {
		return name
	}
	return scope + "." + name
}

// SplitPoolID is the scope and the name that a pool's id says.
func SplitPoolID(id string) (scope, name string) {
	if scope, name, found := strings.Cut(id, "."); found {
		return scope, name
	}
	return DefaultScope, id
}

var (
	slug     = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$`)
	freeName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._:/-]{0,125}[A-Za-z0-9])?$`)
)

// Check refuses rules that contradict each other or the pool's own CIDR.
func (s Sizes) Check(cidr netip.Prefix) error {
	most := cidr.Addr().BitLen()
	for _, rule := range []struct {
		pointer string
		length  *int
	}{{"/min_prefix_length", s.Min}, {"/max_prefix_length", s.Max}, {"/default_prefix_length", s.Default}} {
		if rule.length != nil && (*rule.length < cidr.Bits() || *rule.length > most) {
			return Invalid(rule.pointer, "/%d does not fit a pool of %s; use %d to %d", *rule.length, cidr, cidr.Bits(), most)
		}
	}
	if s.Min != nil && s.Max != nil && *s.Min > *s.Max {
		return Invalid("/max_prefix_length", "max_prefix_length %d is smaller than min_prefix_length %d; the longest length is the smallest block", *s.Max, *s.Min)
	}
	if s.Default != nil && ((s.Min != nil && *s.Default < *s.Min) || (s.Max != nil && *s.Default > *s.Max)) {
		return Invalid("/default_prefix_length", "default_prefix_length %d lies outside min_prefix_length and max_prefix_length", *s.Default)
	}
	return nil
}

// Fits refuses a length that no block of the pool can have.
func (p Pool) Fits(length int) error {
	most := p.CIDR.Addr().BitLen()
	switch {
	case length > most:
		return Invalid("/prefix_length", "/%d is longer than an %s address; use %d to %d", length, familyName(p.CIDR.Addr()), p.CIDR.Bits(), most)
	case length < p.CIDR.Bits():
		return Invalid("/prefix_length", "a /%d is larger than pool %s (%s); use %d to %d", length, p.ID, p.CIDR, p.CIDR.Bits(), most)
	}
	return nil
}

// Allow refuses a length that the pool does not hand out.
func (p Pool) Allow(length int) error {
	if err := p.Fits(length); err != nil {
		return err
	}
	switch {
	case p.Sizes.Min != nil && length < *p.Sizes.Min:
		return violation("a /%d is too large for pool %s: its min_prefix_length is %d", length, p.ID, *p.Sizes.Min)
	case p.Sizes.Max != nil && length > *p.Sizes.Max:
		return violation("a /%d is too small for pool %s: its max_prefix_length is %d", length, p.ID, *p.Sizes.Max)
	}
	return nil
}

func violation(format string, args ...any) error {
	e := Errorf(CodePolicyViolation, format, args...)
	e.Fields = []FieldError{{Pointer: "/prefix_length", Detail: e.Detail}}
	return e
}

// Check refuses a request that cannot be meant.
func (n NewPool) Check() error {
	if err := CheckSlug("/name", n.Name); err != nil {
		return err
	}
	switch {
	case n.Strategy != "" && !n.Strategy.Valid():
		return Invalid("/strategy", "%q is not a strategy; use best_fit, first_fit, largest_fit or sparse", n.Strategy)
	case n.Selector != nil && n.Parent != "":
		return Invalid("/pool_selector", "parent and pool_selector are two ways to say which pool; leave one out")
	case n.Selector != nil && len(n.Selector.Labels) == 0:
		return Invalid("/pool_selector/labels", "a pool_selector names one label at least")
	case n.Selector != nil && n.Scope != "" && n.Scope != n.Selector.Scope:
		return Invalid("/scope", "the pool is in scope %q and its pool_selector in %q; leave scope out", n.Scope, n.Selector.Scope)
	case n.Parent == "" && n.Selector == nil && !n.CIDR.IsValid():
		return Invalid("/cidr", "a root pool names its cidr; a child pool names its parent and a cidr or a prefix_length")
	case n.Parent == "" && n.Selector == nil && n.Length != nil && *n.Length != n.CIDR.Bits():
		return Invalid("/prefix_length", "prefix_length %d and cidr %s disagree; leave one out", *n.Length, n.CIDR)
	}
	return errors.Join(n.checkEncloses(), CheckLabels(n.Labels), CheckQuarantine(n.Quarantine), CheckMaxObservedAge(n.MaxObservedAge))
}

// Fits reports whether a draft is what this request asks for: it may keep its CIDR.
func (n NewPool) Fits(draft Pool) bool {
	return (n.Parent == draft.Parent || n.Parent == string(draft.ParentUID)) && (!n.CIDR.IsValid() || n.CIDR == draft.CIDR) && (n.Length == nil || *n.Length == draft.CIDR.Bits()) && !n.Placing.Excludes(draft.CIDR) &&
		(n.Encloses || !draft.DraftEncloses)
}

// Pool is the pool that a request asks for, not placed yet. A scope that is not named is the parent's, or the default.
func (n NewPool) Pool() Pool {
	if n.Scope == "" {
		n.Scope, _ = SplitPoolID(n.Parent)
	}
	if n.Strategy == "" {
		n.Strategy = alloc.BestFit
	}
	return Pool{
		ID: PoolID(n.Scope, n.Name), Scope: n.Scope, Name: n.Name, Parent: n.Parent, CIDR: n.CIDR, Strategy: n.Strategy, Sizes: n.Sizes,
		Details: n.stored(), DeletionProtection: n.DeletionProtection, Quarantine: n.Quarantine, MaxObservedAge: n.MaxObservedAge,
	}
}

// Resized is the CIDR that a patch asks for: the pool's own when it asks for none. It must contain the pool's CIDR or lie
// in it; a length alone keeps the start when shrinking and takes the block around when growing.
func (p Pool) Resized(patch PoolPatch) (netip.Prefix, error) {
	to, err := resized(p.CIDR, patch.CIDR, patch.Length)
	if err == nil && !to.Overlaps(p.CIDR) {
		err = Invalid("/cidr", "pool %s is %s; it can grow around that or shrink inside it, but not move to %s", p.ID, p.CIDR, to)
	}
	return to, err
}

// Moves reports whether a patch moves the pool to another space.
func (p Pool) Moves(patch PoolPatch) bool {
	return patch.Parent != nil && *patch.Parent != p.Parent && (p.ParentUID == "" || *patch.Parent != string(p.ParentUID))
}

// Moved is what a pool asks its new space for: the CIDR or the length of the patch, or as much as it has.
func (p Pool) Moved(patch PoolPatch) (NewPool, error) {
	in := NewPool{Scope: p.Scope, Name: p.Name, Parent: *patch.Parent, Length: patch.Length}
	switch {
	case in.Parent == p.ID || in.Parent == string(p.UID):
		return in, Invalid("/parent", "pool %s cannot be its own parent", p.ID)
	case patch.CIDR != nil:
		in.CIDR = *patch.CIDR
		if in.Length != nil && *in.Length != in.CIDR.Bits() {
			return in, Invalid("/prefix_length", "prefix_length %d and cidr %s disagree; leave one out", *in.Length, in.CIDR)
		}
	case in.Parent == "":
		return in, Invalid("/cidr", "a root pool names its cidr; say which one %s has without a parent", p.ID)
	case in.Length == nil:
		in.Length = new(p.CIDR.Bits())
	}
	if in.CIDR.IsValid() && Family(in.CIDR) != Family(p.CIDR) {
		return in, Invalid("/cidr", "pool %s is %s; it cannot become %s, of the other family", p.ID, p.CIDR, in.CIDR)
	}
	return in, nil
}

// resized is the block that a change of size names. Whether it shares an address with what it was is left to the caller.
func resized(from netip.Prefix, cidr *netip.Prefix, length *int) (netip.Prefix, error) {
	switch {
	case cidr != nil:
		if length != nil && *length != cidr.Bits() {
			return *cidr, Invalid("/prefix_length", "prefix_length %d and cidr %s disagree; leave one out", *length, cidr)
		}
		return *cidr, nil
	case length == nil:
		return from, nil
	case *length > from.Addr().BitLen():
		return from, Invalid("/prefix_length", "/%d is longer than an %s address", *length, familyName(from.Addr()))
	default:
		return netip.PrefixFrom(from.Addr(), *length).Masked(), nil
	}
}

// DecidedIn is where a change of the pool is decided: one of its block in the space around it, and any other in the pool.
func (p Pool) DecidedIn(patch PoolPatch) In {
	if to, err := p.Resized(patch); p.Moves(patch) || err == nil && to != p.CIDR {
		return p.Around()
	}
	return p.Inside()
}

// Apply returns the pool with the settings of the patch. Resizing is not a setting: the registry does it.
func (p Pool) Apply(patch PoolPatch) Pool {
	set(&p.Name, patch.Name)
	p.ID = PoolID(p.Scope, p.Name)
	set(&p.Strategy, patch.Strategy)
	set(&p.Sizes.Min, patch.Min)
	set(&p.Sizes.Max, patch.Max)
	set(&p.Sizes.Default, patch.Default)
	p.Details = p.with(patch.DetailsPatch)
	set(&p.DeletionProtection, patch.DeletionProtection)
	set(&p.Quarantine, patch.Quarantine)
	set(&p.MaxObservedAge, patch.MaxObservedAge)
	return p
}

// CheckSettings refuses settings that a patch has made impossible.
func (p Pool) CheckSettings() error {
	if !p.Strategy.Valid() {
		return Invalid("/strategy", "%q is not a strategy; use best_fit, first_fit, largest_fit or sparse", p.Strategy)
	}
	return errors.Join(CheckLabels(p.Labels), CheckQuarantine(p.Quarantine), CheckMaxObservedAge(p.MaxObservedAge))
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}
