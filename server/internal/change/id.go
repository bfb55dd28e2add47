package change

import (
	"encoding/base32"

	"github.com/google/uuid"
)

// inOrder keeps the order of what it encodes.
var inOrder = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// NewID makes an id that sorts by age: the kind and a UUIDv7 (RFC 9562).
func NewID(kind string) string {
	id := uuid.Must(uuid.NewV7())
	return kind + "_" + inOrder.EncodeToString(id[:])
}
