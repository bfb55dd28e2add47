package ipam

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"
)

// Caller is who asks, and under which request. It is handed on by argument, so that no rule depends on a hidden value.
type Caller struct {
	Actor     string // "token:NAME" or "system"
	RequestID string
	Retry     *Retry // nil: the request carries no Idempotency-Key
}

// Retry identifies a request that may be sent again.
type Retry struct {
	Key         string
	Fingerprint [sha256.Size]byte // of method, path and body: the same key with another request is refused
	Replayed    bool              // set when the stored answer was given
}

// Event says who did what to which object, with its state before and after. Events of one chain are linked by hashes.
type Event struct {
	ID         string
	Chain      string // the pool or RootSpace of the scope it belongs to
	Seq        int64  // 1, 2, 3 … within the chain
	Scope      string
	At         time.Time
	Actor      string
	Action     string // object kind, a dot and a verb in the past tense
	ObjectKind string
	ObjectID   string
	RequestID  string
	Before     json.RawMessage // nil when the object did not exist
	After      json.RawMessage // nil when it no longer does
	Hash       []byte
}

// Link computes the event's hash over the previous one's and its own fields, each with its length in front so that no
// two different events read the same.
func (e Event) Link(previous []byte) []byte {
	h := sha256.New()
	write := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	write(previous)
	for _, field := range []string{e.ID, e.Chain, e.Scope, e.Actor, e.Action, e.ObjectKind, e.ObjectID, e.RequestID} {
		write([]byte(field))
	}
	write(binary.BigEndian.AppendUint64(nil, uint64(e.Seq)))
	write(binary.BigEndian.AppendUint64(nil, uint64(e.At.UnixMicro())))
	write(e.Before)
	write(e.After)
	return h.Sum(nil)
}
