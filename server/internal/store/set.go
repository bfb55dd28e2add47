package store

import (
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// AllocationSet reads a set with its members; CodeNotFound when there is none to see.
func (tx *Tx) AllocationSet(see ipam.Visible, id string) (ipam.AllocationSet, error) {
	row, err := tx.rows.AllocationSet(tx.ctx, ipam.KeyOf(setKey, id))
	if err != nil {
		return ipam.AllocationSet{}, absent(err, "allocation set", id)
	}
	set, err := allocationSet(row)
	return tx.withMembers(seen(tx, see, set, set.In, err, "allocation set", id))
}

// AllocationSetNamed reads the set of a name; false when there is none.
func (tx *Tx) AllocationSetNamed(pool ipam.UID, name string) (ipam.AllocationSet, bool, error) {
	row, err := tx.rows.AllocationSetNamed(tx.ctx, query.AllocationSetNamedParams{PoolID: pool.Key(), Name: name})
	s, named, err := found(row, err, allocationSet)
	if !named {
		return s, false, err
	}
	s, err = tx.withMembers(s, err)
	return s, err == nil, err
}

func (tx *Tx) withMembers(s ipam.AllocationSet, err error) (ipam.AllocationSet, error) {
	if err != nil {
		return s, err
	}
	members, err := tx.MembersOfSet(s.ID)
	s.Members = make([]ipam.SetMember, 0, len(members))
	for _, a := range members {
		s.Members = append(s.Members, ipam.SetMember{Key: a.SetKey, Allocation: a.ID, CIDR: a.CIDR})
	}
	return s, err
}

// MembersOfSet lists the members of a set by key.
func (tx *Tx) MembersOfSet(id string) ([]ipam.Allocation, error) {
	rows, err := tx.rows.MembersOfSet(tx.ctx, new(ipam.KeyOf(setKey, id)))
	return all(rows, err, allocation)
}

// InsertAllocationSet adds a set; its members are rows of their own.
func (tx *Tx) InsertAllocationSet(s ipam.AllocationSet) error {
	return tx.rows.InsertAllocationSet(tx.ctx, query.InsertAllocationSetParams{
		ID: ipam.KeyOf(setKey, s.ID), ScopeID: s.ScopeUID.Key(), PoolID: s.PoolUID.Key(), Name: s.Name, Description: s.Description, Owner: s.Owner, Purpose: s.Purpose, Account: s.Account,
		Region: s.Region, Environment: s.Environment, Labels: encodeLabels(s.Labels), CreatedAt: micros(s.CreatedAt),
	})
}

// UpdateAllocationSet writes a set's settings and moves its version.
func (tx *Tx) UpdateAllocationSet(s ipam.AllocationSet, at time.Time) error {
	return tx.rows.UpdateAllocationSet(tx.ctx, query.UpdateAllocationSetParams{
		ID: ipam.KeyOf(setKey, s.ID), Name: s.Name, Description: s.Description, Owner: s.Owner, Purpose: s.Purpose, Account: s.Account, Region: s.Region,
		Environment: s.Environment, Labels: encodeLabels(s.Labels), UpdatedAt: micros(at),
	})
}

// DeleteAllocationSet removes a set that has no members.
func (tx *Tx) DeleteAllocationSet(id string) error {
	return tx.rows.DeleteAllocationSet(tx.ctx, ipam.KeyOf(setKey, id))
}

const allocationSetColumns = "id, scope_id, scope_name, pool_id, pool_name, name, description, owner, purpose, account, region, environment, labels, version, created_at, updated_at"

// AllocationSets lists a page of sets with their members.
func (tx *Tx) AllocationSets(see ipam.Visible, f ipam.AllocationSetFilter, p ipam.Page) ([]ipam.AllocationSet, error) {
	s := tx.from("named_sets", allocationSetColumns)
	s.sees(see, "scope_id", "pool_id")
	s.inScope("scope_id", f.Scope)
	s.inPool("pool_id", f.Pool)
	s.equal("name", f.Name)
	s.equal("account", f.Account)
	s.equal("owner", f.Owner)
	s.equal("environment", f.Environment)
	s.equal("region", f.Region)
	s.ofAccounts(see, f.Of)
	s.labels(f.Labels)
	s.contains(f.Text, "name", "owner", "account", "environment", "region", "purpose", "description", "labels")
	s.page(p, setKey, false)
	sets, err := list(tx, s, func(r *query.NamedSet) []any {
		return []any{
			&r.ID, &r.ScopeID, &r.ScopeName, &r.PoolID, &r.PoolName, &r.Name, &r.Description, &r.Owner, &r.Purpose, &r.Account, &r.Region, &r.Environment, &r.Labels, &r.Version,
			&r.CreatedAt, &r.UpdatedAt,
		}
	}, allocationSet)
	if err != nil || len(sets) == 0 {
		return sets, err
	}
	return sets, tx.addMembers(sets)
}

// addMembers reads the members of a page of sets in one query.
func (tx *Tx) addMembers(sets []ipam.AllocationSet) error {
	at, ids := map[string]*ipam.AllocationSet{}, make([]any, 0, len(sets))
	for i := range sets {
		sets[i].Members = []ipam.SetMember{}
		at[sets[i].ID], ids = &sets[i], append(ids, ipam.KeyOf(setKey, sets[i].ID))
	}
	s := tx.from("allocations", "set_id, set_key, id, family, first_ip, length")
	s.and("set_id IN (?"+strings.Repeat(", ?", len(ids)-1)+")", ids...)
	s.text.WriteString(" ORDER BY set_id, set_key")
	_, err := list(tx, s, func(r *query.Allocation) []any {
		return []any{&r.SetID, &r.SetKey, &r.ID, &r.Family, &r.FirstIp, &r.Length}
	}, func(r query.Allocation) (struct{}, error) {
		cidr, err := block(r.FirstIp, int(r.Family), r.Length)
		set := at[string(optionalUID(setKey, r.SetID))]
		set.Members = append(set.Members, ipam.SetMember{Key: r.SetKey, Allocation: id(allocationKey, r.ID), CIDR: cidr})
		return struct{}{}, err
	})
	return err
}

func allocationSet(row query.NamedSet) (ipam.AllocationSet, error) {
	labels, err := decodeLabels(row.Labels)
	return ipam.AllocationSet{
		ID: id(setKey, row.ID), In: inPool(row.ScopeID, row.ScopeName, row.PoolID, row.PoolName), Name: row.Name,
		Details: ipam.Details{
			Description: row.Description, Owner: row.Owner, Account: row.Account, Region: row.Region, Environment: row.Environment, Labels: labels,
		},
		Purpose: row.Purpose, Version: row.Version,
		CreatedAt: moment(row.CreatedAt), UpdatedAt: moment(row.UpdatedAt),
	}, err
}
