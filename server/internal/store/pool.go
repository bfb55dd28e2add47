package store

import (
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Pool reads a pool by its id or its UID. Errors: CodeNotFound, with its present name when it has left this one.
func (tx *Tx) Pool(see ipam.Visible, id string) (ipam.Pool, error) {
	var row query.NamedPool
	var err error
	if key := ipam.KeyOf(poolKey, id); key != 0 {
		row, err = tx.rows.Pool(tx.ctx, key)
	} else {
		scope, name := ipam.SplitPoolID(id)
		row, err = tx.rows.PoolNamed(tx.ctx, query.PoolNamedParams{ScopeName: scope, Name: name})
	}
	if err != nil {
		return ipam.Pool{}, tx.absentPool(see, err, id)
	}
	p, err := pool(row)
	return seen(tx, see, p, p.Inside(), err, "pool", id)
}

func (tx *Tx) absentPool(see ipam.Visible, err error, id string) error {
	missing := absent(err, "pool", id)
	if !noRows(err) || ipam.KeyOf(poolKey, id) != 0 {
		return missing
	}
	return tx.formerPool(see, id, missing)
}

// lockPool takes the row lock of a pool's space. Lock in this statement and look for space in the next: one statement for
// both would see the space as it was before the wait. The version behind the ETag does not move, so a busy pool stays editable.
// SQLite has one writer, which has all locks since its BEGIN.
var lockPool = map[Engine]string{
	SQLite: "SELECT " + poolColumns + " FROM named_pools WHERE id = $1",
	Postgres: "UPDATE pools SET space_revision = space_revision + 1 WHERE id = $1 RETURNING " + strings.NewReplacer(
		"scope_name", "(SELECT s.name FROM scopes s WHERE s.id = pools.scope_id)",
		"parent_name", "(SELECT COALESCE(max(q.name), '') FROM pools q WHERE q.id = pools.parent_id)",
		"draft_actor", "(SELECT COALESCE(max(d.kind || ':' || d.name), '') FROM principals d WHERE d.id = pools.draft_principal_id)",
	).Replace(poolColumns),
}

var lockPoolNamed = map[Engine]string{SQLite: named(lockPool[SQLite]), Postgres: named(lockPool[Postgres])}

func named(lock string) string {
	return strings.Replace(lock, "WHERE id = $1", "WHERE scope_id = (SELECT n.id FROM scopes n WHERE n.name = $1) AND name = $2", 1)
}

// LockPool reads a pool by its id or its UID and holds its space until the transaction ends. Parents are locked before their
// children. Errors: those of Pool.
func (tx *Tx) LockPool(see ipam.Visible, id string) (ipam.Pool, error) {
	p, err := tx.lockPool(see, id)
	return seen(tx, see, p, p.Inside(), err, "pool", id)
}

func (tx *Tx) lockPool(see ipam.Visible, id string) (ipam.Pool, error) {
	if p, locked := tx.known.pools[id]; locked {
		return p, nil
	}
	lock, args := lockPool, []any{ipam.KeyOf(poolKey, id)}
	if args[0] == int64(0) {
		scope, name := ipam.SplitPoolID(id)
		lock, args = lockPoolNamed, []any{scope, name}
	}
	text := lock[tx.engine]
	tx.looked = nameLook{} // what was seen before a wait for the lock
	var row query.NamedPool
	if err := tx.conn.one(tx.ctx, text, args, poolFields(&row)); err != nil {
		return ipam.Pool{}, tx.absentPool(see, err, id)
	}
	p, err := pool(row)
	if err == nil && tx.fresh.pools != nil {
		tx.fresh.pools[id] = p
	}
	return p, err
}

// PoolsOfScope lists up to limit pools of a scope by age.
func (tx *Tx) PoolsOfScope(see ipam.Visible, scope ipam.UID, limit int) ([]ipam.Pool, error) {
	return tx.Pools(see, ipam.PoolFilter{Scope: string(scope)}, ipam.Page{Limit: limit})
}

// InsertPool adds a pool or a draft; its prefix and its free blocks are rows of their own. Where a pool of its name has ended,
// it inherits what names had in that one.
func (tx *Tx) InsertPool(p ipam.Pool) error {
	if err := tx.takePoolName(p, true); err != nil {
		return err
	}
	tx.forgetPools()
	return tx.rows.InsertPool(tx.ctx, query.InsertPoolParams{
		ID: p.UID.Key(), ScopeID: p.ScopeUID.Key(), Name: p.Name, ParentID: keyOrNull(p.ParentUID),
		Family: family(p.CIDR), FirstIp: firstIP(p.CIDR), Length: int64(p.CIDR.Bits()),
		Strategy: string(p.Strategy), MinLength: length64(p.Sizes.Min), MaxLength: length64(p.Sizes.Max), DefaultLength: length64(p.Sizes.Default),
		Description: p.Description, Owner: p.Owner, Account: p.Account, Region: p.Region, Environment: p.Environment,
		Labels: encodeLabels(p.Labels), DeletionProtection: p.DeletionProtection, DraftUntil: optionalMicros(p.DraftUntil),
		DraftPrincipalID: keyOrNull(p.DraftPrincipal), DraftHolder: p.DraftHolder, DraftRun: p.DraftRun, DraftNamed: p.DraftNamed, DraftEncloses: p.DraftEncloses, GrowsID: keyOrNull(p.DraftGrows), QuarantineSeconds: p.Quarantine, MaxObservedAgeSeconds: p.MaxObservedAge, CreatedAt: micros(p.CreatedAt),
	})
}

// UpdatePool writes a pool's settings, name, parent and CIDR, and moves its version.
func (tx *Tx) UpdatePool(p ipam.Pool, at time.Time) error {
	if err := tx.takePoolName(p, false); err != nil {
		return err
	}
	tx.forgetPools()
	_, err := tx.rows.UpdatePool(tx.ctx, query.UpdatePoolParams{
		ID: p.UID.Key(), Name: p.Name, Family: family(p.CIDR), FirstIp: firstIP(p.CIDR), Length: int64(p.CIDR.Bits()),
		Strategy: string(p.Strategy), MinLength: length64(p.Sizes.Min), MaxLength: length64(p.Sizes.Max), DefaultLength: length64(p.Sizes.Default),
		Description: p.Description, Owner: p.Owner, Account: p.Account, Region: p.Region, Environment: p.Environment,
		Labels: encodeLabels(p.Labels), DeletionProtection: p.DeletionProtection, ParentID: keyOrNull(p.ParentUID), QuarantineSeconds: p.Quarantine, MaxObservedAgeSeconds: p.MaxObservedAge, UpdatedAt: micros(at),
	})
	return err
}

// SetDraft writes whether a pool is a draft, until when and whose.
func (tx *Tx) SetDraft(p ipam.Pool) error {
	tx.forgetPools()
	return tx.rows.SetDraft(tx.ctx, query.SetDraftParams{
		ID: p.UID.Key(), DraftUntil: optionalMicros(p.DraftUntil), DraftPrincipalID: keyOrNull(p.DraftPrincipal), DraftHolder: p.DraftHolder, DraftRun: p.DraftRun, DraftNamed: p.DraftNamed, DraftEncloses: p.DraftEncloses,
	})
}

// DeletePool removes a pool that nothing occupies, with its free blocks and the memory of lost holds. What names had in it is
// remembered for a pool that is made anew under its name.
func (tx *Tx) DeletePool(p ipam.Pool, at time.Time) error {
	tx.forgetPools()
	key := p.UID.Key()
	for _, step := range []func() error{
		func() error { return tx.rows.DeleteFreeBlocks(tx.ctx, key) },
		func() error { return tx.rows.DeleteHoldsOfPool(tx.ctx, key) },
		func() error { return tx.LeavePoolName(p, at) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	_, err := tx.rows.DeletePool(tx.ctx, key)
	return err
}

// GrowthOf lists the drafts that a pool is to grow over, in address order.
func (tx *Tx) GrowthOf(of ipam.UID) ([]ipam.Pool, error) {
	rows, err := tx.rows.GrowthOf(tx.ctx, keyOrNull(of))
	return all(rows, err, pool)
}

// PoolWithRoom names another pool of the same scope and family that would fit a block of the length, the nearest in size, or "".
func (tx *Tx) PoolWithRoom(see ipam.Visible, near ipam.Pool, length int) (string, error) {
	s := tx.from("named_pools", poolColumns)
	s.sees(see, "scope_id", "id")
	s.and("scope_id = ? AND family = ? AND id <> ? AND draft_until IS NULL", near.ScopeUID.Key(), ipam.Family(near.CIDR), near.UID.Key())
	s.and("(min_length IS NULL OR min_length <= ?) AND (max_length IS NULL OR max_length >= ?)", length, length)
	s.and("EXISTS (SELECT 1 FROM free_blocks f WHERE f.pool_id = named_pools.id AND f.length <= ?)", length)
	s.text.WriteString(" ORDER BY length DESC, id LIMIT 1")
	found, err := list(tx, s, poolFields, pool)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].ID, nil
}

// CountInPool counts a pool's direct children and its allocations.
func (tx *Tx) CountInPool(u ipam.UID) (children, allocations int64, err error) {
	key := u.Key()
	row, err := tx.rows.CountInPool(tx.ctx, query.CountInPoolParams{ID: &key, PoolID: key})
	return row.Children, row.Allocations, err
}

// Pools lists a page of pools by age, or by address.
func (tx *Tx) Pools(see ipam.Visible, f ipam.PoolFilter, p ipam.Page) ([]ipam.Pool, error) {
	s := tx.pools(see, f)
	s.page(p, poolKey, f.Around.Given())
	return list(tx, s, poolFields, pool)
}

// PoolTotal counts the pools on all pages.
func (tx *Tx) PoolTotal(see ipam.Visible, f ipam.PoolFilter) (int64, error) {
	return tx.pools(see, f).total(tx)
}

func (tx *Tx) pools(see ipam.Visible, f ipam.PoolFilter) *listQuery {
	s := tx.from("named_pools", poolColumns)
	s.sees(see, "scope_id", "id")
	if !f.Drafts {
		s.and("draft_until IS NULL")
	}
	s.inScope("scope_id", f.Scope)
	s.inPool("parent_id", f.Parent)
	s.equal("account", f.Account)
	s.equal("owner", f.Owner)
	s.equal("environment", f.Environment)
	s.equal("region", f.Region)
	s.ofAccounts(see, f.Of)
	s.family(f.Family)
	s.labels(f.Labels)
	s.contains(f.Text, "name", "owner", "account", "environment", "region", "description", "labels")
	s.around(f.Around)
	return s
}

// Drafts lists a page of the pools that only plans know; "" is every scope.
func (tx *Tx) Drafts(see ipam.Visible, scope string, p ipam.Page) ([]ipam.Pool, error) {
	s := tx.from("named_pools", poolColumns)
	s.sees(see, "scope_id", "id")
	s.and("draft_until IS NOT NULL")
	s.inScope("scope_id", scope)
	s.page(p, poolKey, false)
	return list(tx, s, poolFields, pool)
}

const poolColumns = "id, scope_id, scope_name, name, parent_id, parent_name, family, first_ip, length, strategy, min_length, max_length, default_length," +
	" description, owner, account, region, environment, labels, deletion_protection, version, created_at, updated_at," +
	" draft_until, draft_principal_id, draft_actor, draft_holder, draft_run, draft_named, draft_encloses, grows_id, quarantine_seconds, max_observed_age_seconds"

func poolFields(r *query.NamedPool) []any {
	return []any{
		&r.ID, &r.ScopeID, &r.ScopeName, &r.Name, &r.ParentID, &r.ParentName, &r.Family, &r.FirstIp, &r.Length, &r.Strategy, &r.MinLength, &r.MaxLength, &r.DefaultLength,
		&r.Description, &r.Owner, &r.Account, &r.Region, &r.Environment, &r.Labels, &r.DeletionProtection, &r.Version, &r.CreatedAt, &r.UpdatedAt,
		&r.DraftUntil, &r.DraftPrincipalID, &r.DraftActor, &r.DraftHolder, &r.DraftRun, &r.DraftNamed, &r.DraftEncloses, &r.GrowsID, &r.QuarantineSeconds, &r.MaxObservedAgeSeconds,
	}
}

func pool(row query.NamedPool) (ipam.Pool, error) {
	labels, err := decodeLabels(row.Labels)
	if err != nil {
		return ipam.Pool{}, err
	}
	cidr, err := block(row.FirstIp, int(row.Family), row.Length)
	p := ipam.Pool{
		ID: ipam.PoolID(row.ScopeName, row.Name), UID: uid(poolKey, row.ID), Scope: row.ScopeName, ScopeUID: uid(scopeKey, row.ScopeID), Name: row.Name,
		ParentUID: optionalUID(poolKey, row.ParentID), CIDR: cidr, Strategy: alloc.Strategy(row.Strategy),
		Sizes: ipam.Sizes{Min: lengthOf(row.MinLength), Max: lengthOf(row.MaxLength), Default: lengthOf(row.DefaultLength)},
		Details: ipam.Details{
			Description: row.Description, Owner: row.Owner, Account: row.Account, Region: row.Region, Environment: row.Environment, Labels: labels,
		},
		DeletionProtection: row.DeletionProtection, Quarantine: row.QuarantineSeconds, MaxObservedAge: row.MaxObservedAgeSeconds, Version: row.Version, CreatedAt: moment(row.CreatedAt), UpdatedAt: moment(row.UpdatedAt),
		DraftUntil: optionalMoment(row.DraftUntil), DraftPrincipal: optionalUID(principalKey, row.DraftPrincipalID), DraftActor: actor(row.DraftActor), DraftHolder: row.DraftHolder, DraftRun: row.DraftRun, DraftNamed: row.DraftNamed, DraftEncloses: row.DraftEncloses, DraftGrows: optionalUID(poolKey, row.GrowsID),
	}
	if p.ParentUID != "" {
		p.Parent = ipam.PoolID(row.ScopeName, row.ParentName)
	}
	return p, err
}
