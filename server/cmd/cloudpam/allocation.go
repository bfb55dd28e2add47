package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

type allocateCommand struct {
	asks
	Pool        string            `arg:"" predictor:"pool" help:"Id of the pool."`
	Name        string            `arg:"" help:"Its name, which no other allocation of the pool has."`
	Size        string            `arg:"" optional:"" help:"How long its prefix is, like /24, or the CIDR itself."`
	Hosts       int64             `help:"In place of a size: how many hosts need an address."`
	Target      string            `enum:",aws_subnet,gcp_subnetwork,azure_subnet" default:"" help:"What it becomes: aws_subnet, gcp_subnetwork or azure_subnet, which take addresses for themselves."`
	Owner       string            `help:"Whose it is."`
	Purpose     string            `help:"What it is for, in a word."`
	Description string            `help:"What it is for."`
	Account     string            `predictor:"account" help:"The cloud account that it is for."`
	Region      string            `help:"The region that it is for."`
	Environment string            `help:"The environment that it is for."`
	Label       map[string]string `placeholder:"KEY=VALUE" help:"Labels; repeat it for several."`
	For         time.Duration     `help:"How long it stands before it is released by itself, like 72h; for good where absent."`
	Reason      string            `help:"Why; it stays with the event."`
	DryRun      bool              `help:"Say what it would get, and change nothing."`
}

// Run allocates a block and writes its CIDR. It ends with 3 where somebody has to approve that first.
func (c *allocateCommand) Run(ctx context.Context) error {
	cidr, length, err := parseSize(c.Size)
	if err != nil {
		return usage(err)
	}
	ask := cloudpam.NewAllocation{
		Pool: c.Pool, Name: c.Name, CIDR: cidr, PrefixLength: length, Target: given(cloudpam.Target(c.Target)), Owner: given(c.Owner),
		Purpose: given(c.Purpose), Description: given(c.Description), Account: given(c.Account), Region: given(c.Region),
		Environment: given(c.Environment), Labels: labels(c.Label),
	}
	if c.Hosts != 0 {
		ask.Hosts = &c.Hosts
	}
	if c.For != 0 {
		ask.ExpiresAt = new(time.Now().Add(c.For).UTC())
	}
	s, err := c.open()
	if err != nil {
		return err
	}
	a, err := s.CreateAllocation(ctx, ask, withChange(c.Reason, c.DryRun)...)
	if err != nil {
		return err
	}
	return c.handed(a, a.CIDR, c.DryRun, fmt.Sprintf("%s; to give it back: cloudpam release %s/%s", a.ID, a.Pool, a.Name))
}

// handed writes a block for a script to take, and beside it what people want to know.
func (a *asks) handed(answer any, cidr string, dry bool, what string) error {
	if dry {
		what = "a dry run: nothing was changed"
	}
	if a.JSON {
		return printJSON(os.Stdout, answer)
	}
	fmt.Println(cidr)
	fmt.Fprintln(os.Stderr, plain(what))
	return nil
}

// withChange is what goes with a change beside its body.
func withChange(reason string, dry bool) (with []cloudpam.CallOption) {
	if reason != "" {
		with = append(with, cloudpam.WithReason(reason))
	}
	if dry {
		with = append(with, cloudpam.WithDryRun())
	}
	return with
}

// parseSize reads 10.0.0.0/24, /24 and 24; neither where it is empty.
func parseSize(text string) (cidr *string, length *int, err error) {
	if text == "" {
		return nil, nil, nil
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(text, "/")); err == nil && n >= 0 && n <= 128 {
		return nil, &n, nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("the size is %q; write how long its prefix is, like /24, or a CIDR, like 10.0.0.0/24", text)
	case p != p.Masked():
		return nil, nil, fmt.Errorf("%s has bits behind its prefix; the block that it is in is %s", text, p.Masked())
	}
	return &text, nil, nil
}

type releaseCommand struct {
	asks
	What   string `arg:"" predictor:"allocation" help:"An allocation: POOL/NAME, or its id."`
	Reason string `help:"Why; it stays with the event."`
	Yes    bool   `help:"Do not ask."`
	DryRun bool   `help:"Say what would be released, and change nothing."`
}

// Run gives a block back: the one that it has shown, and not what somebody has made of it since. It ends with 3 where it was not done.
func (c *releaseCommand) Run(ctx context.Context) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	a, etag, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	said := fmt.Sprintf("%s, allocation %s of pool %s", a.CIDR, a.Name, a.Pool)
	if a.Owner != "" {
		said += ", owner " + a.Owner
	}
	if !c.DryRun {
		if err := agree(c.Yes, "Release "+said+"?"); err != nil {
			return err
		}
	}
	if err := s.ReleaseAllocation(ctx, a.ID, append(withChange(c.Reason, c.DryRun), cloudpam.WithIfMatch(etag))...); err != nil {
		return err
	}
	verb := "released "
	if c.DryRun {
		verb = "a dry run, nothing was changed: would release "
	}
	return c.show(a, nil, nil, plain(verb+said))
}

func (c *releaseCommand) find(ctx context.Context, s *cloudpam.Client) (a cloudpam.Allocation, etag string, err error) {
	id := c.What
	if pool, name, named := strings.Cut(c.What, "/"); named {
		found, err := cloudpam.Collect(s.Allocations(ctx, cloudpam.ListAllocationsParams{Pool: &pool, Name: &name}))
		switch {
		case err != nil:
			return a, "", err
		case len(found) == 0:
			return a, "", fmt.Errorf("pool %s has no allocation %q", pool, name)
		case len(found) > 1:
			return a, "", fmt.Errorf("pool %s has %d allocations %q, one of which follows the other; name it by its id: %s, %s", pool, len(found), name, found[0].ID, found[1].ID)
		}
		id = found[0].ID
	}
	a, err = s.GetAllocation(ctx, id, cloudpam.ReadETag(&etag))
	return a, etag, err
}

// agree asks who is there whether to do it, unless that was said already. It is errPending where the answer is no.
func agree(yes bool, question string) error {
	switch {
	case yes:
		return nil
	case !term.IsTerminal(int(os.Stdin.Fd())):
		return usage(errors.New("nobody can be asked here; look with --dry-run, or do it with --yes"))
	}
	fmt.Fprintln(os.Stderr, plain(question))
	if !agreed() {
		return errPending
	}
	return nil
}
