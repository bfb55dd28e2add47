// Package seal signs where the chains of events end, so that nobody who can write to the database, and make chains anew, can take back
// what has been logged.
package seal

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// late is how much older than its commit an event may be: what was under way at one seal is in the next.
const late = 10 * time.Minute

// Sealer signs. It is safe for concurrent use.
type Sealer struct {
	k   *change.Kernel
	log *slog.Logger
	key ed25519.PrivateKey // nil: one that the database keeps
}

// New makes a Sealer with the key of a file, PKCS #8 in PEM; "" is a key that the server makes and keeps in its database, where whoever can
// write to that finds it.
func New(k *change.Kernel, log *slog.Logger, file string) (*Sealer, error) {
	s := &Sealer{k: k, log: log}
	if file == "" {
		return s, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM; make a key with: openssl genpkey -algorithm ed25519", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the key in %s: %w", file, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the key in %s is none of Ed25519; make one with: openssl genpkey -algorithm ed25519", file)
	}
	s.key = private
	return s, nil
}

var errStill = errors.New("no chain has moved")

// Seal signs the heads of the chains that have moved since the last time, and reports how many seals that made. It logs what it signed.
func (s *Sealer) Seal(ctx context.Context) (int64, error) {
	fresh := make([]byte, ed25519.SeedSize)
	if _, err := rand.Read(fresh); err != nil {
		return 0, err
	}
	var made ipam.Seal
	err := s.k.Work(ctx, "seals", func(tx *store.Tx) error {
		key := s.key
		if key == nil {
			seed, err := tx.SealSeed(fresh, s.k.Now())
			if err != nil {
				return err
			}
			key = ed25519.NewKeyFromSeed(seed)
		}
		last, err := tx.LastSeal()
		if err != nil {
			return err
		}
		since := time.Unix(0, 0)
		if last.Number > 0 {
			since = last.At.Add(-late)
		}
		chains, err := tx.MovedChains(since)
		if err != nil {
			return err
		}
		made = ipam.Seal{Number: last.Number + 1, At: s.k.Now(), Key: key.Public().(ed25519.PublicKey)}
		known := map[ipam.UID]int64{}
		for _, h := range last.Heads {
			known[h.Chain] = h.Sequence
		}
		for _, c := range chains {
			if known[c.UID] != c.Length {
				made.Heads = append(made.Heads, ipam.SealedHead{Chain: c.UID, Sequence: c.Length, Hash: c.Hash})
			}
		}
		if len(made.Heads) == 0 {
			return errStill
		}
		made.Hash = made.Link(last.Hash)
		made.Signature = ed25519.Sign(key, made.Hash)
		return tx.InsertSeal(made)
	})
	if errors.Is(err, errStill) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	s.log.InfoContext(ctx, "sealed the events", "seal", made.Number, "at", made.At, "chains", len(made.Heads),
		"hash", hex.EncodeToString(made.Hash), "signature", hex.EncodeToString(made.Signature), "public_key", hex.EncodeToString(made.Key))
	return 1, nil
}

// Seals lists up to limit seals behind a number, in their order. They tell of every chain, so who does not see everything sees none.
func (s *Sealer) Seals(ctx context.Context, see ipam.Visible, after int64, limit int) ([]ipam.Seal, error) {
	if !see.All() {
		return nil, nil
	}
	return change.Get(ctx, s.k, func(tx *store.Tx) ([]ipam.Seal, error) { return tx.Seals(after, limit) })
}
