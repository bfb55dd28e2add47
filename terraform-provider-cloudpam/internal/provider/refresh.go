package provider

import (
	"context"
	"sync"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

const (
	singleReads  = 4  // objects of one group that are read alone before the group is listed
	listingPages = 10 // pages of pageSize that a listing reads at most; the rest is read alone
)

// refreshes answers the Reads of one run. Asking for each object alone makes a plan over hundreds of them slow, so after a
// few single reads in one group (the allocations of a pool, the pools of a scope) the group is listed, and the list
// answers the rest. It is safe for concurrent use.
//
// A list answers for an object once: asked again, or for an object that this run writes, the server says what stands now.
// Only a single read proves that an object is gone.
type refreshes[T any] struct {
	get  func(ctx context.Context, id string) (T, error)
	list func(ctx context.Context, group string, token *string) (items []T, next *string, err error)
	keys func(T) (id, group string)

	mu     sync.Mutex
	listed map[string]T
	groups map[string]*listing
	past   map[string]bool // ids that were read or written: no list answers for them
}

// listing is what is known of one group.
type listing struct {
	reads int           // single reads so far
	done  chan struct{} // closed once the list is in; nil before anybody asked for it
}

func newRefreshes[T any](
	get func(context.Context, string) (T, error),
	list func(context.Context, string, *string) ([]T, *string, error),
	keys func(T) (string, string),
) *refreshes[T] {
	return &refreshes[T]{get: get, list: list, keys: keys, listed: map[string]T{}, groups: map[string]*listing{}, past: map[string]bool{}}
}

// read answers a resource's Read. The group is "" when the caller does not know it.
func (r *refreshes[T]) read(ctx context.Context, id, group string) (T, error) {
	if item, ok := r.take(id); ok {
		return item, nil
	}
	if r.fill(ctx, group) {
		if item, ok := r.take(id); ok {
			return item, nil
		}
	}
	r.forget(id)
	return r.get(ctx, id)
}

// find answers an import, which looks an object up before Terraform reads it: by id, or by what match accepts in a group.
// It leaves the list's answer to the Read that follows. False: no list knows it.
func (r *refreshes[T]) find(ctx context.Context, group string, match func(T) bool) (found T, ok bool) {
	r.fill(ctx, group)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, item := range r.listed {
		if _, of := r.keys(item); (group == "" || of == group) && match(item) {
			return item, true
		}
	}
	return found, false
}

// forget is called before an object is read alone, changed or deleted: whatever a list says of it is old from then on.
func (r *refreshes[T]) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.past[id] = true
	delete(r.listed, id)
}

func (r *refreshes[T]) take(id string) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	item, ok := r.listed[id]
	if ok {
		r.past[id] = true
		delete(r.listed, id)
	}
	return item, ok
}

// fill counts a read of the group, and has it listed once there were enough of them. Concurrent readers wait for the one
// list. It reports whether the list is in.
func (r *refreshes[T]) fill(ctx context.Context, group string) bool {
	if group == "" {
		return false
	}
	r.mu.Lock()
	g := r.groups[group]
	if g == nil {
		g = &listing{}
		r.groups[group] = g
	}
	if g.done == nil {
		if g.reads++; g.reads <= singleReads {
			r.mu.Unlock()
			return false
		}
		g.done = make(chan struct{})
		r.mu.Unlock()
		defer close(g.done)
		r.fetch(ctx, group)
		return true
	}
	r.mu.Unlock()
	select {
	case <-g.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// fetch lists the group. A list that fails or is cut short costs single reads, nothing else.
func (r *refreshes[T]) fetch(ctx context.Context, group string) {
	var token *string
	for range listingPages {
		items, next, err := r.list(ctx, group, token)
		if err != nil {
			return
		}
		r.add(items)
		if next == nil || *next == "" {
			return
		}
		token = next
	}
}

func (r *refreshes[T]) add(items []T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, item := range items {
		if id, _ := r.keys(item); !r.past[id] {
			r.listed[id] = item
		}
	}
}

func allocationRefreshes(c *cloudpam.Client) *refreshes[cloudpam.Allocation] {
	return newRefreshes(
		func(ctx context.Context, id string) (cloudpam.Allocation, error) { return c.GetAllocation(ctx, id) },
		func(ctx context.Context, pool string, token *string) ([]cloudpam.Allocation, *string, error) {
			page, err := c.ListAllocations(ctx, cloudpam.ListAllocationsParams{Pool: &pool, Limit: new(pageSize), PageToken: token})
			return page.Items, page.NextPageToken, err
		},
		func(a cloudpam.Allocation) (string, string) { return a.ID, a.Pool })
}

func poolRefreshes(c *cloudpam.Client) *refreshes[cloudpam.Pool] {
	return newRefreshes(
		func(ctx context.Context, id string) (cloudpam.Pool, error) { return c.GetPool(ctx, id) },
		func(ctx context.Context, scope string, token *string) ([]cloudpam.Pool, *string, error) {
			page, err := c.ListPools(ctx, cloudpam.ListPoolsParams{Scope: &scope, Limit: new(pageSize), PageToken: token})
			return page.Items, page.NextPageToken, err
		},
		func(p cloudpam.Pool) (string, string) { return p.UID, p.Scope })
}

// A set brings its members along, so its pages are shorter.
func setRefreshes(c *cloudpam.Client) *refreshes[cloudpam.AllocationSet] {
	return newRefreshes(
		func(ctx context.Context, id string) (cloudpam.AllocationSet, error) {
			return c.GetAllocationSet(ctx, id)
		},
		func(ctx context.Context, pool string, token *string) ([]cloudpam.AllocationSet, *string, error) {
			page, err := c.ListAllocationSets(ctx, cloudpam.ListAllocationSetsParams{Pool: &pool, Limit: new(100), PageToken: token})
			return page.Items, page.NextPageToken, err
		},
		func(s cloudpam.AllocationSet) (string, string) { return s.ID, s.Pool })
}

func reservationRefreshes(c *cloudpam.Client) *refreshes[cloudpam.Reservation] {
	return newRefreshes(
		func(ctx context.Context, id string) (cloudpam.Reservation, error) { return c.GetReservation(ctx, id) },
		func(ctx context.Context, pool string, token *string) ([]cloudpam.Reservation, *string, error) {
			page, err := c.ListReservations(ctx, cloudpam.ListReservationsParams{Pool: &pool, Limit: new(pageSize), PageToken: token})
			return page.Items, page.NextPageToken, err
		},
		func(v cloudpam.Reservation) (string, string) { return v.ID, v.Pool })
}

func accountRefreshes(c *cloudpam.Client) *refreshes[cloudpam.Account] {
	return newRefreshes(
		func(ctx context.Context, id string) (cloudpam.Account, error) { return c.GetAccount(ctx, id) },
		func(ctx context.Context, scope string, token *string) ([]cloudpam.Account, *string, error) {
			page, err := c.ListAccounts(ctx, cloudpam.ListAccountsParams{Scope: &scope, Limit: new(pageSize), PageToken: token})
			return page.Items, page.NextPageToken, err
		},
		func(a cloudpam.Account) (string, string) { return a.ID, a.Scope })
}
