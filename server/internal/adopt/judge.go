package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// judge says what becomes of one block, and does it.
func (a *adoption) judge(i *Item) error {
	o := i.Observation
	if o.ScopeUID == "" {
		*i = refused(*i, ipam.Errorf(ipam.CodeInvalid, "network %s is in no scope, so that nothing is known of who its addresses belong to; tag it cloudpam:scope with the name of one, and look again", o.Network))
		return nil
	}
	around, err := a.poolsAround(o)
	if err != nil {
		return err
	}
	has, err := a.allocationAround(o)
	if err != nil {
		return err
	}
	asPool := o.Kind == ipam.ObservedNetwork && a.ask.Networks != AsAllocations
	switch {
	case has != nil && has.CIDR == o.CIDR:
		i.Kind, i.Object, i.Name, i.Pool, i.Verdict = ipam.KindAllocation, has.ID, has.Name, has.Pool, Already
		if has.Account != "" && has.Account != o.Account {
			e := ipam.Taken(o.CIDR, []ipam.Prefix{{Kind: ipam.KindAllocation, Owner: has.ID, Name: has.Name, CIDR: has.CIDR}})
			e.Detail = fmt.Sprintf("%s is allocation %s of account %s, and %s of account %s has it, too; one of their networks belongs into another scope", o.CIDR, has.Name, has.Account, o.ID(), o.Account)
			*i = refused(*i, e)
			i.Object = ""
		}
		return nil
	case has != nil:
		i.Kind, i.Object, i.Name, i.Pool, i.Verdict = ipam.KindAllocation, has.ID, has.Name, has.Pool, Inside
		return nil
	case o.Kind == ipam.ObservedNetwork && len(around) > 0 && around[len(around)-1].CIDR == o.CIDR:
		p := around[len(around)-1]
		i.Kind, i.Object, i.Name, i.Pool, i.Verdict = ipam.KindPool, p.ID, p.Name, p.Parent, Already
		return nil
	}
	other, err := a.shared(o)
	switch {
	case err != nil:
		return err
	case other != nil && len(a.ask.IDs) == 0:
		*i = refused(*i, ipam.Errorf(ipam.CodeCIDRTaken, "%s is in %s and in %s, of the same scope; map one of the networks to another scope, or adopt one of them by its id", o.CIDR, o.ID(), other.ID()))
		return nil
	case asPool:
		return a.part(i, func() error { return a.makePool(i, around) })
	case len(around) == 0:
		*i = refused(*i, ipam.Errorf(ipam.CodeOutsidePool, "no pool of scope %s is around %s; adopt its network %s, or create a pool", o.Scope, o.CIDR, o.Network))
		return nil
	}
	return a.part(i, func() error { return a.allocate(i, around[len(around)-1]) })
}

// poolsAround are the pools around a block, from the outside in. The pools of a scope are read once: a look for each of thousands of
// blocks costs more than all else.
func (a *adoption) poolsAround(o ipam.Observation) (around []ipam.Pool, err error) {
	if a.pools[o.ScopeUID] == nil {
		all := []ipam.Pool{}
		err := change.EachPage(func(p ipam.Page) ([]ipam.Pool, error) {
			return a.Tx.Pools(ipam.Everything, ipam.PoolFilter{Scope: string(o.ScopeUID)}, p)
		}, func(p ipam.Pool) string { return string(p.UID) }, func(p ipam.Pool) error {
			all = append(all, p)
			return nil
		})
		if err != nil {
			return nil, err
		}
		a.pools[o.ScopeUID] = all
	}
	for _, p := range a.pools[o.ScopeUID] {
		if p.CIDR.Bits() <= o.CIDR.Bits() && p.CIDR.Contains(o.CIDR.Addr()) {
			around = append(around, p)
		}
	}
	slices.SortFunc(around, func(p, q ipam.Pool) int {
		if p.LockedBefore(q) {
			return -1
		}
		return 1
	})
	return around, nil
}

// allocationAround is the allocation that has a block; nil where none has.
func (a *adoption) allocationAround(o ipam.Observation) (*ipam.Allocation, error) {
	found, err := a.Tx.Allocations(ipam.Everything, ipam.AllocationFilter{Scope: string(o.ScopeUID), Around: ipam.Around{Contains: o.CIDR}}, ipam.Page{Limit: 2})
	found = slices.DeleteFunc(found, func(a ipam.Allocation) bool { return a.Superseded })
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// shared is the same block of another network in the scope, where there is one.
func (a *adoption) shared(o ipam.Observation) (*ipam.Observation, error) {
	same, err := a.Tx.Observations(ipam.Everything, ipam.ObservationFilter{Scope: string(o.ScopeUID), Around: ipam.Around{Within: o.CIDR, Contains: o.CIDR}}, ipam.Page{Limit: 100})
	for _, s := range same {
		if s.Network != o.Network && s.Misses == 0 && (s.Kind == ipam.ObservedNetwork) == (o.Kind == ipam.ObservedNetwork) {
			return &s, err
		}
	}
	return nil, err
}

func (a *adoption) allocate(i *Item, pool ipam.Pool) error {
	o := i.Observation
	name, err := firstFree(names(o), func(name string) (bool, error) {
		_, err := a.Tx.AllocationNamed(pool.UID, name)
		if ipam.CodeOf(err) != ipam.CodeNotFound {
			return false, err
		}
		if asked, found, err := a.Tx.HoldNamed(pool.UID, name, o.CIDR.Bits()); err != nil || found && asked.Approval != "" && asked.CIDR == o.CIDR && asked.Principal == a.By.UID {
			return err == nil, err // it is held for this adoption, which waited for approval
		}
		held, err := a.Tx.Held(pool.UID, name) // a plan's, which would give up what it was promised
		return !held, err
	})
	if err != nil {
		return err
	}
	in := ipam.NewAllocation{Pool: string(pool.UID), Name: name, BlockSize: ipam.BlockSize{CIDR: o.CIDR}, Details: ipam.Details{Account: o.Account, Region: regionOf(o), Labels: a.labels(o)}}
	made, err := a.r.AllocateWithin(a.because(o), in)
	if err != nil {
		return err
	}
	i.Kind, i.Name, i.Pool, i.Verdict = ipam.KindAllocation, made.Name, made.Pool, Adopted
	if !a.ask.DryRun {
		i.Object = made.ID
	}
	return nil
}

func (a *adoption) makePool(i *Item, around []ipam.Pool) error {
	o := i.Observation
	name, err := firstFree(slugs(o), func(name string) (bool, error) {
		other, err := a.Tx.Pool(ipam.Everything, ipam.PoolID(o.Scope, name)) // a draft's name is taken, too
		if ipam.CodeOf(err) == ipam.CodeNotFound {
			return true, nil
		}
		return err == nil && other.DraftUntil != nil && other.CIDR == o.CIDR && other.DraftPrincipal == a.By.UID, err // but the caller's own for this block
	})
	if err != nil {
		return err
	}
	inside, err := a.Tx.Pools(ipam.Everything, ipam.PoolFilter{Scope: string(o.ScopeUID), Around: ipam.Around{Within: o.CIDR}}, ipam.Page{Limit: 1})
	if err != nil {
		return err
	}
	in := ipam.NewPool{Scope: o.Scope, Name: name, CIDR: o.CIDR, Details: ipam.Details{Account: o.Account, Region: regionOf(o), Labels: a.labels(o)}, Encloses: len(inside) > 0}
	if len(around) > 0 {
		in.Parent = around[len(around)-1].ID
	}
	if err := in.Check(); err != nil {
		return err
	}
	c := a.because(o)
	c.By.Need = ipam.Admin // as whoever makes a pool
	made, err := a.r.CreatePoolWithin(c, in)
	if err != nil {
		return err
	}
	if in.Encloses {
		delete(a.pools, o.ScopeUID) // others stand in it now
	} else {
		a.pools[o.ScopeUID] = append(a.pools[o.ScopeUID], made)
	}
	i.Kind, i.Name, i.Pool, i.Verdict = ipam.KindPool, made.Name, made.Parent, Adopted
	if !a.ask.DryRun {
		i.Object = made.ID
	}
	return nil
}

// because is the change with what it is made for, which its event says.
func (a *adoption) because(o ipam.Observation) change.Change {
	c := a.Change
	if c.By.Reason == "" {
		c.By.Reason = "adopts " + o.ID()
	}
	return c
}

func regionOf(o ipam.Observation) string {
	if o.Region == "global" {
		return ""
	}
	return o.Region
}

// labels are those that the request gives, and the tags that it wants as labels where they can be.
func (a *adoption) labels(o ipam.Observation) ipam.Labels {
	all := ipam.Labels{}
	for _, key := range a.ask.Tags {
		if value, tagged := o.Labels[key]; tagged && ipam.CheckLabels(ipam.Labels{key: value}) == nil {
			all[key] = value
		}
	}
	for key, value := range a.ask.Labels {
		all[key] = value
	}
	return all
}

func firstFree(names []string, free func(string) (bool, error)) (string, error) {
	for _, name := range names {
		ok, err := free(name)
		if err != nil {
			return "", err
		}
		if ok {
			return name, nil
		}
	}
	return "", ipam.Errorf(ipam.CodeNameTaken, "the names %s are taken in the pool; rename what has the first one, or allocate the block by hand", strings.Join(names, ", "))
}

// Names are what adoption calls what is observed: the first of them that is free. A network becomes a pool.
func Names(o ipam.Observation) []string {
	if o.Kind == ipam.ObservedNetwork {
		return slugs(o)
	}
	return names(o)
}

// names are what an allocation may be called after what is observed: its name, with its cloud's id where that is taken, and the id.
func names(o ipam.Observation) []string {
	id := clean(o.CloudID, allowedInName)
	name := clean(o.Name, allowedInName)
	if name == "" {
		name = id
	}
	if part := clean(o.Part, allowedInName); part != "" {
		name, id = name+"/"+part, id+"/"+part
	}
	block := clean(o.CIDR.String(), allowedInName)
	return fitting(127, func(n string) error { return ipam.CheckFreeName("/name", n) }, name, name+"/"+id, id, id+"/"+block, block)
}

// slugs are what a pool may be called.
func slugs(o ipam.Observation) []string {
	id := clean(strings.ToLower(o.CloudID), allowedInSlug)
	name := clean(strings.ToLower(o.Name), allowedInSlug)
	if name == "" {
		name = id
	}
	block := clean(o.CIDR.String(), allowedInSlug)
	return fitting(63, func(n string) error { return ipam.CheckSlug("/name", n) }, name, name+"-"+block, name+"-"+id, id, id+"-"+block, block)
}

func fitting(most int, check func(string) error, all ...string) (fit []string) {
	for _, n := range all {
		if len(n) <= most && check(n) == nil && !slices.Contains(fit, n) {
			fit = append(fit, n)
		}
	}
	return fit
}

func allowedInSlug(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_'
}

func allowedInName(r rune) bool {
	return allowedInSlug(r) || r >= 'A' && r <= 'Z' || r == '.' || r == ':' || r == '/'
}

// clean makes a name of a text: one dash for what it may not have, and nothing but letters and digits at its ends.
func clean(text string, allowed func(rune) bool) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case allowed(r):
			b.WriteRune(r)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-_.:/")
}
