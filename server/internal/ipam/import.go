package ipam

import "time"

// ImportKind says what the rows of a file are.
type ImportKind string

// What they may be.
const (
	ImportPools        ImportKind = "pools"
	ImportAllocations  ImportKind = "allocations"
	ImportReservations ImportKind = "reservations"
	ImportAccounts     ImportKind = "accounts"
)

// Import is a file whose rows made and changed objects in one transaction. It belongs to whoever sent it, and what it did is in the
// events of its rows.
type Import struct {
	ID        UID        `json:"id"`
	Kind      ImportKind `json:"kind"`
	Principal Principal  `json:"principal"`
	Actor     string     `json:"actor"`  // the principal's name
	Digest    string     `json:"digest"` // of the file and its verdicts
	Created   int        `json:"created"`
	Updated   int        `json:"updated"`
	Unchanged int        `json:"unchanged"`
	Reason    string     `json:"reason"`
	CreatedAt time.Time  `json:"created_at"`
	UndoneAt  *time.Time `json:"undone_at,omitempty"` // nil: it stands
	UndoneBy  UID        `json:"undone_by,omitempty"`
	Undoer    string     `json:"undoer,omitempty"` // the name of who undid it
}
