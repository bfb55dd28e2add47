package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/config"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

type backupCommand struct {
	config.Database `embed:""`
	File            string `arg:"" help:"The file to write; it must not exist."`
}

func (c *backupCommand) Run(ctx context.Context) error {
	schema, err := store.Backup(ctx, c.DatabaseURL, c.File)
	if err != nil {
		return err
	}
	fmt.Printf("wrote %s (schema %d) and checked it\n", c.File, schema)
	return nil
}

type restoreCommand struct {
	config.Database `embed:""`
	File            string `arg:"" help:"The backup."`
}

func (c *restoreCommand) Run(ctx context.Context) error {
	done, err := store.Restore(ctx, c.DatabaseURL, c.File, time.Now())
	for _, name := range done.Aside {
		fmt.Println("what was there is now", name)
	}
	if err != nil {
		return err
	}
	fmt.Printf("restored %s (schema %d) from %s\n", done.Database, done.Schema, c.File)
	fmt.Println("It does not know what was handed out after the backup, and would hand it out again. Run \"cloudpam verify\", start the\n" +
		"server, and compare with your clouds before you let writers in.")
	return nil
}
