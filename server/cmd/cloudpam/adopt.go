package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

type adoptCommand struct {
	asks
	IDs      []string          `arg:"" name:"id" optional:"" help:"Things to adopt: aws:subnet-0123, with @CIDR for one of several blocks."`
	Account  string            `predictor:"account" help:"Adopt what this account has."`
	Region   string            `help:"Only in this region of the account."`
	Network  string            `help:"Only in the network with this id of the cloud's."`
	Networks string            `default:"pools" enum:"pools,allocations,none" help:"What networks become: pools, allocations or none."`
	Label    map[string]string `help:"Labels of what is adopted: team=net."`
	Tag      []string          `help:"Keys of the cloud's tags that become labels."`
	DryRun   bool              `help:"Say what would become of each, and change nothing."`
	Out      string            `placeholder:"DIR" help:"Write Terraform that imports all that was adopted of the account."`
	Per      string            `default:"account" enum:"account,network" help:"With --out: a root module for the account, or for each network."`
	Half     string            `default:"both" enum:"both,cloudpam" help:"With --out: both, or without the cloud's own resources."`
}

// Run adopts. It ends with 3 where something was refused.
func (c *adoptCommand) Run(ctx context.Context) error {
	s, err := c.open()
	switch {
	case err != nil:
		return err
	case len(c.IDs) == 0 && c.Account == "":
		return usage(errors.New("say what to adopt: ids, or --account"))
	case c.Out != "" && c.Account == "":
		return usage(errors.New("--out writes what was adopted of an account; name it with --account"))
	case c.Out != "" && c.DryRun:
		return usage(errors.New("--out writes what was adopted, and with --dry-run nothing is"))
	}
	networks := cloudpam.NewAdoptionNetworks(c.Networks)
	ask := cloudpam.NewAdoption{Ids: c.IDs, Networks: &networks, Tags: c.Tag, DryRun: &c.DryRun, Account: given(c.Account), Region: given(c.Region), Network: given(c.Network), Labels: labels(c.Label)}
	out, err := s.AdoptObservations(ctx, ask)
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

func showAdoption(out cloudpam.Adoption) {
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

func (c *adoptCommand) write(ctx context.Context, s *cloudpam.Client) error {
	per, half := cloudpam.GetTerraformModulesParamsPer(c.Per), cloudpam.GetTerraformModulesParamsHalf(c.Half)
	modules, err := s.GetTerraformModules(ctx, cloudpam.GetTerraformModulesParams{Account: c.Account, Network: given(c.Network), Per: &per, Half: &half})
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
