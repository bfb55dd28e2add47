package provider

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// deletes notes what this run deletes, so that a pool or a scope can wait for what is in it. Terraform destroys a pool after what
// refers to it; where a configuration repeats its id instead, it knows no order and begins with either. It is safe for concurrent use.
type deletes struct {
	mu       sync.Mutex
	underWay int
	ended    chan struct{} // closed when the next one ends
}

const (
	longestQuiet = 5 * time.Second  // in which nothing ends before what is left is not of this run
	longestWait  = 10 * time.Minute // in all
	betweenLooks = time.Second      // at what runs besides, with another provider block, end
)

// run deletes one thing that nothing is in.
func (d *deletes) run(remove func() error) error {
	d.mu.Lock()
	d.underWay++
	d.mu.Unlock()
	err := remove()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.underWay--
	if err == nil {
		d.signal()
	}
	return err
}

// signal wakes all who wait. The caller holds the lock.
func (d *deletes) signal() {
	if d.ended != nil {
		close(d.ended)
		d.ended = nil
	}
}

// now is a channel that is closed when the next delete ends, and whether one is under way.
func (d *deletes) now() (ended <-chan struct{}, busy bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended == nil {
		d.ended = make(chan struct{})
	}
	return d.ended, d.underWay > 0
}

// whenEmpty deletes a pool or a scope once it is empty. It gives up when nothing in it has gone for a while: with -parallelism=1
// nothing can, for the one that waits is in the way of all others.
func (d *deletes) whenEmpty(ctx context.Context, remove func() error) error {
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	inside, since := "", time.Now()
	for {
		ended, busy := d.now()
		err := remove()
		refusal, full := errors.AsType[*cloudpam.Error](err)
		if !full || refusal.Code != cloudpam.ErrPoolNotEmpty && refusal.Code != cloudpam.ErrScopeNotEmpty {
			if err == nil {
				d.mu.Lock()
				d.signal()
				d.mu.Unlock()
			}
			return err
		}
		if left := fmt.Sprint(refusal.Detail, refusal.Holders); busy || left != inside {
			inside, since = left, time.Now()
		}
		if time.Since(since) > longestQuiet {
			return err
		}
		look := time.NewTimer(betweenLooks)
		select {
		case <-ended:
			since = time.Now()
		case <-look.C:
		case <-ctx.Done():
			look.Stop()
			return err
		}
		look.Stop()
	}
}

// protected refuses to plan the end of a pool that is protected: by the time that the server refuses it, what is in it would be gone.
// A state that is old is not believed.
func (r *poolResource) protected(ctx context.Context, state poolModel) diag.Diagnostics {
	var diags diag.Diagnostics
	if !state.DeletionProtection.ValueBool() {
		return diags
	}
	if r.session != nil && r.session.client != nil {
		if pool, err := r.session.client.GetPool(ctx, state.key()); errors.Is(err, cloudpam.ErrNotFound) || err == nil && !pool.DeletionProtection {
			return diags
		}
	}
	diags.AddAttributeError(path.Root("deletion_protection"), fmt.Sprintf("Pool %q is protected", state.ID.ValueString()),
		"It cannot be destroyed, so nothing is. Set deletion_protection = false and apply that, then destroy it; or keep it: "+
			"leave it in the configuration, and destroy other things by their address (terraform destroy -target=ADDRESS).")
	return diags
}
