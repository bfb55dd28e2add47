package cloudpam_test

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/cloudpam/cloudpam/client"
)

func connect(t *testing.T) *cloudpam.Client {
	t.Helper()
	c, err := cloudpam.New(os.Getenv("CLOUDPAM_ENDPOINT"), os.Getenv("CLOUDPAM_TOKEN"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// scope makes an address space of the test's own.
func scope(t *testing.T, c *cloudpam.Client, name string) cloudpam.Scope {
	t.Helper()
	s, err := c.CreateScope(t.Context(), cloudpam.NewScope{Name: name, Labels: &cloudpam.Labels{"test": "yes"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustPool(t *testing.T, c *cloudpam.Client, p cloudpam.NewPool) cloudpam.Pool {
	t.Helper()
	pool, err := c.CreatePool(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

func TestTheServerIsReadThroughEveryCall(t *testing.T) {
	c, ctx := connect(t), t.Context()
	s := scope(t, c, "reads")
	root := mustPool(t, c, cloudpam.NewPool{Scope: &s.ID, Name: "root", CIDR: new("2001:db8::/32")})
	child := mustPool(t, c, cloudpam.NewPool{Name: "child", Parent: &root.ID, PrefixLength: new(48)})
	a, err := c.CreateAllocation(ctx, cloudpam.NewAllocation{Pool: child.ID, Name: "a", PrefixLength: new(64)})
	if err != nil || a.CIDR != "2001:db8::/64" {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := c.GetVersion(ctx); err != nil {
		t.Error(err)
	}
	if got, err := c.GetScope(ctx, s.ID); err != nil || got.Labels["test"] != "yes" {
		t.Errorf("%+v, %v", got, err)
	}
	if tree, err := c.GetPoolTree(ctx, cloudpam.GetPoolTreeParams{Scope: &s.ID}); err != nil || len(tree.Items) != 2 || tree.Items[1].Depth != 1 {
		t.Errorf("%+v, %v", tree, err)
	}
	if u, err := c.GetPoolUtilization(ctx, child.ID); err != nil || u.Allocations != 1 || u.Total != "1208925819614629174706176" {
		t.Errorf("%+v, %v", u, err)
	}
	if blocks, err := c.ListFreeBlocks(ctx, child.ID); err != nil || len(blocks) != 16 || blocks[0].PrefixLength != 49 {
		t.Errorf("%+v, %v", blocks, err)
	}
	if space, err := cloudpam.Collect(c.PoolSpace(ctx, child.ID, cloudpam.ListPoolSpaceParams{Limit: new(5)})); err != nil || len(space) != 17 {
		t.Errorf("%d blocks, %v", len(space), err)
	}
	if prefixes, err := cloudpam.Collect(c.Prefixes(ctx, cloudpam.ListPrefixesParams{Scope: &s.ID, Limit: new(1)})); err != nil || len(prefixes) != 3 {
		t.Errorf("%+v, %v", prefixes, err)
	}
	if events, err := cloudpam.Collect(c.Events(ctx, cloudpam.ListEventsParams{Object: &a.ID})); err != nil || len(events) != 1 || events[0].Action != "allocation.created" {
		t.Errorf("%+v, %v", events, err)
	}
	if scopes, err := cloudpam.Collect(c.Scopes(ctx, cloudpam.ListScopesParams{Limit: new(1)})); err != nil || len(scopes) < 2 {
		t.Errorf("%+v, %v", scopes, err)
	}
}

func TestOneKeyHasOneEffect(t *testing.T) {
	c, ctx := connect(t), t.Context()
	s := scope(t, c, "keys")
	pool := mustPool(t, c, cloudpam.NewPool{Scope: &s.ID, Name: "pool", CIDR: new("10.0.0.0/16")})
	request := cloudpam.NewAllocation{Pool: pool.ID, Name: "a", PrefixLength: new(24)}
	first, err := c.CreateAllocation(ctx, request, cloudpam.WithIdempotencyKey("pipeline-run-7"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.CreateAllocation(ctx, request, cloudpam.WithIdempotencyKey("pipeline-run-7"))
	if err != nil || again.ID != first.ID {
		t.Errorf("%+v, %v; want %s", again, err, first.ID)
	}
	request.PrefixLength = new(25)
	if _, err := c.CreateAllocation(ctx, request, cloudpam.WithIdempotencyKey("pipeline-run-7")); !errors.Is(err, cloudpam.ErrIdempotencyMismatch) {
		t.Errorf("another body under the same key: %v", err)
	}
}

func TestManyWritersAtOnceGetDistinctBlocksAndOneListHasThemAll(t *testing.T) {
	c, ctx := connect(t), t.Context()
	s := scope(t, c, "many")
	pool := mustPool(t, c, cloudpam.NewPool{Scope: &s.ID, Name: "pool", CIDR: new("10.0.0.0/16"), DefaultPrefixLength: new(26)})
	var group sync.WaitGroup
	for i := range 256 {
		group.Go(func() {
			if _, err := c.CreateAllocation(ctx, cloudpam.NewAllocation{Pool: pool.ID, Name: fmt.Sprintf("n%d", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	seen := map[string]bool{}
	for a, err := range c.Allocations(ctx, cloudpam.ListAllocationsParams{Pool: &pool.ID, Limit: new(50)}) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[a.CIDR] {
			t.Errorf("%s was handed out twice", a.CIDR)
		}
		seen[a.CIDR] = true
	}
	if len(seen) != 256 {
		t.Errorf("%d of 256 blocks are in the list", len(seen))
	}
}

func TestAChangeNeedsTheETagOfWhatStands(t *testing.T) {
	c, ctx := connect(t), t.Context()
	s := scope(t, c, "etags")
	pool := mustPool(t, c, cloudpam.NewPool{Scope: &s.ID, Name: "pool", CIDR: new("10.0.0.0/16"), MinPrefixLength: new(20)})
	var etag string
	if _, err := c.GetPool(ctx, pool.ID, cloudpam.ReadETag(&etag)); err != nil || etag == "" {
		t.Fatalf("etag %q, %v", etag, err)
	}
	if _, err := c.UpdatePool(ctx, pool.ID, cloudpam.PoolPatch{Owner: new("first")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdatePool(ctx, pool.ID, cloudpam.PoolPatch{Owner: new("second")}, cloudpam.WithIfMatch(etag)); !errors.Is(err, cloudpam.ErrPreconditionFailed) {
		t.Errorf("a stale update: %v", err)
	}
	if err := c.DeletePool(ctx, pool.ID, cloudpam.WithIfMatch(etag)); !errors.Is(err, cloudpam.ErrPreconditionFailed) {
		t.Errorf("a stale delete: %v", err)
	}
	if got, err := c.GetPool(ctx, pool.ID); err != nil || got.Owner != "first" || got.MinPrefixLength == nil {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.DeletePool(ctx, pool.ID); err != nil {
		t.Error(err)
	}
	if _, err := c.UpdateScope(ctx, s.ID, cloudpam.ScopePatch{Description: new("empty now")}); err != nil {
		t.Error(err)
	}
	if err := c.DeleteScope(ctx, s.ID); err != nil {
		t.Error(err)
	}
}

func TestRefusalsHaveTheirCodes(t *testing.T) {
	c, ctx := connect(t), t.Context()
	s := scope(t, c, "refusals")
	pool := mustPool(t, c, cloudpam.NewPool{Scope: &s.ID, Name: "pool", CIDR: new("10.0.0.0/24"), MinPrefixLength: new(26), DeletionProtection: new(true)})
	allocate := func(name, cidr string) error {
		_, err := c.CreateAllocation(ctx, cloudpam.NewAllocation{Pool: pool.ID, Name: name, CIDR: &cidr})
		return err
	}
	if err := allocate("a", "10.0.0.0/26"); err != nil {
		t.Fatal(err)
	}
	stranger, err := cloudpam.New(os.Getenv("CLOUDPAM_ENDPOINT"), "cpam_nobody_0123456789")
	if err != nil {
		t.Fatal(err)
	}
	_, unauthenticated := stranger.GetPool(ctx, pool.ID)
	_, notFound := c.GetPool(ctx, "refusals.nothing")
	for name, refusal := range map[string]struct {
		got  error
		want cloudpam.Code
	}{
		"the name":      {allocate("a", "10.0.0.64/26"), cloudpam.ErrNameTaken},
		"the block":     {allocate("b", "10.0.0.0/26"), cloudpam.ErrCIDRTaken},
		"outside":       {allocate("b", "10.0.1.0/26"), cloudpam.ErrOutsidePool},
		"host bits":     {allocate("b", "10.0.0.65/26"), cloudpam.ErrInvalid},
		"too large":     {allocate("b", "10.0.0.128/25"), cloudpam.ErrPolicyViolation},
		"a full scope":  {c.DeleteScope(ctx, s.ID), cloudpam.ErrScopeNotEmpty},
		"protection":    {c.DeletePool(ctx, pool.ID), cloudpam.ErrDeletionProtected},
		"nobody":        {unauthenticated, cloudpam.ErrUnauthenticated},
		"nothing there": {notFound, cloudpam.ErrNotFound},
	} {
		if !errors.Is(refusal.got, refusal.want) {
			t.Errorf("%s: got %v, want %s", name, refusal.got, string(refusal.want))
		}
		var e *cloudpam.Error
		if !errors.As(refusal.got, &e) || e.RequestID == "" || e.Detail == "" {
			t.Errorf("%s: no request id or no detail in %#v", name, refusal.got)
		}
	}
}

func TestAHoldBecomesTheAllocation(t *testing.T) {
	c, ctx := connect(t), t.Context()
	s := scope(t, c, "holds")
	pool := mustPool(t, c, cloudpam.NewPool{Scope: &s.ID, Name: "pool", CIDR: new("10.0.0.0/16")})
	hold, err := c.PlaceHold(ctx, cloudpam.NewHold{Pool: pool.ID, Name: "a", PrefixLength: new(24)})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.GetHold(ctx, hold.ID); err != nil || got.CIDR != hold.CIDR {
		t.Errorf("%+v, %v", got, err)
	}
	other, err := c.PlaceHold(ctx, cloudpam.NewHold{Pool: pool.ID, Name: "b", PrefixLength: new(24)})
	if err != nil || other.CIDR == hold.CIDR {
		t.Errorf("%+v, %v", other, err)
	}
	if err := c.ReleaseHold(ctx, other.ID); err != nil {
		t.Error(err)
	}
	a, err := c.CreateAllocation(ctx, cloudpam.NewAllocation{Pool: pool.ID, Name: "a", CIDR: &hold.CIDR})
	if err != nil || a.CIDR != hold.CIDR {
		t.Errorf("%+v, %v", a, err)
	}
	if draft, err := c.DraftPool(ctx, cloudpam.NewDraft{Pool: cloudpam.NewPool{Name: "draft", Parent: &pool.ID, PrefixLength: new(20)}}); err != nil || draft.ID != "holds.draft" {
		t.Errorf("%+v, %v", draft, err)
	}
	for h, err := range c.Holds(ctx, cloudpam.ListHoldsParams{Scope: &s.ID}) {
		// A released hold is remembered, so that its name gets its block back; it keeps no space.
		if err != nil || h.Kept {
			t.Errorf("%+v, %v", h, err)
		}
	}
}
