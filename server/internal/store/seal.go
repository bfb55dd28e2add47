package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// InsertSeal adds a seal.
func (tx *Tx) InsertSeal(s ipam.Seal) error {
	heads, err := json.Marshal(s.Heads)
	if err != nil {
		return fmt.Errorf("encode the heads of a seal: %w", err)
	}
	return tx.rows.InsertSeal(tx.ctx, query.InsertSealParams{ID: s.Number, At: micros(s.At), Heads: string(heads), Hash: s.Hash, Signature: s.Signature, PublicKey: s.Key})
}

// Seals lists up to limit seals behind a number, in their order.
func (tx *Tx) Seals(after int64, limit int) ([]ipam.Seal, error) {
	rows, err := tx.rows.Seals(tx.ctx, query.SealsParams{ID: after, MaxRows: int32(limit)})
	return all(rows, err, seal)
}

// LastSeal is the newest seal; a zero one when there is none.
func (tx *Tx) LastSeal() (ipam.Seal, error) {
	rows, err := tx.rows.LastSeal(tx.ctx)
	if err != nil || len(rows) == 0 {
		return ipam.Seal{}, err
	}
	return seal(rows[0])
}

// MovedChains are the heads of the chains whose newest event is no older than a time.
func (tx *Tx) MovedChains(since time.Time) ([]Chain, error) {
	rows, err := tx.rows.MovedChains(tx.ctx, micros(since))
	return all(rows, err, func(row query.Chain) (Chain, error) { return chainOf(row), nil })
}

// SealSeed is the seed of the key of seals, which is made of a fresh one where there is none yet.
func (tx *Tx) SealSeed(fresh []byte, at time.Time) ([]byte, error) {
	if err := tx.rows.InsertSealKey(tx.ctx, query.InsertSealKeyParams{Seed: fresh, CreatedAt: micros(at)}); err != nil {
		return nil, err
	}
	rows, err := tx.rows.SealKey(tx.ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

func seal(row query.Seal) (ipam.Seal, error) {
	s := ipam.Seal{Number: row.ID, At: moment(row.At), Hash: row.Hash, Signature: row.Signature, Key: row.PublicKey}
	if json.Unmarshal([]byte(row.Heads), &s.Heads) != nil {
		s.Heads = nil // it does not match its hash, as verify finds
	}
	return s, nil
}
