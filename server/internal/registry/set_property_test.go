package registry_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// Ten thousand changes of sets, drawn from a seed: no member moves unless it was resized itself, under another key neither, a shrinking one keeps its
// first address, a new block lies on nothing that was there before, and a refusal changes nothing. That nothing overlaps and
// that free space is exactly the rest is Verify's word.
func TestSetsThroughTenThousandChanges(t *testing.T) {
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			r, changes := open(t, url(t)), map[string]int{"sqlite": 9000, "postgres": 1000}[engine]
			random := rand.New(rand.NewPCG(1, uint64(changes)))
			pool := r.root(t, "10.0.0.0/18")
			sets := map[string]ipam.AllocationSet{}
			refused := 0
			for n := range changes {
				name := fmt.Sprint("set", random.IntN(6))
				before, exists := sets[name]
				to := drawRenames(random, before)
				renamed := rekeyed(before, to)
				wanted := redraw(random, renamed, to)
				now, err := r.change(t, pool, name, before, exists, wanted, to, random)
				if err != nil {
					if code := ipam.CodeOf(err); code != ipam.CodePoolExhausted {
						t.Fatalf("change %d: %v", n, err)
					}
					refused++
					if same, err := r.AllocationSet(t.Context(), before.ID); exists && (err != nil || blocks(same) != blocks(before)) {
						t.Fatalf("change %d was refused and still made %s of %s", n, blocks(same), blocks(before))
					}
					continue
				}
				wantKept(t, n, sets, renamed, now, wanted)
				if sets[name] = now; now.ID == "" {
					delete(sets, name)
				}
				if n%1000 == 999 {
					r.wantSound(t)
				}
			}
			r.wantSound(t)
			if refused == 0 || refused > changes/2 {
				t.Errorf("%d of %d changes were refused: the pool is of the wrong size for this test", refused, changes)
			}
		})
	}
}

// drawRenames exchanges two keys, gives one another, or mostly leaves all as they are.
func drawRenames(random *rand.Rand, s ipam.AllocationSet) ipam.Renames {
	if len(s.Members) < 2 || random.IntN(3) > 0 {
		return nil
	}
	keys := random.Perm(len(s.Members))
	one, other := s.Members[keys[0]].Key, s.Members[keys[1]].Key
	if random.IntN(2) == 0 {
		return ipam.Renames{one: other, other: one}
	}
	fresh := fmt.Sprint("k", 12+random.IntN(4))
	if slices.ContainsFunc(s.Members, func(m ipam.SetMember) bool { return m.Key == fresh }) {
		return nil
	}
	return ipam.Renames{fresh: other, other: one} // a chain
}

// rekeyed is a set whose members have been renamed and nothing else.
func rekeyed(s ipam.AllocationSet, to ipam.Renames) ipam.AllocationSet {
	s.Members = slices.Clone(s.Members)
	for i, m := range s.Members {
		for key, old := range to {
			if m.Key == old {
				s.Members[i].Key = key
			}
		}
	}
	return s
}

// redraw adds, removes and resizes a few members; those of the renames stay.
func redraw(random *rand.Rand, s ipam.AllocationSet, to ipam.Renames) map[string]int {
	wanted := map[string]int{}
	for _, m := range s.Members {
		wanted[m.Key] = m.CIDR.Bits()
	}
	for range 1 + random.IntN(3) {
		key := fmt.Sprint("k", random.IntN(12))
		if random.IntN(3) == 0 {
			delete(wanted, key)
		} else {
			wanted[key] = 22 + random.IntN(7)
		}
	}
	for key, old := range to {
		if _, moves := to[old]; !moves {
			delete(wanted, old)
		}
		for _, m := range s.Members {
			if _, there := wanted[key]; m.Key == key && !there {
				wanted[key] = m.CIDR.Bits()
			}
		}
	}
	return wanted
}

// change makes a set, changes or describes it, or releases it; the zero set is one that is gone.
func (r lab) change(t *testing.T, pool ipam.Pool, name string, before ipam.AllocationSet, exists bool, wanted map[string]int, to ipam.Renames, random *rand.Rand) (ipam.AllocationSet, error) {
	sizes := ipam.SetSizes{Members: map[string]ipam.BlockSize{}}
	for key, length := range wanted {
		sizes.Members[key] = ipam.BlockSize{Length: &length}
	}
	switch {
	case !exists:
		return r.AllocateSet(t.Context(), alice, ipam.NewAllocationSet{Pool: pool.ID, Name: name, SetSizes: sizes})
	case random.IntN(20) == 0:
		clear(wanted)
		return ipam.AllocationSet{}, r.ReleaseSet(t.Context(), alice, before.ID, ipam.Match{})
	case random.IntN(10) == 0:
		clear(wanted)
		for _, m := range rekeyed(before, to).Members {
			wanted[m.Key] = m.CIDR.Bits()
		}
		return r.tryChange(before, ipam.AllocationSetPatch{Renamed: to, DetailsPatch: ipam.DetailsPatch{Owner: new(fmt.Sprint("owner", random.IntN(9)))}})
	default:
		return r.tryChange(before, ipam.AllocationSetPatch{SetSizes: sizes, Renamed: to})
	}
}

func wantKept(t *testing.T, n int, all map[string]ipam.AllocationSet, before, now ipam.AllocationSet, wanted map[string]int) {
	t.Helper()
	was := map[string]ipam.SetMember{}
	for _, m := range before.Members {
		was[m.Key] = m
	}
	var keys []string
	for _, m := range now.Members {
		keys = append(keys, m.Key)
		old, existed := was[m.Key]
		switch {
		case m.CIDR.Bits() != wanted[m.Key]:
			t.Fatalf("change %d: %s is %s, not a /%d", n, m.Key, m.CIDR, wanted[m.Key])
		case existed && m.CIDR.Bits() >= old.CIDR.Bits():
			if m.CIDR.Addr() != old.CIDR.Addr() || m.Allocation != old.Allocation {
				t.Fatalf("change %d: %s moved from %s to %s", n, m.Key, old.CIDR, m.CIDR)
			}
		default:
			for _, s := range all { // as they were, the changed one too
				for _, other := range s.Members {
					if other.CIDR.Overlaps(m.CIDR) {
						t.Fatalf("change %d: %s got %s, which lies on %s/%s %s", n, m.Key, m.CIDR, s.Name, other.Key, other.CIDR)
					}
				}
			}
		}
	}
	if want := slices.Sorted(maps.Keys(wanted)); !slices.Equal(keys, want) {
		t.Fatalf("change %d: members %v, want %v", n, keys, want)
	}
}
