package registry_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Whatever a plan says of a set is what its apply makes, whatever others take and give back in between.
func TestWhatAPlanSaysOfASetIsMadeWhateverOthersDo(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		checks(t, map[bool]int{true: 60, false: 20}[r.url[0] == 's'])
		made, grown := 0, 0
		rapid.Check(t, func(t *rapid.T) {
			pool := r.root(t, "10.0.0.0/24")
			s := r.set(t, pool, "net")
			others := map[string]ipam.Allocation{}
			disturb := func(when string) {
				for i := range rapid.IntRange(0, 3).Draw(t, "others "+when) {
					name := rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "other")
					if a, there := others[name]; there {
						r.release(t, a)
						delete(others, name)
						continue
					}
					a, err := r.try(pool, name, fmt.Sprint("/", rapid.IntRange(26, 30).Draw(t, "length")))
					if err == nil {
						others[name] = a
					} else if ipam.CodeOf(err) != ipam.CodePoolExhausted {
						t.Fatalf("other %d: %v", i, err)
					}
				}
			}
			for range rapid.IntRange(1, 6).Draw(t, "changes") {
				disturb("before the plan")
				to := ipam.Renames{}
				if idsBy(s, "a") != "" && idsBy(s, "b") != "" && rapid.Bool().Draw(t, "exchange") {
					to = ipam.Renames{"a": "b", "b": "a"}
				}
				renamed := rekeyed(s, to)
				wanted := drawMembers(t, renamed)
				_, a := wanted.Members["a"]
				if _, b := wanted.Members["b"]; !a || !b { // what is renamed is asked for
					to, renamed = nil, s
					wanted = drawMembers(t, s)
				}
				in := ipam.NewSetHolds{Updates: s.ID, Name: "net", SetSizes: wanted, Renamed: to}
				p, err := r.PromiseSet(t.Context(), alice, in)
				if code := ipam.CodeOf(err); code == ipam.CodePoolExhausted || code == ipam.CodeCIDRTaken {
					continue
				}
				if err != nil {
					t.Fatalf("plan: %v", err)
				}
				disturb("before the apply")
				planned := ipam.SetSizes{Members: map[string]ipam.BlockSize{}}
				for _, m := range p.Members {
					planned.Members[m.Key] = ipam.BlockSize{CIDR: m.CIDR}
					for _, was := range renamed.Members {
						if was.Key == m.Key && m.CIDR.Bits() < was.CIDR.Bits() && m.CIDR.Contains(was.CIDR.Addr()) {
							grown++
						}
					}
				}
				now, err := r.tryChange(s, ipam.AllocationSetPatch{SetSizes: planned, Renamed: to})
				if want := strings.ReplaceAll(plannedBlocks(p), "*", ""); err != nil || blocks(now) != want {
					t.Fatalf("planned %s, made %s, %v", want, blocks(now), err)
				}
				s, made = now, made+1
			}
		})
		if made == 0 || grown == 0 {
			t.Errorf("%d changes were made, %d members grew: nothing was proved", made, grown)
		}
	})
}

// drawMembers asks for sizes: of a length, of what there is, or of a block around or inside what there is.
func drawMembers(t *rapid.T, s ipam.AllocationSet) ipam.SetSizes {
	has := map[string]netip.Prefix{}
	for _, m := range s.Members {
		has[m.Key] = m.CIDR
	}
	sizes := ipam.SetSizes{Members: map[string]ipam.BlockSize{}}
	for _, key := range []string{"a", "b", "c"} {
		how := rapid.SampledFrom([]string{"leave out", "length", "keep", "around", "inside"}).Draw(t, key)
		was, there := has[key]
		switch {
		case how == "leave out":
		case how == "length" || !there:
			sizes.Members[key] = ipam.BlockSize{Length: new(rapid.IntRange(26, 30).Draw(t, "length of "+key))}
		case how == "keep":
			sizes.Members[key] = ipam.BlockSize{CIDR: was}
		case how == "around":
			bits := max(25, was.Bits()-rapid.IntRange(1, 2).Draw(t, "more of "+key))
			sizes.Members[key] = ipam.BlockSize{CIDR: netip.PrefixFrom(was.Addr(), min(bits, was.Bits())).Masked()}
		default:
			sizes.Members[key] = ipam.BlockSize{CIDR: netip.PrefixFrom(was.Addr(), min(30, was.Bits()+1))}
		}
	}
	return sizes
}
