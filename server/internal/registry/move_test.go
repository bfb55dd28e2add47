package registry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// rehome moves a pool to a parent, "" for the root, with "/24", "10.0.0.0/24" or no size named.
func (r lab) rehome(p ipam.Pool, parent, want string) (ipam.Pool, error) {
	patch := ipam.PoolPatch{Parent: &parent}
	cidr, length := wanted(want)
	if patch.Length = length; cidr.IsValid() {
		patch.CIDR = &cidr
	}
	return r.UpdatePool(context.Background(), alice, p.ID, ipam.Exactly(p.ETag()), patch)
}

func TestAnEmptyPoolMoves(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		for _, c := range []struct{ to, want, cidr string }{
			{"east", "", "10.1.0.0/24"},            // its own length, where the new parent has room
			{"east", "/20", "10.1.0.0/20"},         // another length
			{"east", "10.1.7.0/24", "10.1.7.0/24"}, // where it says
			{"root", "", "10.2.0.0/24"},            // out to the parent's parent
			{"deep", "", "10.1.128.0/24"},          // further in
			{"", "192.168.0.0/16", "192.168.0.0/16"},
		} {
			t.Run(fmt.Sprintf("to %q %s", c.to, c.want), func(t *testing.T) {
				root := r.root(t, "10.0.0.0/8")
				west := r.child(t, root, "west", "10.0.0.0/16")
				east := r.child(t, root, "east", "10.1.0.0/16")
				r.child(t, east, "deep", "10.1.128.0/17")
				p := r.child(t, west, "p", "10.0.5.0/24")
				to := c.to
				if to != "" {
					to = ipam.PoolID(root.Scope, to)
				}
				moved, err := r.rehome(p, to, c.want)
				if err != nil {
					t.Fatal(err)
				}
				wantCIDR(t, "p", moved.CIDR, c.cidr)
				if moved.Parent != to || moved.ID != p.ID || moved.Version != p.Version+1 {
					t.Errorf("moved = %+v", moved)
				}
				if now, err := r.Pool(t.Context(), p.ID); err != nil || fmt.Sprint(now) != fmt.Sprint(moved) {
					t.Errorf("stored = %+v, %v", now, err)
				}
				if got := fmt.Sprint(r.free(t, west)); got != "[10.0.0.0/16]" {
					t.Errorf("free where it was: %s", got)
				}
				if got := fmt.Sprint(r.free(t, moved)); got != "["+c.cidr+"]" {
					t.Errorf("free in it: %s", got)
				}
				e := r.events(t, p.ID)[0]
				if e.Action != "pool.updated" || e.Chain != ipam.ChainOf(west.UID) {
					t.Errorf("event %s in the chain of %s", e.Action, e.Chain)
				}
				r.take(t, moved, "a", "/28")
			})
		}
		t.Run("and back to where it was", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			west, east := r.child(t, root, "west", "10.0.0.0/16"), r.child(t, root, "east", "10.1.0.0/16")
			p := r.child(t, west, "p", "10.0.5.0/24")
			for _, to := range []ipam.Pool{east, west, root, west} {
				var err error
				if p, err = r.rehome(p, to.ID, ""); err != nil {
					t.Fatal(err)
				}
			}
			wantCIDR(t, "p", p.CIDR, "10.0.5.0/24")
			r.drop(t, p)
		})
		t.Run("a root pool becomes a child", func(t *testing.T) {
			root := r.root(t, "10.0.0.0/8")
			p := r.rootIn(t, root.Scope, "p", "192.168.0.0/16")
			moved, err := r.rehome(p, root.ID, "/24")
			if err != nil {
				t.Fatal(err)
			}
			wantCIDR(t, "p", moved.CIDR, "10.0.0.0/24")
			r.rootIn(t, root.Scope, "q", "192.168.0.0/16")
		})
	})
}

func TestAMoveIsRefused(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		root := r.root(t, "10.0.0.0/8")
		west, east := r.child(t, root, "west", "10.0.0.0/16"), r.child(t, root, "east", "10.1.0.0/16", sizes(20, 26, 24))
		p := r.child(t, west, "p", "10.0.5.0/24")
		full := r.child(t, west, "full", "/24")
		r.take(t, full, "tenant", "/28")
		around := r.child(t, west, "around", "/24")
		inside := r.child(t, around, "inside", "/26")
		six := r.rootIn(t, root.Scope, "six", "2001::/20")
		elsewhere := r.root(t, "172.16.0.0/12")
		r.take(t, east, "neighbour", "10.1.7.0/24")
		for name, c := range map[string]struct {
			pool     ipam.Pool
			to, want string
			code     ipam.Code
			holder   string
		}{
			"of what is not empty":             {full, east.ID, "", ipam.CodePoolNotEmpty, "tenant"},
			"of what is not empty, to no size": {full, root.ID, full.CIDR.String(), ipam.CodePoolNotEmpty, "tenant"},
			"into itself":                      {p, p.ID, "", ipam.CodeInvalid, ""},
			"into what is in it":               {around, inside.ID, "", ipam.CodePoolNotEmpty, "inside"},
			"to no pool":                       {p, "nowhere", "", ipam.CodeNotFound, ""},
			"to another scope":                 {p, elsewhere.ID, "", ipam.CodeInvalid, ""},
			"to the other family":              {p, six.ID, "", ipam.CodeInvalid, ""},
			"to a CIDR of the other family":    {p, six.ID, "2001:0:1::/48", ipam.CodeInvalid, ""},
			"over a neighbour":                 {p, east.ID, "10.1.7.0/26", ipam.CodeCIDRTaken, "neighbour"},
			"outside the parent":               {p, east.ID, "10.2.0.0/24", ipam.CodeOutsidePool, ""},
			"against the parent's policy":      {p, east.ID, "/27", ipam.CodePolicyViolation, ""},
			"to no room":                       {p, full.ID, "", ipam.CodePoolExhausted, ""},
			"to the root without a cidr":       {p, "", "", ipam.CodeInvalid, ""},
			"to the root over another":         {p, "", "10.0.5.0/24", ipam.CodeCIDRTaken, "root"},
		} {
			t.Run(name, func(t *testing.T) {
				free, events := fmt.Sprint(r.free(t, west), r.free(t, east), r.free(t, c.pool)), r.eventCount(t)
				_, err := r.rehome(c.pool, c.to, c.want)
				if e := wantCode(t, err, c.code); c.holder != "" {
					wantHolders(t, e, c.holder)
				}
				_, err = r.PreviewPool(t.Context(), alice, c.pool.ID, patchTo(c.to, c.want), ipam.Plan{})
				wantCode(t, err, c.code)
				now, err := r.Pool(t.Context(), c.pool.ID)
				if err != nil || fmt.Sprint(now) != fmt.Sprint(c.pool) || fmt.Sprint(r.free(t, west), r.free(t, east), r.free(t, c.pool)) != free || r.eventCount(t) != events {
					t.Errorf("it left a trace: %+v, %v", now, err)
				}
			})
		}
	})
}

func patchTo(parent, want string) ipam.PoolPatch {
	patch := ipam.PoolPatch{Parent: &parent}
	cidr, length := wanted(want)
	if patch.Length = length; cidr.IsValid() {
		patch.CIDR = &cidr
	}
	return patch
}

func TestAMoveWaitsForWhatIsPromisedInThePool(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		root := r.root(t, "10.0.0.0/8")
		west, east := r.child(t, root, "west", "10.0.0.0/16"), r.child(t, root, "east", "10.1.0.0/16")
		p := r.child(t, west, "p", "/24")
		r.hold(t, p, "planned", "/28")
		_, err := r.rehome(p, east.ID, "")
		wantHolders(t, wantCode(t, err, ipam.CodePoolNotEmpty), "planned")
		r.wait(25 * time.Hour)
		if _, err = r.rehome(p, east.ID, ""); err != nil {
			t.Fatal(err)
		}
		_, err = r.tryHold(alice, p.ID, "planned", "/28", applying(true))
		if e := wantCode(t, err, ipam.CodeHoldLost); !strings.Contains(e.Detail, "the pool is 10.1.0.0/24 now") {
			t.Errorf("detail = %s", e.Detail)
		}
	})
}

// Moves up, down and across a tree, with writers in all of it, end: whoever waits for whom, nobody waits in a circle for good.
func TestPoolsMoveAmongManyWriters(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		servers := r.replicas(t)
		root := r.root(t, "10.0.0.0/8")
		spaces := []ipam.Pool{root, r.child(t, root, "zz", "10.0.0.0/12"), r.child(t, root, "aa", "10.16.0.0/12")}
		spaces = append(spaces, r.child(t, spaces[1], "mm", "10.0.0.0/16"))
		var movers []ipam.Pool
		for i := range 4 {
			movers = append(movers, r.child(t, spaces[i], fmt.Sprint("p", i), "/24"))
		}
		outcomes := together(48, func(i int) error {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			to := spaces[random.IntN(len(spaces))]
			r := servers[random.IntN(len(servers))]
			var err error
			switch i % 3 {
			case 0:
				_, err = r.try(to, fmt.Sprint("n", i), "/28")
			default:
				var now ipam.Pool
				if now, err = r.Pool(t.Context(), movers[i%len(movers)].ID); err == nil {
					_, err = r.rehome(now, to.ID, "/24")
				}
			}
			if ipam.CodeOf(err) == ipam.CodePreconditionFailed {
				return nil // another move was first
			}
			return err
		})
		wantOutcomes(t, outcomes, map[ipam.Code]int{"": 48})
	})
}
