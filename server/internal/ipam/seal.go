package ipam

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// Seal is a signed statement of where chains of events ended at a time. Seals are numbered 1, 2, 3 … and linked by their hashes.
type Seal struct {
	Number    int64        `json:"number"`
	At        time.Time    `json:"at"`
	Heads     []SealedHead `json:"heads"` // of the chains that had moved since the seal before
	Hash      []byte       `json:"hash"`
	Signature []byte       `json:"signature"` // Ed25519, of the hash
	Key       []byte       `json:"key"`       // the public key
}

// SealedHead is the last event of a chain.
type SealedHead struct {
	Chain    UID    `json:"chain"`
	Sequence int64  `json:"sequence"`
	Hash     []byte `json:"hash"`
}

// Link computes the seal's hash over the previous one's and its own fields, each with its length in front.
func (s Seal) Link(previous []byte) []byte {
	h := sha256.New()
	write := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	number := func(n int64) { write(binary.BigEndian.AppendUint64(nil, uint64(n))) }
	write(previous)
	number(s.Number)
	number(s.At.UnixMicro())
	for _, head := range s.Heads {
		write([]byte(head.Chain))
		number(head.Sequence)
		write(head.Hash)
	}
	return h.Sum(nil)
}

// Check says what is wrong with a seal behind another, a zero one before the first.
func (s Seal) Check(before Seal) error {
	switch {
	case s.Number != before.Number+1:
		return fmt.Errorf("seal %d follows seal %d", s.Number, before.Number)
	case string(s.Link(before.Hash)) != string(s.Hash):
		return fmt.Errorf("seal %d does not match its hash", s.Number)
	case len(s.Key) != ed25519.PublicKeySize || !ed25519.Verify(s.Key, s.Hash, s.Signature):
		return fmt.Errorf("seal %d is not signed by the key that it names", s.Number)
	}
	return nil
}
