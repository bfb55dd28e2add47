package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/cloudpam/cloudpam/server/internal/app"
	"github.com/cloudpam/cloudpam/server/internal/config"
)

// errUsage marks a mistake in flags or variables.
var errUsage = errors.New("wrong configuration")

func usage(err error) error { return fmt.Errorf("%w: %w", errUsage, err) }

type serveCommand struct {
	config.Serve `embed:""`
}

func (c *serveCommand) Run(ctx context.Context) (err error) {
	if err := c.Check(); err != nil {
		return fmt.Errorf("%w:\n%w", errUsage, err)
	}
	if os.Getenv("GOGC") == "" {
		// The server keeps a few megabytes and makes some hundred kilobytes of garbage for each commit: at Go's 100 the collector
		// would run many times a second.
		debug.SetGCPercent(400)
	}
	log := c.Logger()
	for _, name := range config.Unknown(os.Environ()) {
		log.WarnContext(ctx, "nothing reads this variable", "name", name)
	}
	a, err := app.New(ctx, c.Serve, version, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if a.FirstToken != "" {
		fmt.Fprintf(os.Stderr, "\n  First start. Your admin token, shown this once:\n\n      %s\n\n", a.FirstToken)
		if a.FirstTokenFile != "" {
			fmt.Fprintf(os.Stderr, "  It is also in %s; delete that file once you have it.\n", a.FirstTokenFile)
		}
		fmt.Fprintf(os.Stderr, "  Open %s/ and log in with it, or set CLOUDPAM_TOKEN.\n\n", a.URL())
	}
	return a.Run(ctx)
}
