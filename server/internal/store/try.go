package store

import (
	"errors"
	"maps"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Try runs a part of a write. Where it is refused, what it has written is undone and the refusal is the answer; the write goes on.
// Any other error must end the write. From some sixty on in one transaction they slow other readers of PostgreSQL: a write of many
// parts tries without first.
func (tx *Tx) Try(part func() error) error {
	before := memory{heads: maps.Clone(tx.fresh.heads), pools: map[string]ipam.Pool{}, event: tx.fresh.event}
	if err := tx.conn.save(tx.ctx, "part"); err != nil {
		return err
	}
	refusal := part()
	if refusal != nil {
		if ipam.CodeOf(refusal) == "" {
			return refusal
		}
		if err := tx.conn.undo(tx.ctx, "part"); err != nil {
			return errors.Join(err, refusal)
		}
		// Locks that were taken in it are gone with it, so what was read under them is not known any more.
		tx.forgetPools()
		tx.forgetSpaces()
		tx.fresh, tx.looked, tx.shown = before, nameLook{}, nil
	}
	if err := tx.conn.exec(tx.ctx, "RELEASE SAVEPOINT part"); err != nil {
		return err
	}
	return refusal
}
