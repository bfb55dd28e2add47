package ipam

import (
	"cmp"
	"maps"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// Reservation keeps a block of a pool out of use, for a reason. Its CIDR never changes, and a pool's size rules do not
// bind it: they are about what is handed out. It expires softly: past ExpiresAt its space may be taken at any time. It may have a
// name, which no other of its pool has then.
type Reservation struct {
	ID string `json:"id"`
	In
	Name      string       `json:"name,omitempty"` // "" where it has none
	CIDR      netip.Prefix `json:"cidr"`
	Reason    string       `json:"reason"`
	Owner     string       `json:"owner"`
	Labels    Labels       `json:"labels"`
	ExpiresAt *time.Time   `json:"expires_at,omitempty"` // nil: it stands until it is released
	Version   int64        `json:"version"`
	CreatedAt time.Time    `json:"created_at"`
	UpdatedAt time.Time    `json:"updated_at"`
}

// ReservationHold is the name under which a plan holds the block of a reservation that it will make: by its name, or by its CIDR
// where it has none; "" where it has neither. Its reason would not do: it is for people, changes while a plan waits, and is the same
// for all reservations of a for_each. So a block that is to be chosen for what has no name is not promised.
func ReservationHold(name string, cidr netip.Prefix) string {
	switch {
	case name != "":
		return reservation + name
	case cidr.IsValid():
		return reservation + cidr.String()
	}
	return ""
}

const reservation = "reservation:"

// ReservationOf is the name of the reservation that a hold is for: "" of one that has none. False where a hold is for none, or names
// another block than that of its CIDR.
func ReservationOf(hold string, cidr netip.Prefix) (string, bool) {
	name, is := strings.CutPrefix(hold, reservation)
	if block, err := netip.ParsePrefix(name); err == nil {
		return "", is && block == cidr
	}
	return name, is
}

// Promised is the reservation as what its hold is for: an allocation of the hold's name.
func (r Reservation) Promised() Allocation {
	return Allocation{ID: r.ID, In: r.In, Name: ReservationHold(r.Name, r.CIDR), CIDR: r.CIDR}
}

// Expired reports whether the reservation has run out; its space may still be there.
func (r Reservation) Expired(at time.Time) bool {
	return r.ExpiresAt != nil && !at.Before(*r.ExpiresAt)
}

// NewReservation asks to keep a block: by CIDR, or by length for one that the pool's strategy picks.
type NewReservation struct {
	Pool      string
	Name      string       // "": it has none
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
	return cmp.Or(CheckReservationName(n.Name), CheckReason(n.Reason), CheckLabels(n.Labels))
}

// CheckReservationName refuses what cannot be the name of a reservation: what cannot be that of an allocation, what is too long for
// the name of its hold, 115 characters, and a CIDR, which is the name of a hold for what has none.
func CheckReservationName(name string) error {
	if name == "" {
		return nil
	}
	if _, err := netip.ParsePrefix(name); err == nil {
		return Invalid("/name", "%q is a CIDR; choose a name, or leave it out", name)
	}
	if most := 127 - len(reservation); len(name) > most {
		return Invalid("/name", "the name of a reservation has at most %d characters; this one has %d", most, len(name))
	}
	return CheckFreeName("/name", name)
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
	Name          *string // to "": none any more
	Reason, Owner *string
	Labels        *Labels
	ExpiresAt     **time.Time
}

// Apply returns the reservation with the patch applied.
func (r Reservation) Apply(patch ReservationPatch) Reservation {
	set(&r.Name, patch.Name)
	set(&r.Reason, patch.Reason)
	set(&r.Owner, patch.Owner)
	if patch.ExpiresAt != nil {
		r.ExpiresAt = Stored(*patch.ExpiresAt)
	}
	if patch.Labels != nil {
		r.Labels = maps.Clone(*patch.Labels)
	}
	return r
}

// CheckFrom refuses what changed into what a reservation may not have at a time. Errors: CodeInvalid.
func (r Reservation) CheckFrom(before Reservation, at time.Time) error {
	var expiry, name, reason error
	if r.ExpiresAt != before.ExpiresAt {
		expiry = CheckExpiry(r.ExpiresAt, at)
	}
	if r.Name != before.Name {
		name = CheckReservationName(r.Name)
	}
	if r.Reason != before.Reason {
		reason = CheckReason(r.Reason)
	}
	return cmp.Or(expiry, name, reason, CheckLabels(r.Labels))
}

// ReservationFilter narrows a list of reservations; zero fields are no rule.
type ReservationFilter struct {
	Scope, Pool, Owner string
	Family             int
	Labels             []Label
	Text               string
	Around             Around
}

// Stored is a moment as both engines keep it.
func Stored(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC().Truncate(time.Microsecond))
}
