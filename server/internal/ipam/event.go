package ipam

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"time"
)

// Event says who did what to which object, with its state before and after. Events of one chain are linked by hashes.
type Event struct {
	ID         string
	Chain      UID   // that of the space whose lock its writers hold, or SystemChain
	Seq        int64 // 1, 2, 3 … within the chain, in the order of commits
	Scope      string
	ScopeUID   UID // "" in the system's chain
	At         time.Time
	Principal  UID
	Actor      string // the principal's name at the time, as Principal.String gives it
	Action     string // object kind, a dot and a verb in the past tense
	ObjectKind string
	ObjectID   string // the key of the object: its id, or its uid where the id is a name
	RequestID  string
	Source     string          // from where: api, ui, terraform, import, reconcile or system; "" of what is older than that
	Address    string          // of the caller; "" of what the server did by itself
	Reason     string          // why, as the caller said
	Block      netip.Prefix    // that it is about: of the state after it, or before where that is none; zero of what has none
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
	for _, field := range []string{e.ID, string(e.Chain), e.Scope, string(e.ScopeUID), string(e.Principal), e.Actor, e.Action, e.ObjectKind, e.ObjectID, e.RequestID} {
		write([]byte(field))
	}
	write(binary.BigEndian.AppendUint64(nil, uint64(e.Seq)))
	write(binary.BigEndian.AppendUint64(nil, uint64(e.At.UnixMicro())))
	write(e.Before)
	write(e.After)
	if e.Source != "" || e.Address != "" || e.Reason != "" {
		for _, field := range []string{e.Source, e.Address, e.Reason} {
			write([]byte(field))
		}
	}
	return h.Sum(nil)
}

// BlockText is the block as text; "" of what has none.
func (e Event) BlockText() string {
	if !e.Block.IsValid() {
		return ""
	}
	return e.Block.String()
}

// The block that each noun is about, for events to be found by.

// Block is the pool's CIDR.
func (p Pool) Block() netip.Prefix { return p.CIDR }

// Block is the allocation's CIDR.
func (a Allocation) Block() netip.Prefix { return a.CIDR }

// Block is the reservation's CIDR.
func (r Reservation) Block() netip.Prefix { return r.CIDR }

// Block is the hold's CIDR.
func (h Hold) Block() netip.Prefix { return h.CIDR }

// Block is the CIDR in quarantine.
func (q Quarantine) Block() netip.Prefix { return q.CIDR }

// ChainOf is the chain of a space: a pool, or the root of a scope.
func ChainOf(space UID) UID { return KeyUID("chain", space.Key()) }
