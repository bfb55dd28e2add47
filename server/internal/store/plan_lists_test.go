package store_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// listed asks for the plans of lists, as they are with each filter.
func (p planner) listed(t *testing.T) {
	t.Helper()
	scope, pool := string(ipam.KeyUID("scope", 5)), string(ipam.KeyUID("pool", 5))
	within := ipam.Around{Within: netip.MustParsePrefix("10.0.0.0/28")}
	contains := ipam.Around{Contains: netip.MustParsePrefix("10.0.0.0/32")}
	page := ipam.Page{Limit: 100, After: ipam.Cursor{}}
	after := func(kind string) ipam.Page {
		return ipam.Page{Limit: 100, After: ipam.Cursor{ID: string(ipam.KeyUID(kind, 5))}}
	}
	uids := []ipam.UID{ipam.KeyUID("pool", 5), ipam.KeyUID("pool", 6)}
	few := ipam.Visible{Pools: []ipam.UID{ipam.KeyUID("pool", 9205), ipam.KeyUID("pool", 9206)}, Around: []ipam.UID{ipam.KeyUID("scope", 5)}}
	byAddress := ipam.Page{Limit: 100, Order: ipam.ByAddress}
	newest := ipam.Page{Limit: 100, Order: ipam.NewestFirst}
	ofScope, ofPools := ipam.Visible{Scopes: []ipam.UID{ipam.KeyUID("scope", 5)}}, ipam.Visible{Pools: uids, Around: []ipam.UID{ipam.KeyUID("scope", 5)}}
	for name, ask := range map[string]func(*store.Tx) error{
		"Pools all":       func(tx *store.Tx) error { return second(tx.Pools(ipam.Everything, ipam.PoolFilter{}, page)) },
		"Pools next page": func(tx *store.Tx) error { return second(tx.Pools(ipam.Everything, ipam.PoolFilter{}, after("pool"))) },
		"Pools by scope": func(tx *store.Tx) error {
			return second(tx.Pools(ipam.Everything, ipam.PoolFilter{Scope: scope}, page))
		},
		"Pools by scope's name": func(tx *store.Tx) error { return second(tx.Pools(ipam.Everything, ipam.PoolFilter{Scope: "n5"}, page)) },
		"Pools by parent": func(tx *store.Tx) error {
			return second(tx.Pools(ipam.Everything, ipam.PoolFilter{Parent: pool}, page))
		},
		"Pools within": func(tx *store.Tx) error {
			return second(tx.Pools(ipam.Everything, ipam.PoolFilter{Around: within}, page))
		},
		"Pools that contain": func(tx *store.Tx) error {
			return second(tx.Pools(ipam.Everything, ipam.PoolFilter{Around: contains}, page))
		},
		"Drafts all":      func(tx *store.Tx) error { return second(tx.Drafts(ipam.Everything, "", page)) },
		"Drafts by scope": func(tx *store.Tx) error { return second(tx.Drafts(ipam.Everything, scope, page)) },
		"Allocations all": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{}, page))
		},
		"Allocations by scope": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{Scope: scope}, page))
		},
		"Allocations by pool": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{Pool: pool}, page))
		},
		"Allocations by pool's id": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{Pool: "n5/n5"}, page))
		},
		"Allocations by pool after": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{Pool: pool}, after("alloc")))
		},
		"Allocations by pool, name": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{Pool: pool, Name: "n5"}, page))
		},
		"Allocations by set": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{Set: string(ipam.KeyUID("set", 6))}, page))
		},
		"Allocations within": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{Around: within}, page))
		},
		"Allocations that contain": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{Around: contains}, page))
		},
		"AllocationSets by scope": func(tx *store.Tx) error {
			return second(tx.AllocationSets(ipam.Everything, ipam.AllocationSetFilter{Scope: scope}, page))
		},
		"AllocationSets by pool, name": func(tx *store.Tx) error {
			return second(tx.AllocationSets(ipam.Everything, ipam.AllocationSetFilter{Pool: pool, Name: "n5"}, page))
		},
		"Reservations by scope": func(tx *store.Tx) error {
			return second(tx.Reservations(ipam.Everything, ipam.ReservationFilter{Scope: scope}, page))
		},
		"Reservations by pool": func(tx *store.Tx) error {
			return second(tx.Reservations(ipam.Everything, ipam.ReservationFilter{Pool: pool}, page))
		},
		"Reservations within": func(tx *store.Tx) error {
			return second(tx.Reservations(ipam.Everything, ipam.ReservationFilter{Around: within}, page))
		},
		"Reservations that contain": func(tx *store.Tx) error {
			return second(tx.Reservations(ipam.Everything, ipam.ReservationFilter{Around: contains}, page))
		},
		"Prefixes by scope": func(tx *store.Tx) error {
			return second(tx.Prefixes(ipam.Everything, ipam.PrefixFilter{Scope: scope}, page))
		},
		"Prefixes by pool": func(tx *store.Tx) error {
			return second(tx.Prefixes(ipam.Everything, ipam.PrefixFilter{Pool: pool}, page))
		},
		"Prefixes within": func(tx *store.Tx) error {
			return second(tx.Prefixes(ipam.Everything, ipam.PrefixFilter{Around: within}, page))
		},
		"Prefixes that contain": func(tx *store.Tx) error {
			return second(tx.Prefixes(ipam.Everything, ipam.PrefixFilter{Around: contains}, page))
		},
		"Holds by scope": func(tx *store.Tx) error {
			return second(tx.Holds(ipam.Everything, ipam.HoldFilter{Scope: scope}, page))
		},
		"Holds by pool": func(tx *store.Tx) error { return second(tx.Holds(ipam.Everything, ipam.HoldFilter{Pool: pool}, page)) },
		"Holds by address": func(tx *store.Tx) error {
			return second(tx.Holds(ipam.Everything, ipam.HoldFilter{}, byAddress))
		},
		"Reservations by address": func(tx *store.Tx) error {
			return second(tx.Reservations(ipam.Everything, ipam.ReservationFilter{}, byAddress))
		},
		"Quarantines by address": func(tx *store.Tx) error {
			return second(tx.Quarantines(ipam.Everything, ipam.QuarantineFilter{}, byAddress))
		},
		"Imports newest first": func(tx *store.Tx) error { return second(tx.Imports(ipam.Everything, "", "", newest)) },
		"Accounts by scope": func(tx *store.Tx) error {
			return second(tx.Accounts(ipam.Everything, ipam.AccountFilter{Scope: scope}, page))
		},
		"Quarantines by scope": func(tx *store.Tx) error {
			return second(tx.Quarantines(ipam.Everything, ipam.QuarantineFilter{Scope: scope}, page))
		},
		"Quarantines by allocation": func(tx *store.Tx) error {
			return second(tx.Quarantines(ipam.Everything, ipam.QuarantineFilter{Allocation: string(ipam.KeyUID("alloc", 5))}, page))
		},
		"Imports of a principal": func(tx *store.Tx) error {
			return second(tx.Imports(ofScope, ipam.KeyUID("principal", 5), "", page))
		},
		"Webhooks of a scope": func(tx *store.Tx) error { return second(tx.Webhooks(ofScope, page)) },
		"Events all":          func(tx *store.Tx) error { return second(tx.Events(ipam.Everything, ipam.EventFilter{}, page)) },
		"Events by scope": func(tx *store.Tx) error {
			return second(tx.Events(ipam.Everything, ipam.EventFilter{Scope: scope}, page))
		},
		"Events by object": func(tx *store.Tx) error {
			return second(tx.Events(ipam.Everything, ipam.EventFilter{Object: pool}, page))
		},
		"Pools seen of a scope": func(tx *store.Tx) error { return second(tx.Pools(ofScope, ipam.PoolFilter{}, page)) },
		"Pools seen of pools":   func(tx *store.Tx) error { return second(tx.Pools(ofPools, ipam.PoolFilter{}, page)) },
		"Allocations seen of a scope": func(tx *store.Tx) error {
			return second(tx.Allocations(ofScope, ipam.AllocationFilter{}, after("alloc")))
		},
		"Allocations seen of pools": func(tx *store.Tx) error {
			return second(tx.Allocations(ofPools, ipam.AllocationFilter{}, after("alloc")))
		},
		"Prefixes seen of a scope": func(tx *store.Tx) error { return second(tx.Prefixes(ofScope, ipam.PrefixFilter{}, page)) },
		"Prefixes seen of pools":   func(tx *store.Tx) error { return second(tx.Prefixes(ofPools, ipam.PrefixFilter{}, page)) },
		"Events seen of a scope":   func(tx *store.Tx) error { return second(tx.Events(ofScope, ipam.EventFilter{}, page)) },
		"Events seen of pools":     func(tx *store.Tx) error { return second(tx.Events(ofPools, ipam.EventFilter{}, page)) },
		"Tokens seen":              func(tx *store.Tx) error { return second(tx.Tokens(ofScope, ipam.TokenFilter{}, page)) },
		"Bindings seen":            func(tx *store.Tx) error { return second(tx.Bindings(ofScope, ipam.BindingFilter{}, page)) },
		"Scopes seen":              func(tx *store.Tx) error { return second(tx.Scopes(ofScope, false, page)) },
		"Observations all": func(tx *store.Tx) error {
			return second(tx.Observations(ipam.Everything, ipam.ObservationFilter{}, page))
		},
		"Observations by scope": func(tx *store.Tx) error {
			return second(tx.Observations(ipam.Everything, ipam.ObservationFilter{Scope: scope}, page))
		},
		"Observations by account": func(tx *store.Tx) error {
			return second(tx.Observations(ipam.Everything, ipam.ObservationFilter{Account: "aws:n7"}, page))
		},
		"Observations by id": func(tx *store.Tx) error {
			return second(tx.Observations(ipam.Everything, ipam.ObservationFilter{ID: "aws:n7"}, page))
		},
		"Observations by cloud": func(tx *store.Tx) error {
			return second(tx.Observations(ipam.Everything, ipam.ObservationFilter{Cloud: "aws"}, page))
		},
		"What is desired where things are observed": func(tx *store.Tx) error {
			return second(tx.Told([]ipam.Observation{{UID: "obs_1", Account: "aws:n7", ScopeUID: ipam.KeyUID("scope", 5), CIDR: within.Within}}))
		},
		"Networks all": func(tx *store.Tx) error { return third(tx.Networks(ipam.Everything, ipam.NetworkFilter{}, page)) },
		"Networks, the next page": func(tx *store.Tx) error {
			return third(tx.Networks(ipam.Everything, ipam.NetworkFilter{}, ipam.Page{After: ipam.Cursor{ID: "500/n7"}, Limit: 10}))
		},
		"Networks of an account": func(tx *store.Tx) error {
			return third(tx.Networks(ipam.Everything, ipam.NetworkFilter{Account: "aws:n7"}, page))
		},
		"Networks by id": func(tx *store.Tx) error {
			return third(tx.Networks(ipam.Everything, ipam.NetworkFilter{ID: "aws:n7"}, page))
		},
		"Networks of a scope": func(tx *store.Tx) error { return third(tx.Networks(ofScope, ipam.NetworkFilter{}, page)) },
		"Observations within": func(tx *store.Tx) error {
			return second(tx.Observations(ipam.Everything, ipam.ObservationFilter{Around: within}, page))
		},
		"Allocations seen of few pools": func(tx *store.Tx) error {
			return second(tx.Allocations(few, ipam.AllocationFilter{}, after("alloc")))
		},
		"Allocations seen of few pools, with words": func(tx *store.Tx) error {
			return second(tx.Allocations(few, ipam.AllocationFilter{Text: "a b"}, newest))
		},
		"Reservations seen of few pools": func(tx *store.Tx) error { return second(tx.Reservations(few, ipam.ReservationFilter{}, page)) },
		"Prefixes seen of few pools":     func(tx *store.Tx) error { return second(tx.Prefixes(few, ipam.PrefixFilter{}, page)) },
		"Events seen of few pools":       func(tx *store.Tx) error { return second(tx.Events(few, ipam.EventFilter{}, page)) },
		"Pools seen of few pools":        func(tx *store.Tx) error { return second(tx.Pools(few, ipam.PoolFilter{}, page)) },
		"Allocations, the newest": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{}, newest))
		},
		"Allocations in order of address": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{}, ipam.Page{Limit: 100, Order: ipam.ByAddress}))
		},
		"Allocations by owner": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{Owner: "rare"}, page))
		},
		"Allocations by account": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{Account: "aws:n5"}, page))
		},
		"Allocations by a name's begin": func(tx *store.Tx) error {
			return second(tx.Allocations(ipam.Everything, ipam.AllocationFilter{Begins: "n50"}, newest))
		},
		"Allocations by a name's begin, seen of a scope": func(tx *store.Tx) error {
			return second(tx.Allocations(ofScope, ipam.AllocationFilter{Begins: "n50"}, newest))
		},
		"The floor of allocations":            func(tx *store.Tx) error { return second(tx.AllocationFloor(ipam.Everything, "", 1000)) },
		"The floor of allocations of a scope": func(tx *store.Tx) error { return second(tx.AllocationFloor(ofScope, "", 1000)) },
		"The floor of observations":           func(tx *store.Tx) error { return second(tx.ObservationFloor(ipam.Everything, "", 1000)) },
		"Sums of prefixes of a scope":         func(tx *store.Tx) error { return second(tx.SumPrefixes(ofScope, "", time.Time{})) },
		"Sums of prefixes of few pools":       func(tx *store.Tx) error { return second(tx.SumPrefixes(few, "", time.Time{})) },
		"Sums of what was made of late":       func(tx *store.Tx) error { return second(tx.SumPrefixes(ofScope, "", time.UnixMicro(5))) },
		"What ends soon": func(tx *store.Tx) error {
			return second(tx.Endings(ipam.Everything, "", time.UnixMicro(5), time.UnixMicro(50), 10))
		},
		"Sums of free blocks of a scope":   func(tx *store.Tx) error { return second(tx.SumFree(ofScope, "")) },
		"Sums of free blocks of few pools": func(tx *store.Tx) error { return second(tx.SumFree(few, "")) },
		"Sums of allocations of a scope":   func(tx *store.Tx) error { return second(tx.SumAllocations(ofScope, "", ipam.ByOwner)) },
		"Traces of names": func(tx *store.Tx) error {
			return second(tx.Traces(uids, ipam.KindAllocation, "", []string{"n5", "n6"}))
		},
		"Traces of a set": func(tx *store.Tx) error { return second(tx.Traces(uids, ipam.KindAllocation, "n5", []string{"n5/a"})) },
		"Rooms of pools":  func(tx *store.Tx) error { return second(tx.Rooms(uids, time.UnixMicro(5))) },
	} {
		err := p.db.Read(t.Context(), func(tx *store.Tx) error {
			asked := 0
			tx.Asked(func(text string, args []any) {
				// What follows fills in what was found, but where the pools are read first that are seen.
				if asked++; asked == 1 || strings.Contains(name, "of few pools") {
					p.check(t, name, text, args)
				}
			})
			_ = ask(tx) // rows that nobody can read are enough
			if asked == 0 {
				t.Errorf("%s asks for nothing", name)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
