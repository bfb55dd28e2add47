package reconcile_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/drift"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/observe"
)

func (l lab) drifts(t *testing.T) []observe.Answered {
	t.Helper()
	all, err := l.Drifts(t.Context(), ipam.Everything, "default")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhatIsIgnoredIsSoUntilItsFactsChange(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		ctx := t.Context()
		l.pool(t, "corp", "10.0.0.0/8")
		l.add(2)
		l.sync(t)
		all := l.drifts(t)
		if len(all) != 3 { // two subnets, and their network
			t.Fatalf("%+v", all)
		}
		d := all[1]
		refused, err := l.Ignore(ctx, alice, "default", []string{d.ID, "drift_none"}, "", false)
		if ipam.CodeOf(err) != ipam.CodeInvalid {
			t.Errorf("without a reason: %v, %v", refused, err)
		}
		refused, err = l.Ignore(ctx, alice, "default", []string{d.ID, "drift_none"}, "the vendor's", false)
		if err != nil || refused[0] != nil || refused[1] == nil || refused[1].Code != ipam.CodeNotFound {
			t.Fatalf("%v, %v", refused, err)
		}
		l.sync(t)
		now := l.drifts(t)[1]
		if now.ID != d.ID || !now.Ignored() || now.Ignore.Reason != "the vendor's" || now.Ignore.By != "token:alice" {
			t.Errorf("%+v", now)
		}
		if l.drifts(t)[0].Ignored() {
			t.Error("another one is ignored, too")
		}
		if _, err := l.registry.CreatePool(ctx, alice, ipam.NewPool{Name: "eu", Parent: "corp", CIDR: netip.MustParsePrefix("10.0.0.0/16")}); err != nil { // another pool is around it by now
			t.Fatal(err)
		}
		if now = l.drifts(t)[1]; now.ID == d.ID && (now.Ignored() || now.Facts == d.Facts) {
			t.Errorf("its facts have changed, and it is ignored: %+v", now)
		}
	})
}

func TestWhoSeesADriftAgainIgnoresItNoMore(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		l.add(1)
		l.sync(t)
		id := l.drifts(t)[0].ID
		for _, see := range []bool{false, false, true, true} {
			refused, err := l.Ignore(t.Context(), alice, "default", []string{id}, "why", see)
			if err != nil || refused[0] != nil {
				t.Fatal(refused, err)
			}
			if got := l.drifts(t)[0].Ignored(); got == see {
				t.Errorf("see %t, and ignored %t", see, got)
			}
		}
		reader := alice
		reader.Rights = ipam.Rights{}
		if _, err := l.Ignore(t.Context(), reader, "default", []string{id}, "why", false); err == nil {
			t.Error("somebody without a role ignores it")
		}
	})
}

func TestTheFirstRuleThatMatchesDecides(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		ctx := t.Context()
		l.pool(t, "corp", "10.0.0.0/15")
		l.add(2)
		l.sync(t)
		day := 24 * time.Hour
		rules := []drift.Rule{
			{Kinds: []drift.Kind{drift.Unmanaged}, Accounts: []string{"aws:" + number}, OlderBy: day, Action: drift.AutoAdopt},
			{Kinds: []drift.Kind{drift.Unmanaged}, Action: drift.Ignore},
		}
		tried, err := l.TryRules(ctx, ipam.Everything, "default", rules)
		if err != nil || len(tried) != 3 || tried[0].Rule != 1 || tried[0].Action != drift.Ignore {
			t.Fatalf("%+v, %v", tried, err)
		}
		if d := l.drifts(t)[0]; d.Action != drift.Propose || d.Rule != -1 {
			t.Errorf("a dry run has changed something: %+v", d)
		}
		set, err := l.SetRules(ctx, alice, ipam.AnyVersion, rules)
		if err != nil || set.Version != 1 {
			t.Fatal(set, err)
		}
		if _, err := l.SetRules(ctx, alice, ipam.Match{}, nil); ipam.CodeOf(err) != ipam.CodePreconditionRequired {
			t.Errorf("without a version: %v", err)
		}
		if _, err := l.SetRules(ctx, alice, ipam.AnyVersion, []drift.Rule{{Action: drift.AutoAdopt}}); ipam.CodeOf(err) != ipam.CodeInvalid {
			t.Errorf("a rule that cannot be followed: %v", err)
		}
		if again, err := l.Rules(ctx); err != nil || fmt.Sprint(again.Rules) != fmt.Sprint(rules) {
			t.Errorf("%v, %v", again.Rules, err)
		}
		if !l.drifts(t)[0].Ignored() {
			t.Error("the second rule ignores it")
		}
		adopt, kinds, err := l.Record(ctx)
		if err != nil || len(adopt) != 0 || kinds[drift.Unmanaged] != 0 {
			t.Errorf("%v, %v, %v", adopt, kinds, err)
		}
		l.wait(day + time.Hour)
		if adopt, kinds, err = l.Record(ctx); err != nil || len(adopt["default"]) != 3 || kinds[drift.Unmanaged] != 3 {
			t.Errorf("a day later: %v, %v, %v", adopt, kinds, err)
		}
		if set, err = l.SetRules(ctx, alice, ipam.Exactly(set.ETag()), nil); err != nil || set.Version != 2 || len(set.Rules) != 0 {
			t.Errorf("%v, %v", set, err)
		}
	})
}

func TestHistoryTellsWhenADriftCameAndWent(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		ctx := t.Context()
		ids := l.add(30)
		l.pool(t, "vpc", "10.0.0.0/16")
		l.sync(t)
		record := func() []ipam.DriftRecord {
			t.Helper()
			if _, _, err := l.Record(ctx); err != nil {
				t.Fatal(err)
			}
			_, all, err := l.History(ctx, ipam.Everything, "default", ipam.Page{Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		first := record()
		if len(first) != 30 || first[0].EndedAt != nil || !first[0].FirstSeen.Equal(l.Now()) {
			t.Fatalf("%d records, %+v", len(first), first[0])
		}
		l.wait(time.Hour)
		for i, r := range record() {
			if r != first[i] {
				t.Fatalf("nothing has changed, and yet: %+v", r)
			}
		}
		if d := l.drifts(t)[0]; !d.FirstSeen.Equal(first[0].FirstSeen) {
			t.Errorf("first seen %s, want %s", d.FirstSeen, first[0].FirstSeen)
		}
		l.cloud.RemoveSubnet(number, "east", ids[0])
		l.sync(t)
		ended := func() (n int) {
			for _, r := range record() {
				if r.EndedAt != nil {
					n++
				}
			}
			return n
		}
		if n := ended(); n != 1 {
			t.Errorf("%d are over, want 1", n)
		}
		l.cloud.AddSubnet(number, "east", l.network, "again", netip.MustParsePrefix("10.0.0.0/24"))
		l.wait(91 * 24 * time.Hour)
		l.sync(t)
		if n := ended(); n != 0 || len(record()) != 30 {
			t.Errorf("after 90 days %d are over, of %d", n, len(record()))
		}
	})
}

func TestNetworksAreListedWithWhereTheyAreMapped(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		ctx := t.Context()
		ids := l.add(3)
		l.cloud.AddSecondary(number, "east", ids[0], "pods", netip.MustParsePrefix("10.0.64.0/18"))
		for i := range 5 {
			l.cloud.AddNetwork(number, "west", fmt.Sprint("w", i), netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(10 + i), 0, 0}), 16))
		}
		l.sync(t)
		for _, limit := range []int{1, 2, 4, 100} {
			var all []ipam.Network
			for page := (ipam.Page{Limit: limit}); ; {
				some, cursors, err := l.Networks(ctx, ipam.Everything, ipam.NetworkFilter{}, page)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, some...)
				if len(some) < limit {
					break
				}
				page.After.ID = cursors[len(cursors)-1]
			}
			if len(all) != 6 {
				t.Fatalf("pages of %d: %d networks", limit, len(all))
			}
			for _, n := range all {
				main := n.CloudID == l.network
				if n.Scope != "default" || n.MappedBy() != "account" || len(n.CIDRs) != 1 || main != (n.Subnets == 3) || main != (n.Secondary == 1) {
					t.Errorf("%+v", n)
				}
			}
		}
		for want, f := range map[int]ipam.NetworkFilter{
			1: {Region: "east"}, 5: {Region: "west", Account: "aws:" + number, Scope: "default"}, 0: {Unmapped: true},
		} {
			if got, _, err := l.Networks(ctx, ipam.Everything, f, ipam.Page{Limit: 100}); err != nil || len(got) != want {
				t.Errorf("%+v: %d networks, %v", f, len(got), err)
			}
		}
		if got, _, err := l.Networks(ctx, ipam.Everything, ipam.NetworkFilter{ID: "aws:" + l.network}, ipam.Page{Limit: 100}); err != nil || len(got) != 1 {
			t.Errorf("by id: %+v, %v", got, err)
		}
	})
}
