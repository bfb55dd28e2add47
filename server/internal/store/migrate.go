package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"github.com/cloudpam/cloudpam/server/internal/store/lite"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

//go:embed migration/sqlite/*.sql migration/postgres/*.sql
var migrations embed.FS

const migrationTable = "schema_migrations"

// minSupportedSchema is the oldest schema that this build's code still serves, for rolling upgrades.
const minSupportedSchema = 1

// SchemaStatus compares the database's schema with this build's.
type SchemaStatus struct {
	Current int64 // applied to the database; 0 is none
	Target  int64 // what this build knows
	Pending []string
}

// Newer says that the database was migrated by a later build, which this one must not touch.
func (s SchemaStatus) Newer() bool { return s.Current > s.Target }

func (db *DB) migrator() (*goose.Provider, error) {
	dialect, folder := goose.DialectSQLite3, "migration/sqlite"
	options := []goose.ProviderOption{goose.WithTableName(migrationTable), goose.WithDisableGlobalRegistry(true), goose.WithSlog(db.log)}
	if db.engine == Postgres {
		dialect, folder = goose.DialectPostgres, "migration/postgres"
		// A table lock, not an advisory one: those are silent no-ops behind some poolers and compatible engines.
		locker, err := lock.NewPostgresTableLocker()
		if err != nil {
			return nil, fmt.Errorf("make a migration lock: %w", err)
		}
		options = append(options, goose.WithLocker(locker))
	}
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, db.handle, files, options...)
}

// SchemaStatus tells where the schema stands, changing nothing of it.
func (db *DB) SchemaStatus(ctx context.Context) (SchemaStatus, error) {
	m, err := db.migrator()
	if err != nil {
		return SchemaStatus{}, err
	}
	sources := m.ListSources()
	status := SchemaStatus{Target: sources[len(sources)-1].Version}
	if status.Current, err = db.schemaVersion(ctx); err != nil {
		return status, fmt.Errorf("read the schema version: %w", err)
	}
	for _, s := range sources {
		if s.Version > status.Current {
			status.Pending = append(status.Pending, s.Path)
		}
	}
	return status, nil
}

// migrated finds the table of the migrations that were done, where there is one.
var migrated = map[Engine]string{
	SQLite:   "SELECT name FROM sqlite_schema WHERE name = '" + migrationTable + "'",
	Postgres: "SELECT relname FROM pg_class WHERE oid = to_regclass('" + migrationTable + "')",
}

// schemaVersion is the last migration that was done. Goose would take its lock to tell, and make its tables.
func (db *DB) schemaVersion(ctx context.Context) (version int64, err error) {
	tables, err := db.names(ctx, migrated[db.engine])
	if err != nil || len(tables) == 0 {
		return 0, err
	}
	err = db.handle.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM "+migrationTable+" WHERE is_applied").Scan(&version)
	return version, err
}

// Migrate brings the schema to this build's version, each migration in one transaction. It refuses a newer schema.
func (db *DB) Migrate(ctx context.Context, appVersion string) error {
	status, err := db.SchemaStatus(ctx)
	if err != nil {
		return err
	}
	if status.Newer() {
		return fmt.Errorf("the database has schema %d, this build knows %d: run a newer CloudPAM", status.Current, status.Target)
	}
	if len(status.Pending) > 0 {
		m, err := db.migrator()
		if err != nil {
			return err
		}
		if _, err := m.Up(ctx); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	return db.recordSchema(ctx, status.Target, appVersion)
}

// Stamp records the schema as this build's without running anything: for a schema that was made by hand.
func (db *DB) Stamp(ctx context.Context, version int64, appVersion string) error {
	status, err := db.SchemaStatus(ctx)
	if err != nil {
		return err
	}
	if version < 1 || version > status.Target {
		return fmt.Errorf("this build knows the schemas 1 to %d, not %d", status.Target, version)
	}
	dialect := database.DialectSQLite3
	if db.engine == Postgres {
		dialect = database.DialectPostgres
	}
	table, err := database.NewStore(dialect, migrationTable)
	if err != nil {
		return err
	}
	if m, err := db.migrator(); err != nil {
		return err
	} else if _, err := m.GetDBVersion(ctx); err != nil { // which makes the table
		return fmt.Errorf("stamp schema %d: %w", version, err)
	}
	for v := status.Current + 1; v <= version; v++ {
		if err := table.Insert(ctx, db.handle, database.InsertRequest{Version: v}); err != nil {
			return fmt.Errorf("stamp schema %d: %w", v, err)
		}
	}
	return db.recordSchema(ctx, version, appVersion)
}

func (db *DB) recordSchema(ctx context.Context, version int64, appVersion string) error {
	tx, err := db.handle.BeginTx(ctx, nil) // which lifts the limits of time
	if err == nil {
		err = query.New(tx).InsertSchemaInfo(ctx, query.InsertSchemaInfoParams{
			SchemaVersion: version, AppVersion: appVersion, MinSupportedSchema: minSupportedSchema, AppliedAt: time.Now().UnixMicro(),
		})
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		} else {
			err = tx.Commit()
		}
	}
	if err != nil {
		return fmt.Errorf("record the schema: %w", err)
	}
	return nil
}

// Start readies a migrated database for reads and writes. It fails when the schema is not this build's.
func (db *DB) Start(ctx context.Context) error {
	status, err := db.SchemaStatus(ctx)
	switch {
	case err != nil:
		return err
	case status.Newer():
		return fmt.Errorf("the database has schema %d, this build knows %d: run a newer CloudPAM", status.Current, status.Target)
	case len(status.Pending) > 0:
		return errors.New("the schema is not up to date: run \"cloudpam migrate up\"")
	}
	if db.readOnly {
		return nil
	}
	if err := db.guarded(ctx); err != nil {
		return err
	}
	if db.engine == SQLite && db.writers.idle == nil {
		if err := db.writers.fill(ctx, db.handle, 1); err != nil {
			return err
		}
		s := <-db.writers.idle
		defer db.writers.give(s)
		s.direct, err = lite.On(s.conn)
		return err
	}
	return nil
}
