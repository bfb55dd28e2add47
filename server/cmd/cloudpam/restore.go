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
	File            string `arg:"" optional:"" help:"The backup. Without one, the database is there already, brought back by pg_restore or by a copy of a disk."`
}

func (c *restoreCommand) Run(ctx context.Context) error {
	if c.File == "" {
		if err := store.MarkRestored(ctx, c.DatabaseURL, time.Now()); err != nil {
			return err
		}
		fmt.Println("noted that this database was brought back from a backup")
		fmt.Print(afterRestore)
		return nil
	}
	done, err := store.Restore(ctx, c.DatabaseURL, c.File, time.Now())
	for _, name := range done.Aside {
		fmt.Println("what was there is now", name)
	}
	if err != nil {
		return err
	}
	fmt.Printf("restored %s (schema %d) from %s\n", done.Database, done.Schema, c.File)
	fmt.Print(afterRestore)
	return nil
}

const afterRestore = `It does not know what was handed out after the backup. Run "cloudpam verify" and start the server: no pool hands anything out until
all accounts that it looks at have been seen completely. Where it looks at none, compare with your clouds before you let writers in.
`
