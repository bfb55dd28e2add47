//go:build unix

// Command demo shows CloudPAM at work: it starts a server, lets the real Terraform apply examples/quickstart against it,
// proves that a second plan is empty, and stays up until Ctrl-C. `make demo` builds what it needs and runs it. "demo clouds", which is
// `make demo-clouds`, shows how an estate that is there already is seen, adopted and imported.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/tools/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	show := run
	if len(os.Args) > 1 && os.Args[1] == "clouds" {
		show = runClouds
	}
	if err := show(ctx, os.Stdout); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintf(os.Stderr, "\nThe demo failed: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	root, err := workspace()
	if err != nil {
		return err
	}
	dir, err := folder(root)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	step := steps(out)
	fmt.Fprintln(out, "\nCloudPAM demo")

	step("Start the server")
	server, err := startServer(ctx, filepath.Join(root, "bin", "cloudpam"), dir)
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop() }()
	fmt.Fprintf(out, "     ready on %s, SQLite in %s\n", server.URL, relative(root, server.Database()))

	step("terraform init")
	binary, err := cli.Find(ctx, filepath.Join(root, "bin"))
	if err != nil {
		return err
	}
	terraform, err := newTerraform(binary, root, dir, server)
	if err != nil {
		return err
	}
	if err := terraform.init(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "     %s, provider built from this tree\n", terraform.version(ctx))

	step("terraform plan")
	summary, err := terraform.plan(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "     %s\n", summary)
	planned, known, err := terraform.planned(ctx)
	if err != nil {
		return err
	}
	if known {
		fmt.Fprintln(out, "     Every CIDR is known before anything is created:")
		printBlocks(out, planned)
	}

	step("terraform apply")
	summary, err = terraform.apply(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "     %s\n", summary)
	applied, err := terraform.blocks(ctx)
	switch {
	case err != nil:
		return err
	case known && !slices.Equal(planned, applied):
		return errors.New("the CIDRs are not those that the plan showed")
	case known:
		fmt.Fprintln(out, "     Every CIDR is the one that the plan showed.")
	default:
		printBlocks(out, applied)
	}

	step("terraform plan, again")
	if err := terraform.planIsEmpty(ctx); err != nil {
		return err
	}
	fmt.Fprintln(out, "     The plan is empty: what was asked for is what there is.")

	return stay(ctx, out, server, "Terraform  cd "+relative(root, terraform.dir)+" && . ../env && terraform plan")
}

// folder makes a folder of its own for each run: two demos side by side share nothing.
func folder(root string) (string, error) {
	if err := os.MkdirAll(filepath.Join(root, ".demo"), 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(filepath.Join(root, ".demo"), "run-")
}

// stay says where everything is, and waits for the reader, unless DEMO_EXIT is 1.
func stay(ctx context.Context, out io.Writer, server *server, next string) error {
	fmt.Fprintf(out, "\n  Browser    %s/\n", server.URL)
	fmt.Fprintf(out, "  API        %s/api/v1    reference: %s/docs\n", server.URL, server.URL)
	fmt.Fprintf(out, "  Token      %s\n", server.token)
	if os.Getenv("DEMO_EXIT") == "1" {
		return server.Stop()
	}
	fmt.Fprintf(out, "  %s\n", next)
	fmt.Fprintln(out, "\nCtrl-C stops the server and removes its data.")
	select {
	case <-ctx.Done():
		fmt.Fprintln(out, "\nStopping.")
		return server.Stop()
	case <-server.Exited():
		return server.Failure("the server stopped by itself")
	}
}

// workspace is the folder of go.work, at or above the working directory.
func workspace() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.work here or above: run the demo inside the repository")
		}
		dir = parent
	}
}

// steps numbers what the reader is about to see.
func steps(out io.Writer) func(title string) {
	n := 0
	return func(title string) {
		n++
		fmt.Fprintf(out, "\n  %d  %s\n", n, title)
	}
}

func relative(root, path string) string {
	if short, err := filepath.Rel(root, path); err == nil {
		return short
	}
	return path
}
