package ipam

import (
	"maps"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// Reservation keeps a block of a pool out of use, for a reason. Its CIDR never changes, and a pool's size rules do not
// bind it: they are about what is handed out. It expires softly: past ExpiresAt its space may be taken at any time.
type Reservation struct {
	ID string `json:"id"`
	In
	CIDR      netip.Prefix `json:"cidr"`
	Reason    string       `json:"reason"`
	Owner     string       `json:"owner"`
	Labels    Labels       `json:"labels"`
	ExpiresAt *time.Time   `json:"expires_at,omitempty"` // nil: it stands until it is released
	Version   int64        `json:"version"`
	CreatedAt time.Time    `json:"created_at"`
	UpdatedAt time.Time    `json:"updated_at"`
}

// ReservationHold is the name under which a plan holds the block of a reservation that it will make: reservations have no
// names, and their CIDR in their pool is what tells them apart.
func ReservationHold(cidr netip.Prefix) string { return reservation + cidr.String() }

const reservation = "reservation:"

// Expired reports whether the reservation has run out; its space may still be there.
func (r Reservation) Expired(at time.Time) bool {
	return r.ExpiresAt != nil && !at.Before(*r.ExpiresAt)
}

// NewReservation asks to keep a block: by CIDR, or by length for one that the pool's strategy picks.
type NewReservation struct {
	Pool      string
	CIDR      netip.Prefix // zero: to be placed
	Length    *int
	Reason    string
	Owner     string
	Labels    Labels
	ExpiresAt *time.Time
}

// Check refuses a request that cannot be meant.
func (n NewReservation) Check() error {
	if !n.CIDR.IsValid() && n.Length == nil {
		return Invalid("/cidr", "name the cidr to keep, or a prefix_length to have a block of that size placed")
	}
	if err := CheckReason(n.Reason); err != nil {
		return err
	}
	return CheckLabels(n.Labels)
}

// CheckReason refuses a reason that says nothing, or more than 1024 characters.
func CheckReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return Invalid("/reason", "say why the block is kept, for whoever comes across it")
	}
	if n := utf8.RuneCountInString(reason); n > 1024 {
		return Invalid("/reason", "a reason has at most 1024 characters; this one has %d", n)
	}
	return nil
}

// CheckExpiry refuses an end that has come already: the reservation would keep nothing.
func CheckExpiry(at *time.Time, now time.Time) error {
	if at == nil || now.Before(*at) {
		return nil
	}
	return Invalid("/expires_at", "%s has passed: it is %s now; name a later time, or leave expires_at out to keep the block until it is released",
		at.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
}

// ReservationPatch changes a reservation; nil leaves a field as it is, and an end that points to nil takes it away.
type ReservationPatch struct {
	Reason, Owner *string
	Labels        *Labels
	ExpiresAt     **time.Time
}

// Apply returns the reservation with the patch applied.
func (r Reservation) Apply(patch ReservationPatch) Reservation {
	set(&r.Reason, patch.Reason)
	set(&r.Owner, patch.Owner)
	set(&r.ExpiresAt, patch.ExpiresAt)
	if patch.Labels != nil {
		r.Labels = maps.Clone(*patch.Labels)
	}
	return r
}

// ReservationFilter narrows a list of reservations; zero fields are no rule.
type ReservationFilter struct {
	Scope, Pool, Owner string
	Family             int
	Labels             []Label
	Text               string
	Around             Around
}
