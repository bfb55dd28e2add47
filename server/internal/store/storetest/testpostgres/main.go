// Command testpostgres runs a PostgreSQL cluster for tests: it prints the URL, and removes the cluster at the end of its
// standard input. So the cluster ends with whoever started it, however that ended.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	ctx, done := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer done()
	url, stop, err := storetest.StartPostgres()
	if err != nil {
		return err
	}
	defer stop()
	if _, err := fmt.Println(url); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		done()
	}()
	<-ctx.Done()
	return nil
}
