package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/gaissmai/bart"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// space is what is desired in a scope.
type space struct {
	blocks bart.Table[Desired]   // allocations, reservations and holds, which never overlap
	pools  bart.Table[[]Desired] // which enclose each other
}

// Compare says how what clouds show differs from what is desired. Observations in no scope are compared with nothing; what has not
// been seen completely is never missing. The answer is sorted by scope, block, kind and id.
func Compare(desired []Desired, observed []Observed, views []View) []Drift {
	spaces, marks := map[string]*space{}, map[string]Desired{}
	for _, d := range desired {
		s := spaces[d.Scope]
		if s == nil {
			s = &space{}
			spaces[d.Scope] = s
		}
		if d.Kind == ipam.KindPool {
			same, _ := s.pools.Get(d.CIDR)
			s.pools.Insert(d.CIDR, append(same, d))
			continue
		}
		s.blocks.Insert(d.CIDR, d)
		marks[d.Key] = d
	}

	var all []Drift
	seen := map[string]bool{}          // desired blocks that some cloud shows, whole or in parts
	used := map[string]*bart.Lite{}    // blocks of subnets, by scope and account
	byScope := map[string][]Observed{} // subnets and secondary ranges
	for _, o := range observed {
		if o.Scope == "" {
			continue
		}
		s := spaces[o.Scope]
		if s == nil {
			s = &space{}
			spaces[o.Scope] = s
		}
		if o.Kind != Network {
			byScope[o.Scope] = append(byScope[o.Scope], o)
			at := o.Scope + "\x00" + o.Account
			if used[at] == nil {
				used[at] = &bart.Lite{}
			}
			used[at].Insert(o.CIDR)
		}
		if d, differs := s.compare(o, marks, seen); differs {
			all = append(all, sealed(d))
		}
	}
	for scope, subnets := range byScope {
		all = append(all, across(scope, subnets)...)
	}
	all = append(all, missing(desired, seen, used, views)...)
	slices.SortFunc(all, func(a, b Drift) int {
		return cmp.Or(strings.Compare(a.Scope, b.Scope), a.CIDR.Compare(b.CIDR), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.ID, b.ID))
	})
	return slices.CompactFunc(all, func(a, b Drift) bool { return a.ID == b.ID })
}

// compare looks at one observed block.
func (s *space) compare(o Observed, marks map[string]Desired, seen map[string]bool) (Drift, bool) {
	d := Drift{Scope: o.Scope, Account: o.Account, Region: o.Region, CIDR: o.CIDR, Observed: o.ID, Since: o.FirstSeen, Labels: o.Labels}
	if same, found := s.blocks.Get(o.CIDR); found {
		seen[same.Key] = true
		where := misplaced(same, o)
		d.Kind, d.Desired, d.Detail, d.Task = Misplaced, same.Key, where, NoTask
		return d, where != ""
	}
	if meant, marked := marks[o.Mark]; marked && o.Mark != "" && o.Kind != Secondary {
		seen[meant.Key] = true
		d.Kind, d.Desired, d.Task = Mismatched, meant.Key, NoTask
		d.Detail = fmt.Sprintf("%s is marked as allocation %s, which is %s, and has %s", o.ID, meant.Name, meant.CIDR, o.CIDR)
		return d, true
	}
	for _, inside := range s.blocks.Subnets(o.CIDR) {
		if o.Kind == Network {
			return d, false // a network around what was handed out for it
		}
		d.Kind, d.Desired, d.Task = Conflicting, inside.Key, NoTask
		d.Detail = fmt.Sprintf("%s lies across %s %s, which is %s", o.CIDR, inside.Kind, inside.Name, inside.CIDR)
		return d, true
	}
	for _, around := range s.blocks.Supernets(o.CIDR) {
		if around.Kind != ipam.KindReservation {
			seen[around.Key] = true // an allocation that is used in parts
			where := misplaced(around, o)
			d.Kind, d.Desired, d.Detail, d.Task = Misplaced, around.Key, where, NoTask
			return d, where != "" && o.Kind == Subnet
		}
		d.Kind, d.Desired, d.Task = Conflicting, around.Key, NoTask
		d.Detail = fmt.Sprintf("%s lies in reservation %s, which is %s", o.CIDR, around.Name, around.CIDR)
		return d, true
	}
	if o.Kind == Network {
		if _, same := s.pools.Get(o.CIDR); same {
			return d, false
		}
		for range s.pools.Subnets(o.CIDR) {
			return d, false
		}
	}
	d.Kind, d.Task = Unmanaged, Adopt
	if _, pools, found := s.pools.LookupPrefixLPM(o.CIDR); found {
		d.Pool = innermost(pools)
	}
	d.Detail = fmt.Sprintf("nothing in CloudPAM has the %s %s of %s", o.Kind, o.CIDR, o.ID)
	return d, true
}

// innermost is a pool of those with one block: the youngest, since a pool of its parent's whole block is made after it.
func innermost(pools []Desired) string {
	last := slices.MaxFunc(pools, func(a, b Desired) int { return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Name, b.Name)) })
	return last.Name
}

// misplaced says what of the place is not as it is meant to be; "" where all is.
func misplaced(d Desired, o Observed) string {
	var all []string
	for _, p := range []struct{ what, meant, is string }{{"account", d.Account, o.Account}, {"region", d.Region, o.Region}, {"network", d.Network, o.Network}} {
		if p.meant != "" && p.is != "" && p.is != "global" && p.meant != p.is {
			all = append(all, fmt.Sprintf("the %s is %s, not %s", p.what, p.is, p.meant))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return o.ID + ": " + strings.Join(all, "; ")
}

// across finds blocks of different networks that share addresses in one scope: each with the one around it, or beside it.
func across(scope string, all []Observed) (found []Drift) {
	slices.SortFunc(all, func(a, b Observed) int {
		return cmp.Or(a.CIDR.Compare(b.CIDR), strings.Compare(a.Network, b.Network), strings.Compare(a.ID, b.ID))
	})
	var open []Observed // those around the place that the sweep is at, the largest first
	for _, o := range all {
		for len(open) > 0 && !open[len(open)-1].CIDR.Overlaps(o.CIDR) {
			open = open[:len(open)-1]
		}
		if i := slices.IndexFunc(open, func(other Observed) bool { return other.Network != o.Network && other.ID != o.ID }); i >= 0 {
			other := open[i]
			found = append(found, sealed(Drift{
				Kind: Conflicting, Scope: scope, Account: o.Account, Region: o.Region, CIDR: o.CIDR, Observed: o.ID, Since: o.FirstSeen, Labels: o.Labels, Task: NoTask,
				Detail: fmt.Sprintf("%s of %s shares addresses with %s of %s, in the same scope", o.CIDR, o.ID, other.CIDR, other.ID),
			}))
		}
		open = append(open, o)
	}
	return found
}

// missing are allocations for an account that its last three complete views, all begun after they were made, did not show.
func missing(desired []Desired, seen map[string]bool, used map[string]*bart.Lite, views []View) (all []Drift) {
	for _, d := range desired {
		if d.Kind != ipam.KindAllocation || d.Account == "" || seen[d.Key] {
			continue
		}
		if in := used[d.Scope+"\x00"+d.Account]; in != nil && in.OverlapsPrefix(d.CIDR) {
			continue
		}
		complete := false
		for _, v := range views {
			if v.Account != d.Account || d.Region != "" && v.Region != "global" && v.Region != d.Region {
				continue
			}
			if v.Third.IsZero() || !d.Since.Before(v.Third) {
				complete = false
				break // a region in which it may yet be
			}
			complete = true
		}
		if !complete {
			continue
		}
		all = append(all, sealed(Drift{
			Kind: Missing, Scope: d.Scope, Account: d.Account, Region: d.Region, CIDR: d.CIDR, Desired: d.Key, Since: d.Since, Task: Release,
			Detail: fmt.Sprintf("allocation %s is for account %s, where nothing has %s", d.Name, d.Account, d.CIDR),
		}))
	}
	return all
}

// Stales are the regions that have not been seen completely for too long, as fresh has it.
func Stales(views []View, fresh func(View) bool) (all []Drift) {
	for _, v := range views {
		if fresh(v) {
			continue
		}
		all = append(all, sealed(Drift{
			Kind: Stale, Account: v.Account, Region: v.Region, Observed: v.Account + "/" + v.Region, Since: v.Complete, Task: NoTask,
			Detail: fmt.Sprintf("%s of %s has not been seen completely for too long", v.Region, v.Account),
		}))
	}
	return all
}
