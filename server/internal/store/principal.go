package store

import (
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// InsertPrincipal adds a principal.
func (tx *Tx) InsertPrincipal(p ipam.Principal, at time.Time) error {
	return tx.rows.InsertPrincipal(tx.ctx, query.InsertPrincipalParams{ID: p.UID.Key(), Kind: p.Kind, Name: p.Name, CreatedAt: micros(at)})
}

// actor is how people read a principal that the database tells as "kind:name".
func actor(text string) string {
	kind, name, _ := strings.Cut(text, ":")
	return ipam.Principal{Kind: kind, Name: name}.String()
}

// Principal reads a principal; CodeNotFound when there is none.
func (tx *Tx) Principal(u ipam.UID) (ipam.Principal, error) {
	row, err := tx.rows.Principal(tx.ctx, ipam.KeyOf(principalKey, string(u)))
	return ipam.Principal{UID: uid(principalKey, row.ID), Kind: row.Kind, Name: row.Name}, absent(err, "principal", string(u))
}
