// Command cloudpam is the CloudPAM server, its tools, and a client of it. This package knows signals, exit codes and how answers look at a
// terminal, and nothing else.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 it was asked and the answer is no: something is pending, differs, or is not there.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// version is set by the release build.
var version = "dev"

// errPending ends a command with code 3.
var errPending = errors.New("")

type commands struct {
	Who      whoCommand      `cmd:"" group:"space" help:"Say who has an address or a block, or find what has some words."`
	Pool     poolCommand     `cmd:"" group:"space" help:"List, show and create pools."`
	Free     freeCommand     `cmd:"" group:"space" help:"Say which sizes are free in a pool."`
	Allocate allocateCommand `cmd:"" group:"space" help:"Allocate a block of a pool."`
	Release  releaseCommand  `cmd:"" group:"space" help:"Give a block back."`
	Hold     holdCommand     `cmd:"" group:"space" help:"List, place and give up what is held for plans."`
	History  historyCommand  `cmd:"" group:"space" help:"Say who had the addresses of a block, from when to when."`
	Approve  approveCommand  `cmd:"" group:"space" help:"List what waits for approval, and decide it."`
	Import   importCommand   `cmd:"" group:"space" help:"Import CSV files, as they were shown, and undo that."`

	Sync  syncCommand  `cmd:"" group:"clouds" help:"Have a server look at an account now."`
	Drift driftCommand `cmd:"" group:"clouds" help:"Show how what clouds have differs from what is desired."`
	Adopt adoptCommand `cmd:"" group:"clouds" help:"Make what clouds have desired, and write the Terraform that imports it."`
	State stateCommand `cmd:"" group:"clouds" help:"Say which Terraform state manages what clouds have."`

	Login      loginCommand      `cmd:"" group:"here" help:"Keep a server and a token for the commands above."`
	Logout     logoutCommand     `cmd:"" group:"here" help:"Forget them."`
	Completion completionCommand `cmd:"" group:"here" help:"Write what completes commands and names in bash, zsh or fish."`
	Man        manCommand        `cmd:"" hidden:"" help:"Write the manual page."`
	Version    versionCommand    `cmd:"" group:"here" help:"Show the version."`

	Serve    serveCommand    `cmd:"" group:"server" help:"Run the server."`
	Health   healthCommand   `cmd:"" group:"server" name:"healthcheck" help:"Ask the server of this machine whether it is ready, as the health check of a container."`
	Migrate  migrateCommand  `cmd:"" group:"server" help:"Show or bring up the schema of the database."`
	Verify   verifyCommand   `cmd:"" group:"server" help:"Recompute what must always be true, and tell every difference."`
	Backup   backupCommand   `cmd:"" group:"server" help:"Write a copy of a SQLite database, next to a running server too."`
	Restore  restoreCommand  `cmd:"" group:"server" help:"Put a backup in the place of a SQLite database; the server must be stopped."`
	Dump     dumpCommand     `cmd:"" group:"server" help:"Write all that a database holds, for either engine; next to a running server too."`
	Load     loadCommand     `cmd:"" group:"server" help:"Put a dump into a database that \"cloudpam migrate up\" has just made."`
	Audit    auditCommand    `cmd:"" group:"server" help:"Check what was exported of the events."`
	Evidence evidenceCommand `cmd:"" group:"server" help:"Write what an auditor asks for of a period: who has access, seals, the result of verify."`
	Token    tokenCommand    `cmd:"" group:"server" help:"Create, list and revoke tokens."`
}

// groups are how the help puts commands next to each other.
var groups = []kong.Group{
	{Key: "space", Title: "Ask a server"},
	{Key: "clouds", Title: "Clouds, through a server"},
	{Key: "here", Title: "This machine"},
	{Key: "server", Title: "Run a server, and work on its database"},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() { <-ctx.Done(); stop() }() // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:]))
}

func newParser(ctx context.Context) *kong.Kong {
	return kong.Must(&commands{}, kong.Name("cloudpam"), kong.Description("CloudPAM plans, hands out and audits IP address space."), kong.ExplicitGroups(groups),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}), kong.BindTo(ctx, (*context.Context)(nil)))
}

func run(ctx context.Context, args []string) int {
	parser := newParser(ctx)
	if os.Getenv("COMP_LINE") != "" {
		completeLine(ctx, parser)
		return 0
	}
	if unfinished(parser.Model.Node, args) {
		args = append(args, "--help") // who says nothing more is shown what there is
	}
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
	case errors.Is(err, cloudpam.ErrApprovalRequired):
		fmt.Fprintln(os.Stderr, "cloudpam:", explain(err))
		return 3
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "cloudpam:", err)
		return 2
	default:
		fmt.Fprintln(os.Stderr, "cloudpam:", explain(err))
		return 1
	}
}

// unfinished reports whether the words lead to a command that has others below it.
func unfinished(at *kong.Node, words []string) bool {
	for _, word := range words {
		next := slices.IndexFunc(at.Children, func(n *kong.Node) bool { return n.Name == word })
		if next < 0 {
			return false
		}
		at = at.Children[next]
	}
	return !at.Leaf()
}

type versionCommand struct{}

func (versionCommand) Run() error {
	fmt.Println("cloudpam", version)
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Println("built with", info.GoVersion)
	}
	return nil
}
