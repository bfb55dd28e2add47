package cloudtest

import (
	"net/netip"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
)

func madeIsListed(t *testing.T, b Bench) {
	s := b.wanted("a1")
	made := b.make(t, s)
	for _, got := range []cloud.Subnet{made, listed(t, b, made.ID)} {
		if got.ID == "" || !got.Has(s.CIDR) || got.Mark != s.Mark || got.Network != b.Network || got.Region != b.Region {
			t.Errorf("made %+v\nwant %+v", got, s)
		}
	}
}

func listed(t *testing.T, b Bench, id string) cloud.Subnet {
	t.Helper()
	s, found := b.find(t, id)
	if !found {
		t.Fatalf("%s is not listed", id)
	}
	return s
}

func madeOnce(t *testing.T, b Bench) {
	before := len(b.subnets(t))
	first := b.make(t, b.wanted("a1"))
	again, err := b.Provider.CreateSubnet(t.Context(), b.Account, b.wanted("a1"))
	if err != nil || again.ID != first.ID {
		t.Errorf("again: %s, %v; the first is %s", again.ID, err, first.ID)
	}
	_, err = b.Provider.CreateSubnet(t.Context(), b.Account, b.wanted("a2"))
	wantCode(t, "the same block for another allocation", err, cloud.CodeConflict)
	if now := len(b.subnets(t)); now != before+1 {
		t.Errorf("%d subnets more than before", now-before)
	}
	nowhere := b.wanted("a3")
	nowhere.CIDR = netip.MustParsePrefix("203.0.113.0/24")
	if b.Aside != "" { // a network of AWS has blocks, and a subnet lies in one of them
		_, err = b.Provider.CreateSubnet(t.Context(), b.Account, nowhere)
		wantCode(t, "a block outside the network", err, cloud.CodeInvalid)
	}
	unmarked := b.wanted("a4")
	unmarked.Mark = cloud.Mark{}
	_, err = b.Provider.CreateSubnet(t.Context(), b.Account, unmarked)
	wantCode(t, "a subnet without a mark", err, cloud.CodeInvalid)
}

func overlapIsRefused(t *testing.T, b Bench) {
	b.Behind.AddSubnet(b.Account.ExternalID, b.Region, b.Network, "theirs", netip.MustParsePrefix("10.8.0.128/25"))
	_, err := b.Provider.CreateSubnet(t.Context(), b.Account, b.wanted("a1"))
	wantCode(t, "an overlap", err, cloud.CodeConflict)
}

func lostAnswer(t *testing.T, b Bench) {
	for _, kind := range []fault.Kind{fault.LoseReply, fault.Truncate} {
		s := b.wanted("lost")
		if kind == fault.Truncate {
			s = b.wanted("cut")
			s.CIDR = netip.MustParsePrefix("10.8.1.0/24")
		}
		before := len(b.subnets(t))
		b.Behind.Set(on(b.Actions.Create, "", 0, 1, kind))
		made, err := b.Provider.CreateSubnet(t.Context(), b.Account, s)
		if err != nil { // what the provider cannot find out by itself, a second call does
			made, err = b.Provider.CreateSubnet(t.Context(), b.Account, s)
		}
		if err != nil || !made.Has(s.CIDR) {
			t.Errorf("fault %d: %+v, %v", kind, made, err)
		}
		if now := len(b.subnets(t)); now != before+1 {
			t.Errorf("fault %d: %d subnets more than before", kind, now-before)
		}
	}
}

func strippedMark(t *testing.T, b Bench) {
	b.Behind.Set(on(b.Actions.Create, "", 0, 1, fault.StripMark))
	made, err := b.Provider.CreateSubnet(t.Context(), b.Account, b.wanted("a1"))
	if err != nil {
		t.Fatal(err)
	}
	if s := listed(t, b, made.ID); !s.Mark.Zero() {
		t.Fatalf("the mark was to be lost: %+v", s.Mark)
	}
	made.Mark = b.mark("a1")
	wantCode(t, "delete", b.Provider.DeleteSubnet(t.Context(), b.Account, made), cloud.CodeConflict)
	listed(t, b, made.ID)
}

func deletesOurs(t *testing.T, b Bench) {
	made := b.make(t, b.wanted("a1"))
	for what, change := range map[string]func(*cloud.Subnet){
		"no mark":             func(s *cloud.Subnet) { s.Mark = cloud.Mark{} },
		"another allocation":  func(s *cloud.Subnet) { s.Mark.Allocation = "a2" },
		"another CloudPAM":    func(s *cloud.Subnet) { s.Mark.Instance = "instance-2" },
		"another block":       func(s *cloud.Subnet) { s.CIDRs = []netip.Prefix{netip.MustParsePrefix("10.8.0.0/25")} },
		"no block":            func(s *cloud.Subnet) { s.CIDRs = nil },
		"a network elsewhere": func(s *cloud.Subnet) { s.Network = "vpc-0ther" },
	} {
		asked := made
		change(&asked)
		wantCode(t, what, b.Provider.DeleteSubnet(t.Context(), b.Account, asked), cloud.CodeConflict)
		listed(t, b, made.ID)
	}
	if err := b.Provider.DeleteSubnet(t.Context(), b.Account, made); err != nil {
		t.Errorf("ours: %v", err)
	}
	if _, found := b.find(t, made.ID); found {
		t.Error("it is still there")
	}
	wantCode(t, "once more", b.Provider.DeleteSubnet(t.Context(), b.Account, made), cloud.CodeNotFound)
}

func lostDelete(t *testing.T, b Bench) {
	made := b.make(t, b.wanted("a1"))
	b.Behind.Set(on(b.Actions.Delete, "", 0, 1, fault.LoseReply))
	if err := b.Provider.DeleteSubnet(t.Context(), b.Account, made); err != nil && cloud.CodeOf(err) != cloud.CodeNotFound {
		t.Errorf("%v", err)
	}
	if _, found := b.find(t, made.ID); found {
		t.Error("it is still there")
	}
}

func grows(t *testing.T, b Bench) {
	s := b.wanted("a1")
	s.CIDR = netip.PrefixFrom(b.Block.Addr(), 26)
	made := b.make(t, s)
	grown, err := b.Provider.GrowSubnet(t.Context(), b.Account, made, b.Block)
	if !b.Grows {
		wantCode(t, "grow", err, cloud.CodeUnsupported)
		return
	}
	if err != nil || !grown.Has(b.Block) || grown.ID != made.ID || !listed(t, b, made.ID).Has(b.Block) {
		t.Errorf("grown: %+v, %v", grown, err)
	}
	if again, err := b.Provider.GrowSubnet(t.Context(), b.Account, grown, b.Block); err != nil || !again.Has(b.Block) {
		t.Errorf("again: %+v, %v", again, err)
	}
	if b.Behind != nil {
		b.Behind.AddSubnet(b.Account.ExternalID, b.Region, b.Network, "next", netip.MustParsePrefix("10.8.1.0/24"))
		_, err := b.Provider.GrowSubnet(t.Context(), b.Account, grown, netip.MustParsePrefix("10.8.0.0/23"))
		wantCode(t, "over a neighbour", err, cloud.CodeConflict)
	}
}

func marks(t *testing.T, b Bench) {
	id := b.Behind.AddSubnet(b.Account.ExternalID, b.Region, b.Network, "theirs", b.Block)
	s := listed(t, b, id)
	err := b.Provider.MarkSubnet(t.Context(), b.Account, s, b.mark("a1"))
	if !b.Marks {
		wantCode(t, "mark", err, cloud.CodeUnsupported)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if now := listed(t, b, id); now.Mark != b.mark("a1") || now.Name != s.Name {
		t.Errorf("marked: %+v", now)
	}
	b.Behind.RemoveSubnet(b.Account.ExternalID, b.Region, id)
	wantCode(t, "one that is gone", b.Provider.MarkSubnet(t.Context(), b.Account, s, b.mark("a1")), cloud.CodeNotFound)
}

// lag makes a subnet that listings do not show for a while, with its answer lost.
func lag(t *testing.T, b Bench) {
	for n, passes := range []int{0, 1, 5, 20} {
		b.Behind.Lag(passes)
		s := b.wanted("a")
		s.CIDR = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 8, byte(n), 0}), 24)
		s.Mark.Allocation = s.CIDR.String()
		s.Name = "lag-" + string(rune('a'+n))
		b.Behind.Set(on(b.Actions.Create, "", 0, 1, fault.LoseReply))
		made, err := b.Provider.CreateSubnet(t.Context(), b.Account, s)
		for asked := 0; err != nil && asked < 3*passes+3; asked++ {
			if code := cloud.CodeOf(err); code != cloud.CodeUnavailable {
				t.Fatalf("lag %d: %v (%s)", passes, err, code)
			}
			made, err = b.Provider.CreateSubnet(t.Context(), b.Account, s)
		}
		if err != nil || !made.Has(s.CIDR) || !made.Mark.Same(s.Mark) {
			t.Errorf("lag %d: %+v, %v", passes, made, err)
		}
		b.Behind.Lag(0)
	}
	// What is hidden still takes its place: of each block there is one.
	for range 25 {
		b.subnets(t)
	}
	if got := len(b.subnets(t)); got != 4 {
		t.Errorf("%d subnets were made of 4", got)
	}
}
