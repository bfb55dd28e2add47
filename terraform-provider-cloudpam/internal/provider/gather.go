package provider

import (
	"context"
	"errors"
	"sync"
	"time"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// gather asks the server in one request for what Terraform asks of several resources at one moment. The server answers in an order
// of its own, so a plan is the same whatever order Terraform walks in, and it takes a tenth of the requests.
//
// Nobody tells the provider how many resources Terraform plans at once. So what is asked waits until as many are there as came
// together before, or until nothing has come for a moment; and it does not wait where each has come alone for a while, as with
// -parallelism=1. An apply asks for what it was promised, so it only waits for the request before. It is safe for concurrent use.
type gather struct {
	client *cloudpam.Client

	mu     sync.Mutex
	asked  []*asked
	timer  *time.Timer
	due    time.Time // when the timer is to fire
	late   int       // how often it fired late in a row: the machine is busy, and so is Terraform
	most   int       // the most that came together
	single int       // requests in a row that had one thing to ask, while nothing else came
	flying int       // requests under way
}

const (
	gatherQuiet   = 50 * time.Millisecond // without anything new, after which what is there is asked
	gatherLate    = 5 * time.Millisecond  // past which a timer is late
	gatherPatient = 5                     // late timers after which it is asked all the same
	gatherAlone   = 4                     // requests with one thing each, after which nothing waits
	gatherAtOnce  = 100                   // items of one request, as the contract has it
)

type asked struct {
	ctx    context.Context
	item   cloudpam.NewHoldItem
	answer cloudpam.HoldItem
	err    error
	done   chan struct{}
}

// Promises, each with what its apply will need approval for; nil where it will not.
type (
	promisedHold struct {
		cloudpam.Hold

		approval *cloudpam.ApprovalForecast
	}
	promisedSet struct {
		cloudpam.SetPlan

		approval *cloudpam.ApprovalForecast
	}
	promisedDraft struct {
		cloudpam.Pool

		approval *cloudpam.ApprovalForecast
	}
)

func (g *gather) hold(ctx context.Context, ask cloudpam.NewHold) (promisedHold, error) {
	got, err := g.ask(ctx, cloudpam.NewHoldItem{Hold: &ask})
	return promisedHold{valueOf(got.Hold), got.Approval}, err
}

func (g *gather) set(ctx context.Context, ask cloudpam.NewSetHolds) (promisedSet, error) {
	got, err := g.ask(ctx, cloudpam.NewHoldItem{Set: &ask})
	return promisedSet{valueOf(got.Set), got.Approval}, err
}

func (g *gather) draft(ctx context.Context, ask cloudpam.NewDraft) (promisedDraft, error) {
	got, err := g.ask(ctx, cloudpam.NewHoldItem{Draft: &ask})
	return promisedDraft{valueOf(got.Draft), got.Approval}, err
}

func valueOf[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// ask waits for the answer to one thing.
func (g *gather) ask(ctx context.Context, item cloudpam.NewHoldItem) (cloudpam.HoldItem, error) {
	a := &asked{ctx: ctx, item: item, done: make(chan struct{})}
	g.mu.Lock()
	g.asked = append(g.asked, a)
	if g.flying > 0 {
		g.single = 0
	}
	switch {
	case a.applies() && g.flying > 0: // goes with the next one
	case a.applies(), g.single >= gatherAlone, g.most > 1 && len(g.asked) >= g.most, len(g.asked) >= gatherAtOnce:
		g.send()
	default:
		g.wait()
	}
	g.mu.Unlock()
	select {
	case <-a.done:
		return a.answer, a.err
	case <-ctx.Done():
		return cloudpam.HoldItem{}, ctx.Err()
	}
}

// applies reports whether an apply surely asks.
func (a *asked) applies() bool {
	var applying *bool
	switch {
	case a.item.Hold != nil:
		applying = a.item.Hold.Applying
	case a.item.Set != nil:
		applying = a.item.Set.Applying
	default:
		applying = a.item.Draft.Applying
	}
	return applying != nil && *applying
}

// wait has what is there asked once nothing new comes. The caller holds the lock.
func (g *gather) wait() {
	g.due = time.Now().Add(gatherQuiet)
	if g.timer == nil {
		g.timer = time.AfterFunc(gatherQuiet, g.quiet)
		return
	}
	g.timer.Reset(gatherQuiet)
}

func (g *gather) quiet() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.asked) == 0 || time.Now().Before(g.due) {
		return // sent meanwhile, or fired while something came
	}
	if g.late++; time.Since(g.due) < gatherLate || g.late > gatherPatient {
		g.late = 0
		g.send()
		return
	}
	g.wait()
}

// send asks for what is there. The caller holds the lock.
func (g *gather) send() {
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
	all := g.asked
	g.asked = nil
	g.most = max(g.most, len(all))
	if g.single++; len(all) > 1 {
		g.single = 0
	}
	g.flying++
	go func() {
		g.carry(all)
		g.mu.Lock()
		if g.flying--; len(g.asked) > 0 && g.asked[0].applies() && g.flying == 0 {
			g.send()
		}
		g.mu.Unlock()
		for _, a := range all {
			close(a.done)
		}
	}()
}

// carry asks the server. What it cannot take as a whole, each is asked by itself, so that nobody is told of another's mistake.
func (g *gather) carry(all []*asked) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(all[0].ctx)) // goes on while anybody waits
	defer cancel()
	stops := make([]func() bool, len(all))
	waiting := sync.WaitGroup{}
	waiting.Add(len(all))
	for i, a := range all {
		stops[i] = context.AfterFunc(a.ctx, waiting.Done)
	}
	go func() {
		waiting.Wait()
		cancel()
	}()
	defer func() {
		for _, stop := range stops {
			if stop() {
				waiting.Done()
			}
		}
	}()
	items := make([]cloudpam.NewHoldItem, len(all))
	for i, a := range all {
		items[i] = a.item
	}
	answers, err := g.client.PlaceHolds(ctx, items)
	if !errors.Is(err, cloudpam.ErrInvalid) {
		for i, a := range all {
			if a.err = err; err == nil {
				a.answer, a.err = answers[i], answers[i].Refusal()
			}
		}
		return
	}
	for _, a := range all {
		a.answer, a.err = g.alone(a)
	}
}

func (g *gather) alone(a *asked) (answer cloudpam.HoldItem, err error) {
	switch {
	case a.item.Hold != nil:
		hold, err := g.client.PlaceHold(a.ctx, *a.item.Hold)
		return cloudpam.HoldItem{Hold: &hold}, err
	case a.item.Set != nil:
		set, err := g.client.PlaceSetHolds(a.ctx, *a.item.Set)
		return cloudpam.HoldItem{Set: &set}, err
	}
	draft, err := g.client.DraftPool(a.ctx, *a.item.Draft)
	return cloudpam.HoldItem{Draft: &draft}, err
}
