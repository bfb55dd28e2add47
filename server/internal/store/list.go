package store

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Lists with optional filters, and the looks at whole rows in row.go, are the only SQL built at run time. The text depends on
// which filters are given, never on their values.

type listQuery struct {
	engine Engine
	tx     *Tx
	with   string // what comes before the SELECT, and
	join   string // what its first table is for it
	head   string
	table  string
	text   strings.Builder // what follows the table
	args   []any
	err    error // in what was asked
	few    bool  // it is narrowed to pools that have few rows, which are read and put in order
}

func (tx *Tx) from(table, columns string) *listQuery {
	s := &listQuery{engine: tx.engine, tx: tx, head: "SELECT " + columns + " FROM ", table: table}
	s.text.WriteString(" WHERE 1 = 1")
	return s
}

func (s *listQuery) String() string { return s.with + s.head + s.join + s.table + s.text.String() }

func (s *listQuery) arg(value any) string {
	s.args = append(s.args, value)
	return fmt.Sprintf("$%d", len(s.args))
}

// and adds a condition in which each ? is a value.
func (s *listQuery) and(condition string, values ...any) {
	for _, v := range values {
		condition = strings.Replace(condition, "?", s.arg(v), 1)
	}
	s.text.WriteString(" AND ")
	s.text.WriteString(condition)
}

func (s *listQuery) equal(column, value string) {
	if value != "" {
		s.and(column+" = ?", value)
	}
}

// said is equal for a column that is often empty: the index is of what is not. Few rows are looked through without it, or SQLite would
// take it for the better one.
func (s *listQuery) said(column, value string) {
	if value != "" && !s.few {
		s.and(column + " <> ''")
	}
	s.equal(column, value)
}

// ofAccounts narrows to what names an account of a kind, as far as accounts are visible.
func (s *listQuery) ofAccounts(see ipam.Visible, of ipam.AccountKind) {
	if of == (ipam.AccountKind{}) {
		return
	}
	s.text.WriteString(" AND account IN (SELECT named.cloud || ':' || named.external_id FROM accounts named WHERE 1 = 1")
	if !see.All() {
		s.text.WriteString(" AND " + s.visible(see, "named.scope_id", ""))
	}
	s.equal("named.cloud", of.Cloud)
	s.equal("named.platform", of.Platform)
	s.equal("named.tier", of.Tier)
	s.text.WriteString(")")
}

// key narrows to the row that a UID of a kind means.
func (s *listQuery) key(column, what, uid string) {
	if uid != "" {
		s.and(column+" = ?", ipam.KeyOf(what, uid))
	}
}

// inScope narrows to a scope by its id or its UID.
func (s *listQuery) inScope(column, id string) {
	if key := ipam.KeyOf(scopeKey, id); key != 0 {
		s.and(column+" = ?", key)
	} else if id != "" {
		s.and(column+" = (SELECT named.id FROM scopes named WHERE named.name = ?)", id)
	}
}

// inPool narrows to a pool by its id or its UID.
func (s *listQuery) inPool(column, id string) {
	if key := ipam.KeyOf(poolKey, id); key != 0 {
		s.and(column+" = ?", key)
	} else if id != "" {
		scope, name := ipam.SplitPoolID(id)
		s.and(column+" = (SELECT named.id FROM pools named WHERE named.name = ? AND named.scope_id = (SELECT around.id FROM scopes around WHERE around.name = ?))", name, scope)
	}
}

// principal narrows to a principal by its UID, or to all that people read as the text.
func (s *listQuery) principal(column, text string) {
	if key := ipam.KeyOf(principalKey, text); key != 0 {
		s.and(column+" = ?", key)
	} else if text != "" {
		kind, name, named := strings.Cut(text, ":")
		if !named {
			name = kind
		}
		s.and(column+" IN (SELECT named.id FROM principals named WHERE named.kind = ? AND named.name = ?)", kind, name)
	}
}

func (s *listQuery) family(n int) {
	if n != 0 {
		s.and("family = ?", n)
	}
}

// labels matches inside the stored JSON, whose spelling is ours. LIKE would ignore case on one engine only. The pair is
// sought with what stands before it, or a key that ends in a quote and the sought key would match too.
func (s *listQuery) labels(labels []ipam.Label) {
	for _, l := range labels {
		pair := encodeLabels(ipam.Labels{l.Key: l.Value})
		pair = pair[:len(pair)-1]
		s.and("(replace(labels, ?, '') <> labels OR replace(labels, ?, '') <> labels)", pair, ","+pair[1:])
	}
}

// contains narrows to rows that have every word of a text somewhere in some columns, in any case.
func (s *listQuery) contains(text string, columns ...string) {
	words := ipam.Words(text)
	if len(words) == 0 {
		return
	}
	fold := "lower(%s)"
	if strings.ContainsFunc(text, func(r rune) bool { return r > 127 }) { // where the engines' own lower() stops
		fold = map[Engine]string{SQLite: "cloudpam_fold(%s)", Postgres: `lower((%s) COLLATE "und-x-icu")`}[s.engine]
	}
	at := map[Engine]string{SQLite: "instr", Postgres: "strpos"}[s.engine]
	for _, word := range words { // none has a space, so that none is found across two columns
		s.text.WriteString(" AND " + at + "(" + fmt.Sprintf(fold, strings.Join(columns, " || ' ' || ")) + ", " + s.arg(word) + ") > 0")
	}
}

// around narrows by address. What contains an address starts at one of the 33 or 129 blocks around it. They come first in
// the join, and CROSS JOIN keeps SQLite to that order: with conditions alone it reads everything of the family.
func (s *listQuery) around(a ipam.Around) {
	if w := a.Within; w.IsValid() {
		s.and("family = ? AND first_ip >= ? AND first_ip <= ? AND length >= ?", ipam.Family(w), firstIP(w), lastIP(w), w.Bits())
	}
	if c := a.Contains; c.IsValid() {
		s.surround(c)
		s.join = "around CROSS JOIN "
		s.and("family = ? AND first_ip = around_ip AND length = around_length AND length <= ?", ipam.Family(c), c.Bits())
	}
}

// touches narrows to what shares an address with a block: what starts in it, and what is around it.
func (s *listQuery) touches(w netip.Prefix) {
	fam, first, last := s.arg(ipam.Family(w)), s.arg(firstIP(w)), s.arg(lastIP(w))
	s.surround(w)
	s.text.WriteString(" AND id IN (SELECT x.id FROM " + s.table + " x WHERE x.family = " + fam + " AND x.first_ip >= " + first + " AND x.first_ip <= " + last +
		" UNION ALL SELECT x.id FROM around CROSS JOIN " + s.table + " x WHERE x.family = " + fam + " AND x.first_ip = around_ip AND x.length = around_length)")
}

// surround makes a table of the blocks around a block: their first address and length.
func (s *listQuery) surround(c netip.Prefix) {
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
}

// page orders a list and starts after the cursor: by address when it is narrowed by address, else as the page says.
func (s *listQuery) page(p ipam.Page, what string, byAddress bool) {
	after := ipam.KeyOf(what, p.After.ID)
	if what == anyKey {
		after = ipam.UID(p.After.ID).Key()
	}
	if p.After.ID != "" && after == 0 {
		s.err = ipam.Invalid("query:page_token", "this page token is of another list; pass next_page_token back to the list that it came from")
	}
	if p.Floor != "" {
		s.and("id >= ?", p.Floor.Key())
	}
	switch at := p.After.Prefix; {
	case byAddress: // of one family
		if at.IsValid() {
			s.and("(first_ip, length, id) > (?, ?, ?)", firstIP(at), at.Bits(), after)
		}
		s.text.WriteString(" ORDER BY first_ip, length, id LIMIT " + s.arg(p.Limit))
	case p.Order == ipam.ByAddress:
		if at.IsValid() {
			s.and("(family, first_ip, length, id) > (?, ?, ?, ?)", ipam.Family(at), firstIP(at), at.Bits(), after)
		}
		s.text.WriteString(" ORDER BY family, first_ip, length, id LIMIT " + s.arg(p.Limit))
	default:
		beyond, order := "id > ?", "id"
		if p.Order == ipam.NewestFirst {
			beyond, order = "id < ?", "id DESC"
		}
		if p.After.ID != "" {
			s.and(beyond, after)
		}
		s.inOrder(order, p.Limit)
	}
}

// inOrder ends a list that is ordered by key. The keys of a few rows are put in order by themselves, before anything else is looked up
// for each: "id + 0" keeps the engines from walking all keys there are instead.
func (s *listQuery) inOrder(order string, limit int) {
	most := s.arg(limit)
	if s.few {
		conditions := s.text.String()
		s.text.Reset()
		s.text.WriteString(" WHERE id IN (SELECT id FROM " + s.table + conditions + " ORDER BY " + strings.Replace(order, "id", "id + 0", 1) + " LIMIT " + most + ")")
	}
	s.text.WriteString(" ORDER BY " + order + " LIMIT " + most)
}

// total counts what is on all pages.
func (s *listQuery) total(tx *Tx) (n int64, err error) {
	s.head, s.few = "SELECT count(*) FROM ", false
	_, err = list(tx, s, func(row *int64) []any { return []any{row} }, func(row int64) (int64, error) { n = row; return row, nil })
	return n, err
}

// oneOf narrows to values. There are as many texts as powers of two, not as numbers of values: the last is said again.
func (s *listQuery) oneOf(values []string) string { return oneOf(s, values) }

func oneOf[T any](s *listQuery, values []T) string {
	var in []string
	for _, v := range values {
		in = append(in, s.arg(v))
	}
	for n := len(in); n&(n-1) != 0; n++ {
		in = append(in, in[len(values)-1])
	}
	return "(" + strings.Join(in, ", ") + ")"
}

// oneOfUIDs is oneOf for keys.
func (s *listQuery) oneOfUIDs(uids []ipam.UID) string {
	keys := make([]int64, len(uids))
	for i, u := range uids {
		keys[i] = u.Key()
	}
	return oneOf(s, keys)
}

func list[R, T any](tx *Tx, s *listQuery, scan func(*R) []any, convert func(R) (T, error)) ([]T, error) {
	if s.err != nil {
		return nil, s.err
	}
	if tx.asked != nil {
		tx.asked(s.String(), s.args)
	}
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
