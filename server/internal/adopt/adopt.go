// Package adopt makes desired what clouds have already: a subnet becomes an allocation, a network a pool. It touches no cloud, and
// asks the registry for all space, so that what cannot be allocated cannot be adopted.
package adopt

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/registry"
)

// Adopter adopts. It is safe for concurrent use.
type Adopter struct {
	k *change.Kernel
	r *registry.Registry
}

// New makes an Adopter.
func New(k *change.Kernel, r *registry.Registry) *Adopter { return &Adopter{k, r} }

// Networks says what networks become.
type Networks string

// What they become.
const (
	AsPools       Networks = "pools"
	AsAllocations Networks = "allocations"
	AsNothing     Networks = "none"
)

// Ask says what to adopt: the things with the IDs, or those of an account, narrowed by what else is said.
type Ask struct {
	IDs                      []string // ipam.Observation.ID, or with "@" and one of its blocks; or a UID
	Account, Region, Network string
	Networks                 Networks // "" is AsPools
	Labels                   ipam.Labels
	Tags                     []string // keys of the cloud's tags that become labels
	DryRun                   bool
}

// Most is how many blocks one request adopts.
const Most = 5000

func (a Ask) check() error {
	switch {
	case len(a.IDs) == 0 && a.Account == "":
		return ipam.Invalid("/account", "say what to adopt: ids, or an account")
	case len(a.IDs) > 0 && a.Account+a.Region+a.Network != "":
		return ipam.Invalid("/ids", "ids say which things; leave account, region and network out")
	}
	return ipam.CheckLabels(a.Labels)
}

// Verdict is what becomes of one block.
type Verdict string

// The verdicts.
const (
	Adopted Verdict = "adopted" // it is desired now, or would be
	Already Verdict = "already" // it was
	Inside  Verdict = "inside"  // an allocation around it has its space
	Refused Verdict = "refused"
)

// Item is one block with its verdict.
type Item struct {
	ID          string           // as it was asked for
	Observation ipam.Observation // zero where nothing has the ID
	Verdict     Verdict
	Kind        ipam.Kind   // KindPool or KindAllocation
	Object      string      // the pool's id or the allocation's; "" where it would only be made
	Name        string      //
	Pool        string      // that it is in; "" for a root pool
	Problem     *ipam.Error // of what is refused
}

// errTryEach ends a write in which something was refused: it runs again and lets each part fail alone.
var errTryEach = errors.New("a part was refused")

// Adopt adopts, in one transaction with an event for each, or says what it would. What is refused is in the items. Errors: CodeInvalid,
// CodeNotFound (the account).
func (ad *Adopter) Adopt(ctx context.Context, by ipam.Caller, ask Ask) ([]Item, error) {
	ask.Networks = cmp.Or(ask.Networks, AsPools)
	if err := ask.check(); err != nil {
		return nil, err
	}
	run := func(each bool) ([]Item, error) {
		body := func(c change.Change) ([]Item, error) {
			return (&adoption{Change: c, r: ad.r, ask: ask, each: each, pools: map[ipam.UID][]ipam.Pool{}}).all()
		}
		if ask.DryRun {
			return change.Preview(ctx, ad.k, by, lane, body)
		}
		return change.Write(ctx, ad.k, by, lane, body)
	}
	items, err := run(false)
	if errors.Is(err, errTryEach) {
		items, err = run(true)
	}
	return items, err
}

// lane is one of its own: an adoption locks many pools, in the whole order.
const lane = "adopt"

type adoption struct {
	change.Change

	r    *registry.Registry
	ask  Ask
	each bool // a part that is refused is undone alone

	pools map[ipam.UID][]ipam.Pool // of scopes; those of a scope that is not there are to be read
}

func (a *adoption) all() ([]Item, error) {
	items, err := a.gather()
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(items, func(x, y Item) int {
		return cmp.Or(rank(x)-rank(y), x.Observation.CIDR.Bits()-y.Observation.CIDR.Bits(), x.Observation.CIDR.Compare(y.Observation.CIDR), strings.Compare(x.ID, y.ID))
	})
	if err := a.lock(items); err != nil {
		return nil, err
	}
	for i := range items {
		if items[i].Verdict != "" {
			continue
		}
		if err := a.judge(&items[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// rank puts networks before what is in them.
func rank(i Item) int {
	if i.Observation.Kind == ipam.ObservedNetwork {
		return 0
	}
	return 1
}

// gather reads what is asked for.
func (a *adoption) gather() (items []Item, err error) {
	if len(a.ask.IDs) == 0 {
		account, err := a.Tx.Account(a.By.Sees(), a.ask.Account)
		if err != nil {
			return nil, ipam.At("/account", err)
		}
		if err := a.May(account.In()); err != nil {
			return nil, err
		}
		f := ipam.ObservationFilter{Account: a.ask.Account, Region: a.ask.Region, Network: a.ask.Network}
		return items, a.visit(f, func(o ipam.Observation) {
			if o.Kind != ipam.ObservedNetwork || a.ask.Networks != AsNothing {
				items = append(items, Item{ID: o.ID(), Observation: o})
			}
		})
	}
	seen := map[ipam.UID]bool{}
	for _, id := range a.ask.IDs {
		thing, block, one := strings.Cut(id, "@")
		var cidr netip.Prefix
		if one {
			if cidr, err = ipam.ParseCIDR(block); err != nil {
				items = append(items, refused(Item{ID: id}, ipam.Invalid("/ids", "%q names no block after the @: %s", id, err)))
				continue
			}
		}
		found := false
		err := a.visit(ipam.ObservationFilter{ID: thing}, func(o ipam.Observation) {
			if one && o.CIDR != cidr {
				return
			}
			found = true
			if !seen[o.UID] {
				seen[o.UID] = true
				items = append(items, Item{ID: o.ID(), Observation: o})
			}
		})
		if err != nil {
			return nil, err
		}
		if !found {
			items = append(items, refused(Item{ID: id}, ipam.Errorf(ipam.CodeNotFound, "no cloud shows %q; look at its account, which takes: cloudpam sync ACCOUNT", id)))
		}
	}
	return items, nil
}

// visit visits what is observed and seen by the caller.
func (a *adoption) visit(f ipam.ObservationFilter, look func(ipam.Observation)) error {
	n := 0
	return change.EachPage(func(p ipam.Page) ([]ipam.Observation, error) { return a.Tx.Observations(a.By.Sees(), f, p) },
		func(o ipam.Observation) string { return string(o.UID) }, func(o ipam.Observation) error {
			if n++; n > Most {
				return ipam.Invalid("/account", "account %s has more than %d blocks; adopt it region by region, or network by network", f.Account, Most)
			}
			look(o)
			return nil
		})
}

// lock takes all locks that will be needed, in the order of the registry: of scopes, and of pools from the outside in. What comes in
// between is locked when it is met, and PostgreSQL ends a circle.
func (a *adoption) lock(items []Item) error {
	scopes, pools := map[ipam.UID]bool{}, map[ipam.UID]ipam.Pool{}
	for _, i := range items {
		if i.Observation.ScopeUID == "" || i.Verdict != "" {
			continue
		}
		around, err := a.poolsAround(i.Observation)
		if err != nil {
			return err
		}
		if len(around) == 0 {
			scopes[i.Observation.ScopeUID] = true
			continue
		}
		p := around[len(around)-1]
		pools[p.UID] = p
	}
	return a.LockAll(slices.Collect(maps.Keys(scopes)), slices.Collect(maps.Values(pools)))
}

func refused(i Item, err *ipam.Error) Item {
	i.Verdict, i.Problem = Refused, err
	return i
}

// part runs one adoption: a refusal of it becomes its verdict.
func (a *adoption) part(i *Item, body func() error) error {
	run := body
	if a.each {
		run = func() error { return a.Try(body) }
	}
	err := run()
	refusal, ok := errors.AsType[*ipam.Error](err)
	switch {
	case err == nil:
		return nil
	case !ok || refusal.Code == ipam.CodeUnavailable || refusal.Code == ipam.CodeOverloaded:
		return err
	case !a.each:
		return errTryEach
	}
	*i = refused(*i, refusal)
	i.Object = ""
	return nil
}
