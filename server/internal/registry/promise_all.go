package registry

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Ask is one thing that a plan asks for: one of the three.
type Ask struct {
	Hold  *ipam.NewHold
	Set   *ipam.NewSetHolds
	Draft *ipam.NewPool
	Plan  ipam.Plan // of a draft
}

// Promised is the answer to an Ask: what it asks for, or an error of Promise, PromiseSet or DraftPool.
type Promised struct {
	Hold  ipam.Hold
	Set   ipam.SetPlan
	Draft ipam.Pool
	Err   error
}

// PromiseAll answers what a plan asks for at one moment, each as Promise, PromiseSet and DraftPool do, so that the order of its
// questions does not matter: what names its CIDR comes first, then the largest, then by name. The answers are in the order of the
// asks.
func (r *Registry) PromiseAll(ctx context.Context, by ipam.Caller, asks []Ask) []Promised {
	order := make([]int, len(asks))
	for i := range asks {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return asks[a].compare(asks[b]) })
	answers := make([]Promised, len(asks))
	var lanes []string
	inLane := map[string][]int{}
	for _, i := range order {
		lane := asks[i].lane()
		if inLane[lane] == nil {
			lanes = append(lanes, lane)
		}
		inLane[lane] = append(inLane[lane], i)
	}
	for _, lane := range lanes {
		group := inLane[lane]
		if lane != "" && len(group) > 1 {
			group = r.promiseTogether(ctx, by, lane, asks, group, answers)
		}
		for _, i := range group {
			answers[i] = r.promiseOne(ctx, retried(by, i), asks[i])
		}
	}
	return answers
}

// promiseTogether answers asks of one lane in one transaction, and returns those that it did not: each has something to be told or
// to be refused, and is asked by itself.
func (r *Registry) promiseTogether(ctx context.Context, by ipam.Caller, lane string, asks []Ask, group []int, answers []Promised) (alone []int) {
	by.Retry = nil // asked again, each answers the same
	for len(group) > 1 {
		failed := -1
		some, err := write(ctx, r, by, lane, func(c edit) ([]Promised, error) {
			some := make([]Promised, len(group))
			for n, i := range group {
				var err error
				if some[n], err = c.promiseAsked(asks[i]); err != nil {
					failed = n
					return nil, err
				}
			}
			failed = -1
			return some, nil
		})
		switch {
		case err == nil:
			for n, i := range group {
				answers[i] = some[n]
			}
			return alone
		case failed < 0, ipam.CodeOf(err) == "", ipam.CodeOf(err) == ipam.CodeUnavailable, ipam.CodeOf(err) == ipam.CodeOverloaded:
			for _, i := range group {
				answers[i].Err = err
			}
			return alone
		}
		alone = append(alone, group[failed])
		group = slices.Delete(slices.Clone(group), failed, failed+1)
	}
	return append(alone, group...)
}

func (c edit) promiseAsked(a Ask) (p Promised, err error) {
	switch {
	case a.Draft != nil:
		c.plan = a.Plan
		p.Draft, err = c.draftPool(*a.Draft, a.Plan)
		return p, err
	case a.Hold != nil:
		c.plan = a.Hold.Plan
		pool, err := c.lockFor(a.Hold.Pool)
		if err != nil {
			return p, err
		}
		p.Hold, err = c.promise(pool, *a.Hold)
		return p, err
	}
	c.plan = a.Set.Plan
	pool, err := c.lockFor(a.Set.Pool)
	if err != nil {
		return p, err
	}
	p.Set, _, err = c.promiseSet(pool, *a.Set)
	return p, err
}

func (r *Registry) promiseOne(ctx context.Context, by ipam.Caller, a Ask) (p Promised) {
	switch {
	case a.Draft != nil:
		p.Draft, p.Err = r.DraftPool(ctx, by, *a.Draft, a.Plan)
	case a.Hold != nil:
		p.Hold, p.Err = r.Promise(ctx, by, *a.Hold)
	default:
		p.Set, p.Err = r.PromiseSet(ctx, by, *a.Set)
	}
	return p
}

// retried is the caller of one ask of several under one Idempotency-Key.
func retried(by ipam.Caller, i int) ipam.Caller {
	if by.Retry != nil {
		by.Retry = &ipam.Retry{Key: fmt.Sprintf("%s#%d", by.Retry.Key, i), Fingerprint: by.Retry.Fingerprint}
	}
	return by
}

// lane is the lane of an ask; "" of one that is asked by itself: which chooses its pool, or is refused before it is tried.
func (a Ask) lane() string {
	switch {
	case a.Draft != nil:
		if a.Draft.Selector != nil || a.Draft.Check() != nil || a.Plan.Check() != nil {
			return ""
		}
		p := a.Draft.Pool()
		return p.Lane()
	case a.Hold != nil:
		if a.Hold.Selector != nil || a.Hold.CheckAll() != nil {
			return ""
		}
		return a.Hold.Pool
	case a.Set.Selector != nil || a.Set.Updates != "" || a.Set.Check() != nil:
		return ""
	}
	return a.Set.Pool
}

// compare orders asks: what names its CIDR first, then the largest, pools before what is in none, then by name.
func (a Ask) compare(b Ask) int {
	named, size, name := a.rank()
	otherNamed, otherSize, otherName := b.rank()
	return cmp.Or(cmp.Compare(named, otherNamed), cmp.Compare(size, otherSize), cmp.Compare(name, otherName))
}

func (a Ask) rank() (named, size int, name string) {
	block, name := ipam.BlockSize{}, ""
	switch {
	case a.Draft != nil:
		block, name = ipam.BlockSize{CIDR: a.Draft.CIDR, Length: a.Draft.Length}, a.Draft.Name
	case a.Hold != nil:
		block, name = a.Hold.BlockSize, a.Hold.Name
	default: // packed by itself
		return 1, 0, a.Set.Name
	}
	switch {
	case block.CIDR.IsValid():
		return 0, block.CIDR.Bits(), name
	case block.Length != nil:
		return 1, *block.Length, name
	}
	return 1, 129, name
}
