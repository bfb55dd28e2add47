package registry

import (
	"context"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Promised is the answer to an ipam.Ask: what it asks for, or an error of Promise, PromiseSet or DraftPool.
type Promised struct {
	Hold  ipam.Hold
	Set   ipam.SetPlan
	Draft ipam.Pool
	Err   error
}

// PromiseAll answers what a plan asks for at one moment, each as Promise, PromiseSet and DraftPool do, so that the order of its
// questions does not matter: what names its CIDR comes first, then the largest, then by name. The answers are in the order of the
// asks.
func (r *Registry) PromiseAll(ctx context.Context, by ipam.Caller, asks []ipam.Ask) []Promised {
	order := make([]int, len(asks))
	for i := range asks {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return asks[a].Compare(asks[b]) })
	answers := make([]Promised, len(asks))
	var lanes []string
	inLane := map[string][]int{}
	for _, i := range order {
		lane := asks[i].Lane()
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
			answers[i] = r.promiseOne(ctx, by.OneOf(i), asks[i])
		}
	}
	return answers
}

// promiseTogether answers asks of one lane in one transaction, and returns those that it did not: each has something to be told or
// to be refused, and is asked by itself.
func (r *Registry) promiseTogether(ctx context.Context, by ipam.Caller, lane string, asks []ipam.Ask, group []int, answers []Promised) (alone []int) {
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

func (c edit) promiseAsked(a ipam.Ask) (p Promised, err error) {
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

func (r *Registry) promiseOne(ctx context.Context, by ipam.Caller, a ipam.Ask) (p Promised) {
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
