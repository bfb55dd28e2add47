package bulk

import (
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Reservation is a row that asks for a reservation. One that has no name is known by its block.
type Reservation struct {
	New     ipam.NewReservation
	Invalid *ipam.Error           // why that cannot be a new one
	Patch   ipam.ReservationPatch // Labels nil: as they are, but for Label

	Label Labels
	Scope string // as that of an Allocation
}

func (v *Reservation) copied() Ask { return new(*v) }

func (v *Reservation) around(w *work) (scope, pool string, err error) {
	if v.Invalid != nil {
		return "", "", v.Invalid
	}
	err = w.settle(&v.New.Pool, v.Scope, v.New.CIDR)
	return "", v.New.Pool, err
}

func (v *Reservation) find(w *work, key string) (object, bool, error) {
	found, is, err := known(key, func() (ipam.Reservation, error) { return w.Tx.Reservation(w.By.Sees(), key) })
	if err == nil && is {
		err = w.stays("reservation", key, found.In, v.New.Pool, v.Scope)
	}
	if err == nil && !is {
		found, is, err = v.named(w)
	}
	if err == nil && is && (v.New.CIDR.IsValid() && v.New.CIDR != found.CIDR || v.New.Length != nil && *v.New.Length != found.CIDR.Bits()) {
		err = ipam.Invalid("/cidr", "reservation %s is %s, and its block never changes; release it first, or give the row another name", found.ID, found.CIDR)
	}
	return reservationObject(found), is, err
}

// named looks for the reservation by its name, or where it has none, by its block.
func (v *Reservation) named(w *work) (found ipam.Reservation, is bool, err error) {
	if v.Invalid != nil {
		return found, false, v.Invalid
	}
	pool, err := w.poolFor(&v.New.Pool, v.Scope, v.New.CIDR)
	if err != nil {
		return found, false, err
	}
	if v.New.Name != "" {
		return w.Tx.ReservationNamed(pool.UID, v.New.Name)
	}
	if !v.New.CIDR.IsValid() {
		return found, false, nil
	}
	at, err := w.Tx.Reservations(w.By.Sees(), ipam.ReservationFilter{Pool: string(pool.UID), Around: ipam.Around{Within: v.New.CIDR, Contains: v.New.CIDR}}, ipam.Page{Limit: 1})
	if err != nil || len(at) == 0 || at[0].Name != "" {
		return found, false, err
	}
	return at[0], true, nil
}

func (v *Reservation) would(_ *work, now any) (any, error) {
	before := now.(ipam.Reservation)
	v.Patch.Labels = v.Label.over(v.Patch.Labels, before.Labels)
	after := before.Apply(v.Patch)
	if v.Patch.ExpiresAt != nil && same(before.ExpiresAt, after.ExpiresAt) {
		v.Patch.ExpiresAt = nil // which may have come meanwhile
	}
	return after, nil
}

func (v *Reservation) create(w *work) (object, error) {
	in := v.New
	in.Labels = v.Label.of(in.Labels)
	made, err := w.registry.Reserve(w.ctx, w.By, in)
	return reservationObject(made), err
}

func (v *Reservation) update(w *work, now object) (object, error) {
	after, err := w.registry.UpdateReservation(w.ctx, w.By, now.id, ipam.Exactly(now.etag), v.Patch)
	return reservationObject(after), err
}

func reservationObject(v ipam.Reservation) object {
	return object{"reservation", ipam.UID(v.ID), v.ID, v.Name, v.Pool, v.CIDR.String(), v.Version, v.ETag(), v}
}

func same(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }
