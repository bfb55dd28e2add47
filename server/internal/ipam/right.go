package ipam

import (
	"fmt"
	"slices"
)

// Rights are what a caller asks to do, and its bindings, which say where it may. The zero Rights are none.
type Rights struct {
	Need     Role
	Bindings []Binding
}

// AllRights are those of the system itself.
var AllRights = Rights{Need: Viewer, Bindings: []Binding{{Role: Admin}}}

// Sees is what the caller may see.
func (r Rights) Sees() Visible { return r.with(Viewer) }

// Reaches is where the caller may do what it asks.
func (r Rights) Reaches() Visible { return r.with(r.Need) }

func (r Rights) with(need Role) (v Visible) {
	for _, b := range r.Bindings {
		switch {
		case !b.Role.Includes(need):
		case b.PoolUID != "":
			v.Pools = append(v.Pools, b.PoolUID)
			if !slices.Contains(v.Around, b.ScopeUID) { // with one scope, a list is in the order of its keys as it stands
				v.Around = append(v.Around, b.ScopeUID)
			}
		case b.ScopeUID != "":
			v.Scopes = append(v.Scopes, b.ScopeUID)
		default:
			return Everything
		}
	}
	return v
}

// As are the rights of who asks for what takes another role.
func (r Rights) As(need Role) Rights { return Rights{Need: need, Bindings: r.Bindings} }

// Everywhere reports whether the caller may do what it asks wherever that is, and to whatever.
func (r Rights) Everywhere() bool {
	for _, b := range r.Bindings {
		if b.ScopeUID == "" && !b.Narrowed() && b.Role.Includes(r.Need) {
			return true
		}
	}
	return false
}

// Allow refuses what a caller may not do in a place that it sees: CodeForbidden, with the role that it takes, and where. Above are
// the pools around the place, its own first.
func (c Caller) Allow(in In, above []UID, of Extent) error {
	var has Role
	var narrow *Error
	for _, b := range c.Bindings {
		if !b.covers(in, above) {
			continue
		}
		if b.Role.Includes(c.Need) {
			why := b.reaches(of)
			if why == nil {
				return nil
			}
			narrow = why
		}
		if has == "" || b.Role.Includes(has) {
			has = b.Role
		}
	}
	if narrow != nil {
		e := Errorf(CodeForbidden, "%s has the role %s %s only for %s", c, has, in.where(), narrow.Detail)
		e.Fields = []FieldError{{Pointer: narrow.Fields[0].Pointer, Detail: e.Detail}}
		return e
	}
	if has == "" {
		return Errorf(CodeForbidden, "this needs the role %s %s, and %s has none there; ask an admin for it", c.Need, in.where(), c)
	}
	return Errorf(CodeForbidden, "this needs the role %s %s, and %s is %s there; ask an admin for it", c.Need, in.where(), c, has)
}

// where is how people read a place.
func (i In) where() string {
	switch {
	case i.PoolUID != "":
		return fmt.Sprintf("in pool %s", i.Pool)
	case i.ScopeUID != "":
		return fmt.Sprintf("in scope %s", i.Scope)
	}
	return "everywhere"
}

// Visible is what a caller may see, and so what a list or a look answers: everything, scopes whole, and pools with what is below
// them. The zero Visible is nothing.
type Visible struct {
	everything bool
	Scopes     []UID
	Pools      []UID
	Around     []UID // the scopes of the pools, each once
}

// Everything is what rules see that decide for all.
var Everything = Visible{everything: true}

// All reports whether nothing is hidden.
func (v Visible) All() bool { return v.everything }

// ScopesRead are the scopes that can be read themselves: whoever sees a pool reads what its scope is called.
func (v Visible) ScopesRead() []UID { return slices.Concat(v.Scopes, v.Around) }

// In reports whether a place is visible; above are the pools around it, its own first, which matter only where Pools are.
func (v Visible) In(scope UID, above []UID) bool {
	return v.everything || slices.Contains(v.Scopes, scope) || slices.ContainsFunc(above, func(p UID) bool { return slices.Contains(v.Pools, p) })
}

// NoSuch is the error of what is not there, or not for the caller's eyes: nobody can tell which.
func NoSuch(what, id string) *Error { return Errorf(CodeNotFound, "there is no %s %q", what, id) }
