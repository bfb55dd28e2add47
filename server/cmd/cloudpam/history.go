package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

type historyCommand struct {
	asks
	Within string    `arg:"" name:"block" help:"A CIDR or an address."`
	AsOf   time.Time `format:"2006-01-02" placeholder:"DATE" help:"Only who had it when this day began, in UTC: 2026-03-03."`
	Scope  string    `predictor:"scope" help:"Only this scope."`
}

// Run says who had the addresses of a block, from when to when. It ends with 3 where nobody ever had.
func (c *historyCommand) Run(ctx context.Context) error {
	if ip, err := netip.ParseAddr(c.Within); err == nil {
		c.Within = netip.PrefixFrom(ip, ip.BitLen()).String()
	}
	ask := cloudpam.GetHistoryParams{Within: c.Within, Scope: given(c.Scope), Limit: new(1000)}
	if !c.AsOf.IsZero() {
		ask.AsOf = &c.AsOf
	}
	s, err := c.open()
	if err != nil {
		return err
	}
	all, err := listed(cloudpam.Collect(s.History(ctx, ask)))
	if err != nil {
		return err
	}
	var rows [][]string
	for _, h := range all {
		row := []string{h.CIDR, string(h.Kind), h.Name, value(h.Pool), at(h.From.At), h.From.Actor, "", ""}
		if h.Until != nil {
			row[6], row[7] = at(h.Until.At), h.Until.Actor
		}
		rows = append(rows, row)
	}
	said := ""
	if len(rows) == 0 {
		said = fmt.Sprintf("Nobody had %s.", c.Within)
	}
	if err := c.show(all, []string{"CIDR", "KIND", "NAME", "POOL", "FROM", "BY", "UNTIL", "BY"}, rows, said); err != nil {
		return err
	}
	if len(rows) == 0 {
		return errPending
	}
	return nil
}
