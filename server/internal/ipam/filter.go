package ipam

import (
	"net/netip"
	"time"
)

// Page asks for up to Limit items after a cursor.
type Page struct {
	Limit int
	After Cursor
	Order Order
	Floor UID // what is older is left out
}

// Order is how a list is ordered; the zero Order is by age, the oldest first.
type Order string

// The other orders.
const (
	NewestFirst Order = "-created"
	ByAddress   Order = "cidr" // IPv4 first
)

// Cursor is the place of the last item of the page before; its zero value is the start.
type Cursor struct {
	ID     string       `json:"i,omitempty"` // the key of what was last
	Prefix netip.Prefix `json:"p,omitzero"`  // lists in address order
}

// Around narrows a list by address: inside Within or equal to it, or around Contains. Zero is no rule.
// A list so narrowed comes in address order.
type Around struct {
	Within   netip.Prefix
	Contains netip.Prefix
}

// Given reports whether the list is narrowed by address.
func (a Around) Given() bool { return a.Within.IsValid() || a.Contains.IsValid() }

// PoolFilter narrows a list of pools; zero fields are no rule.
type PoolFilter struct {
	Scope, Parent                       string
	Account, Owner, Environment, Region string
	Of                                  AccountKind
	Family                              int
	Labels                              []Label
	Text                                string
	Around                              Around
	Drafts                              bool // the pools that only a plan knows, too
}

// AllocationFilter narrows a list of allocations; zero fields are no rule.
type AllocationFilter struct {
	Scope, Pool, Name, Set              string
	Account, Owner, Environment, Region string
	Of                                  AccountKind
	Begins                              string // what the name begins with, in small letters: the first thousand or so
	Family                              int
	Labels                              []Label
	Text                                string
	Around                              Around
}

// AccountKind narrows to what belongs to accounts of a kind; zero fields are no rule.
type AccountKind struct{ Cloud, Platform, Tier string }

// AllocationSetFilter narrows a list of allocation sets; zero fields are no rule.
type AllocationSetFilter struct {
	Scope, Pool, Name                   string
	Account, Owner, Environment, Region string
	Of                                  AccountKind
	Labels                              []Label
	Text                                string
}

// PrefixFilter narrows a list of prefixes; zero fields are no rule.
type PrefixFilter struct {
	Scope, Pool string
	Status      Status
	Kind        Kind
	Family      int
	Around      Around
}

// EventFilter narrows a list of events; zero fields are no rule.
type EventFilter struct {
	Scope, Actor, Action string
	Object               string       // by key, as Event.ObjectID says it
	Since, Until         time.Time    // from the one on, before the other
	Within               netip.Prefix // about a block that shares an address with it
	OldestFirst          bool
}

// HoldFilter narrows a list of holds; zero fields are no rule.
type HoldFilter struct {
	Scope, Pool, Holder, Actor string
	Kept                       *bool
	Text                       string
}

// TokenFilter narrows a list of tokens; zero fields are no rule.
type TokenFilter struct {
	ID     string
	Living *bool // at At
	At     time.Time
}

// BindingFilter narrows a list of bindings; zero fields are no rule.
type BindingFilter struct {
	ID, Scope, Pool string
	Principals      []UID
}

// Label is one required pair of a filter.
type Label struct{ Key, Value string }
