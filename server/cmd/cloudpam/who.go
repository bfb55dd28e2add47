package main

import (
	"context"
	"fmt"
	"strings"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

type whoCommand struct {
	asks
	Words []string `arg:"" help:"An address, a CIDR, or words of names, owners, accounts and labels."`
	Scope string   `predictor:"scope" help:"Only this scope."`
}

// Run says who has an address or a block, in each scope, or finds what has the words. It ends with 3 where nobody has it and where nothing
// is found.
func (c *whoCommand) Run(ctx context.Context) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	q := strings.Join(c.Words, " ")
	found, err := s.Search(ctx, cloudpam.SearchParams{Q: q, Scope: given(c.Scope)})
	if err != nil {
		return err
	}
	heads, rows, held := []string{"SCOPE", "STATUS", "CIDR", "NAME", "POOL", "OWNER", "SINCE"}, [][]string{}, false
	below := ""
	if found.CIDR == nil {
		held = len(found.Hits) > 0
		heads, rows = []string{"KIND", "CIDR", "ID", "NAME", "OWNER", "POOL"}, hits(found.Hits)
	} else {
		for _, p := range found.Places {
			some := placed(p)
			held = held || len(some) > 0 && some[0][1] != "free" && some[0][1] != "outside"
			rows = append(rows, some...)
		}
		if !held {
			below = "Nobody has " + q + "."
		}
	}
	switch {
	case len(rows) == 0:
		below = "Nothing has " + q + "."
	case found.More:
		below = strings.TrimSpace(below + " There is more than is shown: ask for less.")
	}
	if err := c.show(found, heads, rows, below); err != nil {
		return err
	}
	if !held {
		return errPending
	}
	return nil
}

// placed is what is known of a block in a scope: who has it, what is in it, and what clouds show there.
func placed(p cloudpam.Place) (rows [][]string) {
	pool := ""
	if n := len(p.Pools); n > 0 {
		pool = p.Pools[n-1].ID
	}
	switch {
	case p.Holder != nil:
		h := p.Holder
		rows = append(rows, []string{p.Scope, string(p.Status), h.CIDR, named(h.Kind, h.Name, h.ID), value(h.Pool), h.Owner, at(h.CreatedAt)})
	case p.Free != nil:
		rows = append(rows, []string{p.Scope, string(p.Status), *p.Free, "", pool, "", ""})
	case len(p.Pools) > 0:
		last := p.Pools[len(p.Pools)-1]
		rows = append(rows, []string{p.Scope, string(p.Status), last.CIDR, "", last.ID, last.Owner, at(last.CreatedAt)})
	case p.Status == cloudpam.PlaceStatusOutside && len(p.Observations) == 0:
		rows = append(rows, []string{p.Scope, string(p.Status), "", "", "", "", ""})
	}
	for _, in := range p.Inside {
		rows = append(rows, []string{p.Scope, string(in.Status), in.CIDR, named(in.Kind, in.Name, in.OwnerID), value(in.Pool), "", at(in.CreatedAt)})
	}
	for _, o := range p.Observations {
		rows = append(rows, []string{p.Scope, "observed", o.CIDR, o.ID, "", o.Account, at(o.FirstSeenAt)})
	}
	return rows
}

// named is the name of what has a block, with its kind where it is not the usual one, and its id where it has no name.
func named(kind cloudpam.PrefixKind, name, id string) string {
	if name == "" {
		name = id
	}
	if kind == cloudpam.PrefixKindAllocation {
		return name
	}
	return fmt.Sprintf("%s (%s)", name, kind)
}

func hits(found []cloudpam.Hit) (rows [][]string) {
	for _, h := range found {
		rows = append(rows, []string{string(h.Kind), value(h.CIDR), h.ID, h.Name, h.Owner, value(h.Pool)})
	}
	return rows
}
