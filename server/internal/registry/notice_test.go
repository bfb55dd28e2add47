package registry_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/audit"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// hand is somebody with the password of the database, who has taken away what would keep him from it.
type hand struct {
	*sql.Conn
	engine string
}

func (r lab) hand(t *testing.T, engine string) hand {
	t.Helper()
	driver, address := "pgx", r.url
	if path, ok := strings.CutPrefix(r.url, "sqlite://"); ok {
		driver, address = "sqlite", "file:"+path+"?_pragma=busy_timeout(600000)&_pragma=synchronous(0)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	h := hand{conn, engine}
	if engine == "postgres" {
		h.must(t, "SET session_replication_role = replica")
		h.must(t, "ALTER TABLE prefixes DROP CONSTRAINT prefixes_never_overlap")
		return h
	}
	for _, name := range h.column(t, "SELECT name FROM sqlite_schema WHERE type = 'trigger'") {
		h.must(t, "DROP TRIGGER "+name)
	}
	return h
}

func (h hand) try(statement string) error {
	_, err := h.ExecContext(context.Background(), statement)
	return err
}

func (h hand) must(t *testing.T, statement string) {
	t.Helper()
	if err := h.try(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func (h hand) column(t *testing.T, query string) (all []string) {
	t.Helper()
	rows, err := h.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var text sql.NullString
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text.String)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}

// column of a table: its type in small letters, and whether it may be empty or is of the primary key.
type column struct {
	name, kind    string
	empty, inside bool
}

func (h hand) tables(t *testing.T) map[string][]column {
	t.Helper()
	query := `SELECT t.name || ' ' || c.name || ' ' || lower(c.type) || ' ' || CASE WHEN c."notnull" OR c.pk > 0 THEN 'NO' ELSE 'YES' END || ' ' || CASE WHEN c.pk > 0 THEN 'key' ELSE '-' END
		FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid`
	if h.engine == "postgres" {
		query = `SELECT c.table_name || ' ' || c.column_name || ' ' || replace(c.data_type, ' ', '_') || ' ' || c.is_nullable || ' ' ||
			CASE WHEN EXISTS (SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
				WHERE i.indisprimary AND i.indrelid = c.table_name::regclass AND a.attname = c.column_name) THEN 'key' ELSE '-' END
			FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
			WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position`
	}
	tables := map[string][]column{}
	for _, line := range h.column(t, query) {
		f := strings.Fields(line)
		tables[f[0]] = append(tables[f[0]], column{f[1], f[2], f[3] == "YES", f[4] == "key"})
	}
	return tables
}

// others are what a value of a column may become: what another row has, something else, and nothing.
func (c column) others(table string) map[string]string {
	now := "h." + c.name
	others := map[string]string{"another's": fmt.Sprintf("coalesce((SELECT x.%[1]s FROM %[2]s x WHERE x.%[1]s <> h.%[1]s LIMIT 1), h.%[1]s)", c.name, table)}
	switch c.kind {
	case "text":
		others["another"] = now + " || 'x'"
	case "blob":
		others["another"] = "x'00000000000000000000ffff0a0b0c00'"
	case "bytea":
		others["another"] = `'\x00000000000000000000ffff0a0b0c00'::bytea`
	case "boolean":
		others["another"] = "NOT " + now
	default:
		others["another"] = "coalesce(" + now + ", 0) + 1"
	}
	if c.empty {
		others["empty"] = "NULL"
	}
	return others
}

// rowsOf are conditions of two rows of a table: one in which the column says something, and one in which it does not.
func (h hand) rowsOf(t *testing.T, table string, c column, keys []column) (rows []string) {
	t.Helper()
	nothing := fmt.Sprintf("(%[1]s IS NULL OR CAST(%[1]s AS TEXT) IN ('', '0', '{}', 'false'))", c.name)
	only := "1 = 1"
	if table == "principals" {
		only = "(id IN (SELECT id FROM tokens) OR issuer <> '')" // others let nobody in
	}
	for _, which := range []string{nothing, "NOT " + nothing} {
		var parts []string
		for _, k := range keys {
			parts = append(parts, "'"+k.name+" = ' || "+h.quoted(k))
		}
		one := h.column(t, "SELECT "+strings.Join(parts, " || ' AND ' || ")+" FROM "+table+" WHERE "+only+" AND "+which+" ORDER BY 1 DESC LIMIT 1")
		rows = append(rows, one...)
	}
	return rows
}

// quoted is the literal of a column's value.
func (h hand) quoted(c column) string {
	if h.engine == "postgres" {
		return "quote_literal(" + c.name + ")"
	}
	return "quote(" + c.name + ")"
}

func TestVerifyNoticesEveryColumn(t *testing.T) {
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			at, now := url(t), clock
			db := storetest.Open(t, at)
			r := planner{lab: setUp(t, labOn(db, at, func() time.Time { return now })), now: &now}
			r.fill(t)
			r.wantSound(t)
			h := r.hand(t, engine)
			tables := h.tables(t)
			if len(tables) < 22 {
				t.Fatalf("only %d tables: %v", len(tables), tables)
			}
			n := tally{changed: map[string]bool{"instance.id": true, "drift_rules.singleton": true}} // which the schema keeps at 1
			for table, columns := range tables {
				n.table(t, r.lab, h, table, columns)
			}
			r.wantSoundRows(t)
			t.Logf("%d changes by hand: %d noticed, %d excused, %d refused by the schema itself", n.tried, n.noticed, n.excused, n.tried-n.noticed-n.excused)
		})
	}
}

type tally struct {
	tried, noticed, excused int
	changed                 map[string]bool
}

func (n *tally) table(t *testing.T, r lab, h hand, table string, columns []column) {
	t.Helper()
	var keys []column
	for _, c := range columns {
		if c.inside {
			keys = append(keys, c)
		}
	}
	h.must(t, "CREATE TABLE saved_"+table+" AS SELECT * FROM "+table)
	defer h.must(t, "DROP TABLE saved_"+table)
	if all := h.column(t, "SELECT count(*) FROM "+table); all[0] == "0" {
		t.Errorf("there is nothing in %s: let fill make something of it", table)
		return
	}
	for _, c := range columns {
		for _, row := range h.rowsOf(t, table, c, keys) {
			for what, value := range c.others(table) {
				n.change(t, r, h, table, c.name, what, excused(audit.Unnoticed, table, c.name),
					fmt.Sprintf("UPDATE %s AS h SET %s = %s WHERE %s", table, c.name, value, row))
			}
		}
		if !n.changed[table+"."+c.name] && !excused(audit.Unnoticed, table, c.name) {
			t.Errorf("%s.%s could not be changed: let fill say it in two ways", table, c.name)
		}
	}
	last := h.rowsOf(t, table, keys[0], keys)
	for _, row := range last {
		n.change(t, r, h, table, "", "deleted", excused(audit.BlindRows, table, "delete") || excused(audit.Unnoticed, table, ""), "DELETE FROM "+table+" WHERE "+row)
	}
	var names, values []string
	for i, c := range columns {
		value := c.name
		if i == slices.IndexFunc(columns, func(c column) bool { return c.inside && c.kind != "blob" && c.kind != "bytea" }) {
			value = strings.ReplaceAll(c.others(table)["another"], "h.", "")
			if c.kind != "text" {
				value = c.name + " + 4096"
			}
		} else if u := unique[table+"."+c.name]; u {
			value = strings.ReplaceAll(c.others(table)["another"], "h.", "")
		}
		names, values = append(names, c.name), append(values, value)
	}
	for _, row := range last {
		n.change(t, r, h, table, "", "copied", excused(audit.BlindRows, table, "insert") || excused(audit.Unnoticed, table, ""),
			fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s WHERE %s", table, strings.Join(names, ", "), strings.Join(values, ", "), table, row))
	}
}

// unique are the columns outside of keys that a copy of a row must say otherwise.
var unique = map[string]bool{
	"scopes.name": true, "pools.name": true, "allocations.name": true, "allocation_sets.name": true, "holds.name": true, "accounts.external_id": true,
	"tokens.hash": true, "allocations.set_key": true, "events.seq": true,
}

func (n *tally) change(t *testing.T, r lab, h hand, table, column, what string, excused bool, statement string) {
	t.Helper()
	n.tried++
	saved := h.column(t, "SELECT count(*) FROM saved_"+table)
	if err := h.try(statement); err != nil {
		return // the schema itself refuses it
	}
	if same := h.column(t, fmt.Sprintf("SELECT count(*) FROM (SELECT * FROM %[1]s INTERSECT SELECT * FROM saved_%[1]s) same_rows", table)); what != "copied" && same[0] == saved[0] {
		n.tried--
		return // nothing was changed
	}
	n.changed[table+"."+column] = true
	report, err := r.Verify(context.Background())
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	found := slices.DeleteFunc(report.Findings, func(f audit.Finding) bool { return f.Object == "schema" })
	switch {
	case excused:
		n.excused++
	case len(found) > 0:
		n.noticed++
	default:
		t.Errorf("%s.%s was %s, and verify says nothing: %s", table, column, what, statement)
	}
	h.must(t, "DELETE FROM "+table)
	h.must(t, "INSERT INTO "+table+" SELECT * FROM saved_"+table)
}

func excused(list []audit.Blind, table, column string) bool {
	return slices.ContainsFunc(list, func(b audit.Blind) bool { return b.Table == table && (b.Column == column || b.Column == "") })
}

// wantSoundRows is wantSound where the triggers are gone.
func (r lab) wantSoundRows(t *testing.T) {
	t.Helper()
	report, err := r.Verify(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Object != "schema" {
			t.Errorf("verify found %s: %s", f.Object, f.Detail)
		}
	}
}
