// Package reconcile looks at clouds, account by account, and has what they show recorded. It is level-triggered: each pass compares
// all that is known with all that is there, so that one more or one less changes nothing.
package reconcile

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/observe"
	"github.com/cloudpam/cloudpam/server/internal/trace"
)

// Reconciler looks at accounts. It is safe for concurrent use.
type Reconciler struct {
	k        *change.Kernel
	observer *observe.Observer
	clouds   map[ipam.Cloud]cloud.Provider
	log      *slog.Logger

	// Looked, where there is one, is told of each look at an account: how long it took and whether all was seen. It is set before the
	// first call.
	Looked func(cloud ipam.Cloud, took time.Duration, complete bool)

	mu   sync.Mutex
	busy map[ipam.UID]bool // accounts that this server is looking at
}

// New makes a Reconciler of the clouds that it can speak to.
func New(k *change.Kernel, o *observe.Observer, log *slog.Logger, clouds ...cloud.Provider) *Reconciler {
	r := &Reconciler{k: k, observer: o, clouds: map[ipam.Cloud]cloud.Provider{}, log: log, busy: map[ipam.UID]bool{}}
	for _, c := range clouds {
		r.clouds[c.Name()] = c
	}
	return r
}

// Clouds are those that it can speak to.
func (r *Reconciler) Clouds() []ipam.Cloud { return slices.Sorted(maps.Keys(r.clouds)) }

// Patience is how long a cloud has to answer for one account, where nobody says less; the lease of the look is longer, so that nobody
// else begins meanwhile.
const (
	Patience = 10 * time.Minute
	lease    = Patience + time.Minute
)

// Ask is how to look.
type Ask struct {
	Believe  bool          // what vanished is gone, however much it is: somebody has looked
	Patience time.Duration // at most Patience, which 0 is
}

// ErrBusy says that somebody is looking at the account already, here or on another server.
var ErrBusy = errors.New("this account is being looked at already")

// Outcome is what a look came to.
type Outcome struct {
	Added, Updated, Removed int
	Vanished                int // what is gone and not believed: nothing was changed
	States                  []ipam.SyncState
}

// Sync looks at an account now and records what it sees. What a cloud fails in is in the states of the outcome, and no error. Errors:
// CodeNotFound where the caller sees no such account, CodeForbidden, ErrBusy, change.ErrLeaseLost where this server was frozen for longer
// than its lease, so that nothing more was written.
func (r *Reconciler) Sync(ctx context.Context, by ipam.Caller, account string, ask Ask) (Outcome, error) {
	a, err := r.allowed(ctx, by, account)
	if err != nil {
		return Outcome{}, err
	}
	if !r.begin(a.UID) {
		return Outcome{}, ErrBusy
	}
	defer r.end(a.UID)
	work := "sync " + string(a.UID)
	leased, mine, err := r.k.Lease(ctx, work, lease)
	if err != nil {
		return Outcome{}, err
	}
	if !mine {
		return Outcome{}, ErrBusy
	}
	defer func() {
		// Given back, so that any server may look next. One that has lost it gives nothing back: the lease is another's.
		if _, _, err := r.k.Lease(context.WithoutCancel(ctx), work, 0); err != nil {
			r.log.WarnContext(ctx, "a lease was not given back", "account", account, "error", err)
		}
	}()

	// Rows before the cloud, and under the lease: what is known is at least as old as what is seen.
	k, began, err := r.observer.Read(ctx, account)
	if err != nil {
		return Outcome{}, err
	}
	start := time.Now()
	look := r.look(ctx, k.Account, ask.Patience)
	look.Began = began
	if r.Looked != nil {
		r.Looked(k.Account.Cloud, time.Since(start), look.Networks.Err() == nil && look.Subnets.Err() == nil)
	}
	c := observe.Decide(k, look, ask.Believe)
	out := Outcome{Added: len(c.Add), Updated: len(c.Update), Removed: len(c.Remove), Vanished: len(c.Vanished), States: c.States}
	return out, r.observer.Write(leased, k.Account, c)
}

// again is how long Fresh waits for somebody else's look to end before it tries once more.
const again = 200 * time.Millisecond

// Fresh looks at an account, and waits for that for as long as the context lasts. It answers when it began: what the look has not shown
// completely is older than that, whatever kept it from it. Errors: CodeNotFound, CodeForbidden.
func (r *Reconciler) Fresh(ctx context.Context, by ipam.Caller, account string) (time.Time, error) {
	began := r.k.Now()
	for {
		_, err := r.Sync(ctx, by, account, Ask{})
		switch {
		case err == nil || ctx.Err() != nil:
			return began, nil
		case !errors.Is(err, ErrBusy):
			return began, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}

// begin keeps a second look of this server off an account: a lease would not, which is the server's own.
func (r *Reconciler) begin(account ipam.UID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[account] {
		return false
	}
	r.busy[account] = true
	return true
}

func (r *Reconciler) end(account ipam.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, account)
}

// look asks the cloud.
func (r *Reconciler) look(ctx context.Context, a ipam.Account, patience time.Duration) (l observe.Look) {
	ctx, span := trace.Start(ctx, "look")
	span.Say("cloud.provider", string(a.Cloud))
	span.Say("cloud.account.id", a.ExternalID)
	defer func() { span.EndAs(string(cmp.Or(cloud.CodeOf(l.Networks.Err()), cloud.CodeOf(l.Subnets.Err())))) }()
	if patience <= 0 {
		patience = Patience
	}
	provider := r.clouds[a.Cloud]
	if provider == nil {
		err := unspoken(a)
		return observe.Look{Networks: cloud.Nothing[cloud.Network](err), Subnets: cloud.Nothing[cloud.Subnet](err)}
	}
	ctx, cancel := context.WithTimeout(ctx, min(patience, Patience))
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() { l.Networks = provider.Networks(ctx, a) })
	both.Go(func() { l.Subnets = provider.Subnets(ctx, a) })
	both.Wait()
	return l
}

// Check asks a cloud whether CloudPAM can do in an account what the account's mode says. What a cloud refuses is an error of package
// cloud; CodeNotFound where there is no account.
func (r *Reconciler) Check(ctx context.Context, by ipam.Caller, account string) error {
	a, err := r.allowed(ctx, by, account)
	if err != nil {
		return err
	}
	provider := r.clouds[a.Cloud]
	if provider == nil {
		return unspoken(a)
	}
	return provider.Validate(ctx, a)
}

// allowed reads an account that the caller may have looked at.
func (r *Reconciler) allowed(ctx context.Context, by ipam.Caller, account string) (ipam.Account, error) {
	a, err := r.observer.Account(ctx, by.Sees(), account)
	if err != nil {
		return a, err
	}
	return a, by.Allow(a.In(), nil, ipam.Extent{})
}

// unspoken is what a server says of a cloud that it was not told to look into.
func unspoken(a ipam.Account) *cloud.Error {
	e := cloud.Errorf(cloud.CodeUnsupported, "this server does not look into accounts of the cloud %s", a.Cloud)
	e.Fix = "Name the cloud in CLOUDPAM_CLOUDS."
	return e
}

// atOnce is how many accounts are looked at at one time: one that hangs takes one place, and the others go on.
const atOnce = 16

// All looks at all accounts and reports how many it could look at. It is a job: what fails is logged, and comes again.
func (r *Reconciler) All(ctx context.Context) (int64, error) {
	accounts, err := r.observer.Accounts(ctx)
	if err != nil {
		return 0, err
	}
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		done  int64
		place = make(chan struct{}, atOnce)
	)
	for _, a := range accounts {
		if r.clouds[a.Cloud] == nil {
			continue
		}
		select {
		case place <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-place }()
			out, err := r.Sync(ctx, ipam.System("look-at-clouds"), a.ID, Ask{})
			switch {
			case errors.Is(err, ErrBusy):
				return
			case err != nil:
				r.log.WarnContext(ctx, "an account was not looked at", "account", a.ID, "error", err)
				return
			case out.Vanished > 0:
				r.log.WarnContext(ctx, "too much of an account is gone at once to be believed", "account", a.ID, "count", out.Vanished)
			}
			mu.Lock()
			done++
			mu.Unlock()
		})
	}
	all.Wait()
	return done, ctx.Err()
}
