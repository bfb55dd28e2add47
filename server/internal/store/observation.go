package store

import (
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Observed reports whether anything observed is in a scope: one step in an index, and none when it is asked again.
func (tx *Tx) Observed(scope ipam.UID) (bool, error) {
	if observed, known := tx.shown[scope]; known {
		return observed, nil
	}
	observed, err := tx.rows.IsObserved(tx.ctx, keyOrNull(scope))
	if err == nil {
		if tx.shown == nil {
			tx.shown = map[ipam.UID]bool{}
		}
		tx.shown[scope] = observed
	}
	return observed, err
}

// InsertObservation adds what a cloud showed of an account.
func (tx *Tx) InsertObservation(account ipam.UID, o ipam.Observation) error {
	tx.shown = nil
	return tx.rows.InsertObservation(tx.ctx, query.InsertObservationParams{
		ID: o.UID.Key(), AccountID: account.Key(), ScopeID: keyOrNull(o.ScopeUID), Kind: string(o.Kind), CloudID: o.CloudID, Part: o.Part, Network: o.Network,
		Region: o.Region, Zone: o.Zone, Name: o.Name, Owner: o.Owner, Standard: o.Standard, Family: family(o.CIDR), FirstIp: firstIP(o.CIDR), Length: int64(o.CIDR.Bits()),
		MarkInstance: o.Mark.Instance, MarkAllocation: o.Mark.Allocation, MarkEpoch: o.Mark.Epoch, Labels: encodeLabels(o.Labels), FirstSeen: micros(o.FirstSeen),
	})
}

// UpdateObservation writes what may change of an observation: all but what it is of and its block.
func (tx *Tx) UpdateObservation(o ipam.Observation) error {
	tx.shown = nil
	return tx.rows.UpdateObservation(tx.ctx, query.UpdateObservationParams{
		ID: o.UID.Key(), ScopeID: keyOrNull(o.ScopeUID), Network: o.Network, Region: o.Region, Zone: o.Zone, Name: o.Name, Owner: o.Owner, Standard: o.Standard,
		MarkInstance: o.Mark.Instance, MarkAllocation: o.Mark.Allocation, MarkEpoch: o.Mark.Epoch, Labels: encodeLabels(o.Labels), Misses: int64(o.Misses), ChangedAt: micros(o.ChangedAt),
	})
}

// DeleteObservation forgets what is not there any more.
func (tx *Tx) DeleteObservation(o ipam.Observation) error {
	return tx.rows.DeleteObservation(tx.ctx, o.UID.Key())
}

// ObservationsOf are all observations of an account, by age.
func (tx *Tx) ObservationsOf(account ipam.UID) ([]ipam.Observation, error) {
	rows, err := tx.rows.ObservationsOf(tx.ctx, account.Key())
	return all(rows, err, observation)
}

const observationColumns = "id, account_id, scope_id, kind, cloud_id, part, network, region, zone, name, owner, standard, family, first_ip, length, " +
	"mark_instance, mark_allocation, mark_epoch, labels, misses, first_seen, changed_at, scope_name, account"

// Observations lists a page of observations: by age, or by address where the filter is about addresses. They are seen by scope: what
// is in none only by who sees everything.
func (tx *Tx) Observations(see ipam.Visible, f ipam.ObservationFilter, p ipam.Page) ([]ipam.Observation, error) {
	s := tx.from("named_observations", observationColumns)
	s.sees(see, "scope_id", "")
	s.inScope("scope_id", f.Scope)
	if f.Account != "" {
		cloud, externalID, _ := strings.Cut(f.Account, ":")
		s.and("account_id = (SELECT named.id FROM accounts named WHERE named.cloud = ? AND named.external_id = ?)", cloud, externalID)
	}
	if key := ipam.KeyOf(observationKey, f.ID); key != 0 {
		s.and("id = ?", key)
	} else if f.ID != "" {
		cloud, id, _ := strings.Cut(f.ID, ":")
		s.and("cloud_id = ? AND (SELECT of.cloud FROM accounts of WHERE of.id = account_id) = ?", id, cloud)
	}
	s.equal("kind", string(f.Kind))
	s.equal("region", f.Region)
	s.equal("network", f.Network)
	if f.Unmapped {
		s.and("scope_id IS NULL")
	}
	s.labels(f.Labels)
	s.contains(f.Text, "cloud_id", "name", "part", "account", "region", "network", "labels")
	s.around(f.Around)
	s.page(p, observationKey, f.Around.Given())
	return list(tx, s, func(r *query.NamedObservation) []any {
		return []any{
			&r.ID, &r.AccountID, &r.ScopeID, &r.Kind, &r.CloudID, &r.Part, &r.Network, &r.Region, &r.Zone, &r.Name, &r.Owner, &r.Standard, &r.Family, &r.FirstIp, &r.Length,
			&r.MarkInstance, &r.MarkAllocation, &r.MarkEpoch, &r.Labels, &r.Misses, &r.FirstSeen, &r.ChangedAt, &r.ScopeName, &r.Account,
		}
	}, observation)
}

func observation(row query.NamedObservation) (ipam.Observation, error) {
	labels, err := decodeLabels(row.Labels)
	if err != nil {
		return ipam.Observation{}, err
	}
	cidr, err := block(row.FirstIp, int(row.Family), row.Length)
	return ipam.Observation{
		UID: uid(observationKey, row.ID), Account: row.Account, Scope: row.ScopeName, ScopeUID: optionalUID(scopeKey, row.ScopeID), Kind: ipam.ObservationKind(row.Kind),
		CloudID: row.CloudID, Part: row.Part, Network: row.Network, Region: row.Region, Zone: row.Zone, Name: row.Name, Owner: row.Owner, Standard: row.Standard, CIDR: cidr,
		Mark: ipam.Mark{Instance: row.MarkInstance, Allocation: row.MarkAllocation, Epoch: row.MarkEpoch}, Labels: labels, Misses: int(row.Misses),
		FirstSeen: moment(row.FirstSeen), ChangedAt: moment(row.ChangedAt),
	}, err
}

// SyncStates are how well the regions of an account have been seen.
func (tx *Tx) SyncStates(account ipam.UID) ([]ipam.SyncState, error) {
	rows, err := tx.rows.SyncStatesOf(tx.ctx, account.Key())
	return all(rows, err, func(row query.SyncState) (ipam.SyncState, error) {
		s := ipam.SyncState{UID: uid(syncKey, row.ID), Kind: row.Kind, Region: row.Region, TriedAt: moment(row.TriedAt), Code: row.Code, Detail: row.Detail, Fix: row.Fix}
		for i, at := range []*int64{row.SeenAt, row.SecondAt, row.ThirdAt} {
			if at != nil {
				s.Seen[i] = moment(*at)
			}
		}
		return s, nil
	})
}

// SaveSyncState writes how well a region has been seen; one without a key is new.
func (tx *Tx) SaveSyncState(account ipam.UID, s ipam.SyncState) error {
	at := [3]*int64{}
	for i, seen := range s.Seen {
		at[i] = optionalMicros(someTime(seen))
	}
	if s.UID == "" {
		return tx.rows.InsertSyncState(tx.ctx, query.InsertSyncStateParams{
			ID: ipam.NewUID(syncKey).Key(), AccountID: account.Key(), Kind: s.Kind, Region: s.Region, TriedAt: micros(s.TriedAt), SeenAt: at[0], SecondAt: at[1], ThirdAt: at[2],
			Code: s.Code, Detail: s.Detail, Fix: s.Fix,
		})
	}
	return tx.rows.UpdateSyncState(tx.ctx, query.UpdateSyncStateParams{
		ID: s.UID.Key(), TriedAt: micros(s.TriedAt), SeenAt: at[0], SecondAt: at[1], ThirdAt: at[2], Code: s.Code, Detail: s.Detail, Fix: s.Fix,
	})
}

// DeleteSyncState forgets a region that is looked at no more.
func (tx *Tx) DeleteSyncState(s ipam.SyncState) error {
	return tx.rows.DeleteSyncState(tx.ctx, s.UID.Key())
}

func someTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
