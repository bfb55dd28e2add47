package main

import (
	"context"
	"fmt"
	"time"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

type holdCommand struct {
	List    holdList    `cmd:"" help:"List holds: what plans were promised."`
	Place   holdPlace   `cmd:"" help:"Have a block kept for an allocation that is made later, by the same name."`
	Release holdRelease `cmd:"" help:"Give up a hold before its time; a plan that shows it has to be made again."`
}

type holdList struct {
	asks
	Pool   string `predictor:"pool" help:"Only those in this pool."`
	Scope  string `predictor:"scope" help:"Only this scope."`
	Holder string `help:"Only those of this holder."`
	Lost   bool   `help:"Those that have lost their space, instead."`
}

// Run lists holds, the oldest first.
func (c *holdList) Run(ctx context.Context) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	all, err := listed(cloudpam.Collect(s.Holds(ctx, cloudpam.ListHoldsParams{
		Pool: given(c.Pool), Scope: given(c.Scope), Holder: given(c.Holder), Kept: new(!c.Lost), Limit: new(1000),
	})))
	if err != nil {
		return err
	}
	var rows [][]string
	for _, h := range all {
		rows = append(rows, []string{h.ID, h.CIDR, h.Pool, h.Name, h.Holder, h.Actor, at(h.ExpiresAt)})
	}
	return c.show(all, []string{"ID", "CIDR", "POOL", "NAME", "HOLDER", "BY", "UNTIL"}, rows, count(len(all), "hold", "holds"))
}

type holdPlace struct {
	asks
	Pool   string        `arg:"" predictor:"pool" help:"Id of the pool."`
	Name   string        `arg:"" help:"Name of the allocation that follows."`
	Size   string        `arg:"" help:"How long its prefix is, like /24, or the CIDR itself."`
	Holder string        `help:"Who holds it, besides the token: a pipeline, a ticket."`
	For    time.Duration `default:"24h" help:"How long; past that its space is used last."`
	DryRun bool          `help:"Say what it would be, and change nothing."`
}

// Run holds a block and writes its CIDR.
func (c *holdPlace) Run(ctx context.Context) error {
	cidr, length, err := parseSize(c.Size)
	if err != nil {
		return usage(err)
	}
	s, err := c.open()
	if err != nil {
		return err
	}
	h, err := s.PlaceHold(ctx, cloudpam.NewHold{
		Pool: c.Pool, Name: c.Name, CIDR: cidr, PrefixLength: length, Holder: given(c.Holder), TTLSeconds: new(int(c.For.Seconds())),
	}, withChange("", c.DryRun)...)
	if err != nil {
		return err
	}
	return c.handed(h, h.CIDR, c.DryRun, fmt.Sprintf("%s, until %s; to give it up: cloudpam hold release %s", h.ID, at(h.ExpiresAt), h.ID))
}

type holdRelease struct {
	asks
	ID     string `arg:"" predictor:"hold" help:"Id of the hold."`
	Yes    bool   `help:"Do not ask."`
	DryRun bool   `help:"Say what would be given up, and change nothing."`
}

// Run gives up a hold. It ends with 3 where it was not done.
func (c *holdRelease) Run(ctx context.Context) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	h, err := s.GetHold(ctx, c.ID)
	if err != nil {
		return err
	}
	said := fmt.Sprintf("%s, held for %s of pool %s by %s", h.CIDR, h.Name, h.Pool, h.Actor)
	if !c.DryRun {
		if err := agree(c.Yes, "Release "+said+"?"); err != nil {
			return err
		}
	}
	if err := s.ReleaseHold(ctx, h.ID, withChange("", c.DryRun)...); err != nil {
		return err
	}
	verb := "released "
	if c.DryRun {
		verb = "a dry run, nothing was changed: would release "
	}
	return c.show(h, nil, nil, plain(verb+said))
}
