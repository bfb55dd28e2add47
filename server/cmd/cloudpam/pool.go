package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

type poolCommand struct {
	List   poolList   `cmd:"" help:"List pools."`
	Tree   poolTree   `cmd:"" help:"Show pools below each other, and how full they are."`
	Show   poolShow   `cmd:"" help:"Show a pool: what it is, how full it is, and with --space every block of it."`
	Create poolCreate `cmd:"" help:"Create a pool."`
}

type poolList struct {
	asks
	Scope  string   `predictor:"scope" help:"Only this scope."`
	Parent string   `predictor:"pool" help:"Only the pools right below this one."`
	Owner  string   `help:"Only those of this owner."`
	Label  []string `placeholder:"KEY=VALUE" help:"Only those with this label; repeat it for several."`
	Words  []string `arg:"" optional:"" help:"Words that names, owners, accounts, descriptions or labels have."`
}

// Run lists pools by id.
func (c *poolList) Run(ctx context.Context) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	all, err := listed(cloudpam.Collect(s.Pools(ctx, cloudpam.ListPoolsParams{
		Scope: given(c.Scope), Parent: given(c.Parent), Owner: given(c.Owner), Label: c.Label, Q: given(strings.Join(c.Words, " ")), Limit: new(1000),
	})))
	if err != nil {
		return err
	}
	var rows [][]string
	for _, p := range all {
		rows = append(rows, []string{p.ID, p.CIDR, value(p.Parent), p.Owner, p.Account, p.Region, p.Environment})
	}
	return c.show(all, []string{"ID", "CIDR", "PARENT", "OWNER", "ACCOUNT", "REGION", "ENVIRONMENT"}, rows, count(len(all), "pool", "pools"))
}

type poolTree struct {
	asks
	Pool  string `arg:"" optional:"" predictor:"pool" help:"Only this pool and what is below it."`
	Scope string `predictor:"scope" help:"Only this scope."`
}

// Run shows pools as a tree.
func (c *poolTree) Run(ctx context.Context) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	tree, err := s.GetPoolTree(ctx, cloudpam.GetPoolTreeParams{Scope: given(c.Scope)})
	if err != nil {
		return err
	}
	if c.Pool != "" {
		if tree.Items = below(tree.Items, c.Pool); len(tree.Items) == 0 {
			_, err := s.GetPool(ctx, c.Pool) // says that there is none
			return cmp.Or(err, fmt.Errorf("pool %q is not among the pools of the tree", c.Pool))
		}
	}
	rows := [][]string{}
	for _, n := range tree.Items {
		indent := strings.Repeat("  ", n.Depth-tree.Items[0].Depth)
		rows = append(rows, []string{indent + n.Pool.ID, n.Pool.CIDR, percent(n.Utilization), largest(n.Utilization), n.Pool.Owner})
	}
	said := count(len(rows), "pool", "pools")
	if tree.Truncated {
		said += "; there are more than are shown: ask for one scope"
	}
	return c.show(tree, []string{"POOL", "CIDR", "USED", "LARGEST FREE", "OWNER"}, rows, said)
}

// below are a pool of a tree and all that follow it further in.
func below(tree []cloudpam.PoolTreeNode, id string) []cloudpam.PoolTreeNode {
	from := slices.IndexFunc(tree, func(n cloudpam.PoolTreeNode) bool { return n.Pool.ID == id || n.Pool.UID == id })
	if from < 0 {
		return nil
	}
	to := from + 1
	for to < len(tree) && tree[to].Depth > tree[from].Depth {
		to++
	}
	return tree[from:to]
}

type poolShow struct {
	asks
	Pool  string `arg:"" predictor:"pool" help:"Id of the pool."`
	Space bool   `help:"Show every block of it, the free ones too."`
}

// Run shows one pool.
func (c *poolShow) Run(ctx context.Context) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	if c.Space {
		blocks, err := listed(cloudpam.Collect(s.PoolSpace(ctx, c.Pool, cloudpam.ListPoolSpaceParams{Limit: new(1000)})))
		if err != nil {
			return err
		}
		var rows [][]string
		for _, b := range blocks {
			rows = append(rows, []string{b.CIDR, string(b.Status), value(b.Kind), value(b.Name), value(b.OwnerID)})
		}
		return c.show(blocks, []string{"CIDR", "STATUS", "KIND", "NAME", "ID"}, rows, "")
	}
	p, err := s.GetPool(ctx, c.Pool)
	if err != nil {
		return err
	}
	u, err := s.GetPoolUtilization(ctx, c.Pool)
	if err != nil {
		return err
	}
	rows := [][]string{
		{"id", p.ID},
		{"cidr", p.CIDR},
		{"parent", value(p.Parent)},
		{"scope", p.Scope},
		{"owner", p.Owner},
		{"account", p.Account},
		{"region", p.Region},
		{"environment", p.Environment},
		{"description", p.Description},
		{"labels", labelText(p.Labels)},
		{"sizes", sizes(p)},
		{"strategy", string(p.Strategy)},
		{"used", fmt.Sprintf("%s, %s of %s addresses", percent(u), u.Used, u.Total)},
		{"in it", count(int(u.Children), "pool", "pools") + ", " + count(int(u.Allocations), "allocation", "allocations")},
		{"largest free", largest(u)},
		{"created", at(p.CreatedAt)},
	}
	rows = slices.DeleteFunc(rows, func(row []string) bool { return row[1] == "" })
	return c.show(p, nil, rows, "")
}

type poolCreate struct {
	asks
	Name        string            `arg:"" help:"Its name: lower-case letters, digits, - and _."`
	Size        string            `arg:"" help:"Its CIDR, or below a parent a size, like /16, for which the server chooses."`
	Parent      string            `predictor:"pool" help:"The pool around it."`
	Scope       string            `predictor:"scope" help:"Its scope, where it has no parent; the scope default where absent."`
	Owner       string            `help:"Whose it is."`
	Description string            `help:"What it is for."`
	Label       map[string]string `placeholder:"KEY=VALUE" help:"Labels; repeat it for several."`
	Reason      string            `help:"Why; it stays with the event."`
	DryRun      bool              `help:"Say what it would be, and change nothing."`
}

// Run creates a pool and writes its CIDR.
func (c *poolCreate) Run(ctx context.Context) error {
	cidr, length, err := parseSize(c.Size)
	if err != nil {
		return usage(err)
	}
	s, err := c.open()
	if err != nil {
		return err
	}
	p, err := s.CreatePool(ctx, cloudpam.NewPool{
		Name: c.Name, CIDR: cidr, PrefixLength: length, Parent: given(c.Parent), Scope: given(c.Scope), Owner: given(c.Owner),
		Description: given(c.Description), Labels: labels(c.Label),
	}, withChange(c.Reason, c.DryRun)...)
	if err != nil {
		return err
	}
	return c.handed(p, p.CIDR, c.DryRun, "pool "+p.ID)
}

func percent(u cloudpam.Utilization) string { return fmt.Sprintf("%.1f%%", 100*u.UsedRatio) }

func largest(u cloudpam.Utilization) string {
	if u.LargestFreePrefixLength == nil {
		return "none"
	}
	return fmt.Sprintf("/%d", *u.LargestFreePrefixLength)
}

// sizes says what lengths a pool hands out.
func sizes(p cloudpam.Pool) string {
	said := ""
	if p.MinPrefixLength != nil {
		said = fmt.Sprintf("from /%d ", *p.MinPrefixLength)
	}
	if p.MaxPrefixLength != nil {
		said += fmt.Sprintf("to /%d ", *p.MaxPrefixLength)
	}
	if p.DefaultPrefixLength != nil {
		said += fmt.Sprintf("by default /%d", *p.DefaultPrefixLength)
	}
	return strings.TrimSpace(said)
}

func labelText(of cloudpam.Labels) string {
	var all []string
	for key, v := range of {
		all = append(all, key+"="+v)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
