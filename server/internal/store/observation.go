package store

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// shown is what there is to say of clouds in a scope.
type shown struct {
	observed bool      // anything is observed there
	restored time.Time // of the database; zero: it was not brought back, or all accounts have been seen since
}

func (tx *Tx) shownIn(scope ipam.UID) (shown, error) {
	if s, known := tx.shown[scope]; known {
		return s, nil
	}
	row, err := tx.rows.IsObserved(tx.ctx, keyOrNull(scope))
	if err != nil {
		return shown{}, err
	}
	s := shown{observed: row.Observed}
	if row.RestoredAt != 0 {
		s.restored = moment(row.RestoredAt)
	}
	if tx.shown == nil {
		tx.shown = map[ipam.UID]shown{}
	}
	tx.shown[scope] = s
	return s, nil
}

// Observed reports whether anything observed is in a scope: one step in an index, and none when it is asked again.
func (tx *Tx) Observed(scope ipam.UID) (bool, error) {
	s, err := tx.shownIn(scope)
	return s.observed, err
}

// Restored is when the database was brought back from a backup; zero where it was not, or where all accounts have been seen since.
// Scope is whose other facts are read with it.
func (tx *Tx) Restored(scope ipam.UID) (time.Time, error) {
	s, err := tx.shownIn(scope)
	return s.restored, err
}

// SetRestored notes that the database was brought back from a backup; the zero time, that all accounts have been seen since.
func (tx *Tx) SetRestored(at time.Time) error {
	tx.shown = nil
	return tx.rows.SetRestored(tx.ctx, optionalMicros(someTime(at)))
}

// restoredMark is what "cloudpam restore" writes where SQLite keeps a number for applications, since a backup may be of any schema: it is
// 60 bytes into the file.
const (
	restoredMark   = 1
	restoredMarkAt = 60
)

// TakeRestored reports whether "cloudpam restore" has put this file in its place, once.
func (tx *Tx) TakeRestored() (bool, error) {
	if tx.engine != SQLite {
		return false, nil
	}
	var mark int64
	if err := tx.conn.one(tx.ctx, "PRAGMA user_version", nil, []any{&mark}); err != nil || mark != restoredMark {
		return false, err
	}
	return true, tx.conn.exec(tx.ctx, "PRAGMA user_version = 0")
}

// Unseen lists some accounts which nobody has seen completely since a time, by age: of a scope or shown in it, looked at or not; of
// "" all that are looked at.
func (tx *Tx) Unseen(scope ipam.UID, since time.Time, limit int) (all []ipam.Unseen, err error) {
	add := func(key, scope int64, cloud, externalID string, seen *int64) {
		u := ipam.Unseen{Account: ipam.Account{
			ID: cloud + ":" + externalID, UID: uid(accountKey, key), ScopeUID: uid(scopeKey, scope), Cloud: ipam.Cloud(cloud), ExternalID: externalID,
		}}
		if seen != nil {
			u.SeenAt = moment(*seen)
		}
		all = append(all, u)
	}
	if scope == "" {
		rows, err := tx.rows.UnseenAnywhere(tx.ctx, query.UnseenAnywhereParams{Since: micros(since), MaxRows: int32(limit)})
		for _, r := range rows {
			add(r.ID, r.ScopeID, r.Cloud, r.ExternalID, r.SeenAt)
		}
		return all, err
	}
	rows, err := tx.rows.UnseenInScope(tx.ctx, query.UnseenInScopeParams{Since: micros(since), ScopeID: scope.Key(), ShownIn: keyOrNull(scope), MaxRows: int32(limit)})
	for _, r := range rows {
		add(r.ID, r.ScopeID, r.Cloud, r.ExternalID, r.SeenAt)
	}
	return all, err
}

// LookAt is when the last look at an account began, and the last one after which all of it had been seen completely; zero where there was
// none.
func (tx *Tx) LookAt(account ipam.UID) (tried, seen time.Time, err error) {
	row, err := tx.rows.LookAt(tx.ctx, account.Key())
	if err != nil {
		return tried, seen, orMissing(err, nil)
	}
	if row.SeenAt != nil {
		seen = moment(*row.SeenAt)
	}
	return moment(row.TriedAt), seen, nil
}

// SaveLook notes when a look at an account began, and the last one after which all of it had been seen; zero where this one says
// nothing new of that.
func (tx *Tx) SaveLook(account ipam.UID, tried, seen time.Time) error {
	return tx.rows.SaveLook(tx.ctx, query.SaveLookParams{AccountID: account.Key(), TriedAt: micros(tried), SeenAt: optionalMicros(someTime(seen))})
}

// ExpectLook notes that an account is to be looked at.
func (tx *Tx) ExpectLook(account ipam.UID) error { return tx.rows.ExpectLook(tx.ctx, account.Key()) }

// Guards are the observations that take addresses in a block of a pool, in the order of their addresses: subnets and secondary ranges,
// also those around the block, and networks inside the pool. Those that go are used until they are gone.
func (tx *Tx) Guards(pool ipam.Pool, in netip.Prefix) (all []ipam.Observation, err error) {
	if observed, err := tx.Observed(pool.ScopeUID); err != nil || !observed {
		return nil, err // mostly: in most scopes nobody looks
	}
	add := func(around ipam.Around) error {
		for p := (ipam.Page{Limit: 1000}); ; {
			some, err := tx.Observations(ipam.Everything, ipam.ObservationFilter{Scope: string(pool.ScopeUID), Around: around}, p)
			if err != nil {
				return err
			}
			for _, o := range some {
				p.After = ipam.Cursor{ID: string(o.UID), Prefix: o.CIDR}
				inside := o.CIDR.Bits() > pool.CIDR.Bits() && pool.CIDR.Contains(o.CIDR.Addr())
				if o.Kind != ipam.ObservedNetwork || inside && o.CIDR.Bits() >= in.Bits() {
					all = append(all, o)
				}
			}
			if len(some) < p.Limit {
				return nil
			}
		}
	}
	if err := add(ipam.Around{Within: in}); err != nil {
		return nil, err
	}
	if in.Bits() > 0 {
		outer := netip.PrefixFrom(in.Addr(), in.Bits()-1).Masked()
		err = add(ipam.Around{Contains: outer}) // what equals the block is in it
	}
	slices.SortFunc(all, func(a, b ipam.Observation) int { return a.CIDR.Compare(b.CIDR) })
	return all, err
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
	if f.Cloud != "" {
		s.and("(SELECT of.cloud FROM accounts of WHERE of.id = account_id) = ?", string(f.Cloud))
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
	return list(tx, s, observationFields, observation)
}

func observationFields(r *query.NamedObservation) []any {
	return []any{
		&r.ID, &r.AccountID, &r.ScopeID, &r.Kind, &r.CloudID, &r.Part, &r.Network, &r.Region, &r.Zone, &r.Name, &r.Owner, &r.Standard, &r.Family, &r.FirstIp, &r.Length,
		&r.MarkInstance, &r.MarkAllocation, &r.MarkEpoch, &r.Labels, &r.Misses, &r.FirstSeen, &r.ChangedAt, &r.ScopeName, &r.Account,
	}
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
