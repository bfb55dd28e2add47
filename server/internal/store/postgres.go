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
	if _, given := config.RuntimeParams["application_name"]; !given {
		config.RuntimeParams["application_name"] = "cloudpam"
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
