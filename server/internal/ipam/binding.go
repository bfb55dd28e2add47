package ipam

import (
	"maps"
	"slices"
	"time"
)

// Binding gives a principal a role in a place: everywhere, in a scope, or in a pool and what is below it. It may be narrowed: then
// the role reaches only blocks of some sizes, or with some labels.
type Binding struct {
	ID        string    `json:"id"`
	Principal UID       `json:"principal"`
	Actor     string    `json:"actor"` // the principal's name
	Role      Role      `json:"role"`
	In                  // without a scope, everywhere; with a scope and no pool, all of that
	Largest   int       `json:"largest,omitempty"` // the shortest prefix length that it reaches; 0 is any
	Labels    Labels    `json:"labels,omitempty"`  // which what it reaches must have
	CreatedAt time.Time `json:"created_at"`
	Issuer    string    `json:"-"` // of the principal; "" of one of ours
	Subject   string    `json:"-"`
	Rule      string    `json:"-"` // of an issuer, "github/deploy", that gives it for as long as it matches; "" of one that is kept
}

// MaxBindings is the most that one principal has.
const MaxBindings = 100

// NewBinding asks for a binding: names of a scope and of a pool, or neither for everywhere.
type NewBinding struct {
	Principal       UID
	Issuer, Subject string // whom an issuer vouches for, in place of Principal
	Role            Role
	Scope, Pool     string
	Largest         *int
	Labels          Labels
}

// Check refuses a binding that cannot be. Errors: CodeInvalid.
func (n NewBinding) Check() error {
	if !slices.Contains(Roles, n.Role) {
		return Invalid("/role", "%q is not a role; use viewer, planner, operator or admin", n.Role)
	}
	if n.Scope != "" && n.Pool != "" {
		return Invalid("/pool", "a pool has its scope already; name the scope %q or the pool %q", n.Scope, n.Pool)
	}
	if n.Largest != nil && (*n.Largest < 1 || *n.Largest > 128) {
		return Invalid("/largest_prefix_length", "%d is no prefix length; use 1 to 128, as 24 for blocks up to a /24", *n.Largest)
	}
	if (n.Largest != nil || len(n.Labels) > 0) && n.Role != Planner && n.Role != Operator {
		return Invalid("/role", "only the roles planner and operator can be narrowed to sizes and labels, and this is %s", n.Role)
	}
	return CheckLabels(n.Labels)
}

// covers reports whether a place is in that of the binding; above are the pools around the place, its own first.
func (b Binding) covers(in In, above []UID) bool {
	switch {
	case b.PoolUID != "":
		return slices.Contains(above, b.PoolUID)
	case b.ScopeUID != "":
		return b.ScopeUID == in.ScopeUID
	}
	return true
}

// String is how people read what the binding gives.
func (b Binding) String() string {
	if b.ScopeUID == "" {
		return string(b.Role)
	}
	return string(b.Role) + " " + b.where()
}

// Narrowed reports whether the role reaches less than all in its place.
func (b Binding) Narrowed() bool { return b.Largest > 0 || len(b.Labels) > 0 }

// reaches says why the binding does not reach a block; nil when it does.
func (b Binding) reaches(of Extent) *Error {
	if b.Largest > 0 && of.length < b.Largest && of.block {
		e := Errorf(CodeForbidden, "blocks up to a /%d, and this is a /%d", b.Largest, of.length)
		e.Fields = []FieldError{{Pointer: "/prefix_length"}}
		return e
	}
	for _, key := range slices.Sorted(maps.Keys(b.Labels)) {
		if of.labelled && of.labels[key] != b.Labels[key] {
			e := Errorf(CodeForbidden, "what has the label %s=%s", key, b.Labels[key])
			e.Fields = []FieldError{{Pointer: "/labels"}}
			return e
		}
	}
	return nil
}

// Extent is what a caller asks for or changes, as far as it is known. The zero Extent is not known, and no narrowing is about it.
type Extent struct {
	block, labelled bool
	length          int
	labels          Labels
}

// OfBlock is the extent of a block of a length that has no labels yet, as the hold of one.
func OfBlock(length int) Extent { return Extent{block: true, length: length} }

// OfLabelled is the extent of a block of a length with labels.
func OfLabelled(length int, labels Labels) Extent {
	return Extent{block: true, length: length, labelled: true, labels: labels}
}

// Extent is what the allocation is, for a role that is narrowed.
func (a Allocation) Extent() Extent { return OfLabelled(a.CIDR.Bits(), a.Labels) }

// Extent is what the reservation is, for a role that is narrowed.
func (r Reservation) Extent() Extent { return OfLabelled(r.CIDR.Bits(), r.Labels) }

// BindingOver refuses what a caller's own roles do not include: nobody gives what he has not. Above are the pools around the place of
// the binding, its own first. Errors: CodeForbidden.
func (c Caller) BindingOver(b Binding, above []UID) error {
	for _, own := range c.Bindings {
		if own.Role.Includes(Admin) && !own.Narrowed() && own.covers(b.In, above) {
			return nil
		}
	}
	return Errorf(CodeForbidden, "to give somebody a role %s takes the role %s there, which %s has not", b.where(), Admin, c)
}
