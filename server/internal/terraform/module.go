// Package terraform writes root modules that import what was adopted: the cloud's own resources next to CloudPAM's, so that the first
// plan imports all and changes nothing. It reads only.
package terraform

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Writer writes modules. It is safe for concurrent use.
type Writer struct{ k *change.Kernel }

// New makes a Writer.
func New(k *change.Kernel) *Writer { return &Writer{k} }

// Ask says of what modules are written.
type Ask struct {
	Account   string // ipam.AccountID
	Network   string // only this one; "": all of the account
	ByNetwork bool   // a module for each network, not one for the account
	Half      bool   // CloudPAM's resources only
}

// File is a file of a module.
type File struct{ Path, Content string }

// Left is what is in no module, and why.
type Left struct{ ID, CIDR, Why string }

// Why something is left out.
const (
	NotAdopted  = "not_adopted" // nothing desired has its block
	OfTerraform = "terraform"   // Terraform made what has its block, so that it is in some state already
	OfASet      = "set"         // it is a member of an allocation set, which is one resource
)

// Modules writes the modules of an account that the caller sees; CodeNotFound where there is none.
func (w *Writer) Modules(ctx context.Context, see ipam.Visible, ask Ask) (files []File, left []Left, err error) {
	e, err := change.Read(ctx, w.k, func(tx *store.Tx) (estate, error) { return read(tx, see, ask) })
	if err != nil {
		return nil, nil, err
	}
	root := strings.ReplaceAll(e.account.ID, ":", "-")
	for _, m := range e.modules(ask) {
		dir := root
		if ask.ByNetwork {
			dir += "/" + dirName(m.network)
		}
		for _, f := range m.files(e.account, ask.Half) {
			files = append(files, File{dir + "/" + f.Path, f.Content})
		}
	}
	return files, e.left, nil
}

// estate is what an account has, with what has become of it.
type estate struct {
	account     ipam.Account
	things      []*thing
	pools       map[ipam.UID]ipam.Pool       // by observation
	allocations map[ipam.UID]ipam.Allocation // by observation
	left        []Left
}

// thing is a network or a subnet, with the observations of its blocks.
type thing struct {
	kind ipam.ObservationKind
	ipam.Thing
	blocks []ipam.Observation // also of its secondary ranges
}

func read(tx *store.Tx, see ipam.Visible, ask Ask) (e estate, err error) {
	if e.account, err = tx.Account(see, ask.Account); err != nil {
		return e, err
	}
	e.pools, e.allocations = map[ipam.UID]ipam.Pool{}, map[ipam.UID]ipam.Allocation{}
	byID := map[string]*thing{}
	var all []ipam.Observation
	err = change.EachPage(func(p ipam.Page) ([]ipam.Observation, error) {
		return tx.Observations(see, ipam.ObservationFilter{Account: ask.Account, Network: ask.Network}, p)
	}, func(o ipam.Observation) string { return string(o.UID) }, func(o ipam.Observation) error {
		if o.Misses == 0 && o.Owner == e.account.ExternalID { // what is shared is its owner's to write
			all = append(all, o)
		}
		return nil
	})
	if err != nil {
		return e, err
	}
	slices.SortFunc(all, func(a, b ipam.Observation) int {
		return cmp.Or(strings.Compare(a.Network, b.Network), a.CIDR.Compare(b.CIDR), strings.Compare(a.CloudID, b.CloudID), strings.Compare(a.Part, b.Part))
	})
	for _, o := range all {
		why, err := e.find(tx, see, o)
		if err != nil {
			return e, err
		}
		if why != "" {
			e.left = append(e.left, Left{o.ID(), o.CIDR.String(), why})
		}
		kind := o.Kind
		if kind == ipam.ObservedSecondary {
			kind = ipam.ObservedSubnet
		}
		t := byID[string(kind)+o.CloudID]
		if t == nil {
			t = &thing{kind: kind, Thing: ipam.Thing{ID: o.CloudID, Name: o.Name, Network: o.Network, Region: o.Region, Zone: o.Zone, Labels: o.Labels}}
			byID[string(kind)+o.CloudID] = t
			e.things = append(e.things, t)
		}
		t.blocks = append(t.blocks, o)
		if o.Kind == ipam.ObservedSecondary {
			t.Secondary = append(t.Secondary, ipam.NamedBlock{Name: o.Part, CIDR: o.CIDR})
		} else {
			t.Blocks = append(t.Blocks, o.CIDR)
		}
	}
	return e, nil
}

// find is what has the block of an observation, or why that is in no module.
func (e *estate) find(tx *store.Tx, see ipam.Visible, o ipam.Observation) (why string, err error) {
	if o.ScopeUID == "" {
		return NotAdopted, nil
	}
	exactly := ipam.Around{Within: o.CIDR, Contains: o.CIDR}
	allocations, err := tx.Allocations(see, ipam.AllocationFilter{Scope: string(o.ScopeUID), Around: exactly}, ipam.Page{Limit: 1})
	if err != nil {
		return "", err
	}
	if len(allocations) > 0 {
		a := allocations[0]
		switch made, err := byTerraform(tx, see, "allocation.created", a.ID); {
		case err != nil:
			return "", err
		case a.Set != "":
			return OfASet, nil
		case made:
			return OfTerraform, nil
		}
		e.allocations[o.UID] = a
		return "", nil
	}
	if o.Kind != ipam.ObservedNetwork {
		return NotAdopted, nil
	}
	pools, err := tx.Pools(see, ipam.PoolFilter{Scope: string(o.ScopeUID), Around: exactly}, ipam.Page{Limit: 100})
	if err != nil || len(pools) == 0 {
		return NotAdopted, err
	}
	slices.SortFunc(pools, func(p, q ipam.Pool) int {
		if p.LockedBefore(q) {
			return -1
		}
		return 1
	})
	p := pools[len(pools)-1]
	made, err := byTerraform(tx, see, "pool.created", string(p.UID))
	if made || err != nil {
		return OfTerraform, err
	}
	e.pools[o.UID] = p
	return "", nil
}

func byTerraform(tx *store.Tx, see ipam.Visible, action, object string) (bool, error) {
	events, err := tx.Events(see, ipam.EventFilter{Action: action, Object: object}, ipam.Page{Limit: 1})
	return len(events) > 0 && events[0].Source == "terraform", err
}

// module is one root module.
type module struct {
	network string // "" of a whole account
	things  []*thing
	e       *estate
}

// modules parts an estate. What has nothing that was adopted is in none.
func (e *estate) modules(ask Ask) (all []module) {
	at := map[string]int{}
	for _, t := range e.things {
		if !slices.ContainsFunc(t.blocks, e.adopted) {
			continue
		}
		network := ""
		if ask.ByNetwork {
			network = t.Network
		}
		i, known := at[network]
		if !known {
			i = len(all)
			at[network] = i
			all = append(all, module{network: network, e: e})
		}
		all[i].things = append(all[i].things, t)
	}
	return all
}

func (e *estate) adopted(o ipam.Observation) bool {
	_, allocation := e.allocations[o.UID]
	_, pool := e.pools[o.UID]
	return allocation || pool
}

func dirName(network string) string { return strings.ReplaceAll(network, "/", "-") }
