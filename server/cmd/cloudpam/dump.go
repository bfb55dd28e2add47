package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/cloudpam/cloudpam/server/internal/config"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

type dumpCommand struct {
	config.Database `embed:""`
	File            string `arg:"" help:"The file to write, which must not exist; - is standard output."`
}

// Run writes the dump under another name until it is whole.
func (c *dumpCommand) Run(ctx context.Context) (err error) {
	to, part := os.Stdout, c.File+".partial"
	if c.File != "-" {
		if _, err := os.Lstat(c.File); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already; name a file that is not", c.File)
		}
		if to, err = os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
			return err
		}
		defer func() { _ = os.Remove(part) }()
	}
	done, err := store.Dump(ctx, c.DatabaseURL, to)
	if err == nil && c.File != "-" {
		err = errors.Join(to.Sync(), to.Close(), os.Rename(part, c.File))
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "dumped %d rows of %d tables (schema %d)\n", done.Rows, done.Tables, done.Schema)
	return nil
}

type loadCommand struct {
	config.Database `embed:""`
	File            string `arg:"" help:"The dump; - is standard input."`
}

// Run loads a dump, and verifies what is there then.
func (c *loadCommand) Run(ctx context.Context) error {
	from := io.Reader(os.Stdin)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	}
	done, err := store.Load(ctx, c.DatabaseURL, from)
	if err != nil {
		return fmt.Errorf("nothing was loaded: %w", err)
	}
	fmt.Fprintf(os.Stderr, "loaded %d rows of %d tables (schema %d)\n", done.Rows, done.Tables, done.Schema)
	return (&verifyCommand{c.Database}).Run(ctx)
}
