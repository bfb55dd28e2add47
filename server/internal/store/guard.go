package store

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// guards are what in the schema refuses, by itself, two blocks that overlap and an event that is changed. The server promises
// both, so it does not work without them. A trigger or an exclusion constraint that a migration adds gets a line here.
var guards = map[Engine][]string{
	SQLite: {
		"events_are_final_on_delete", "events_are_final_on_insert", "events_are_final_on_update",
		"prefixes_never_overlap_on_insert", "prefixes_never_overlap_on_update",
	},
	Postgres: {"events_are_final", "events_are_not_truncated", "prefixes_never_overlap"},
}

// presentGuards lists the triggers and exclusion constraints that work. PostgreSQL keeps some that do not: a trigger may be
// disabled, or fire only on a replica, and the index of a constraint may be invalid.
var presentGuards = map[Engine]string{
	SQLite: "SELECT name FROM sqlite_schema WHERE type = 'trigger'",
	Postgres: `SELECT g.tgname FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
		WHERE NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND pg_table_is_visible(t.oid)
		UNION ALL
		SELECT c.conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_index i ON i.indexrelid = c.conindid
		WHERE c.contype = 'x' AND c.convalidated AND i.indisvalid AND i.indisready AND pg_table_is_visible(t.oid)`,
}

// listed runs a query of one text column as a read: the one connection of migrations to a SQLite file may be the writer's by now.
func (db *DB) listed(ctx context.Context, query string) (all []string, err error) {
	err = db.Read(ctx, func(tx *Tx) (err error) {
		s := &listQuery{engine: tx.engine, head: query}
		all, err = list(tx, s, func(name *string) []any { return []any{name} }, func(name string) (string, error) { return name, nil })
		return err
	})
	return all, err
}

// MissingGuards lists the triggers and constraints of this build's schema that the database lacks.
func (db *DB) MissingGuards(ctx context.Context) ([]string, error) {
	present, err := db.listed(ctx, presentGuards[db.engine])
	if err != nil {
		return nil, fmt.Errorf("look for the triggers and constraints: %w", err)
	}
	return slices.DeleteFunc(slices.Clone(guards[db.engine]), func(name string) bool { return slices.Contains(present, name) }), nil
}

// presentIndexes lists the indexes that work, the unique ones with that word before them.
var presentIndexes = map[Engine]string{
	SQLite: `SELECT CASE WHEN i."unique" THEN 'unique ' ELSE '' END || i.name FROM sqlite_schema t JOIN pragma_index_list(t.name) i WHERE t.type = 'table'`,
	Postgres: `SELECT CASE WHEN i.indisunique THEN 'unique ' ELSE '' END || c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE i.indisvalid AND i.indisready AND pg_table_is_visible(c.oid)`,
}

var indexStatement = regexp.MustCompile(`(?m)^(CREATE|DROP) (UNIQUE )?INDEX (?:IF EXISTS )?(\w+)`)

// indexes are those that the migrations make and do not drop again.
func (db *DB) indexes() ([]string, error) {
	files, err := fs.Glob(migrations, "migration/"+string(db.engine)+"/*.sql")
	if err != nil {
		return nil, err
	}
	made := map[string]string{}
	for _, name := range files { // in order
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for _, m := range indexStatement.FindAllStringSubmatch(string(text), -1) {
			delete(made, m[3])
			if m[1] == "CREATE" {
				made[m[3]] = strings.ToLower(m[2]) + m[3]
			}
		}
	}
	return slices.Sorted(maps.Values(made)), nil
}

// MissingIndexes lists the indexes of this build's schema that the database lacks, that PostgreSQL does not use, or that are
// unique no more. A server works without them, slowly, and hands out names twice without the unique ones.
func (db *DB) MissingIndexes(ctx context.Context) ([]string, error) {
	wanted, err := db.indexes()
	if err != nil {
		return nil, err
	}
	present, err := db.listed(ctx, presentIndexes[db.engine])
	if err != nil {
		return nil, fmt.Errorf("look for the indexes: %w", err)
	}
	return slices.DeleteFunc(wanted, func(name string) bool { return slices.Contains(present, name) }), nil
}

// guarded refuses a database that no longer refuses overlap by itself.
func (db *DB) guarded(ctx context.Context) error {
	missing, err := db.MissingGuards(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	how := "Restore a whole backup with \"cloudpam restore FILE\""
	if db.engine == Postgres {
		how = "Restore the whole dump into an empty database, or create what is missing as the migrations do"
	}
	return fmt.Errorf("the database does not refuse overlap and changed events any more: %s is missing, invalid or disabled. "+
		"A copy or restore with a tool that leaves triggers and constraints out does that. %s, then run \"cloudpam verify\"",
		strings.Join(missing, ", "), how)
}
