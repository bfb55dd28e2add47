package storetest

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Dump is all rows of all tables of a database as text, in an order that does not depend on when they came.
func Dump(t testing.TB, database string) string {
	t.Helper()
	db, err := open(database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tables := "SELECT name FROM sqlite_schema WHERE type = 'table'"
	if !strings.HasPrefix(database, "sqlite://") {
		tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
	}
	var all []string
	for _, table := range texts(t, db, tables, "") {
		all = append(all, texts(t, db, "SELECT * FROM "+table, table)...)
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// texts are rows, each as one text behind a title.
func texts(t testing.TB, db *sql.DB, query, title string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		if title == "" {
			all = append(all, fmt.Sprint(values...))
			continue
		}
		line := title
		for i, v := range values {
			line += fmt.Sprintf(" %s=%q", columns[i], fmt.Sprint(v))
		}
		all = append(all, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
