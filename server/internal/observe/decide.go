package observe

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Look is one look at an account.
type Look struct {
	Began    time.Time // when it began, by the clock of the database
	Networks cloud.Listing[cloud.Network]
	Subnets  cloud.Listing[cloud.Subnet]
}

// Known is what an account's look is compared with. It was read before the cloud was asked: what is made in between is then new, and
// never gone.
type Known struct {
	Account      ipam.Account
	Observations []ipam.Observation
	States       []ipam.SyncState
	Accounts     map[string]bool     // the cloud's ids of all accounts of the cloud
	Scopes       map[string]ipam.UID // by name
}

// Changes are what a look makes of what is known.
type Changes struct {
	Add, Update, Remove []ipam.Observation
	States              []ipam.SyncState
	Forget              []ipam.SyncState // of looks that could not even begin, once one could
	// Vanished are what a complete view does not show any more, where they are too many to be believed. Then nothing else changes.
	Vanished []ipam.Observation
}

// What a pass may miss before it is not believed: a tenth of an account's subnets, one at least and five at most.
const (
	fewestVanished, mostVanished = 1, 5
	tenth                        = 10
)

// misses are how many complete views in a row must not show something before it is gone; apart is how long after one the next counts,
// since a cloud's listings lag behind what is there.
const (
	misses = 3
	apart  = time.Minute
)

// The kinds of looks.
const (
	networks = ipam.LookNetworks
	subnets  = ipam.LookSubnets
)

type key struct {
	kind          ipam.ObservationKind
	cloudID, part string
	cidr          netip.Prefix
}

func keyOf(o ipam.Observation) key { return key{o.Kind, o.CloudID, o.Part, o.CIDR} }

// Decide says what a look changes. A view that is not whole adds and never takes away. believe takes what vanished for gone, however
// much it is: somebody has looked.
func Decide(k Known, l Look, believe bool) Changes {
	d := decider{Known: k, look: l, shown: map[key]ipam.Observation{}, scopes: map[string]ipam.UID{}}
	d.mapNetworks()
	d.collect()

	var c Changes
	had := map[key]bool{}
	for _, o := range k.Observations {
		had[keyOf(o)] = true
		now, shown := d.shown[keyOf(o)]
		switch {
		case shown:
			now.UID, now.FirstSeen, now.ChangedAt = o.UID, o.FirstSeen, o.ChangedAt
			if !same(o, now) {
				now.ChangedAt = l.Began
				c.Update = append(c.Update, now)
			}
		case o.Owner != k.Account.ExternalID && k.Accounts[o.Owner]:
			c.Remove = append(c.Remove, o) // its owner has an account by now, which shows it
		case !d.whole(o):
		case o.Misses == 0:
			c.Vanished = append(c.Vanished, o)
		case d.counts(o):
			o.Misses++
			o.ChangedAt = l.Began
			if o.Misses == misses {
				c.Remove = append(c.Remove, o)
			} else {
				c.Update = append(c.Update, o)
			}
		}
	}
	if !believe && tooMany(k.Observations, c.Vanished, d.shown) {
		return Changes{Vanished: c.Vanished, States: d.states(cloud.Errorf("vanished", "%d networks and subnets of account %s are gone at once, which is more than is believed without somebody looking; nothing was changed", len(c.Vanished), k.Account.ID))}
	}
	for _, o := range c.Vanished {
		if d.counts(o) {
			o.Misses, o.ChangedAt = 1, l.Began
			c.Update = append(c.Update, o)
		}
	}
	c.Vanished = nil
	for k, o := range d.shown {
		if !had[k] {
			o.FirstSeen, o.ChangedAt = l.Began, l.Began
			c.Add = append(c.Add, o)
		}
	}
	slices.SortFunc(c.Add, func(a, b ipam.Observation) int {
		return cmp.Or(a.CIDR.Compare(b.CIDR), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.CloudID, b.CloudID), strings.Compare(a.Part, b.Part))
	})
	for i := range c.Add {
		c.Add[i].UID = ipam.NewUID("obs") // by which lists are in order
	}
	c.States = d.states(nil)
	for _, s := range k.States {
		if s.Region == "" && slices.ContainsFunc(c.States, func(now ipam.SyncState) bool { return now.Kind == s.Kind && now.Region != "" }) {
			c.Forget = append(c.Forget, s)
		}
	}
	return c
}

// tooMany reports whether more is gone than is believed: more of a kind than a few, or all of it.
func tooMany(known, gone []ipam.Observation, shown map[key]ipam.Observation) bool {
	count := func(all []ipam.Observation, kind ipam.ObservationKind) (n int) {
		things := map[string]bool{}
		for _, o := range all {
			if o.Kind == kind && (o.Misses == 0) {
				things[o.CloudID+"/"+o.Part] = true
			}
		}
		return len(things)
	}
	for _, kind := range []ipam.ObservationKind{ipam.ObservedNetwork, ipam.ObservedSubnet, ipam.ObservedSecondary} {
		lost := count(gone, kind)
		if lost == 0 {
			continue
		}
		if lost > max(fewestVanished, min(mostVanished, count(known, kind)/tenth)) {
			return true
		}
		empty := true
		for k := range shown {
			empty = empty && k.kind != kind
		}
		if empty {
			return true // an empty result is the likeliest mistake of all
		}
	}
	return false
}

type decider struct {
	Known

	look   Look
	shown  map[key]ipam.Observation
	scopes map[string]ipam.UID // of networks by their ids; "" of those that are in none
}

// mapNetworks says in which scope each network is: the one that its tag "cloudpam:scope" names ("-" is none), none for those that
// the cloud made by itself, else that of the account. What this look does not show stays where it was.
func (d *decider) mapNetworks() {
	for _, o := range d.Observations {
		if o.Kind == ipam.ObservedNetwork {
			d.scopes[o.CloudID] = o.ScopeUID
		}
	}
	for _, n := range d.look.Networks.Items {
		d.scopes[n.ID] = d.Account.ScopeUID
		name, said := n.Tags[ipam.ScopeTag]
		switch {
		case said:
			d.scopes[n.ID] = d.Scopes[name] // one that is not there, "-" among them, is none
		case n.Default:
			d.scopes[n.ID] = ""
		}
	}
}

func (d *decider) scope(network string) ipam.UID {
	if scope, known := d.scopes[network]; known {
		return scope
	}
	return d.Account.ScopeUID
}

// mine reports whether something is to be told of this account: what it has, and what is shared by one that CloudPAM does not know.
func (d *decider) mine(owner string) bool {
	return owner == d.Account.ExternalID || !d.Accounts[owner]
}

func (d *decider) collect() {
	show := func(o ipam.Observation, blocks ...netip.Prefix) {
		o.Account, o.ScopeUID = d.Account.ID, d.scope(o.Network)
		if o.Labels == nil {
			o.Labels = ipam.Labels{}
		}
		for _, o.CIDR = range blocks {
			d.shown[keyOf(o)] = o
		}
	}
	for _, n := range d.look.Networks.Items {
		if d.mine(n.Owner) {
			show(ipam.Observation{Kind: ipam.ObservedNetwork, CloudID: n.ID, Network: n.ID, Region: n.Region, Name: n.Name, Owner: n.Owner, Standard: n.Default, Labels: n.Tags}, n.CIDRs...)
		}
	}
	for _, s := range d.look.Subnets.Items {
		if !d.mine(s.Owner) {
			continue
		}
		one := ipam.Observation{Kind: ipam.ObservedSubnet, CloudID: s.ID, Network: s.Network, Region: s.Region, Zone: s.Zone, Name: s.Name, Owner: s.Owner, Mark: ipam.Mark(s.Mark), Labels: s.Tags}
		show(one, s.CIDRs...)
		for _, r := range s.Secondary {
			range2 := one
			range2.Kind, range2.Part = ipam.ObservedSecondary, r.Name
			show(range2, r.CIDR)
		}
	}
}

// whole reports whether what is observed would have been shown if it were there.
func (d *decider) whole(o ipam.Observation) bool {
	if o.Kind == ipam.ObservedNetwork {
		return d.look.Networks.Whole(o.Region)
	}
	return d.look.Subnets.Whole(o.Region)
}

// counts reports whether this look is late enough after the last complete one for a miss to count.
func (d *decider) counts(o ipam.Observation) bool {
	s := d.state(o.LookKind(), o.Region)
	return d.look.Began.Sub(s.Seen[0]) >= apart
}

func (d *decider) state(kind, region string) ipam.SyncState {
	for _, s := range d.States {
		if s.Kind == kind && s.Region == region {
			return s
		}
	}
	return ipam.SyncState{Kind: kind, Region: region}
}

// states are how well the regions have been seen with this look; wrong is what makes it count for none.
func (d *decider) states(wrong *cloud.Error) (all []ipam.SyncState) {
	note := func(kind string, v cloud.View) {
		s := d.state(kind, v.Region)
		s.TriedAt, s.Code, s.Detail, s.Fix = d.look.Began, "", "", ""
		err := v.Err
		if wrong != nil {
			err = wrong
		}
		switch {
		case err != nil:
			s.Code, s.Detail, s.Fix = explained(err)
		case d.look.Began.Sub(s.Seen[0]) >= apart:
			s.Seen = [3]time.Time{d.look.Began, s.Seen[0], s.Seen[1]}
		default:
			s.Seen[0] = d.look.Began
		}
		all = append(all, s)
	}
	for _, v := range d.look.Networks.Views {
		note(networks, v)
	}
	for _, v := range d.look.Subnets.Views {
		note(subnets, v)
	}
	return all
}

func same(a, b ipam.Observation) bool {
	return a.ScopeUID == b.ScopeUID && a.Network == b.Network && a.Region == b.Region && a.Zone == b.Zone && a.Name == b.Name && a.Owner == b.Owner &&
		a.Standard == b.Standard && a.Mark == b.Mark && a.Misses == b.Misses && maps.Equal(a.Labels, b.Labels)
}
