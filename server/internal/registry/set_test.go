package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ofSizes reads "a /24", "b 10.0.0.0/24" and so on.
func ofSizes(members ...string) ipam.SetSizes {
	s := ipam.SetSizes{Members: map[string]ipam.BlockSize{}}
	for _, m := range members {
		key, want, _ := strings.Cut(m, " ")
		var size ipam.BlockSize
		size.CIDR, size.Length = wanted(want)
		s.Members[key] = size
	}
	return s
}

func (r lab) trySet(pool ipam.Pool, name string, members ...string) (ipam.AllocationSet, error) {
	return r.AllocateSet(context.Background(), alice, ipam.NewAllocationSet{Pool: pool.ID, Name: name, SetSizes: ofSizes(members...), Details: ipam.Details{Labels: ipam.Labels{"of": name}}})
}

func (r lab) set(t tb, pool ipam.Pool, name string, members ...string) ipam.AllocationSet {
	t.Helper()
	s, err := r.trySet(pool, name, members...)
	if err != nil {
		t.Fatalf("set %s of %v: %v", name, members, err)
	}
	return s
}

func (r lab) tryChange(s ipam.AllocationSet, patch ipam.AllocationSetPatch) (ipam.AllocationSet, error) {
	return r.UpdateAllocationSet(context.Background(), alice, s.ID, ipam.Exactly(s.ETag()), patch)
}

func (r lab) reshape(t tb, s ipam.AllocationSet, members ...string) ipam.AllocationSet {
	t.Helper()
	after, err := r.tryChange(s, ipam.AllocationSetPatch{SetSizes: ofSizes(members...)})
	if err != nil {
		t.Fatalf("make set %s %v: %v", s.Name, members, err)
	}
	return after
}

// blocks reads "a=10.0.0.0/24 b=…".
func blocks(s ipam.AllocationSet) string {
	var out []string
	for _, m := range s.Members {
		out = append(out, m.Key+"="+m.CIDR.String())
	}
	return strings.Join(out, " ")
}

func wantBlocks(t tb, s ipam.AllocationSet, want string) {
	t.Helper()
	if got := blocks(s); got != want {
		t.Errorf("set %s has %s, want %s", s.Name, got, want)
	}
}

func (r lab) member(t tb, s ipam.AllocationSet, key string) ipam.Allocation {
	t.Helper()
	for _, m := range s.Members {
		if m.Key == key {
			a, err := r.Allocation(context.Background(), m.Allocation)
			if err != nil {
				t.Fatalf("member %s: %v", key, err)
			}
			return a
		}
	}
	t.Fatalf("set %s has no member %s: %s", s.Name, key, blocks(s))
	return ipam.Allocation{}
}

func TestASetIsPlacedWholeTheLargestFirst(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		t.Run("the largest first, those of one size by key", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/20")
			s := r.set(t, pool, "net", "db /26", "b /24", "a /24", "pods /22")
			wantBlocks(t, s, "a=10.0.4.0/24 b=10.0.5.0/24 db=10.0.6.0/26 pods=10.0.0.0/22")
			a := r.member(t, s, "a")
			if a.Name != "net/a" || a.Set != s.ID || a.SetKey != "a" || a.Labels["of"] != "net" {
				t.Errorf("member = %+v", a)
			}
			members, err := r.Allocations(t.Context(), ipam.AllocationFilter{Set: s.ID}, ipam.Page{Limit: 10})
			if err != nil || len(members) != 4 {
				t.Errorf("members = %v, %v", members, err)
			}
			listed, err := r.AllocationSets(t.Context(), ipam.AllocationSetFilter{Pool: pool.ID}, ipam.Page{Limit: 10})
			if err != nil || len(listed) != 1 || blocks(listed[0]) != blocks(s) {
				t.Errorf("listed = %v, %v", listed, err)
			}
		})
		t.Run("what names its CIDR is placed before all else", func(t *testing.T) {
			s := r.set(t, r.root(t, "10.0.0.0/22"), "net", "a /23", "b 10.0.0.0/24")
			wantBlocks(t, s, "a=10.0.2.0/23 b=10.0.0.0/24")
		})
		t.Run("all or nothing", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			before := r.eventCount(t)
			_, err := r.trySet(pool, "net", "a /25", "b /25", "c /28")
			e := wantCode(t, err, ipam.CodePoolExhausted)
			wantPointers(t, e)
			if !strings.Contains(e.Detail, "member c") {
				t.Errorf("detail = %q", e.Detail)
			}
			if free := r.free(t, pool); len(free) != 1 || r.eventCount(t) != before {
				t.Errorf("something was left: free %v", free)
			}
		})
		t.Run("its name and its members' names are its own", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/20")
			r.set(t, pool, "net", "a /28")
			_, err := r.trySet(pool, "net", "z /28")
			wantPointer(t, wantCode(t, err, ipam.CodeNameTaken), "/name")
			r.take(t, pool, "other/a", "/28")
			_, err = r.trySet(pool, "other", "a /28")
			wantPointer(t, wantCode(t, err, ipam.CodeNameTaken), "/members/a")
			_, err = r.try(pool, "net/a", "/28")
			wantCode(t, err, ipam.CodeNameTaken)
		})
		t.Run("destroyed and made again it is where it was, a newcomer elsewhere", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/22")
			s := r.set(t, pool, "net", "a /26", "b /26")
			r.releaseSet(t, s)
			again := r.set(t, pool, "net", "a /26", "b /26", "new /24")
			wantBlocks(t, again, blocks(s)+" new=10.0.1.0/24")
		})
		t.Run("in whichever pool has room for all of it", func(t *testing.T) {
			scope := r.scope(t)
			r.rootIn(t, scope, "a", "10.0.0.0/25", labelled("tier", "prd"))
			r.rootIn(t, scope, "b", "10.1.0.0/24", labelled("tier", "prd"))
			in := ipam.NewAllocationSet{Selector: selecting(scope), Name: "net", SetSizes: ofSizes("a /26", "b /26", "c /28")}
			s, err := r.AllocateSet(t.Context(), alice, in)
			if err != nil || s.Pool != scope+".b" {
				t.Fatalf("in %s, %v", s.Pool, err)
			}
			_, err = r.AllocateSet(t.Context(), alice, in)
			wantCode(t, err, ipam.CodeNameTaken)
			in.Name, in.SetSizes = "large", ofSizes("a /23")
			_, err = r.AllocateSet(t.Context(), alice, in)
			wantCode(t, err, ipam.CodePoolExhausted)
		})
	})
}

func wantPointers(t tb, e *ipam.Error, pointers ...string) {
	t.Helper()
	var got []string
	for _, f := range e.Fields {
		got = append(got, f.Pointer)
	}
	if !slices.Equal(got, pointers) {
		t.Errorf("fields = %+v, want %v", e.Fields, pointers)
	}
}

func (r lab) releaseSet(t tb, s ipam.AllocationSet) {
	t.Helper()
	if err := r.ReleaseSet(context.Background(), alice, s.ID, ipam.Exactly(s.ETag())); err != nil {
		t.Fatalf("release set %s: %v", s.Name, err)
	}
}

func TestAMemberKeepsItsBlockWhenOthersChange(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		t.Run("when one is added", func(t *testing.T) {
			s := r.set(t, r.root(t, "10.0.0.0/20"), "net", "b /24", "c /25")
			ids := []string{r.member(t, s, "b").ID, r.member(t, s, "c").ID}
			s = r.reshape(t, s, "a /22", "b /24", "c /25")
			wantBlocks(t, s, "a=10.0.4.0/22 b=10.0.0.0/24 c=10.0.1.0/25")
			if r.member(t, s, "b").ID != ids[0] || r.member(t, s, "c").ID != ids[1] {
				t.Error("a member that stays is another allocation")
			}
		})
		t.Run("when one is removed, and it comes back to its block", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/20")
			s := r.set(t, pool, "net", "a /24", "b /24", "c /24")
			s = r.reshape(t, s, "a /24", "c /24")
			wantBlocks(t, s, "a=10.0.0.0/24 c=10.0.2.0/24")
			r.take(t, pool, "x", "/24")
			s = r.reshape(t, s, "a /24", "c /24", "d /24")
			wantBlocks(t, s, "a=10.0.0.0/24 c=10.0.2.0/24 d=10.0.3.0/24")
		})
		t.Run("when one shrinks, which keeps its first address and its id", func(t *testing.T) {
			s := r.set(t, r.root(t, "10.0.0.0/20"), "net", "a /23", "b /24")
			id := r.member(t, s, "a").ID
			s = r.reshape(t, s, "a /25", "b /24")
			wantBlocks(t, s, "a=10.0.0.0/25 b=10.0.2.0/24")
			if a := r.member(t, s, "a"); a.ID != id || a.Version != 2 {
				t.Errorf("a = %+v", a)
			}
		})
		t.Run("when one grows, which is another block and allocation, clear of all that was", func(t *testing.T) {
			s := r.set(t, r.root(t, "10.0.0.0/20"), "net", "a /25", "b /25")
			id := r.member(t, s, "a").ID
			s = r.reshape(t, s, "a /24", "b /25")
			wantBlocks(t, s, "a=10.0.1.0/24 b=10.0.0.128/25")
			if r.member(t, s, "a").ID == id {
				t.Error("an allocation moved")
			}
			s = r.reshape(t, s, "a /25", "b /25")
			wantBlocks(t, s, "a=10.0.1.0/25 b=10.0.0.128/25")
		})
		t.Run("new blocks never take what is given up in the same change", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			s := r.set(t, pool, "net", "a /25", "b /25")
			_, err := r.tryChange(s, ipam.AllocationSetPatch{SetSizes: ofSizes("a /25", "c /25")})
			wantCode(t, err, ipam.CodePoolExhausted)
			if same, err := r.AllocationSet(t.Context(), s.ID); err != nil || blocks(same) != blocks(s) || same.Version != s.Version {
				t.Errorf("after the refusal: %+v, %v", same, err)
			}
		})
		t.Run("when its CIDR is named, as it is or around or inside it", func(t *testing.T) {
			s := r.set(t, r.root(t, "10.0.0.0/20"), "net", "a /25", "b 10.0.8.0/24", "c 10.0.9.0/24")
			s = r.reshape(t, s, "a 10.0.0.0/25", "b 10.0.8.128/25", "c /24")
			wantBlocks(t, s, "a=10.0.0.0/25 b=10.0.8.128/25 c=10.0.9.0/24")
			s = r.reshape(t, s, "a 10.0.0.0/24", "b 10.0.8.128/25", "c 10.0.15.0/24")
			wantBlocks(t, s, "a=10.0.0.0/24 b=10.0.8.128/25 c=10.0.15.0/24")
		})
		t.Run("when the pool's default is another by now", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/20", func(in *ipam.NewPool) { in.Sizes.Default = ptr(26) })
			s := r.set(t, pool, "net", "a")
			if _, err := r.UpdatePool(t.Context(), alice, pool.ID, ipam.Exactly(pool.ETag()), ipam.PoolPatch{Default: new(new(24))}); err != nil {
				t.Fatal(err)
			}
			wantBlocks(t, r.reshape(t, s, "a", "b"), "a=10.0.0.0/26 b=10.0.1.0/24")
		})
		t.Run("all of them may go and come back", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/20")
			s := r.set(t, pool, "net", "a /25", "b /25")
			was := blocks(s)
			s = r.reshape(t, s)
			wantBlocks(t, s, "")
			wantCode(t, r.DeletePool(t.Context(), alice, pool.ID, ipam.Exactly(pool.ETag())), ipam.CodePoolNotEmpty)
			s = r.reshape(t, s, "a /25", "b /25")
			wantBlocks(t, s, was)
			r.releaseSet(t, s)
			r.drop(t, pool)
		})
	})
}

func TestASetNamesAndDescribesItsMembers(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/20")
		s := r.set(t, pool, "net", "a /25", "b /25")
		a := r.member(t, s, "a")
		for pointer, patch := range map[string]ipam.AllocationPatch{
			"/name": {Name: new("x")}, "/prefix_length": {Length: new(26)}, "/hosts": {Hosts: 5, Target: ipam.TargetAWSSubnet}, "/cidr": {CIDR: new(netip.MustParsePrefix("10.0.0.0/26"))},
		} {
			_, err := r.UpdateAllocation(t.Context(), alice, a.ID, ipam.Exactly(a.ETag()), patch)
			wantPointer(t, wantCode(t, err, ipam.CodeInvalid), pointer)
		}
		a, err := r.UpdateAllocation(t.Context(), alice, a.ID, ipam.Exactly(a.ETag()), ipam.AllocationPatch{Purpose: new("mine")})
		if err != nil {
			t.Fatal(err)
		}
		s, err = r.tryChange(s, ipam.AllocationSetPatch{Name: new("web"), DetailsPatch: ipam.DetailsPatch{Owner: new("team"), Labels: &ipam.Labels{"k": "v"}}, SetSizes: ofSizes("a /25", "c /25")})
		if err != nil {
			t.Fatal(err)
		}
		for key, purpose := range map[string]string{"a": "mine", "c": ""} {
			if m := r.member(t, s, key); m.Name != "web/"+key || m.Owner != "team" || m.Labels["k"] != "v" || m.Labels["of"] != "" || m.Purpose != purpose {
				t.Errorf("%s = %+v", key, m)
			}
		}
		r.take(t, pool, "app/a", "/28")
		_, err = r.tryChange(s, ipam.AllocationSetPatch{Name: new("app")})
		wantCode(t, err, ipam.CodeNameTaken)
		r.set(t, pool, "set", "a /28")
		_, err = r.tryChange(s, ipam.AllocationSetPatch{Name: new("set")})
		wantPointer(t, wantCode(t, err, ipam.CodeNameTaken), "/name")
	})
}

func TestAMemberReleasedOnItsOwnIsMissedAndComesBack(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		s := r.set(t, r.root(t, "10.0.0.0/20"), "net", "a /25", "b /25")
		was := blocks(s)
		r.release(t, r.member(t, s, "a"))
		_, err := r.tryChange(s, ipam.AllocationSetPatch{SetSizes: ofSizes("b /25")})
		wantCode(t, err, ipam.CodePreconditionFailed) // whoever changes the set has not seen this
		if s, err = r.AllocationSet(t.Context(), s.ID); err != nil || blocks(s) != "b=10.0.0.128/25" {
			t.Fatalf("%s, %v", blocks(s), err)
		}
		wantBlocks(t, r.reshape(t, s, "a /25", "b /25"), was)
	})
}

func TestASetThatCannotBeMeantIsRefused(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool, six := r.root(t, "10.0.0.0/20"), r.root(t, "2001:db8::/48")
		many := map[string]ipam.BlockSize{}
		for i := range 257 {
			many[fmt.Sprint("k", i)] = ipam.BlockSize{Length: new(32)}
		}
		gke := &ipam.Bundle{GKE: &ipam.GKEBundle{Nodes: 4, MaxPodsPerNode: 110, Services: 128}}
		for what, c := range map[string]struct {
			in      ipam.NewAllocationSet
			pointer string
		}{
			"no members":         {ipam.NewAllocationSet{Pool: pool.ID, Name: "net"}, "/members"},
			"no name":            {ipam.NewAllocationSet{Pool: pool.ID, SetSizes: ofSizes("a /24")}, "/name"},
			"no pool":            {ipam.NewAllocationSet{Name: "net", SetSizes: ofSizes("a /24")}, "/pool"},
			"a key with a slash": {ipam.NewAllocationSet{Pool: pool.ID, Name: "net", SetSizes: ofSizes("a/b /24")}, "/members/a~1b"},
			"names too long":     {ipam.NewAllocationSet{Pool: pool.ID, Name: strings.Repeat("n", 126), SetSizes: ofSizes("a /24")}, "/members/a"},
			"too many":           {ipam.NewAllocationSet{Pool: pool.ID, Name: "net", SetSizes: ipam.SetSizes{Members: many}}, "/members"},
			"no such size":       {ipam.NewAllocationSet{Pool: pool.ID, Name: "net", SetSizes: ofSizes("a /33")}, "/members/a/prefix_length"},
			"no size":            {ipam.NewAllocationSet{Pool: pool.ID, Name: "net", SetSizes: ofSizes("a")}, "/members/a/prefix_length"},
			"a bundle of IPv6":   {ipam.NewAllocationSet{Pool: six.ID, Name: "net", SetSizes: ipam.SetSizes{Bundle: gke}}, "/bundle"},
			"a key of a bundle":  {ipam.NewAllocationSet{Pool: pool.ID, Name: "net", SetSizes: ipam.SetSizes{Bundle: gke, Members: ofSizes("pods /24").Members}}, "/members/pods"},
		} {
			_, err := r.AllocateSet(t.Context(), alice, c.in)
			e, ok := errors.AsType[*ipam.Error](err)
			if !ok || e.Code != ipam.CodeInvalid || len(e.Fields) != 1 || e.Fields[0].Pointer != c.pointer {
				t.Errorf("%s: %v, %+v; want it at %s", what, err, e, c.pointer)
			}
		}
	})
}

func TestARetryOfASetHasOneEffect(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/20")
		by := keyed("set", "x")
		in := ipam.NewAllocationSet{Pool: pool.ID, Name: "net", SetSizes: ofSizes("a /24", "b /25")}
		first, err := r.AllocateSet(t.Context(), by, in)
		if err != nil {
			t.Fatal(err)
		}
		again, err := r.AllocateSet(t.Context(), by, in)
		if err != nil || again.ID != first.ID || blocks(again) != blocks(first) || !by.Retry.Replayed {
			t.Errorf("again: %+v, %v", again, err)
		}
		gone := keyed("release", "y")
		for range 2 {
			if err := r.ReleaseSet(t.Context(), gone, first.ID, ipam.Match{}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestOneSetOfOneStateHasOneAnswer(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		members := []string{"a /26", "b /25", "c /24", "d /26", "e /24", "f /27", "g /25", "h /28"}
		var want string
		for range 20 { // a map is walked in another order each time
			pool := r.root(t, "10.0.0.0/20")
			r.take(t, pool, "x", "10.0.1.0/25")
			if got := blocks(r.set(t, pool, "net", members...)); want == "" {
				want = got
			} else if got != want {
				t.Fatalf("%s, then %s", want, got)
			}
		}
	})
}
