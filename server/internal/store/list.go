package store

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Lists with optional filters are the only SQL built at run time. The text depends on which filters are given, never on
// their values.

type selection struct {
	engine Engine
	with   string // what comes before the SELECT, and
	join   string // what its first table is for it
	head   string
	table  string
	text   strings.Builder // what follows the table
	args   []any
}

func (tx *Tx) from(table, columns string) *selection {
	s := &selection{engine: tx.engine, head: "SELECT " + columns + " FROM ", table: table}
	s.text.WriteString(" WHERE 1 = 1")
	return s
}

func (s *selection) String() string { return s.with + s.head + s.join + s.table + s.text.String() }

func (s *selection) arg(value any) string {
	s.args = append(s.args, value)
	return fmt.Sprintf("$%d", len(s.args))
}

// and adds a condition in which each ? is a value.
func (s *selection) and(condition string, values ...any) {
	for _, v := range values {
		condition = strings.Replace(condition, "?", s.arg(v), 1)
	}
	s.text.WriteString(" AND ")
	s.text.WriteString(condition)
}

func (s *selection) equal(column, value string) {
	if value != "" {
		s.and(column+" = ?", value)
	}
}

func (s *selection) family(n int) {
	if n != 0 {
		s.and("family = ?", n)
	}
}

// labels matches inside the stored JSON, whose spelling is ours. LIKE would ignore case on one engine only. The pair is
// sought with what stands before it, or a key that ends in a quote and the sought key would match too.
func (s *selection) labels(labels []ipam.Label) {
	for _, l := range labels {
		pair := encodeLabels(ipam.Labels{l.Key: l.Value})
		pair = pair[:len(pair)-1]
		s.and("(replace(labels, ?, '') <> labels OR replace(labels, ?, '') <> labels)", pair, ","+pair[1:])
	}
}

func (s *selection) contains(text string, columns ...string) {
	if text == "" {
		return
	}
	pattern := s.arg("%" + likeText(strings.ToLower(text)) + "%")
	for i, c := range columns {
		columns[i] = fmt.Sprintf(`lower(%s) LIKE %s ESCAPE '\'`, c, pattern)
	}
	s.text.WriteString(" AND (" + strings.Join(columns, " OR ") + ")")
}

func likeText(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// around narrows by address. What contains an address starts at one of the 33 or 129 blocks around it. They come first in
// the join, and CROSS JOIN keeps SQLite to that order: with conditions alone it reads everything of the family.
func (s *selection) around(a ipam.Around) {
	if w := a.Within; w.IsValid() {
		s.and("family = ? AND first_ip >= ? AND first_ip <= ? AND length >= ?", ipam.Family(w), firstIP(w), lastIP(w), w.Bits())
	}
	if c := a.Contains; c.IsValid() {
		var rows []string
		for bits := 0; bits <= c.Addr().BitLen(); bits++ { // always as many, so that there are two texts
			outer := netip.PrefixFrom(c.Addr(), min(bits, c.Bits())).Masked()
			address := s.arg(firstIP(outer))
			if s.engine == Postgres {
				address = "CAST(" + address + " AS BYTEA)"
			}
			rows = append(rows, fmt.Sprintf("(%s, %d)", address, bits))
		}
		s.with = "WITH around (around_ip, around_length) AS (VALUES " + strings.Join(rows, ", ") + ") "
		s.join = "around CROSS JOIN "
		s.and("family = ? AND first_ip = around_ip AND length = around_length AND length <= ?", ipam.Family(c), c.Bits())
	}
}

// page orders by address when the list is narrowed by address, else by id, and starts after the cursor.
func (s *selection) page(p ipam.Page, byAddress bool) {
	if !byAddress {
		if p.After.ID != "" {
			s.and("id > ?", p.After.ID)
		}
		s.text.WriteString(" ORDER BY id LIMIT " + s.arg(p.Limit))
		return
	}
	if at := p.After.Prefix; at.IsValid() {
		s.and("(first_ip, length, id) > (?, ?, ?)", firstIP(at), at.Bits(), p.After.ID)
	}
	s.text.WriteString(" ORDER BY first_ip, length, id LIMIT " + s.arg(p.Limit))
}

// oneOf narrows to values. There are as many texts as powers of two, not as numbers of values: the last is said again.
func (s *selection) oneOf(values []string) string {
	var in []string
	for _, v := range values {
		in = append(in, s.arg(v))
	}
	for n := len(in); n&(n-1) != 0; n++ {
		in = append(in, in[len(values)-1])
	}
	return "(" + strings.Join(in, ", ") + ")"
}

func list[R, T any](tx *Tx, s *selection, scan func(*R) []any, convert func(R) (T, error)) ([]T, error) {
	rows, err := tx.conn.QueryContext(tx.ctx, s.String(), s.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		var row R
		if err := rows.Scan(scan(&row)...); err != nil {
			return nil, err
		}
		item, err := convert(row)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, rows.Err()
}

const (
	poolColumns       = "id, scope_id, name, parent_id, cidr, family, length, strategy, min_length, max_length, default_length, description, owner, account, region, environment, labels, deletion_protection, version, created_at, updated_at, draft_until, draft_actor, draft_holder"
	allocationColumns = "id, scope_id, pool_id, name, cidr, family, length, description, owner, purpose, account, region, environment, labels, version, created_at, updated_at, set_id, set_key"
	prefixColumns     = "id, scope_id, space_id, cidr, family, length, status, source, kind, owner_id, name, created_at"
	eventColumns      = "id, chain_id, seq, scope_id, at, actor, action, object_kind, object_id, request_id, before, after, hash"
)

// Pools lists a page of pools.
func (tx *Tx) Pools(f ipam.PoolFilter, p ipam.Page) ([]ipam.Pool, error) {
	s := tx.from("pools", poolColumns)
	if !f.Drafts {
		s.and("draft_until IS NULL")
	}
	s.equal("scope_id", f.Scope)
	s.equal("parent_id", f.Parent)
	s.family(f.Family)
	s.labels(f.Labels)
	s.contains(f.Text, "name", "owner", "description")
	s.around(f.Around)
	s.page(p, f.Around.Given())
	return list(tx, s, poolFields, pool)
}

// Drafts lists a page of the pools that only plans know; "" is every scope.
func (tx *Tx) Drafts(scope string, p ipam.Page) ([]ipam.Pool, error) {
	s := tx.from("pools", poolColumns)
	s.and("draft_until IS NOT NULL")
	s.equal("scope_id", scope)
	s.page(p, false)
	return list(tx, s, poolFields, pool)
}

func poolFields(r *query.Pool) []any {
	return []any{
		&r.ID, &r.ScopeID, &r.Name, &r.ParentID, &r.Cidr, &r.Family, &r.Length, &r.Strategy, &r.MinLength, &r.MaxLength, &r.DefaultLength,
		&r.Description, &r.Owner, &r.Account, &r.Region, &r.Environment, &r.Labels, &r.DeletionProtection, &r.Version, &r.CreatedAt, &r.UpdatedAt,
		&r.DraftUntil, &r.DraftActor, &r.DraftHolder,
	}
}

// Allocations lists a page of allocations.
func (tx *Tx) Allocations(f ipam.AllocationFilter, p ipam.Page) ([]ipam.Allocation, error) {
	s := tx.from("allocations", allocationColumns)
	s.equal("scope_id", f.Scope)
	s.equal("pool_id", f.Pool)
	s.equal("name", f.Name)
	s.equal("set_id", f.Set)
	s.equal("account", f.Account)
	s.equal("owner", f.Owner)
	s.family(f.Family)
	s.labels(f.Labels)
	s.contains(f.Text, "name", "owner", "description")
	s.around(f.Around)
	s.page(p, f.Around.Given())
	return list(tx, s, func(r *query.Allocation) []any {
		return []any{
			&r.ID, &r.ScopeID, &r.PoolID, &r.Name, &r.Cidr, &r.Family, &r.Length, &r.Description, &r.Owner, &r.Purpose, &r.Account, &r.Region,
			&r.Environment, &r.Labels, &r.Version, &r.CreatedAt, &r.UpdatedAt, &r.SetID, &r.SetKey,
		}
	}, allocation)
}

// Prefixes lists a page of prefixes.
func (tx *Tx) Prefixes(f ipam.PrefixFilter, p ipam.Page) ([]ipam.Prefix, error) {
	s := tx.from("prefixes", prefixColumns)
	s.equal("scope_id", f.Scope)
	s.equal("space_id", f.Pool)
	s.equal("status", string(f.Status))
	s.equal("kind", string(f.Kind))
	s.family(f.Family)
	s.around(f.Around)
	s.page(p, f.Around.Given())
	return list(tx, s, func(r *query.Prefix) []any {
		return []any{&r.ID, &r.ScopeID, &r.SpaceID, &r.Cidr, &r.Family, &r.Length, &r.Status, &r.Source, &r.Kind, &r.OwnerID, &r.Name, &r.CreatedAt}
	}, prefix)
}

// Events lists a page of events, the newest first.
func (tx *Tx) Events(f ipam.EventFilter, p ipam.Page) ([]ipam.Event, error) {
	s := tx.from("events", eventColumns)
	s.equal("scope_id", f.Scope)
	s.equal("object_id", f.Object)
	s.equal("actor", f.Actor)
	s.equal("action", f.Action)
	if p.After.ID != "" {
		s.and("id < ?", p.After.ID)
	}
	s.text.WriteString(" ORDER BY id DESC LIMIT " + s.arg(p.Limit))
	return list(tx, s, func(r *query.Event) []any {
		return []any{&r.ID, &r.ChainID, &r.Seq, &r.ScopeID, &r.At, &r.Actor, &r.Action, &r.ObjectKind, &r.ObjectID, &r.RequestID, &r.Before, &r.After, &r.Hash}
	}, event)
}
