// Package approval keeps the requests that a second person allows a change: it files what the kernel refused for want of one, holds the
// blocks until then, and lets people decide. The change itself is made by who asked, with the request that was refused.
package approval

import (
	"context"
	"log/slog"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/policy"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// How long a request waits for a decision, and an approval for its change, where nothing else is set; and how long a request is there
// before the first token may approve it.
const (
	DefaultTTL   = 24 * time.Hour
	DefaultDelay = 15 * time.Minute
)

// Desk keeps requests. It is safe for concurrent use.
type Desk struct {
	k   *change.Kernel
	r   *registry.Registry
	log *slog.Logger

	// TTL, Delay and URL, the address of the server as browsers know it, are set before the first call.
	TTL, Delay time.Duration
	URL        string
}

// New makes a Desk and has the kernel file requests there.
func New(k *change.Kernel, r *registry.Registry, log *slog.Logger) *Desk {
	d := &Desk{k: k, r: r, log: log, TTL: DefaultTTL, Delay: DefaultDelay}
	k.File = d.file
	return d
}

// Approvals lists a page of requests, the newest first.
func (d *Desk) Approvals(ctx context.Context, see ipam.Visible, f ipam.ApprovalFilter, p ipam.Page) ([]ipam.Approval, error) {
	items, err := change.Get(ctx, d.k, func(tx *store.Tx) ([]ipam.Approval, error) { return tx.Approvals(see, f, p) })
	for i := range items {
		items[i] = d.shown(items[i])
	}
	return items, err
}

// Approval reads a request; CodeNotFound when there is none to see.
func (d *Desk) Approval(ctx context.Context, see ipam.Visible, id string) (ipam.Approval, error) {
	a, err := change.Get(ctx, d.k, func(tx *store.Tx) (ipam.Approval, error) { return tx.Approval(see, id) })
	return d.shown(a), err
}

// Waiting counts the requests that wait for a decision.
func (d *Desk) Waiting(ctx context.Context) (int64, error) {
	return change.Glance(ctx, d.k, func(tx *store.Tx) (int64, error) { return tx.CountApprovals(d.k.Now()) })
}

// Promised is a block that a plan was promised, for something new or for an allocation that stands.
type Promised struct {
	policy.Facts

	Stands string // the id of that allocation; "" of what is new
}

// OfHold is the promise of a hold; meant is nil where the plan does not say what it is for.
func OfHold(h ipam.Hold, meant *ipam.Meant) []Promised {
	if ipam.CheckFreeName("", h.Name) != nil {
		return nil // of a border to move, or of a reservation
	}
	return []Promised{{Facts: policy.Promise(h.In, h.Name, h.CIDR, meant)}}
}

// OfDraft is the promise of a pool.
func OfDraft(p ipam.Pool) []Promised {
	if p.ParentUID == "" {
		return nil
	}
	return []Promised{{Facts: policy.Pool(p)}}
}

// OfSet are the promises of the members of a set, those that stand too.
func OfSet(name string, plan ipam.SetPlan) (all []Promised) {
	for _, m := range plan.Members {
		all = append(all, Promised{Facts: policy.Promise(ipam.In{Pool: plan.Pool}, ipam.MemberName(name, m.Key), m.CIDR, nil), Stands: m.Allocation})
	}
	return all
}

// Forecast says for each of some promises whether its apply will need approval, as far as that is known now: nil where it will not.
func (d *Desk) Forecast(ctx context.Context, by ipam.Caller, promises [][]Promised) ([]*ipam.Approval, error) {
	return change.Read(ctx, d.k, func(tx *store.Tx) ([]*ipam.Approval, error) {
		c, out := change.Change{Tx: tx, By: by}, make([]*ipam.Approval, len(promises))
		for i, blocks := range promises {
			a := ipam.Approval{Requester: by.UID, Actor: by.String()}
			for _, p := range blocks {
				needs, err := forecast(c, p)
				if err != nil {
					return nil, err
				}
				a.Blocks = append(a.Blocks, needs...)
			}
			if len(a.Blocks) > 0 {
				a.URL, out[i] = d.URL+ipam.ApprovalsPage, &a
			}
		}
		return out, nil
	})
}

func forecast(c change.Change, p Promised) ([]ipam.Needed, error) {
	if p.PoolUID == "" {
		pool, err := c.Tx.Pool(ipam.Everything, p.Pool)
		if err != nil {
			return nil, err
		}
		p.In = pool.Inside()
	}
	if p.Stands == "" {
		return c.Needs(p.Facts, policy.Facts{}, false)
	}
	standing, err := c.Tx.Allocation(ipam.Everything, p.Stands)
	if err != nil {
		return nil, err
	}
	return c.Needs(p.Facts, policy.Allocation(standing), true)
}

// shown is a request as people see it now.
func (d *Desk) shown(a ipam.Approval) ipam.Approval {
	if a.ID != "" {
		a = a.At(d.k.Now())
		a.URL, a.EmergencyAt = a.Page(d.URL), a.CreatedAt.Add(d.Delay)
	}
	return a
}
