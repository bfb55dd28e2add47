package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Account reads an account; CodeNotFound when there is none to see.
func (tx *Tx) Account(see ipam.Visible, id string) (ipam.Account, error) {
	cloud, externalID, _ := strings.Cut(id, ":")
	row, err := tx.rows.Account(tx.ctx, query.AccountParams{Cloud: cloud, ExternalID: externalID})
	if err != nil {
		return ipam.Account{}, absent(err, "account", id)
	}
	a, err := account(row)
	return seen(tx, see, a, ipam.In{ScopeUID: a.ScopeUID}, err, "account", id)
}

// InsertAccount adds an account.
func (tx *Tx) InsertAccount(a ipam.Account) error {
	if err := tx.rows.TakeName(tx.ctx, query.TakeNameParams{Kind: "account", Name: a.ID}); err != nil {
		return err
	}
	return tx.rows.InsertAccount(tx.ctx, query.InsertAccountParams{
		ID: a.UID.Key(), ScopeID: a.ScopeUID.Key(), Cloud: string(a.Cloud), ExternalID: a.ExternalID, Name: a.Name, Description: a.Description, Owner: a.Owner,
		Platform: a.Platform, Tier: a.Tier, Environment: a.Environment, Regions: encodeList(a.Regions), Labels: encodeLabels(a.Labels), Mode: a.Mode,
		RoleArn: a.RoleARN, WorkloadIdentity: a.WorkloadIdentity, CreatedAt: micros(a.CreatedAt),
	})
}

// UpdateAccount writes what may change of an account and moves its version.
func (tx *Tx) UpdateAccount(a ipam.Account, at time.Time) error {
	return tx.rows.UpdateAccount(tx.ctx, query.UpdateAccountParams{
		ID: a.UID.Key(), ScopeID: a.ScopeUID.Key(), Name: a.Name, Description: a.Description, Owner: a.Owner, Platform: a.Platform, Tier: a.Tier,
		Environment: a.Environment, Regions: encodeList(a.Regions), Labels: encodeLabels(a.Labels), Mode: a.Mode, RoleArn: a.RoleARN,
		WorkloadIdentity: a.WorkloadIdentity, UpdatedAt: micros(at),
	})
}

// DeleteAccount removes an account.
func (tx *Tx) DeleteAccount(a ipam.Account, at time.Time) error {
	err := tx.rows.LeaveName(tx.ctx, query.LeaveNameParams{Kind: "account", Name: a.ID, ObjectID: a.UID.Key(), LeftAt: micros(at)})
	if err != nil {
		return err
	}
	return tx.rows.DeleteAccount(tx.ctx, a.UID.Key())
}

const accountColumns = "id, scope_id, scope_name, cloud, external_id, name, description, owner, platform, tier, environment, regions, labels, mode, role_arn, workload_identity, version, created_at, updated_at"

// Accounts lists a page of accounts by age.
func (tx *Tx) Accounts(see ipam.Visible, f ipam.AccountFilter, p ipam.Page) ([]ipam.Account, error) {
	s := tx.from("named_accounts", accountColumns)
	s.sees(see, "scope_id", "")
	s.inScope("scope_id", f.Scope)
	s.equal("cloud", string(f.Cloud))
	s.equal("platform", f.Platform)
	s.equal("tier", f.Tier)
	s.equal("owner", f.Owner)
	s.equal("environment", f.Environment)
	if f.Region != "" { // in the stored list, whose spelling is ours
		s.and("replace(regions, ?, '') <> regions", `"`+f.Region+`"`)
	}
	s.labels(f.Labels)
	s.contains(f.Text, "cloud || ':' || external_id", "name", "owner", "platform", "tier", "environment", "regions", "description", "labels")
	s.page(p, accountKey, false)
	return list(tx, s, func(r *query.NamedAccount) []any {
		return []any{
			&r.ID, &r.ScopeID, &r.ScopeName, &r.Cloud, &r.ExternalID, &r.Name, &r.Description, &r.Owner, &r.Platform, &r.Tier, &r.Environment, &r.Regions,
			&r.Labels, &r.Mode, &r.RoleArn, &r.WorkloadIdentity, &r.Version, &r.CreatedAt, &r.UpdatedAt,
		}
	}, account)
}

func account(row query.NamedAccount) (ipam.Account, error) {
	labels, err := decodeLabels(row.Labels)
	if err != nil {
		return ipam.Account{}, err
	}
	regions := []string{}
	if err := json.Unmarshal([]byte(row.Regions), &regions); err != nil {
		return ipam.Account{}, fmt.Errorf("read regions from the database: %w", err)
	}
	return ipam.Account{
		ID: ipam.AccountID(ipam.Cloud(row.Cloud), row.ExternalID), UID: uid(accountKey, row.ID), Scope: row.ScopeName, ScopeUID: uid(scopeKey, row.ScopeID), Cloud: ipam.Cloud(row.Cloud), ExternalID: row.ExternalID, Name: row.Name, Description: row.Description, Owner: row.Owner,
		Platform: row.Platform, Tier: row.Tier, Environment: row.Environment, Regions: regions, Labels: labels, Mode: row.Mode, RoleARN: row.RoleArn,
		WorkloadIdentity: row.WorkloadIdentity, Version: row.Version, CreatedAt: moment(row.CreatedAt), UpdatedAt: moment(row.UpdatedAt),
	}, nil
}

func encodeList(items []string) string {
	if len(items) == 0 {
		return "[]"
	}
	text, err := json.Marshal(items)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(text)
}
