package provider

import (
	"errors"
	"net/netip"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// claims notes which resource of this run has which name. The server cannot see a name that is used twice in one
// configuration: both resources would be promised the same block.
//
// A key, pool/name of an allocation and /id of a pool, goes this way; what is in brackets is what byKey holds for it:
//
//	                       ┌── another resource asks for it: refused as a duplicate, unless the key is ahead
//	                       │
//	[nothing] ──claim──▶ [created]   of a new resource, until the run ends: Create tells nobody here
//	    │                  ▲
//	    │                  │ claim(created, replaces: id)   the successor takes the key of what it replaces
//	    └──────claim──▶ [an id]   of a resource that exists, and again with the same id
//
// A key is ahead while it was validated more often than planned: validated +1, planning -1. See validated. The members of a set
// are allocations, so the set claims their keys too, as its own.
//
// And a pool, by the id that it will have:
//
//	created, drafted       pools[id] = created                   promises in it are possible: the server knows the draft
//	created, not drafted   pools[id] = created, unplanned[id]    none are, until isThere: Create has made it
//	resized                pools[id] = resized                   a refusal for want of room may be void by then
//	grows, as planned      pools[id] = grows                     the server knows what it gains: see yetToGrow
//	shrinks, as planned    nothing                               and what it gives up
//	moved                  pools[id] = moved                     none are: its block is known after apply
//
// What else is known of a pool is its former name, in renames. It is safe for concurrent use.
type claims struct {
	mu    sync.Mutex
	byKey map[string]string // → the id of what has the key, or created for a new one
	// How often a key was validated more than planned. See validated.
	ahead map[string]int
	read  map[string]bool   // ids that this run has refreshed
	sets  map[string]string // the claim of each set that this run has refreshed → its id
	// Scopes that this run creates, whose root pools are drafted with them; and pools that it creates and could not draft,
	// in which nothing can be promised: the server does not know them yet.
	scopes, unplanned map[string]bool
	blocks            map[string]map[string]netip.Prefix // pool → id → what this run has read there
	events            int                                // how much this run has validated, read and planned
	// What this run keeps where it is, by id, and what is asked for in its place. See keeps.
	kept   map[string]bool
	wishes map[string][]wish
	named  map[string]bool     // ids of what keeps its name
	names  map[string][]string // what else is to have the name of an id, as people say it
	gives  map[string]string   // names of pools and sets that are given up → what comes in their place. See hands
	takes  map[string]bool     // names that pools and sets are to have
	// Allocations that this run destroys, and those that become members of a set, by id → name.
	destroyed map[string]bool
	adopted   map[string]string
	// What this run does to pools: by then a promise in one may be possible that is not now, or void.
	pools map[string]poolChange
	// Pools that name the parent that they have, and the new pools that would enclose others. See encloses.
	parents  map[string]bool
	enclosed map[string]string
}

const created = "new"

// validated notes that a resource was validated under a key, which is "" while it is not known. Where a pool is selected the
// key is anyPool and the name.
//
// Planning validates each resource first, so a key is validated as often as it is planned, but for one case: terraform test,
// in Terraform after 1.11, hands one session to all runs of a file and validates each run as a whole before it plans. What
// was validated more often than planned is planned run after run, and having its key twice makes it no second resource. A real
// pair is then for the server to refuse, in the apply.
func (c *claims) validated(key string) (ahead int) { return c.count(key, 1) }

// planning notes that a resource is planned under a key, once for both planning calls of a replacement.
func (c *claims) planning(key string) { c.count(key, -1) }

func (c *claims) count(key string, by int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ahead == nil {
		c.ahead = map[string]int{}
	}
	c.ahead[key] += by
	c.events++
	return c.ahead[key]
}

// anyPool stands in a key for the pool that the server will choose.
const anyPool = "?"

// keyOf is the key under which a configuration names something in a pool; "" while it is not known.
func keyOf(pool types.String, selector types.Object, name types.String) string {
	switch {
	case name.IsUnknown(), selector.IsNull() && pool.IsUnknown():
		return ""
	case !selector.IsNull():
		return anyPool + "/" + name.ValueString()
	}
	return pool.ValueString() + "/" + name.ValueString()
}

// activity grows with all that this run validates, reads and plans.
func (c *claims) activity() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.events
}

// runsAgain reports whether a key may be that of a run before.
func (c *claims) runsAgain(key string) bool {
	_, name, _ := strings.Cut(key, "/")
	return c.ahead[key] > 0 || c.ahead[anyPool+"/"+name] > 0 || c.ahead[""] > 0
}

// claim takes a key for an id, or for a new resource that replaces another; false when another resource has it.
func (c *claims) claim(key, id, replaces string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[string]string{}
	}
	holder, taken := c.byKey[key]
	if taken && (holder != replaces || replaces == "") && (holder != id || id == created) && !c.runsAgain(key) {
		return false
	}
	c.byKey[key] = id
	return true
}

// claimMember takes the key of an allocation for the set that it is a member of; false when an allocation of its own has it. Two
// sets never meet here: their own keys would have met before.
func (c *claims) claimMember(key, set string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[string]string{}
	}
	if holder, taken := c.byKey[key]; taken && !strings.HasPrefix(holder, memberOf) && !c.runsAgain(key) {
		return false
	}
	c.byKey[key] = memberOf + set
	return true
}

// isMember reports whether a set has claimed a key for a member.
func (c *claims) isMember(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.HasPrefix(c.byKey[key], memberOf)
}

const memberOf = "member of "

func (c *claims) refreshed(id string) {
	c.note(&c.read, id)
	c.happens()
}

// happens notes that Terraform goes on.
func (c *claims) happens() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events++
}

// refreshedAt notes an allocation with its block.
func (c *claims) refreshedAt(pool, id, cidr string) {
	c.refreshed(id)
	at, err := netip.ParsePrefix(cidr)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.blocks == nil {
		c.blocks = map[string]map[string]netip.Prefix{}
	}
	if c.blocks[pool] == nil {
		c.blocks[pool] = map[string]netip.Prefix{}
	}
	c.blocks[pool][id] = at
}

// refreshedSet notes a set with its members, so that a set that arrives as a new one afterwards is known to be tainted.
func (c *claims) refreshedSet(claim string, set cloudpam.AllocationSet) {
	for _, member := range set.Members {
		c.refreshedAt(set.Pool, member.Allocation, member.CIDR)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sets == nil {
		c.sets = map[string]string{}
	}
	c.sets[claim] = set.ID
}

// refreshedAs is the id of the set that this run has refreshed under a claim, or "".
func (c *claims) refreshedAs(claim string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sets[claim]
}

func (c *claims) createsScope(name string)    { c.note(&c.scopes, name) }
func (c *claims) leavesUnplanned(pool string) { c.note(&c.unplanned, pool) }

// isThere ends what leavesUnplanned noted.
func (c *claims) isThere(pool string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.unplanned, pool)
}

func (c *claims) note(in *map[string]bool, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	note(in, key, true)
}

func note[V any](in *map[string]V, key string, value V) {
	if *in == nil {
		*in = map[string]V{}
	}
	(*in)[key] = value
}

type poolChange string

const (
	poolCreated poolChange = "created"
	poolResized poolChange = "resized"
	poolGrows   poolChange = "grows"
	poolMoved   poolChange = "moved"
)

func (c *claims) changesPool(id string, change poolChange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	note(&c.pools, id, change)
}

// changing is what this run does to a pool; "" when nothing that matters to what is in it.
func (c *claims) changing(pool string) poolChange {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pools[pool]
}

// resizes notes that the server keeps what a pool is to gain, or to give up.
func (c *claims) resizes(id string, from, to netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pools, id)
	if to.Bits() < from.Bits() {
		c.pools[id] = poolGrows
	}
}

// yetToGrow reports whether a pool has no room only because this run has not resized it yet. Where the server keeps what the pool is to
// gain, or to give up, it has counted that.
func (c *claims) yetToGrow(pool string, err error) bool {
	return c.changing(pool) == poolResized && (errors.Is(err, cloudpam.ErrPoolExhausted) || errors.Is(err, cloudpam.ErrOutsidePool))
}

func (c *claims) inNewScope(scope string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.scopes[scope]
}

// canPromiseIn reports whether the server can know a pool while this run plans, and whether it stays where it is.
func (c *claims) canPromiseIn(pool string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.unplanned[pool] && c.pools[pool] != poolMoved
}

func (c *claims) knows(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read[id]
}

// planned reports whether this run plans what has an id.
func (c *claims) planned(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, holder := range c.byKey {
		if holder == id {
			return true
		}
	}
	return false
}
