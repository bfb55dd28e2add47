package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// sized reads "/24" or "10.0.0.0/24".
func sized(to string) (patch ipam.AllocationPatch) {
	cidr, length := wanted(to)
	if patch.Length = length; length == nil {
		patch.CIDR = &cidr
	}
	return patch
}

func (r lab) regrow(a ipam.Allocation, to string) (ipam.Allocation, error) {
	return r.UpdateAllocation(context.Background(), alice, a.ID, ipam.Exactly(a.ETag()), sized(to))
}

func TestAnAllocationIsResizedWhereItStands(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		for _, c := range []struct{ pool, from, to, want, free string }{
			{"10.0.0.0/24", "10.0.0.0/28", "/26", "10.0.0.0/26", "[10.0.0.64/26 10.0.0.128/25]"},
			{"10.0.0.0/24", "10.0.0.48/28", "/26", "10.0.0.0/26", "[10.0.0.64/26 10.0.0.128/25]"},
			{"10.0.0.0/24", "10.0.0.0/26", "/28", "10.0.0.0/28", "[10.0.0.16/28 10.0.0.32/27 10.0.0.64/26 10.0.0.128/25]"},
			{"10.0.0.0/24", "10.0.0.0/26", "10.0.0.32/28", "10.0.0.32/28", "[10.0.0.0/27 10.0.0.48/28 10.0.0.64/26 10.0.0.128/25]"},
			{"10.0.0.0/24", "10.0.0.32/28", "/24", "10.0.0.0/24", "[]"},
			{"10.0.0.0/24", "10.0.0.0/26", "/26", "10.0.0.0/26", "[10.0.0.64/26 10.0.0.128/25]"},
			{"2001:db8::/48", "2001:db8:0:3::/64", "/62", "2001:db8::/62", ""},
			{"2001:db8::/127", "2001:db8::1/128", "/127", "2001:db8::/127", "[]"},
		} {
			t.Run(c.from+" to "+c.to, func(t *testing.T) {
				pool := r.root(t, c.pool)
				a := r.take(t, pool, "a", c.from)
				resized, err := r.regrow(a, c.to)
				if err != nil {
					t.Fatal(err)
				}
				wantCIDR(t, "a", resized.CIDR, c.want)
				if resized.ID != a.ID || resized.Version != a.Version+1 {
					t.Errorf("became %s at version %d", resized.ID, resized.Version)
				}
				if got := fmt.Sprint(r.free(t, pool)); c.free != "" && got != c.free {
					t.Errorf("free = %v, want %v", got, c.free)
				}
				found, err := r.Allocations(t.Context(), ipam.AllocationFilter{Pool: pool.ID, Around: ipam.Around{Contains: resized.CIDR}}, ipam.Page{Limit: 2})
				if err != nil || len(found) != 1 || found[0].CIDR != resized.CIDR {
					t.Errorf("found by its new addresses: %v, %v", found, err)
				}
				r.release(t, resized)
				if got := fmt.Sprint(r.free(t, pool)); got != "["+c.pool+"]" {
					t.Errorf("free after its release = %v", got)
				}
			})
		}
		t.Run("the event tells both sizes", func(t *testing.T) {
			a := r.take(t, r.root(t, "10.0.0.0/24"), "a", "/28")
			if _, err := r.regrow(a, "/27"); err != nil {
				t.Fatal(err)
			}
			var before, after ipam.Allocation
			e := r.events(t, a.ID)[0]
			if err := errors.Join(json.Unmarshal(e.Before, &before), json.Unmarshal(e.After, &after)); err != nil {
				t.Fatal(err)
			}
			wantCIDR(t, e.Action+" before", before.CIDR, "10.0.0.0/28")
			wantCIDR(t, e.Action+" after", after.CIDR, "10.0.0.0/27")
		})
		t.Run("made again at its former size it has its former block", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			r.take(t, pool, "other", "10.0.0.0/26")
			a := r.take(t, pool, "a", "10.0.0.96/28")
			grown, err := r.regrow(a, "/26")
			if err != nil {
				t.Fatal(err)
			}
			r.release(t, grown)
			wantCIDR(t, "a", r.take(t, pool, "a", "/28").CIDR, "10.0.0.96/28")
		})
		t.Run("a name and a size change together or not at all", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			a := r.take(t, pool, "a", "/28")
			r.take(t, pool, "b", "10.0.0.128/28")
			patch := sized("/27")
			patch.Name = ptr("b")
			_, err := r.UpdateAllocation(t.Context(), alice, a.ID, at(a, 1), patch)
			wantCode(t, err, ipam.CodeNameTaken)
			if now, err := r.Allocation(t.Context(), a.ID); err != nil || now.CIDR != a.CIDR {
				t.Errorf("a is %s, %v", now.CIDR, err)
			}
			patch.Name = ptr("c")
			if now, err := r.UpdateAllocation(t.Context(), alice, a.ID, at(a, 1), patch); err != nil || now.Name != "c" || now.CIDR.Bits() != 27 {
				t.Errorf("a is %+v, %v", now, err)
			}
		})
	})
}

func TestAnAllocationIsNotResizedOverOthers(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/24", sizes(25, 29, 28))
		a := r.take(t, pool, "a", "10.0.0.0/28")
		r.take(t, pool, "neighbour", "10.0.0.32/28")
		free := fmt.Sprint(r.free(t, pool))
		_, err := r.regrow(a, "/26")
		e := wantCode(t, err, ipam.CodeCIDRTaken)
		wantHolders(t, e, "neighbour")
		if want := `10.0.0.0/28 cannot grow to 10.0.0.0/26: 10.0.0.32/27 is taken: allocation "neighbour" holds 10.0.0.32/28`; e.Detail != want {
			t.Errorf("detail = %s\nwant     %s", e.Detail, want)
		}
		for to, want := range map[string]struct {
			code    ipam.Code
			pointer string
		}{
			"/24": {ipam.CodePolicyViolation, "/prefix_length"}, "/30": {ipam.CodePolicyViolation, "/prefix_length"},
			"/23": {ipam.CodeInvalid, "/prefix_length"}, "/33": {ipam.CodeInvalid, "/prefix_length"},
			"10.0.0.16/28": {ipam.CodeInvalid, "/cidr"}, "10.0.0.64/26": {ipam.CodeInvalid, "/cidr"}, "2001:db8::/28": {ipam.CodeInvalid, "/cidr"},
		} {
			_, err := r.regrow(a, to)
			e := wantCode(t, err, want.code)
			wantPointer(t, e, want.pointer)
		}
		_, err = r.UpdateAllocation(t.Context(), alice, a.ID, ipam.Match{}, sized("/27"))
		wantCode(t, err, ipam.CodePreconditionRequired)
		now, err := r.Allocation(t.Context(), a.ID)
		if err != nil || now.CIDR != a.CIDR || now.Version != a.Version || fmt.Sprint(r.free(t, pool)) != free {
			t.Errorf("a = %+v, %v, free = %v, want %s", now, err, r.free(t, pool), free)
		}
	})
}

func TestAnAllocationGrowsOverWhatIsOnlyPlanned(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		t.Run("not while the promise stands", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			a := r.take(t, pool, "a", "10.0.0.0/28")
			r.hold(t, pool, "planned", "10.0.0.16/28")
			_, err := r.regrow(a, "/27")
			wantHolders(t, wantCode(t, err, ipam.CodeCIDRTaken), "planned")
			r.wait(25 * time.Hour)
			if _, err := r.regrow(a, "/27"); err != nil {
				t.Error("after it ran out:", err)
			}
			_, err = r.tryHold(alice, pool.ID, "planned", "/28", applying(true))
			wantCode(t, err, ipam.CodeHoldLost)
		})
		t.Run("what was planned to replace it is void", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			a := r.take(t, pool, "a", "10.0.0.0/28")
			r.take(t, pool, "b", "10.0.0.64/26")
			h := r.hold(t, pool, "a", "/27", func(in *ipam.NewHold) { in.Replaces = a.ID })
			grown, err := r.regrow(a, "/27")
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.Hold(t.Context(), h.ID)
			wantCode(t, err, ipam.CodeNotFound)
			wantCIDR(t, "a", grown.CIDR, "10.0.0.0/27")
		})
		t.Run("what a plan holds for it to gain is its own, and nobody else's", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/24")
			a := r.take(t, pool, "a", "10.0.0.0/28")
			for _, beside := range []string{"10.0.0.16/28", "10.0.0.32/27"} {
				r.hold(t, pool, "growth:"+a.ID, beside, func(in *ipam.NewHold) { in.Replaces = a.ID })
			}
			_, err := r.try(pool, "a", "/28")
			wantCode(t, err, ipam.CodeNameTaken)
			wantCIDR(t, "another", r.take(t, pool, "another", "/28").CIDR, "10.0.0.64/28")
			grown, err := r.regrow(a, "/26")
			if err != nil {
				t.Fatal(err)
			}
			wantCIDR(t, "a", grown.CIDR, "10.0.0.0/26")
			left, err := r.Holds(t.Context(), ipam.HoldFilter{Pool: pool.ID}, ipam.Page{Limit: 10})
			if err != nil || len(left) != 0 {
				t.Errorf("left over: %+v, %v", left, err)
			}
		})
		t.Run("its own replacement does not stand in its way", func(t *testing.T) {
			pool := r.root(t, "10.0.0.0/26")
			a := r.take(t, pool, "a", "10.0.0.0/28")
			b := r.take(t, pool, "b", "10.0.0.16/28")
			r.hold(t, pool, "a", "/27", func(in *ipam.NewHold) { in.Replaces = a.ID })
			r.release(t, b)
			if grown, err := r.regrow(a, "/26"); err != nil || grown.CIDR.Bits() != 26 {
				t.Errorf("a is %s, %v", grown.CIDR, err)
			}
		})
	})
}

func TestAPreviewIsWhatTheChangeWouldBe(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		root := r.root(t, "10.0.0.0/16")
		kid := r.child(t, root, "kid", "10.0.0.0/24")
		a := r.take(t, kid, "a", "10.0.0.0/28")
		r.take(t, kid, "b", "10.0.0.64/26")
		for _, to := range []string{"/27", "/25", "/28", "10.0.0.0/29", "10.0.1.0/28", "/99"} {
			t.Run("of an allocation to "+to, func(t *testing.T) {
				events, free := r.eventCount(t), fmt.Sprint(r.free(t, kid))
				would, refused := r.PreviewAllocation(t.Context(), keyed("preview", to), a.ID, sized(to), ipam.Plan{})
				if now, err := r.Allocation(t.Context(), a.ID); err != nil || fmt.Sprint(now) != fmt.Sprint(a) || fmt.Sprint(r.free(t, kid)) != free || r.eventCount(t) != events {
					t.Errorf("the preview changed something: %+v, %v", now, err)
				}
				did, err := r.regrow(a, to)
				if fmt.Sprint(would) != fmt.Sprint(did) || fmt.Sprint(refused) != fmt.Sprint(err) {
					t.Errorf("preview %+v, %v\nchange  %+v, %v", would, refused, did, err)
				}
				if err == nil {
					a = did
				}
			})
		}
		for _, to := range []string{"/22", "/26", "10.0.0.0/25", "10.0.0.0/15"} {
			t.Run("of a pool to "+to, func(t *testing.T) {
				var patch ipam.PoolPatch
				cidr, length := wanted(to)
				if patch.Length = length; length == nil {
					patch.CIDR = &cidr
				}
				events, free := r.eventCount(t), fmt.Sprint(r.free(t, root))
				would, refused := r.PreviewPool(t.Context(), alice, kid.ID, patch, ipam.Plan{})
				if now, err := r.Pool(t.Context(), kid.ID); err != nil || fmt.Sprint(now) != fmt.Sprint(kid) || fmt.Sprint(r.free(t, root)) != free || r.eventCount(t) != events {
					t.Errorf("the preview changed something: %+v, %v", now, err)
				}
				did, err := r.resize(kid, to)
				if fmt.Sprint(would) != fmt.Sprint(did) || fmt.Sprint(refused) != fmt.Sprint(err) {
					t.Errorf("preview %+v, %v\nchange  %+v, %v", would, refused, did, err)
				}
				if err == nil {
					kid = did
				}
			})
		}
		t.Run("of what is not there", func(t *testing.T) {
			_, err := r.PreviewAllocation(t.Context(), alice, "alloc_none", ipam.AllocationPatch{}, ipam.Plan{})
			wantCode(t, err, ipam.CodeNotFound)
			_, err = r.PreviewPool(t.Context(), alice, "none", ipam.PoolPatch{}, ipam.Plan{})
			wantCode(t, err, ipam.CodeNotFound)
		})
	})
}

func TestOneOfManyGetsTheBlockBeside(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		servers := r.replicas(t)
		for range 10 {
			pool := r.root(t, "10.0.0.0/24")
			a := r.take(t, pool, "a", "10.0.0.0/27")
			outcomes := together(8, func(i int) error {
				var err error
				switch i % 2 {
				case 0:
					_, err = servers[i%len(servers)].UpdateAllocation(t.Context(), alice, a.ID, at(a, 1), sized("/26"))
				default:
					_, err = servers[i%len(servers)].try(pool, fmt.Sprint("n", i), "10.0.0.32/27")
				}
				if code := ipam.CodeOf(err); code == ipam.CodeCIDRTaken || code == ipam.CodePreconditionFailed {
					return nil // too late
				}
				if err == nil {
					return ipam.Errorf("won", "")
				}
				return err
			})
			wantOutcomes(t, outcomes, map[ipam.Code]int{"": 7, "won": 1})
		}
	})
}

func TestNeighboursThatGrowAtOnceNeverMeet(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		servers := r.replicas(t)
		pool := r.root(t, "10.0.0.0/24")
		two := []ipam.Allocation{r.take(t, pool, "a", "10.0.0.0/28"), r.take(t, pool, "b", "10.0.0.64/28")}
		outcomes := together(16, func(i int) error {
			// Both may become a /26 and neither a /25, whoever comes first.
			for _, bits := range []int{25, 27, 26, 25} {
				now, err := r.Allocation(t.Context(), two[i%2].ID)
				if err == nil {
					_, err = servers[i%len(servers)].regrow(now, fmt.Sprint("/", bits))
				}
				code := ipam.CodeOf(err)
				if bits == 25 && code != ipam.CodeCIDRTaken && code != ipam.CodePreconditionFailed || err != nil && code != ipam.CodeCIDRTaken && code != ipam.CodePreconditionFailed {
					return fmt.Errorf("/%d: %w", bits, err)
				}
			}
			return nil
		})
		wantOutcomes(t, outcomes, map[ipam.Code]int{"": 16})
	})
}
