package registry_test

import (
	"context"
	"net/netip"

	"pgregory.net/rapid"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// enclose puts a pool above those that stand in a block, of a pool or of the root.
func (s *run) enclose(t *rapid.T) {
	var around *modelPool
	in := ipam.NewPool{Scope: s.scope, Encloses: true}
	if rapid.Bool().Draw(t, "root") {
		in.Name, in.CIDR = rootNames.Draw(t, "name"), netip.MustParsePrefix(rootCIDRs.Draw(t, "cidr"))
	} else {
		around = s.pool(t)
		in.Name, in.Parent, in.CIDR = childs.Draw(t, "name"), around.ID, block(t, around)
	}
	inside, others := s.model.standIn(around, in.CIDR)
	if rapid.Bool().Draw(t, "planned") { // whatever comes of it
		draft, err := s.DraftPool(context.Background(), alice, in, ipam.Plan{})
		if free := others == 0 && s.model.pools[ipam.PoolID(s.scope, in.Name)] == nil; (err == nil) != free {
			t.Fatalf("plan %s %s above %v: %v", in.Name, in.CIDR, inside, err)
		}
		if err == nil && len(draft.Enclosed) != len(inside) {
			t.Fatalf("%s would enclose %v, want %v", in.CIDR, draft.Enclosed, inside)
		}
		if err == nil && rapid.Bool().Draw(t, "thrown away") {
			if err := s.ReleaseDraft(context.Background(), alice, draft.ID); err != nil {
				t.Fatalf("throw %s away: %v", draft.ID, err)
			}
			return
		}
	}
	p, err := s.CreatePool(context.Background(), alice, in)
	switch {
	case s.model.pools[ipam.PoolID(s.scope, in.Name)] != nil:
		wantCode(t, err, ipam.CodeNameTaken)
		return
	case others > 0:
		wantCode(t, err, ipam.CodeCIDRTaken)
		return
	case err != nil || len(p.Enclosed) != len(inside):
		t.Fatalf("%s %s encloses %v, %v, want %v", in.Name, in.CIDR, p.Enclosed, err, inside)
	}
	s.add(p)
	above := s.model.pools[p.ID]
	for _, one := range inside {
		who := holder{ipam.KindPool, one.Name}
		above.taken[who] = one.CIDR
		delete(s.model.roots, one.Name)
		if around != nil {
			delete(around.taken, who)
		}
		one.Pool = s.lab.pool(t, one.ID)
	}
	if around == nil {
		s.model.roots[p.Name] = above
		return
	}
	around.taken[holder{ipam.KindPool, p.Name}] = p.CIDR
}

// dissolve deletes a pool and leaves the pools in it where they are.
func (s *run) dissolve(t *rapid.T) {
	p := s.pool(t)
	inside, others := s.model.standIn(p, p.CIDR)
	err := s.DissolvePool(context.Background(), alice, p.ID, ipam.Exactly(s.lab.pool(t, p.ID).ETag()))
	if others > 0 {
		wantCode(t, err, ipam.CodePoolNotEmpty)
		return
	}
	if err != nil {
		t.Fatalf("dissolve %s: %v", p.ID, err)
	}
	around := s.model.around(p)
	if around != nil {
		s.model.leave(around, holder{ipam.KindPool, p.Name})
	}
	delete(s.model.roots, p.Name)
	delete(s.model.pools, p.ID)
	for _, one := range inside {
		one.Pool = s.lab.pool(t, one.ID)
		if around == nil {
			s.model.roots[one.Name] = one
			continue
		}
		around.taken[holder{ipam.KindPool, one.Name}] = one.CIDR
	}
}

// standIn is which pools stand wholly in a block of a pool, or of the root where that is nil, and how many of anything else stand there.
func (m *model) standIn(around *modelPool, at netip.Prefix) (inside []*modelPool, others int) {
	taken := map[holder]netip.Prefix{}
	if around != nil {
		taken = around.taken
	} else {
		for name, p := range m.roots {
			taken[holder{ipam.KindPool, name}] = p.CIDR
		}
	}
	for who, block := range taken {
		if !block.Overlaps(at) {
			continue
		}
		if one := m.named(who.name); who.kind == ipam.KindPool && at.Bits() <= block.Bits() && one != nil {
			inside = append(inside, one)
			continue
		}
		others++
	}
	return inside, others
}

func (m *model) named(name string) *modelPool {
	for _, p := range m.pools {
		if p.Name == name {
			return p
		}
	}
	return nil
}
