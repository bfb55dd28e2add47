package store

import (
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Reservation reads a reservation; CodeNotFound when there is none to see.
func (tx *Tx) Reservation(see ipam.Visible, id string) (ipam.Reservation, error) {
	row, err := tx.rows.Reservation(tx.ctx, ipam.KeyOf(reservationKey, id))
	if err != nil {
		return ipam.Reservation{}, absent(err, "reservation", id)
	}
	r, err := reservation(row)
	return seen(tx, see, r, r.In, err, "reservation", id)
}

// ReservationNamed reads the reservation of a name in a pool; false when there is none.
func (tx *Tx) ReservationNamed(pool ipam.UID, name string) (ipam.Reservation, bool, error) {
	row, err := tx.rows.ReservationNamed(tx.ctx, query.ReservationNamedParams{PoolID: pool.Key(), Name: name})
	return found(row, err, reservation)
}

// ExpiredReservationsIn lists the blocks of reservations in a pool as ExpiredHolds does.
func (tx *Tx) ExpiredReservationsIn(pool ipam.UID, now time.Time, limit, skip int) ([]netip.Prefix, error) {
	blocks, err := tx.rows.ExpiredReservationsIn(tx.ctx, query.ExpiredReservationsInParams{PoolID: pool.Key(), Now: optionalMicros(&now), MaxRows: int32(limit), Skip: int32(skip)})
	return all(blocks, err, func(r query.ExpiredReservationsInRow) (netip.Prefix, error) {
		return block(r.FirstIp, int(r.Family), r.Length)
	})
}

// ExpiredReservations lists up to limit reservations that have expired by then.
func (tx *Tx) ExpiredReservations(now time.Time, limit int) ([]ipam.Reservation, error) {
	rows, err := tx.rows.ExpiredReservations(tx.ctx, query.ExpiredReservationsParams{ExpiresAt: optionalMicros(&now), MaxRows: int32(limit)})
	return all(rows, err, reservation)
}

// InsertReservation adds a reservation; its prefix is a row of its own.
func (tx *Tx) InsertReservation(r ipam.Reservation) error {
	return tx.rows.InsertReservation(tx.ctx, query.InsertReservationParams{
		ID: ipam.KeyOf(reservationKey, r.ID), ScopeID: r.ScopeUID.Key(), PoolID: r.PoolUID.Key(), Name: r.Name, Family: family(r.CIDR), FirstIp: firstIP(r.CIDR),
		Length: int64(r.CIDR.Bits()), Reason: r.Reason, Owner: r.Owner, Labels: encodeLabels(r.Labels), ExpiresAt: optionalMicros(r.ExpiresAt),
		CreatedAt: micros(r.CreatedAt),
	})
}

// UpdateReservation writes what may change of a reservation and moves its version.
func (tx *Tx) UpdateReservation(r ipam.Reservation, at time.Time) error {
	return tx.rows.UpdateReservation(tx.ctx, query.UpdateReservationParams{
		ID: ipam.KeyOf(reservationKey, r.ID), Name: r.Name, Reason: r.Reason, Owner: r.Owner, Labels: encodeLabels(r.Labels), ExpiresAt: optionalMicros(r.ExpiresAt), UpdatedAt: micros(at),
	})
}

// DeleteReservation removes a reservation.
func (tx *Tx) DeleteReservation(id string) error {
	return tx.rows.DeleteReservation(tx.ctx, ipam.KeyOf(reservationKey, id))
}

const reservationColumns = "id, scope_id, scope_name, pool_id, pool_name, name, family, first_ip, length, reason, owner, labels, expires_at, version, created_at, updated_at"

// Reservations lists a page of reservations, expired ones too.
func (tx *Tx) Reservations(see ipam.Visible, f ipam.ReservationFilter, p ipam.Page) ([]ipam.Reservation, error) {
	s := tx.from("named_reservations", reservationColumns)
	s.sees(see, "scope_id", "pool_id")
	s.inScope("scope_id", f.Scope)
	s.inPool("pool_id", f.Pool)
	s.equal("owner", f.Owner)
	s.family(f.Family)
	s.labels(f.Labels)
	s.contains(f.Text, "name", "reason", "owner", "labels")
	s.around(f.Around)
	s.page(p, reservationKey, f.Around.Given())
	return list(tx, s, func(r *query.NamedReservation) []any {
		return []any{&r.ID, &r.ScopeID, &r.ScopeName, &r.PoolID, &r.PoolName, &r.Name, &r.Family, &r.FirstIp, &r.Length, &r.Reason, &r.Owner, &r.Labels, &r.ExpiresAt, &r.Version, &r.CreatedAt, &r.UpdatedAt}
	}, reservation)
}

func reservation(row query.NamedReservation) (ipam.Reservation, error) {
	labels, err := decodeLabels(row.Labels)
	if err != nil {
		return ipam.Reservation{}, err
	}
	p, err := block(row.FirstIp, int(row.Family), row.Length)
	return ipam.Reservation{
		ID: id(reservationKey, row.ID), In: inPool(row.ScopeID, row.ScopeName, row.PoolID, row.PoolName), Name: row.Name, CIDR: p, Reason: row.Reason, Owner: row.Owner, Labels: labels,
		ExpiresAt: optionalMoment(row.ExpiresAt), Version: row.Version, CreatedAt: moment(row.CreatedAt), UpdatedAt: moment(row.UpdatedAt),
	}, err
}
