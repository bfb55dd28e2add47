package provider

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// What a plan releases is room for what it plans, if the server knows. That costs a request, so it is told where room is short:
//
//	a destroy is planned    releases notes it, and tells the server if a plan in its pool has had no room before
//	there is no room        makeRoom waits until Terraform plans nothing else, and tells what is noted of the pool
//	apply                   what is promised where something is still there waits for that: onceReleased
//
// With -parallelism=1 Terraform may plan a destroy after what needs its room. That is refused once; the server knows then.

// leaving is what a run plans to release, by pool. It is safe for concurrent use.
type leaving struct {
	mu     sync.Mutex
	blocks map[string][]*left // by pool, as the server calls it
	short  map[string]bool    // pools in which there was no room
}

// left is a block that goes.
type left struct {
	owner string // the id of the allocation, of its set, or of the reservation; the uid of the pool
	cidr  netip.Prefix
	told  bool
}

const (
	planQuiet     = 250 * time.Millisecond // in which a run plans nothing, so that all that it releases is noted
	planQuietMost = 3 * time.Second        // that is waited for it
)

// releases notes the blocks of what a run plans to destroy.
func (s *session) releases(ctx context.Context, req resource.ModifyPlanRequest, pool, owner string, blocks ...netip.Prefix) {
	if s == nil || s.client == nil || s.planning.off || s.planning.applies(req) {
		return
	}
	pool = s.renames.askPool(pool)
	s.claims.happens()
	s.leaving.mu.Lock()
	if s.leaving.blocks == nil {
		s.leaving.blocks = map[string][]*left{}
	}
	wanted := s.leaving.short[pool]
	for _, at := range blocks {
		s.leaving.blocks[pool] = append(s.leaving.blocks[pool], &left{owner: owner, cidr: at})
	}
	s.leaving.mu.Unlock()
	if wanted {
		s.tellLeft(ctx, req, pool)
	}
}

// makeRoom tells the server what a run releases in a pool in which there is no room; false when that is nothing new.
func (s *session) makeRoom(ctx context.Context, req resource.ModifyPlanRequest, pool string, err error) bool {
	if !errors.Is(err, cloudpam.ErrPoolExhausted) && !errors.Is(err, cloudpam.ErrCIDRTaken) || pool == "" || s.planning.applies(req) {
		return false
	}
	return s.needRoom(ctx, req, pool)
}

// needRoom is makeRoom for whoever needs what something releases.
func (s *session) needRoom(ctx context.Context, req resource.ModifyPlanRequest, pool string) bool {
	s.leaving.mu.Lock()
	if s.leaving.short == nil {
		s.leaving.short = map[string]bool{}
	}
	s.leaving.short[pool] = true
	s.leaving.mu.Unlock()
	s.settle(ctx)
	return s.tellLeft(ctx, req, pool)
}

// settle waits until Terraform plans nothing else, for a while at most.
func (s *session) settle(ctx context.Context) {
	for begun, seen := time.Now(), -1; seen != s.claims.activity() && time.Since(begun) < planQuietMost; {
		seen = s.claims.activity()
		quiet := time.NewTimer(planQuiet)
		select {
		case <-quiet.C:
		case <-ctx.Done():
			quiet.Stop()
			return
		}
	}
}

// tellLeft has the server hold what is noted of a pool for this plan, and reports whether it holds any. A refusal means that what
// was to go is another by now, which the apply will say.
func (s *session) tellLeft(ctx context.Context, req resource.ModifyPlanRequest, pool string) bool {
	s.leaving.mu.Lock()
	blocks := s.leaving.blocks[pool]
	var untold []*left
	for _, b := range blocks {
		if !b.told {
			b.told = true
			untold = append(untold, b)
		}
	}
	s.leaving.mu.Unlock()
	var asks sync.WaitGroup
	for _, b := range untold {
		asks.Go(func() {
			ask := s.planning.hold(s.planning.phase(req))
			ask.Pool, ask.Name, ask.CIDR, ask.Replaces = pool, "leaving:"+b.cidr.String(), new(b.cidr.String()), &b.owner
			_, _ = s.gather.hold(ctx, ask)
		})
	}
	asks.Wait()
	return len(blocks) > 0
}

// released refuses a pool without room in words of its own where this run releases some: it is to name its block then. What is in a pool
// refers to it before it exists, so its block must be free, or be named, when it is planned.
func (r *poolResource) released(ctx context.Context, plan poolModel, err error) (diags diag.Diagnostics) {
	if !errors.Is(err, cloudpam.ErrPoolExhausted) || plan.Parent.ValueString() == "" {
		return nil
	}
	r.session.settle(ctx)
	r.session.leaving.mu.Lock()
	defer r.session.leaving.mu.Unlock()
	var blocks []string
	for _, b := range r.session.leaving.blocks[r.session.renames.askPool(plan.Parent.ValueString())] {
		blocks = append(blocks, b.cidr.String())
	}
	if len(blocks) > 0 {
		slices.Sort(blocks)
		diags.AddAttributeError(path.Root("prefix_length"), "Pool is exhausted", fmt.Sprintf(
			"Pool %q has no free /%d before this plan is applied. The plan releases %s there, which a new pool gets in the same apply only where it names its block: "+
				"set cidr in place of prefix_length. Or release that first, in an apply without this pool, and CloudPAM chooses the block. Nothing was changed.",
			plan.Parent.ValueString(), plan.PrefixLength.ValueInt64(), strings.Join(blocks, ", ")))
	}
	return diags
}

// standsOn notes what a promise stands on that is still there, so that one of those which this run keeps says so: an earlier plan
// was to release it. Such a promise is given up.
func (s *session) standsOn(ctx context.Context, hold cloudpam.Hold, self string) diag.Diagnostics {
	var diags diag.Diagnostics
	at, err := netip.ParsePrefix(hold.CIDR)
	if err != nil || !valueOf(hold.Inherits) {
		return diags
	}
	w := wish{by: fmt.Sprintf("%q", hold.Name), cidr: at, hold: hold.ID}
	if s.claims.wishFor(hold.Pool, self, w) {
		diags.Append(s.giveUp(ctx, path.Root("prefix_length"), at, w))
	}
	return diags
}

// giveUp ends a promise over what stays, and says so.
func (s *session) giveUp(ctx context.Context, from path.Path, at netip.Prefix, w wish) diag.Diagnostic {
	next := "Run terraform plan again; it happens once."
	if err := s.client.ReleaseHold(ctx, w.hold); err != nil && !errors.Is(err, cloudpam.ErrNotFound) {
		next = "Release the hold " + w.hold + ", under Holds in the browser, and run terraform plan again."
	}
	return diag.NewAttributeErrorDiagnostic(from, "Two blocks of this plan were in each other's way", fmt.Sprintf(
		"An earlier plan released %s, and its place was planned for %s. This one keeps it. %s Nothing was changed.", at, w.by, next))
}

// onceReleased does what needs a block or a name that this very apply releases: it waits for that. In Terraform's graph nothing says
// that the one comes after the other, and what is in the cloud must go first. What the server was told to be released is waited for as
// long as it takes; what is just taken, while something of this run has ended lately.
func onceReleased[T any](ctx context.Context, s *session, do func() (T, error)) (T, error) {
	end, since := time.Now().Add(s.planning.releaseWait), time.Now()
	for {
		ended, busy := s.deletes.now()
		done, err := do()
		if busy {
			since = time.Now()
		}
		taken := errors.Is(err, cloudpam.ErrCIDRTaken) || errors.Is(err, cloudpam.ErrNameTaken)
		waits := errors.Is(err, cloudpam.ErrReleasePending) || taken && time.Since(since) < longestQuiet
		if !waits || !time.Now().Before(end) {
			return done, err
		}
		look := time.NewTimer(min(betweenLooks, time.Until(end)))
		select {
		case <-ended:
			since = time.Now()
		case <-look.C:
		case <-ctx.Done():
			look.Stop()
			return done, err
		}
		look.Stop()
	}
}
