package provider

import (
	"errors"
	"sync"
	"time"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// claims notes which resource of this run has which name. The server cannot see a name that is used twice in one
// configuration: both resources would be promised the same block.
type claims struct {
	mu    sync.Mutex
	byKey map[string]string // pool/name → the allocation's id, or created for a new one
	// One session plans several times over: terraform test, in Terraform after 1.11, hands one session to all runs of a file.
	// A name that was claimed in the run before is then no second resource. Nothing tells where a run ends, so only what is
	// planned at once is two: within a run that is a matter of a few milliseconds, between runs of many. A pair that is
	// missed so is refused by the server in the apply.
	manyRuns bool
	planning map[string]int       // claims for new ones whose planning has not ended
	ended    map[string]time.Time // when that of the last one did
	read     map[string]bool      // ids that this run has refreshed
	sets     map[string]string    // the claim of each set that this run has refreshed → its id
	// Scopes that this run creates, whose root pools are drafted with them; and pools that it creates and could not draft,
	// in which nothing can be promised: the server does not know them yet.
	scopes, unplanned map[string]bool
	// What this run does to pools: by then a promise in one may be possible that is not now, or void.
	pools map[string]poolChange
}

const created = "new"

// atOnce is how close two claims of one run are, where runs cannot be told apart otherwise.
const atOnce = 5 * time.Millisecond

// claim takes a name for an allocation's id, or for a new one that replaces another; false when somebody else has it. Who
// claims for a new one calls planned once it is planned.
func (c *claims) claim(key, id, replaces string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey, c.planning, c.ended = map[string]string{}, map[string]int{}, map[string]time.Time{}
	}
	holder, taken := c.byKey[key]
	if c.manyRuns && c.planning[key] == 0 && time.Since(c.ended[key]) > atOnce {
		taken = false
	}
	if taken && (holder != replaces || replaces == "") && (holder != id || id == created) {
		return false
	}
	c.byKey[key] = id
	if id == created {
		c.planning[key]++
	}
	return true
}

// planned ends what a claim for a new one began.
func (c *claims) planned(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.planning[key] > 0 {
		c.planning[key]--
		c.ended[key] = time.Now()
	}
}

func (c *claims) refreshed(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read == nil {
		c.read = map[string]bool{}
	}
	c.read[id] = true
}

// refreshedSet notes a set with its members, so that a set that arrives as a new one afterwards is known to be tainted.
func (c *claims) refreshedSet(claim string, set cloudpam.AllocationSet) {
	for _, member := range set.Members {
		c.refreshed(member.Allocation)
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
	if *in == nil {
		*in = map[string]bool{}
	}
	(*in)[key] = true
}

type poolChange string

const (
	poolCreated poolChange = "created"
	poolResized poolChange = "resized"
	poolMoved   poolChange = "moved"
)

func (c *claims) changesPool(id string, change poolChange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pools == nil {
		c.pools = map[string]poolChange{}
	}
	c.pools[id] = change
}

// changing is what this run does to a pool; "" when nothing that matters to what is in it.
func (c *claims) changing(pool string) poolChange {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pools[pool]
}

// yetToGrow reports whether a pool has no room only because this run has not resized it yet.
func (c *claims) yetToGrow(pool string, err error) bool {
	return c.changing(pool) == poolResized && (errors.Is(err, cloudpam.ErrPoolExhausted) || errors.Is(err, cloudpam.ErrOutsidePool))
}

func (c *claims) inNewScope(scope string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.scopes[scope]
}

// canPromiseIn says whether the server can know a pool while this run plans, and whether it stays where it is.
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

// inOwnWay reports whether only what this configuration manages itself holds a configured CIDR. A replacement takes the
// place of what it destroys, so whether the CIDR will be free is for the apply to find out.
func (c *claims) inOwnWay(err error) bool {
	refusal, ok := errors.AsType[*cloudpam.Error](err)
	if !ok || refusal.Code != cloudpam.ErrCIDRTaken || len(refusal.Holders) == 0 {
		return false
	}
	for _, holder := range refusal.Holders {
		if !c.knows(holder.ID) {
			return false
		}
	}
	return true
}
