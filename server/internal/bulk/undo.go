package bulk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Get reads an import with the rows that made or changed something; CodeNotFound when there is none to see.
func (im *Importer) Get(ctx context.Context, by ipam.Caller, id string) (Outcome, error) {
	return change.Read(ctx, im.k, func(tx *store.Tx) (Outcome, error) {
		found, err := tx.Import(by.Sees(), by.UID, ipam.UID(id))
		if err != nil {
			return Outcome{}, err
		}
		rows, err := rowsOf(tx, found.ID)
		return outcome(found, rows), err
	})
}

// rowsOf are the rows of an import with their events, in the order in which they were done.
func rowsOf(tx *store.Tx, of ipam.UID) (all []store.ImportRow, err error) {
	after := ""
	for {
		page, err := tx.ImportRows(of, after, change.PageSize)
		if err != nil || len(page) == 0 {
			return all, err
		}
		all = append(all, page...)
		after = page[len(page)-1].Event.ID
	}
}

func outcome(i ipam.Import, rows []store.ImportRow) Outcome {
	out := Outcome{Import: i, Items: make([]Item, len(rows))}
	for n, r := range rows {
		var after struct{ ID, Name, Pool, Parent, CIDR string }
		_ = json.Unmarshal(r.Event.After, &after) // the events of objects are JSON
		item := Item{Number: r.Number, Verdict: Created, Object: after.ID, Name: after.Name, Pool: after.Pool + after.Parent, CIDR: after.CIDR}
		if r.Event.Before != nil {
			item.Verdict, item.Changed = Updated, differences(r.Event.Before, r.Event.After)
			item.Changed = slices.DeleteFunc(item.Changed, func(name string) bool { return name == "version" || name == "updated_at" })
		}
		out.Items[n] = item
	}
	slices.SortFunc(out.Items, func(a, b Item) int { return a.Number - b.Number })
	return out
}

// Undo takes back what an import did, the last row first: what it created ends, and what it changed is as before. All of it goes
// through the doors of single requests, in one transaction. Errors: CodeNotFound, CodePreconditionFailed where it was undone before or
// an object has changed since, and whatever those doors refuse, each with a field for each row.
func (im *Importer) Undo(ctx context.Context, by ipam.Caller, id string) (Outcome, error) {
	return change.Together(ctx, im.k, by, lane, func(ctx context.Context, c change.Change) (Outcome, error) {
		u := &undoing{Change: c, Importer: im, ctx: ctx}
		before, err := c.Tx.Import(c.By.Sees(), c.By.UID, ipam.UID(id))
		switch {
		case err != nil:
			return Outcome{}, err
		case before.UndoneAt != nil:
			return Outcome{}, ipam.Errorf(ipam.CodePreconditionFailed, "import %s was undone already, by %s", id, before.Undoer)
		}
		u.By.Need, u.By.Retry, u.By.DryRun, u.By.Source = roles[before.Kind], nil, false, ipam.SourceImport
		if u.By.Reason == "" {
			u.By.Reason = "undoes " + id
		}
		rows, err := rowsOf(c.Tx, before.ID)
		if err == nil {
			err = u.all(rows)
		}
		if err != nil {
			return Outcome{}, err
		}
		if err := c.Tx.LockSystem(); err != nil {
			return Outcome{}, err
		}
		after := before
		after.UndoneAt, after.UndoneBy, after.Undoer = &c.At, c.By.UID, c.By.String()
		ended, err := c.Tx.EndImport(before.ID, c.By.Principal, c.At)
		if err == nil && !ended {
			err = ipam.Errorf(ipam.CodePreconditionFailed, "import %s was undone a moment ago", id)
		}
		if err != nil {
			return Outcome{}, err
		}
		return outcome(after, rows), u.Record(importObject(after), "undone", before, after)
	})
}

type undoing struct {
	change.Change
	*Importer

	ctx context.Context //nolint:containedctx // as of work
}

// all looks at all rows before it takes back any, so that one answer says of all that have changed.
func (u *undoing) all(rows []store.ImportRow) error {
	backs := make([]func() error, len(rows))
	var refused *ipam.Error
	for n, r := range rows {
		back, err := u.look(r.Event)
		e, ok := errors.AsType[*ipam.Error](err)
		switch {
		case err == nil:
			backs[n] = back
			continue
		case !ok:
			return err
		case refused == nil:
			refused = new(*e)
			refused.Detail = "nothing was undone: row " + fmt.Sprint(r.Number) + ": " + e.Detail
			refused.Fields = nil
		}
		if len(refused.Fields) < 100 {
			refused.Fields = append(refused.Fields, ipam.FieldError{Pointer: "path:import", Detail: fmt.Sprintf("row %d: %s", r.Number, e.Detail)})
		}
	}
	if refused != nil {
		return refused
	}
	for n, r := range slices.Backward(rows) {
		if err := backs[n](); err != nil {
			e, ok := errors.AsType[*ipam.Error](err)
			if !ok {
				return err
			}
			at := *e
			at.Detail = fmt.Sprintf("nothing was undone: row %d: %s", r.Number, e.Detail)
			at.Fields = []ipam.FieldError{{Pointer: "path:import", Detail: at.Detail}}
			return &at
		}
	}
	return nil
}

// look finds what an event left, as it left it, and answers how that is taken back.
func (u *undoing) look(e ipam.Event) (func() error, error) {
	switch e.ObjectKind {
	case "pool":
		return back(e, func(after ipam.Pool) (ipam.Pool, error) { return u.Tx.Pool(u.By.Sees(), e.ObjectID) },
			poolObject, func(m ipam.Match, after ipam.Pool, before *ipam.Pool) error {
				switch {
				case before != nil:
					_, err := u.registry.UpdatePool(u.ctx, u.By, e.ObjectID, m, poolBack(after, *before))
					return err
				case len(after.Enclosed) > 0:
					return u.registry.DissolvePool(u.ctx, u.By, e.ObjectID, m)
				}
				return u.registry.DeletePool(u.ctx, u.By, e.ObjectID, m)
			})
	case "allocation":
		return back(e, func(ipam.Allocation) (ipam.Allocation, error) { return u.Tx.Allocation(u.By.Sees(), e.ObjectID) },
			allocationObject, func(m ipam.Match, after ipam.Allocation, before *ipam.Allocation) error {
				if before != nil {
					_, err := u.registry.UpdateAllocation(u.ctx, u.By, e.ObjectID, m, allocationBack(after, *before))
					return err
				}
				return u.registry.Release(u.ctx, u.By, e.ObjectID, m)
			})
	case "reservation":
		return back(e, func(ipam.Reservation) (ipam.Reservation, error) { return u.Tx.Reservation(u.By.Sees(), e.ObjectID) },
			reservationObject, func(m ipam.Match, after ipam.Reservation, before *ipam.Reservation) error {
				if before != nil {
					_, err := u.registry.UpdateReservation(u.ctx, u.By, e.ObjectID, m, reservationBack(after, *before))
					return err
				}
				return u.registry.ReleaseReservation(u.ctx, u.By, e.ObjectID, m)
			})
	case "account":
		return back(e, func(after ipam.Account) (ipam.Account, error) { return u.Tx.Account(u.By.Sees(), after.ID) },
			accountObject, func(m ipam.Match, after ipam.Account, before *ipam.Account) error {
				if before != nil {
					_, err := u.accounts.UpdateAccount(u.ctx, u.By, after.ID, m, accountBack(after, *before))
					return err
				}
				return u.accounts.DeleteAccount(u.ctx, u.By, after.ID, m)
			})
	}
	return nil, fmt.Errorf("an import has a row of the kind %q", e.ObjectKind)
}

func back[T any](e ipam.Event, read func(T) (T, error), object func(T) object, do func(m ipam.Match, after T, before *T) error) (func() error, error) {
	var after T
	var before *T
	if err := json.Unmarshal(e.After, &after); err != nil {
		return nil, fmt.Errorf("read event %s: %w", e.ID, err)
	}
	if e.Before != nil {
		if err := json.Unmarshal(e.Before, &before); err != nil {
			return nil, fmt.Errorf("read event %s: %w", e.ID, err)
		}
	}
	left := object(after)
	now, err := read(after)
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		return nil, ipam.Errorf(ipam.CodePreconditionFailed, "%s %s, which the import left at version %d, is not there any more", left.what, left.title(), left.version)
	}
	if err != nil {
		return nil, err
	}
	if others := changedSince(after, now); len(others) > 0 {
		return nil, ipam.Errorf(ipam.CodePreconditionFailed, "%s %s has changed since the import: %s; change it back yourself, or leave the import as it is", left.what, left.title(), strings.Join(others, ", "))
	}
	return func() error { return do(ipam.Exactly(object(now).etag), after, before) }, nil
}

// changedSince are the properties that are not as an import left them. What was changed and changed back is as it was, and names of
// what an object is in may be others by now.
func changedSince(left, now any) []string {
	return slices.DeleteFunc(differences(left, now), func(name string) bool {
		return slices.Contains([]string{"version", "updated_at", "id", "scope", "pool", "parent", "enclosed"}, name)
	})
}

// title is how people find an object.
func (o object) title() string {
	if o.name == "" {
		return o.cidr
	}
	return o.name
}

// What follows makes changes to what was before. What would be checked anew though it is the same is left out.

func detailsBack(b ipam.Details) ipam.DetailsPatch {
	return ipam.DetailsPatch{
		Description: &b.Description, Owner: &b.Owner, Account: &b.Account, Region: &b.Region, Environment: &b.Environment, Labels: &b.Labels,
	}
}

func poolBack(after, b ipam.Pool) ipam.PoolPatch {
	patch := ipam.PoolPatch{
		Strategy: &b.Strategy, Min: &b.Sizes.Min, Max: &b.Sizes.Max, Default: &b.Sizes.Default, DetailsPatch: detailsBack(b.Details),
		DeletionProtection: &b.DeletionProtection, Quarantine: &b.Quarantine, MaxObservedAge: &b.MaxObservedAge,
	}
	if after.Name != b.Name {
		patch.Name = &b.Name
	}
	if after.ParentUID != b.ParentUID {
		patch.Parent = new(string(b.ParentUID))
	}
	if after.CIDR != b.CIDR || patch.Parent != nil {
		patch.CIDR = &b.CIDR
	}
	return patch
}

func allocationBack(after, b ipam.Allocation) ipam.AllocationPatch {
	patch := ipam.AllocationPatch{DetailsPatch: detailsBack(b.Details), Purpose: &b.Purpose}
	if after.Name != b.Name {
		patch.Name = &b.Name
	}
	if after.CIDR != b.CIDR {
		patch.CIDR = &b.CIDR
	}
	if !same(after.ExpiresAt, b.ExpiresAt) {
		patch.ExpiresAt = &b.ExpiresAt
	}
	return patch
}

func reservationBack(after, b ipam.Reservation) ipam.ReservationPatch {
	patch := ipam.ReservationPatch{Reason: &b.Reason, Owner: &b.Owner, Labels: &b.Labels}
	if after.Name != b.Name {
		patch.Name = &b.Name
	}
	if !same(after.ExpiresAt, b.ExpiresAt) {
		patch.ExpiresAt = &b.ExpiresAt
	}
	return patch
}

func accountBack(after, b ipam.Account) ipam.AccountPatch {
	patch := ipam.AccountPatch{
		Name: &b.Name, Description: &b.Description, Owner: &b.Owner, Platform: &b.Platform, Tier: &b.Tier, Environment: &b.Environment, Mode: &b.Mode,
		RoleARN: &b.RoleARN, WorkloadIdentity: &b.WorkloadIdentity, Regions: &b.Regions, Labels: &b.Labels,
	}
	if after.ScopeUID != b.ScopeUID {
		patch.Scope = &b.Scope
	}
	return patch
}
