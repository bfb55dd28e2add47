package main

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

type driftCommand struct {
	asks
	Scope   string `default:"default" predictor:"scope" help:"Scope to compare."`
	Kind    string `help:"Only this kind: unmanaged, missing, mismatched, conflicting, misplaced."`
	Account string `predictor:"account" help:"Only this account."`
}

// Run says how clouds differ from what is desired. It ends with 3 where they do.
func (c *driftCommand) Run(ctx context.Context) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	all, err := listed(cloudpam.Collect(s.Drifts(ctx, cloudpam.ListDriftsParams{
		Scope: &c.Scope, Kind: given(cloudpam.DriftKind(c.Kind)), Account: given(c.Account), Limit: new(1000),
	})))
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b cloudpam.Drift) int { // for people by address, where the list is by id
		x, _ := netip.ParsePrefix(a.CIDR)
		y, _ := netip.ParsePrefix(b.CIDR)
		return cmp.Or(x.Compare(y), strings.Compare(a.ID, b.ID))
	})
	var rows [][]string
	for _, d := range all {
		rows = append(rows, []string{string(d.Kind), d.CIDR, d.Account, d.Pool, d.Task, d.Detail})
	}
	err = c.show(all, []string{"KIND", "CIDR", "ACCOUNT", "POOL", "ANSWER", "WHAT"}, rows,
		count(len(all), "difference", "differences")+" in scope "+c.Scope)
	if err == nil && len(all) > 0 {
		return errPending
	}
	return err
}
