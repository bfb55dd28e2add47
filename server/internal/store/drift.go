package store

import (
	"encoding/json"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// DriftRecords are all that is recorded of the drifts of a scope, by age.
func (tx *Tx) DriftRecords(scope ipam.UID) ([]ipam.DriftRecord, error) {
	rows, err := tx.rows.DriftRecordsOf(tx.ctx, scope.Key())
	return all(rows, err, driftRecord)
}

func driftRecord(r query.DriftRecord) (ipam.DriftRecord, error) {
	return ipam.DriftRecord{
		UID: uid(driftKey, r.ID), ID: r.Drift, Kind: r.Kind, Account: r.Account, Region: r.Region, CIDR: r.Cidr, Desired: r.Desired, Observed: r.Observed, Detail: r.Detail,
		Facts: r.Facts, FirstSeen: moment(r.FirstSeen), EndedAt: optionalMoment(r.EndedAt),
	}, nil
}

// DriftHistory lists a page of what is recorded of the drifts of a scope, by age.
func (tx *Tx) DriftHistory(scope ipam.UID, p ipam.Page) ([]ipam.DriftRecord, error) {
	s := tx.from("drift_records", "id, scope_id, drift, kind, account, region, cidr, desired, observed, detail, facts, first_seen, last_seen, ended_at")
	s.and("scope_id = ?", scope.Key())
	s.page(p, driftKey, false)
	return list(tx, s, func(r *query.DriftRecord) []any {
		return []any{&r.ID, &r.ScopeID, &r.Drift, &r.Kind, &r.Account, &r.Region, &r.Cidr, &r.Desired, &r.Observed, &r.Detail, &r.Facts, &r.FirstSeen, &r.LastSeen, &r.EndedAt}
	}, driftRecord)
}

// InsertDriftRecord records a drift that a scope has.
func (tx *Tx) InsertDriftRecord(scope ipam.UID, r ipam.DriftRecord) error {
	return tx.rows.InsertDriftRecord(tx.ctx, query.InsertDriftRecordParams{
		ID: r.UID.Key(), ScopeID: scope.Key(), Drift: r.ID, Kind: r.Kind, Account: r.Account, Region: r.Region, Cidr: r.CIDR, Desired: r.Desired, Observed: r.Observed,
		Detail: r.Detail, Facts: r.Facts, FirstSeen: micros(r.FirstSeen),
	})
}

// UpdateDriftRecord writes what may change of a drift that is recorded, at a time.
func (tx *Tx) UpdateDriftRecord(r ipam.DriftRecord, at time.Time) error {
	return tx.rows.UpdateDriftRecord(tx.ctx, query.UpdateDriftRecordParams{ID: r.UID.Key(), Detail: r.Detail, Facts: r.Facts, LastSeen: micros(at), EndedAt: optionalMicros(r.EndedAt)})
}

// ForgetDriftRecords drops some of the drifts that were over before a time.
func (tx *Tx) ForgetDriftRecords(before time.Time, limit int) (int64, error) {
	return tx.rows.ForgetDriftRecords(tx.ctx, query.ForgetDriftRecordsParams{Before: optionalMicros(&before), MaxRows: int32(limit)})
}

// DriftIgnores are the drifts of a scope that somebody ignores, by the drift's id.
func (tx *Tx) DriftIgnores(s ipam.Scope) (map[string]ipam.DriftIgnore, error) {
	rows, err := tx.rows.DriftIgnoresOf(tx.ctx, s.UID.Key())
	found := map[string]ipam.DriftIgnore{}
	for _, r := range rows {
		found[r.Drift] = ipam.DriftIgnore{
			UID: uid(ignoreKey, r.ID), Scope: s.ID, ScopeUID: s.UID, Drift: r.Drift, Facts: r.Facts, Reason: r.Reason, By: r.Actor, CreatedAt: moment(r.CreatedAt),
		}
	}
	return found, err
}

// InsertDriftIgnore notes that somebody ignores a drift.
func (tx *Tx) InsertDriftIgnore(i ipam.DriftIgnore) error {
	return tx.rows.InsertDriftIgnore(tx.ctx, query.InsertDriftIgnoreParams{
		ID: i.UID.Key(), ScopeID: i.ScopeUID.Key(), Drift: i.Drift, Facts: i.Facts, Reason: i.Reason, Actor: i.By, CreatedAt: micros(i.CreatedAt),
	})
}

// DeleteDriftIgnore forgets that a drift was ignored.
func (tx *Tx) DeleteDriftIgnore(i ipam.DriftIgnore) error {
	return tx.rows.DeleteDriftIgnore(tx.ctx, i.UID.Key())
}

// DriftRules are the rules about drifts; of version 0 where nobody has set any.
func (tx *Tx) DriftRules() (ipam.DriftRules, error) {
	row, err := tx.rows.DriftRules(tx.ctx)
	if noRows(err) {
		return ipam.DriftRules{Rules: json.RawMessage("[]")}, nil
	}
	return ipam.DriftRules{UID: uid(rulesKey, row.ID), Rules: json.RawMessage(row.Rules), Version: row.Version, CreatedAt: moment(row.CreatedAt), UpdatedAt: moment(row.UpdatedAt)}, err
}

// SetDriftRules replaces the rules about drifts; of version 1 they are the first.
func (tx *Tx) SetDriftRules(r ipam.DriftRules) error {
	if r.Version == 1 {
		return tx.rows.InsertDriftRules(tx.ctx, query.InsertDriftRulesParams{ID: r.UID.Key(), Rules: string(r.Rules), CreatedAt: micros(r.CreatedAt)})
	}
	return tx.rows.UpdateDriftRules(tx.ctx, query.UpdateDriftRulesParams{Rules: string(r.Rules), UpdatedAt: micros(r.UpdatedAt)})
}
