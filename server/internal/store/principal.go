package store

import (
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// InsertPrincipal adds a principal.
func (tx *Tx) InsertPrincipal(p ipam.Principal, at time.Time) error {
	return tx.rows.InsertPrincipal(tx.ctx, query.InsertPrincipalParams{ID: p.UID.Key(), Kind: p.Kind, Name: p.Name, CreatedAt: micros(at), Issuer: p.Issuer, Subject: p.Subject})
}

// actor is how people read a principal that the database tells as "kind:name".
func actor(text string) string {
	kind, name, _ := strings.Cut(text, ":")
	return ipam.Principal{Kind: kind, Name: name}.String()
}

// Principal reads a principal; CodeNotFound when there is none.
func (tx *Tx) Principal(u ipam.UID) (ipam.Principal, error) {
	row, err := tx.rows.Principal(tx.ctx, ipam.KeyOf(principalKey, string(u)))
	return vouched(row).Principal, absent(err, "principal", string(u))
}

// PrincipalOf reads the principal whom an issuer vouches for; CodeNotFound when there is none.
func (tx *Tx) PrincipalOf(issuer, subject string) (ipam.Vouched, error) {
	row, err := tx.rows.PrincipalOf(tx.ctx, query.PrincipalOfParams{Issuer: issuer, Subject: subject})
	return vouched(row), absent(err, "principal", subject)
}

// RenamePrincipal gives a principal another name, which is for people.
func (tx *Tx) RenamePrincipal(u ipam.UID, name string) error {
	return tx.rows.RenamePrincipal(tx.ctx, query.RenamePrincipalParams{ID: u.Key(), Name: name})
}

func vouched(row query.Principal) ipam.Vouched {
	return ipam.Vouched{
		Principal: ipam.Principal{UID: uid(principalKey, row.ID), Kind: row.Kind, Name: row.Name, Issuer: row.Issuer, Subject: row.Subject}, CreatedAt: moment(row.CreatedAt),
	}
}
