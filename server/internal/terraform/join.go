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

// State is what a Terraform state says that it manages: addresses and ids, and nothing of what else is in it.
type State struct {
	Name, Lineage string
	Serial        int64
	Resources     []Resource
}

// Resource is a subnet of a state.
type Resource struct{ Address, ID string } // ipam.Observation.ID

// Place is where a state has a subnet.
type Place struct {
	Resource
	State, Lineage string
	Serial         int64
}

// Joined is an observed subnet with the states that manage it: none, one, or more than there should be.
type Joined struct {
	ipam.Observation
	By []Place
}

// Join says of each observed subnet which states manage it, by the address and id of its blocks, and which subnets of states no cloud
// shows to who asks. A state that comes twice, of one lineage, counts once, by its highest serial. Account and scope narrow it;
// CodeNotFound where there is no such account or scope.
func (w *Writer) Join(ctx context.Context, see ipam.Visible, account, scope string, states []State) (all []Joined, gone []Place, err error) {
	places := placesOf(states)
	all, err = change.Read(ctx, w.k, func(tx *store.Tx) (all []Joined, err error) {
		if account != "" {
			if _, err := tx.Account(see, account); err != nil {
				return nil, err
			}
		}
		if scope != "" {
			if _, err := ipam.RealScope(tx.Scope(see, scope)); err != nil {
				return nil, err
			}
		}
		return all, change.EachPage(func(p ipam.Page) ([]ipam.Observation, error) {
			return tx.Observations(see, ipam.ObservationFilter{Account: account, Scope: scope, Kind: ipam.ObservedSubnet}, p)
		}, func(o ipam.Observation) string { return string(o.UID) }, func(o ipam.Observation) error {
			all = append(all, Joined{o, places[o.ID()]})
			return nil
		})
	})
	shown := map[string]bool{}
	for _, j := range all {
		shown[j.ID()] = true
	}
	for id, by := range places {
		if !shown[id] {
			gone = append(gone, by...)
		}
	}
	slices.SortFunc(all, func(a, b Joined) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), a.CIDR.Compare(b.CIDR), strings.Compare(a.ID(), b.ID()))
	})
	slices.SortFunc(gone, comparePlaces)
	return all, gone, err
}

func placesOf(states []State) map[string][]Place {
	newest := map[string]int64{}
	for _, s := range states {
		if s.Lineage != "" {
			newest[s.Lineage] = max(newest[s.Lineage], s.Serial)
		}
	}
	places := map[string][]Place{}
	done := map[string]bool{}
	for _, s := range states {
		if s.Lineage != "" {
			if s.Serial != newest[s.Lineage] || done[s.Lineage] {
				continue
			}
			done[s.Lineage] = true
		}
		for _, r := range s.Resources {
			places[r.ID] = append(places[r.ID], Place{r, s.Name, s.Lineage, s.Serial})
		}
	}
	for _, by := range places {
		slices.SortFunc(by, comparePlaces)
	}
	return places
}

func comparePlaces(a, b Place) int {
	return cmp.Or(strings.Compare(a.State, b.State), strings.Compare(a.Address, b.Address), strings.Compare(a.ID, b.ID))
}
