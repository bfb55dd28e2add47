package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/remote"
)

// The commands in this file ask a server over its API, as whoever the token is of.

type syncCommand struct {
	remote.Config  `embed:""`
	Account        string `arg:"" help:"Account to look at: aws:123456789012, gcp:my-project."`
	AcceptVanished bool   `help:"What is gone is gone, however much it is: you have looked."`
	JSON           bool   `help:"Write the server's answer."`
}

// Run has the server look at an account. It ends with 3 where something was not seen, or not believed.
func (c *syncCommand) Run(ctx context.Context) error {
	s, err := c.Open()
	if err != nil {
		return usage(err)
	}
	out, err := remote.Post[api.SyncOutcome](ctx, s, "/accounts/"+url.PathEscape(c.Account)+"/sync", api.SyncRequest{AcceptVanished: &c.AcceptVanished})
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

type driftCommand struct {
	remote.Config `embed:""`
	Scope         string `default:"default" help:"Scope to compare."`
	Kind          string `help:"Only this kind: unmanaged, missing, mismatched, conflicting, misplaced."`
	Account       string `help:"Only this account."`
	JSON          bool   `help:"Write the server's answer."`
}

// Run says how clouds differ from what is desired. It ends with 3 where they do.
func (c *driftCommand) Run(ctx context.Context) error {
	s, err := c.Open()
	if err != nil {
		return usage(err)
	}
	query := url.Values{"scope": {c.Scope}}
	if c.Kind != "" {
		query.Set("kind", c.Kind)
	}
	if c.Account != "" {
		query.Set("account", c.Account)
	}
	all, err := remote.Pages(ctx, s, "/drifts", query, func(p api.DriftPage) ([]api.Drift, *string) { return p.Items, p.NextPageToken })
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b api.Drift) int { // for people by address, where the list is by id
		x, _ := netip.ParsePrefix(a.CIDR)
		y, _ := netip.ParsePrefix(b.CIDR)
		return cmp.Or(x.Compare(y), strings.Compare(a.ID, b.ID))
	})
	if c.JSON {
		if all == nil {
			all = []api.Drift{}
		}
		err = printJSON(os.Stdout, all)
	} else {
		var rows [][]string
		for _, d := range all {
			rows = append(rows, []string{string(d.Kind), d.CIDR, d.Account, d.Pool, d.Task, d.Detail})
		}
		if len(rows) > 0 {
			table(os.Stdout, width(os.Stdout), []string{"KIND", "CIDR", "ACCOUNT", "POOL", "ANSWER", "WHAT"}, rows)
			fmt.Println()
		}
		fmt.Printf("%d differences in scope %s\n", len(all), c.Scope)
	}
	if err == nil && len(all) > 0 {
		return errPending
	}
	return err
}

type adoptCommand struct {
	remote.Config `embed:""`
	IDs           []string          `arg:"" name:"id" optional:"" help:"Things to adopt: aws:subnet-0123, with @CIDR for one of several blocks."`
	Account       string            `help:"Adopt what this account has."`
	Region        string            `help:"Only in this region of the account."`
	Network       string            `help:"Only in the network with this id of the cloud's."`
	Networks      string            `default:"pools" enum:"pools,allocations,none" help:"What networks become: pools, allocations or none."`
	Label         map[string]string `help:"Labels of what is adopted: team=net."`
	Tag           []string          `help:"Keys of the cloud's tags that become labels."`
	DryRun        bool              `help:"Say what would become of each, and change nothing."`
	Out           string            `placeholder:"DIR" help:"Write Terraform that imports all that was adopted of the account."`
	Per           string            `default:"account" enum:"account,network" help:"With --out: a root module for the account, or for each network."`
	Half          string            `default:"both" enum:"both,cloudpam" help:"With --out: both, or without the cloud's own resources."`
	JSON          bool              `help:"Write the server's answer."`
}

// Run adopts. It ends with 3 where something was refused.
func (c *adoptCommand) Run(ctx context.Context) error {
	s, err := c.Open()
	switch {
	case err != nil:
		return usage(err)
	case len(c.IDs) == 0 && c.Account == "":
		return usage(errors.New("say what to adopt: ids, or --account"))
	case c.Out != "" && c.Account == "":
		return usage(errors.New("--out writes what was adopted of an account; name it with --account"))
	case c.Out != "" && c.DryRun:
		return usage(errors.New("--out writes what was adopted, and with --dry-run nothing is"))
	}
	networks := api.NewAdoptionNetworks(c.Networks)
	ask := api.NewAdoption{Ids: c.IDs, Networks: &networks, Tags: c.Tag, DryRun: &c.DryRun, Account: given(c.Account), Region: given(c.Region), Network: given(c.Network)}
	if len(c.Label) > 0 {
		labels := api.Labels(c.Label)
		ask.Labels = &labels
	}
	out, err := remote.Post[api.Adoption](ctx, s, "/adoptions", ask)
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(os.Stdout, out)
	} else {
		showAdoption(out)
	}
	if err == nil && c.Out != "" {
		err = c.write(ctx, s)
	}
	if err == nil && out.Refused > 0 {
		return errPending
	}
	return err
}

func showAdoption(out api.Adoption) {
	var rows [][]string
	for _, i := range out.Items {
		row := []string{string(i.Verdict), i.CIDR, i.ID, "", ""}
		if i.Kind != nil {
			row[3] = string(*i.Kind)
		}
		switch {
		case i.Problem != nil:
			row[4] = i.Problem.Detail
		case i.Name != nil && i.Pool != nil:
			row[4] = *i.Pool + "/" + *i.Name
		case i.Name != nil:
			row[4] = *i.Name
		}
		rows = append(rows, row)
	}
	table(os.Stdout, width(os.Stdout), []string{"VERDICT", "CIDR", "ID", "KIND", "WHAT"}, rows)
	verb := "adopted"
	if out.DryRun {
		verb = "would be adopted"
	}
	fmt.Printf("\n%d %s, %d already were, %d inside of others, %d refused\n", out.Adopted, verb, out.Already, out.Inside, out.Refused)
}

func (c *adoptCommand) write(ctx context.Context, s *remote.Server) error {
	query := url.Values{"account": {c.Account}, "per": {c.Per}, "half": {c.Half}}
	if c.Network != "" {
		query.Set("network", c.Network)
	}
	modules, err := remote.Get[api.TerraformModules](ctx, s, "/terraform-modules", query)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o750); err != nil {
		return err
	}
	root, err := os.OpenRoot(c.Out) // whatever a cloud calls a network, nothing is written elsewhere
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	dirs := map[string]bool{}
	for _, f := range modules.Files {
		dir := filepath.Dir(f.Path)
		if err := root.MkdirAll(dir, 0o750); err != nil {
			return err
		}
		if err := root.WriteFile(f.Path, []byte(f.Content), 0o600); err != nil {
			return err
		}
		dirs[dir] = true
	}
	fmt.Fprintf(os.Stderr, "\nWrote %d files in %d root modules to %s; %d blocks are in none of them. Next, in each: terraform init && terraform plan\n", len(modules.Files), len(dirs), c.Out, len(modules.LeftOut))
	return nil
}

func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
