package registry_test

import (
	"context"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func (r lab) tryRekey(s ipam.AllocationSet, to ipam.Renames, members ...string) (ipam.AllocationSet, error) {
	patch := ipam.AllocationSetPatch{Renamed: to}
	if members != nil {
		patch.SetSizes = ofSizes(members...)
	}
	return r.tryChange(s, patch)
}

// idsBy reads "a=alloc_… b=…".
func idsBy(s ipam.AllocationSet, keys ...string) string {
	var out []string
	for _, key := range keys {
		for _, m := range s.Members {
			if m.Key == key {
				out = append(out, m.Allocation)
			}
		}
	}
	return strings.Join(out, " ")
}

func TestAKeyIsRenamedInPlace(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		for name, c := range map[string]struct {
			to      ipam.Renames
			members []string
			keys    []string // of a, b and c before
			want    string
		}{
			"one":              {ipam.Renames{"web": "a"}, []string{"web /26", "b /26", "c /25"}, []string{"web", "b", "c"}, "b=10.0.0.192/26 c=10.0.0.0/25 web=10.0.0.128/26"},
			"two exchanged":    {ipam.Renames{"a": "b", "b": "a"}, []string{"a /26", "b /26", "c /25"}, []string{"b", "a", "c"}, "a=10.0.0.192/26 b=10.0.0.128/26 c=10.0.0.0/25"},
			"a chain":          {ipam.Renames{"b": "a", "d": "b"}, []string{"b /26", "d /26", "c /25"}, []string{"b", "d", "c"}, "b=10.0.0.128/26 c=10.0.0.0/25 d=10.0.0.192/26"},
			"three in a ring":  {ipam.Renames{"a": "c", "b": "a", "c": "b"}, []string{"a /25", "b /26", "c /26"}, []string{"b", "c", "a"}, "a=10.0.0.0/25 b=10.0.0.128/26 c=10.0.0.192/26"},
			"to itself":        {ipam.Renames{"a": "a"}, []string{"a /26", "b /26", "c /25"}, []string{"a", "b", "c"}, "a=10.0.0.128/26 b=10.0.0.192/26 c=10.0.0.0/25"},
			"what is not":      {ipam.Renames{"b": "gone", "x": "long"}, []string{"a /26", "b /26", "c /25"}, []string{"a", "b", "c"}, "a=10.0.0.128/26 b=10.0.0.192/26 c=10.0.0.0/25"},
			"and nothing else": {ipam.Renames{"web": "a"}, nil, []string{"web", "b", "c"}, "b=10.0.0.192/26 c=10.0.0.0/25 web=10.0.0.128/26"},
			"and shrunk":       {ipam.Renames{"web": "c"}, []string{"web /26", "a /26", "b /26"}, []string{"a", "b", "web"}, "a=10.0.0.128/26 b=10.0.0.192/26 web=10.0.0.0/26"},
		} {
			t.Run(name+", in a full pool", func(t *testing.T) {
				pool := r.root(t, "10.0.0.0/24")
				s := r.set(t, pool, "net", "a /26", "b /26", "c /25")
				before := idsBy(s, "a", "b", "c")
				if c.members != nil {
					p := r.planSet(t, ipam.NewSetHolds{Updates: s.ID, Renamed: c.to}, c.members...)
					if got := plannedBlocks(p); got != c.want {
						t.Errorf("planned %s, want %s", got, c.want)
					}
					for _, m := range p.Members {
						if m.Allocation == "" {
							t.Errorf("planned %+v", m)
						}
					}
				}
				after, err := r.tryRekey(s, c.to, c.members...)
				if err != nil {
					t.Fatal(err)
				}
				wantBlocks(t, after, c.want)
				if got := idsBy(after, c.keys...); got != before {
					t.Errorf("the allocations are %s, and were %s", got, before)
				}
				for _, key := range c.keys {
					if a := r.member(t, after, key); a.Name != "net/"+key || a.SetKey != key || a.Set != s.ID {
						t.Errorf("%s is %+v", key, a)
					}
				}
			})
		}
		t.Run("its history goes on", func(t *testing.T) {
			s := r.set(t, r.root(t, "10.0.0.0/24"), "net", "a /26")
			id := idsBy(s, "a")
			if _, err := r.tryRekey(s, ipam.Renames{"b": "a"}, "b /26"); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(r.actions(t, id), " "); got != "allocation.created allocation.updated" {
				t.Errorf("events: %s", got)
			}
			if a, err := r.Allocation(t.Context(), id); err != nil || a.Version != 2 {
				t.Errorf("%+v, %v", a, err)
			}
		})
		t.Run("with its set, which is described too", func(t *testing.T) {
			s := r.set(t, r.root(t, "10.0.0.0/24"), "net", "a /26", "b /26")
			before := idsBy(s, "a", "b")
			after, err := r.tryChange(s, ipam.AllocationSetPatch{Name: ptr("web"), DetailsPatch: ipam.DetailsPatch{Owner: ptr("ann")}, Renamed: ipam.Renames{"a": "b", "b": "a"}, SetSizes: ofSizes("a /26", "b /27")})
			if err != nil || idsBy(after, "b", "a") != before {
				t.Fatalf("%+v, %v", after, err)
			}
			wantBlocks(t, after, "a=10.0.0.64/26 b=10.0.0.0/27")
			if a := r.member(t, after, "a"); a.Name != "web/a" || a.Owner != "ann" {
				t.Errorf("%+v", a)
			}
		})
		t.Run("and grows elsewhere, as what is planned", func(t *testing.T) {
			s := r.set(t, r.root(t, "10.0.0.0/22"), "net", "a /25", "b /25")
			in := ipam.NewSetHolds{Updates: s.ID, Renamed: ipam.Renames{"web": "a"}}
			p := r.planSet(t, in, "web /24", "b /25")
			after, err := r.tryRekey(s, in.Renamed, "web "+p.Members[1].CIDR.String(), "b /25")
			if err != nil || strings.TrimSpace(blocks(after)) != strings.ReplaceAll(plannedBlocks(p), "*", "") {
				t.Errorf("%s, %v, planned %s", blocks(after), err, plannedBlocks(p))
			}
		})
	})
}

func TestARenameThatCannotBeMeantIsRefused(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		pool := r.root(t, "10.0.0.0/20")
		s := r.set(t, pool, "net", "a /26", "b /26", "c /25")
		r.take(t, pool, "net/single", "/26")
		for name, c := range map[string]struct {
			to            ipam.Renames
			members       []string
			pointer, says string
		}{
			"to a key that is there":         {ipam.Renames{"b": "a"}, []string{"b /26", "c /25"}, "/renamed/b", `the set has a member "b" already, so "a" cannot become it`},
			"what is still asked for":        {ipam.Renames{"web": "a"}, []string{"a /26", "web /26"}, "/renamed/web", `the member "a" is still asked for, so it cannot become "web"`},
			"to what is not asked for":       {ipam.Renames{"web": "a"}, []string{"b /26"}, "/renamed/web", `the member "a" is to become "web", which the set does not ask for`},
			"one to two keys":                {ipam.Renames{"x": "a", "y": "a"}, []string{"x /26", "y /26"}, "/renamed/y", `the member "a" is renamed to "x" too`},
			"to what is no key":              {ipam.Renames{"-x": "a"}, nil, "/renamed/-x", `"-x" is not a key`},
			"to a key there, with no sizes":  {ipam.Renames{"b": "a"}, nil, "/renamed/b", `the set has a member "b" already`},
			"to the name of what is outside": {ipam.Renames{"single": "a"}, []string{"single /26", "b /26", "c /25"}, "/renamed/single", `there is already an allocation "net/single"`},
		} {
			_, err := r.tryRekey(s, c.to, c.members...)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", name, err)
			}
			if c.members == nil {
				continue
			}
			_, planned := r.tryPlanSet(alice, ipam.NewSetHolds{Updates: s.ID, Renamed: c.to}, c.members...)
			if planned == nil || !strings.Contains(planned.Error(), c.says) {
				t.Errorf("%s, planned: %v", name, planned)
			}
			if c.pointer != "" {
				for _, err := range []error{err, planned} {
					wantPointer(t, wantCode(t, err, map[bool]ipam.Code{true: ipam.CodeNameTaken, false: ipam.CodeInvalid}[c.to["single"] != ""]), c.pointer)
				}
			}
		}
		same, err := r.AllocationSet(context.Background(), s.ID)
		if err != nil || blocks(same) != blocks(s) || same.Version != s.Version {
			t.Errorf("%+v, %v", same, err)
		}
	})
}
