// Command findterraform prints the path of the Terraform command line that tests should run, fetching it if need be.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/tools/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: findterraform DIR    (DIR keeps a fetched Terraform)")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	path, err := cli.Find(ctx, os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(path)
}
