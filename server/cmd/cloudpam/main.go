// Command cloudpam is the CloudPAM server and its tools. This package knows signals and exit codes, and nothing else.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something is pending or differs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the release build.
var version = "dev"

// errPending ends a command with code 3.
var errPending = errors.New("")

type commands struct {
	Serve    serveCommand    `cmd:"" help:"Run the server."`
	Health   healthCommand   `cmd:"" name:"healthcheck" help:"Ask the server of this machine whether it is ready, as the health check of a container."`
	Migrate  migrateCommand  `cmd:"" help:"Show or bring up the schema of the database."`
	Verify   verifyCommand   `cmd:"" help:"Recompute what must always be true, and tell every difference."`
	Backup   backupCommand   `cmd:"" help:"Write a copy of a SQLite database, next to a running server too."`
	Restore  restoreCommand  `cmd:"" help:"Put a backup in the place of a SQLite database; the server must be stopped."`
	Dump     dumpCommand     `cmd:"" help:"Write all that a database holds, for either engine; next to a running server too."`
	Load     loadCommand     `cmd:"" help:"Put a dump into a database that \"cloudpam migrate up\" has just made."`
	Audit    auditCommand    `cmd:"" help:"Check what was exported of the events."`
	Evidence evidenceCommand `cmd:"" help:"Write what an auditor asks for of a period: who has access, seals, the result of verify."`
	Sync     syncCommand     `cmd:"" help:"Have a server look at an account now."`
	Drift    driftCommand    `cmd:"" help:"Show how what clouds have differs from what is desired."`
	Import   importCommand   `cmd:"" help:"Import CSV files, as they were shown, and undo that."`
	Adopt    adoptCommand    `cmd:"" help:"Make what clouds have desired, and write the Terraform that imports it."`
	State    stateCommand    `cmd:"" help:"Say which Terraform state manages what clouds have."`
	Token    tokenCommand    `cmd:"" help:"Create, list and revoke tokens."`
	Version  versionCommand  `cmd:"" help:"Show the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() { <-ctx.Done(); stop() }() // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	var c commands
	parser := kong.Must(&c, kong.Name("cloudpam"), kong.Description("CloudPAM plans, hands out and audits IP address space."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.BindTo(ctx, (*context.Context)(nil)))
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cloudpam:", err)
		return 2
	}
	switch err := parsed.Run(); {
	case err == nil:
		return 0
	case errors.Is(err, errPending):
		return 3
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "cloudpam:", err)
		return 2
	default:
		fmt.Fprintln(os.Stderr, "cloudpam:", err)
		return 1
	}
}

type versionCommand struct{}

func (versionCommand) Run() error {
	fmt.Println("cloudpam", version)
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Println("built with", info.GoVersion)
	}
	return nil
}
