package ipam

import "time"

// DefaultScope is the scope that always exists.
const DefaultScope = "default"

// Scope is an isolated address space: CIDRs may repeat across scopes, never inside one.
type Scope struct {
	ID          string    `json:"id"` // its name, which may change
	UID         UID       `json:"uid"`
	Description string    `json:"description"`
	Labels      Labels    `json:"labels"`
	Version     int64     `json:"version"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	// DraftUntil is until when a draft is promised: a scope that only a plan knows. Nil on a real scope.
	DraftUntil *time.Time `json:"draft_until,omitempty"`
}

// ScopePatch changes a scope; nil leaves a field as it is.
type ScopePatch struct {
	Name        *string
	Description *string
	Labels      *Labels
}
