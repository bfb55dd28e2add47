package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

type syncCommand struct {
	asks
	Account        string `arg:"" predictor:"account" help:"Account to look at: aws:123456789012, gcp:my-project."`
	AcceptVanished bool   `help:"What is gone is gone, however much it is: you have looked."`
}

// Run has the server look at an account. It ends with 3 where something was not seen, or not believed.
func (c *syncCommand) Run(ctx context.Context) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	out, err := s.SyncAccount(ctx, c.Account, cloudpam.SyncRequest{AcceptVanished: &c.AcceptVanished})
	if err != nil {
		return err
	}
	partial := out.Vanished > 0
	var rows [][]string
	for _, v := range out.Views {
		state := "complete"
		if v.Code != "" {
			partial = true
			state = strings.TrimSpace(v.Code + ": " + v.Detail + " " + v.Fix)
		}
		rows = append(rows, []string{v.Region, string(v.Kind), state})
	}
	if c.JSON {
		err = printJSON(os.Stdout, out)
	} else {
		fmt.Printf("%s: %d new, %d changed, %d gone\n\n", out.Account, out.Added, out.Updated, out.Removed)
		table(os.Stdout, width(os.Stdout), []string{"REGION", "WHAT", "SEEN"}, rows)
		if out.Vanished > 0 {
			fmt.Printf("\n%d blocks are gone at once, which is not believed until somebody has looked: cloudpam sync %s --accept-vanished\n", out.Vanished, c.Account)
		}
	}
	if err == nil && partial {
		return errPending
	}
	return err
}
