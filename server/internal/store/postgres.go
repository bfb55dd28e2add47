package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

func (db *DB) openPostgres(ctx context.Context, url string) error {
	db.engine = Postgres
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("read the database URL: %w", err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	// A write is not cancelled with its caller, so something else must end one that hangs, and free the locks of a server
	// that was lost in the middle of one.
	for name, value := range map[string]string{
		"application_name": "cloudpam", "statement_timeout": "30s", "idle_in_transaction_session_timeout": "60s",
	} {
		if _, given := config.RuntimeParams[name]; !given {
			config.RuntimeParams[name] = value
		}
	}
	handle := stdlib.OpenDB(*config)
	handle.SetMaxOpenConns(16)
	handle.SetMaxIdleConns(16)
	handle.SetConnMaxIdleTime(5 * time.Minute)
	db.closers = append(db.closers, handle.Close)
	db.handle = handle
	db.readers.handle, db.writers.handle = handle, handle
	if err := handle.PingContext(ctx); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	return nil
}
