package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Connections are how many connections to PostgreSQL one server opens at most. Each use has its own, so that none takes
// those of another: what waits for a lock does not stop reads, and neither stops authentication and readiness.
type Connections struct {
	Read, Write, Auth int
}

// DefaultConnections suit a PostgreSQL with its usual 100 and several servers.
var DefaultConnections = Connections{Read: 6, Write: 8, Auth: 2}

func (db *DB) openPostgres(ctx context.Context, url string, c Connections) error {
	db.engine = Postgres
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("read the database URL: %w", err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	if _, given := config.RuntimeParams["application_name"]; !given {
		config.RuntimeParams["application_name"] = "cloudpam"
	}
	if db.limits, err = takeLimits(config.RuntimeParams); err != nil {
		return fmt.Errorf("read the database URL: %w", err)
	}
	db.begins.read, db.begins.write = db.limits.beginRead(), db.limits.beginWrite()

	// Migrations take as long as they take, so they do without a limit on silence.
	config.DialFunc = dial(0)
	if err := db.meet(ctx, config, !strings.Contains(url, "default_query_exec_mode")); err != nil {
		return err
	}
	db.handle = db.openPool(sql.OpenDB(unhurried{stdlib.GetConnector(*config)}), 2)
	db.handle.SetMaxIdleConns(1)
	db.handle.SetConnMaxIdleTime(10 * time.Second) // it is needed at the start only
	config.DialFunc = dial(db.limits.silence())
	if c == (Connections{}) {
		c = DefaultConnections
	}
	for _, use := range []struct {
		pool *sessions
		size int
		what string
	}{{&db.readers, c.Read, "read"}, {&db.writers, c.Write, "write"}, {&db.auth, c.Auth, "auth"}} {
		// BEGIN is the first statement on every connection that is handed out, and tells whether it is alive.
		noPing := stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false })
		*use.pool = sessions{
			handle: db.openPool(stdlib.OpenDB(*config, noPing), use.size),
			slots:  make(chan struct{}, use.size), use: use.what,
		}
	}
	db.commits.patience = make(chan struct{}, max(1, c.Write/2))
	return nil
}

// openPool bounds the life of connections, so that none outlives for long a change of what their address leads to.
func (db *DB) openPool(handle *sql.DB, size int) *sql.DB {
	handle.SetMaxOpenConns(size)
	handle.SetMaxIdleConns(size)
	handle.SetConnMaxIdleTime(5 * time.Minute)
	handle.SetConnMaxLifetime(10 * time.Minute)
	db.closers = append(db.closers, handle.Close)
	return handle
}

// meet makes sure that the database answers, and looks for a pooler on the way: one like PgBouncer makes up the process id
// that it tells its clients. Behind one the next transaction may run on another connection, which knows no statement that
// was prepared on this one, so statements are then sent with their text each time.
func (db *DB) meet(ctx context.Context, config *pgx.ConnConfig, choose bool) error {
	ctx, cancel := context.WithTimeout(ctx, connectionWait)
	defer cancel()
	var conn *pgx.Conn
	err := insist(ctx, func() (err error) {
		conn, err = pgx.ConnectConfig(ctx, config)
		return err
	})
	if err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var process uint32
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&process); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	if choose && process != conn.PgConn().PID() {
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		db.log.InfoContext(ctx, "a pooler is between this server and PostgreSQL; statements are not prepared")
	}
	return nil
}
