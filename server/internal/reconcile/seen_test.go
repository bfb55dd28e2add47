package reconcile_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
	"github.com/cloudpam/cloudpam/server/internal/insight"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/reconcile"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// schedules is how many are tried on each engine; more with go test ./internal/reconcile -run Restore -schedules=2000.
var schedules = flag.Int("schedules", 40, "how many schedules of a restore are tried on each engine")

func (l lab) release(t *testing.T, a ipam.Allocation) {
	t.Helper()
	if err := l.registry.Release(t.Context(), alice, a.ID, ipam.Exactly(a.ETag())); err != nil {
		t.Fatal(err)
	}
}

func TestANameWhoseFormerBlockACloudUsesByNowIsPlacedElsewhere(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		l.pool(t, "vpc", "10.0.0.0/22")
		a, err := l.take(t, "vpc", "app", "10.0.1.0/24")
		if err != nil {
			t.Fatal(err)
		}
		l.release(t, a)
		l.cloud.AddSubnet(number, "east", l.network, "half", netip.MustParsePrefix("10.0.1.0/25"))
		l.sync(t)
		if a, err = l.take(t, "vpc", "app", "/24"); err != nil || a.CIDR.String() != "10.0.0.0/24" {
			t.Errorf("%s, %v", a.CIDR, err)
		}
	})
}

func TestAPlanIsPromisedAnotherBlockWhereACloudUsesItsOwnByNow(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		l.pool(t, "vpc", "10.0.0.0/22")
		plan := func(run string) (ipam.Hold, error) {
			no := false
			return l.registry.Promise(t.Context(), alice, ipam.NewHold{Pool: "vpc", Name: "app", BlockSize: ipam.BlockSize{Length: new(24)}, Plan: ipam.Plan{Holder: "ws", Run: run, Applying: &no}})
		}
		h, err := plan("1")
		if err != nil || h.CIDR.String() != "10.0.0.0/24" {
			t.Fatalf("%s, %v", h.CIDR, err)
		}
		l.cloud.AddSubnet(number, "east", l.network, "half", netip.MustParsePrefix("10.0.0.128/25"))
		l.sync(t)
		if h, err = plan("2"); err != nil || h.CIDR.String() != "10.0.1.0/24" {
			t.Errorf("the next plan: %s, %v", h.CIDR, err)
		}
		if a, err := l.take(t, "vpc", "app", h.CIDR.String()); err != nil {
			t.Errorf("its apply: %s, %v", a.CIDR, err)
		}
	})
}

func TestWhatIsReleasedAndStillShownIsHandedToNeitherOfTwoWriters(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		const rounds = 20
		l.pool(t, "vpc", "10.0.0.0/20")
		l.cloud.AddSubnet(number, "east", l.network, "elsewhere", netip.MustParsePrefix("10.0.200.0/24"))
		for i := range rounds {
			a, err := l.take(t, "vpc", "live", "/24")
			if err != nil {
				t.Fatal(err)
			}
			id := l.cloud.AddSubnet(number, "east", l.network, "live", a.CIDR)
			l.sync(t)
			type took struct {
				ipam.Allocation
				err error
			}
			done := make(chan took, 2)
			writer := func(name string) {
				in := ipam.NewAllocation{Pool: "vpc", Name: name, BlockSize: ipam.BlockSize{Length: new(24)}}
				b, err := l.registry.Allocate(t.Context(), alice, in)
				done <- took{b, err}
			}
			passed := make(chan error, 1)
			go writer(fmt.Sprint("first", i))
			go func() {
				_, err := l.Sync(t.Context(), alice, "aws:"+number, reconcile.Ask{})
				passed <- err
			}()
			l.release(t, a)
			go writer(fmt.Sprint("second", i))
			for range 2 {
				b := <-done
				if b.err != nil {
					t.Fatal(b.err)
				}
				if b.CIDR.Overlaps(a.CIDR) {
					t.Fatalf("round %d: %s was handed out, where the cloud has %s", i, b.CIDR, a.CIDR)
				}
				l.release(t, b.Allocation)
			}
			if err := <-passed; err != nil {
				t.Fatal(err)
			}
			l.cloud.RemoveSubnet(number, "east", id)
			for range 3 {
				l.sync(t)
			}
		}
	})
}

func TestFreeSpaceIsShownWithoutWhatCloudsUse(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		ids := l.add(6) // 10.0.0.0/24 to 10.0.5.0/24
		l.pool(t, "vpc", "10.0.0.0/21")
		if _, err := l.take(t, "vpc", "mine", "10.0.3.0/24"); err != nil {
			t.Fatal(err)
		}
		v := insight.New(change.New(l.db, time.Now))
		free := func() (all []string) {
			sizes, err := v.FreeSizes(t.Context(), ipam.Everything, "vpc")
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range sizes {
				all = append(all, fmt.Sprintf("%d of /%d from %s, %s fit", s.Blocks, s.Length, s.First, s.Fits))
			}
			return all
		}
		before := fmt.Sprint(free())
		if want := "[1 of /22 from 10.0.4.0/22, 1 fit 1 of /23 from 10.0.0.0/23, 3 fit 1 of /24 from 10.0.2.0/24, 7 fit]"; before != want {
			t.Errorf("before anybody looked: %s, want %s", before, want)
		}
		l.sync(t)
		if got, want := fmt.Sprint(free()), "[1 of /23 from 10.0.6.0/23, 1 fit]"; got != want {
			t.Errorf("then: %s, want %s", got, want)
		}
		for _, limit := range []int{1, 2, 3, 100} { // pages end within free blocks, too
			var got []string
			for page := (ipam.Page{Limit: limit}); ; {
				blocks, err := v.Space(t.Context(), ipam.Everything, "vpc", page)
				if err != nil {
					t.Fatal(err)
				}
				for _, b := range blocks {
					what := "free"
					switch {
					case b.Guard != nil:
						what = b.Guard.ID()
					case b.Prefix != nil:
						what = b.Prefix.Name
					}
					got = append(got, b.CIDR.String()+" "+what)
					page.After = ipam.Cursor{Prefix: b.CIDR}
				}
				if len(blocks) < limit {
					break
				}
			}
			want := fmt.Sprintf("[10.0.0.0/24 aws:%s 10.0.1.0/24 aws:%s 10.0.2.0/24 aws:%s 10.0.3.0/24 mine 10.0.4.0/24 aws:%s 10.0.5.0/24 aws:%s 10.0.6.0/23 free]", ids[0], ids[1], ids[2], ids[4], ids[5])
			if fmt.Sprint(got) != want {
				t.Errorf("pages of %d: %s, want %s", limit, got, want)
			}
		}
		found, err := v.Search(t.Context(), ipam.Everything, "10.0.4.0/24", "", 10)
		if err != nil || len(found.Places) != 1 || found.Places[0].Status != ipam.PlaceGuarded {
			t.Errorf("%+v, %v", found.Places, err)
		}
		if found, err = v.Search(t.Context(), ipam.Everything, "10.0.6.0/24", "", 10); err != nil || found.Places[0].Status != ipam.PlaceFree {
			t.Errorf("%+v, %v", found.Places, err)
		}
	})
}

func TestAPoolHandsNothingOutWhileItsAccountsHaveNotBeenSeenLately(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		ctx := t.Context()
		hour := int64(3600)
		if _, err := l.registry.CreatePool(ctx, alice, ipam.NewPool{Name: "vpc", CIDR: netip.MustParsePrefix("10.0.0.0/20"), MaxObservedAge: &hour}); err != nil {
			t.Fatal(err)
		}
		l.pool(t, "any", "10.1.0.0/20")
		old := func(err error) bool { return ipam.CodeOf(err) == ipam.CodeObservationTooOld }
		if _, err := l.take(t, "vpc", "a", "/24"); !old(err) || !strings.Contains(err.Error(), "never") || !strings.Contains(err.Error(), "cloudpam sync aws:"+number) {
			t.Errorf("before anybody looked: %v", err)
		}
		l.sync(t)
		a, err := l.take(t, "vpc", "a", "/24")
		if err != nil {
			t.Error(err)
		}
		l.wait(59 * time.Minute)
		if _, err := l.take(t, "vpc", "b", "/24"); err != nil {
			t.Error(err)
		}
		l.wait(2 * time.Minute)
		for _, want := range []string{"/24", "10.0.9.0/24"} {
			if _, err := l.take(t, "vpc", "c", want); !old(err) {
				t.Errorf("an hour later, %s: %v", want, err)
			}
		}
		to := netip.MustParsePrefix("10.0.0.0/23")
		if _, err := l.registry.UpdateAllocation(ctx, alice, a.ID, ipam.Exactly(a.ETag()), ipam.AllocationPatch{CIDR: &to}); !old(err) {
			t.Errorf("growth: %v", err)
		}
		if _, err := l.registry.Promise(ctx, alice, ipam.NewHold{Pool: "vpc", Name: "d", BlockSize: ipam.BlockSize{Length: new(24)}}); !old(err) {
			t.Errorf("a plan: %v", err)
		}
		if _, err := l.take(t, "any", "a", "/24"); err != nil {
			t.Errorf("a pool that asks for nothing: %v", err)
		}
		in := ipam.NewAllocation{Pool: "any", Name: "young", BlockSize: ipam.BlockSize{Length: new(24), Placing: ipam.Placing{Seen: ipam.Seen{MaxAge: time.Hour}}}}
		if _, err := l.registry.Allocate(ctx, alice, in); !old(err) {
			t.Errorf("a request that asks for it: %v", err)
		}
		// A look in which a region fails is none of the account, and its reason is told.
		l.cloud.Set(func(c fault.Call) fault.Fault {
			if c.Region == "west" {
				return fault.Fault{Kind: fault.Denied}
			}
			return fault.Fault{}
		})
		l.sync(t)
		if _, err := l.take(t, "vpc", "c", "/24"); !old(err) || !strings.Contains(err.Error(), "The last look failed") {
			t.Errorf("after a look in parts: %v", err)
		}
		l.cloud.Set(nil)
		l.sync(t)
		if _, err := l.take(t, "vpc", "c", "/24"); err != nil {
			t.Error(err)
		}
	})
}

func TestARequestMayAskForALookFirst(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		ctx := t.Context()
		l.pool(t, "vpc", "10.0.0.0/20")
		l.sync(t)
		l.wait(time.Minute)
		l.cloud.AddSubnet(number, "east", l.network, "new", netip.MustParsePrefix("10.0.0.0/24"))
		fresh := func(name string) (ipam.Allocation, error) {
			since, err := l.Fresh(ctx, alice, "aws:"+number)
			if err != nil {
				t.Fatal(err)
			}
			seen := ipam.Seen{Account: "aws:" + number, Since: since}
			return l.registry.Allocate(ctx, alice, ipam.NewAllocation{Pool: "vpc", Name: name, BlockSize: ipam.BlockSize{Length: new(24), Placing: ipam.Placing{Seen: seen}}})
		}
		if a, err := fresh("a"); err != nil || a.CIDR.String() != "10.0.1.0/24" {
			t.Errorf("%s, %v", a.CIDR, err)
		}
		l.wait(time.Minute)
		l.cloud.Set(func(fault.Call) fault.Fault { return fault.Fault{Kind: fault.Denied} })
		if _, err := fresh("b"); ipam.CodeOf(err) != ipam.CodeObservationTooOld || !strings.Contains(err.Error(), "asks for a look") {
			t.Errorf("a look that fails: %v", err)
		}
	})
}

// TestAfterARestoreNothingIsHandedOutThatCloudsUse brings a backup back while the clouds have moved on, by seeded schedules.
func TestAfterARestoreNothingIsHandedOutThatCloudsUse(t *testing.T) {
	schedules := *schedules
	each(t, func(t *testing.T, l lab) {
		var given, refused int
		const other, views = "222222222222", 2 * 2 * 2 // accounts, kinds, regions
		if _, err := l.accounts.CreateAccount(t.Context(), alice, ipam.Account{Cloud: ipam.AWS, ExternalID: other, Name: "other"}); err != nil {
			t.Fatal(err)
		}
		elsewhere := l.cloud.AddNetwork(other, "west", "other", netip.MustParsePrefix("10.0.0.0/16"))
		both := []string{number, other}
		at := map[string]struct{ region, network string }{number: {"east", l.network}, other: {"west", elsewhere}}
		l.pool(t, "vpc", "10.0.0.0/18")
		for _, n := range both {
			l.cloud.AddSubnet(n, at[n].region, at[n].network, "old", netip.MustParsePrefix("10.0.99.0/24"))
		}
		for seed := range uint64(schedules) {
			r := rand.New(rand.NewPCG(seed, 18))
			for _, n := range both {
				if _, err := l.Sync(t.Context(), alice, "aws:"+n, reconcile.Ask{Believe: true}); err != nil {
					t.Fatal(err)
				}
			}
			// What was handed out after the backup: it is in the clouds, and in no row.
			used := map[netip.Prefix][2]string{}
			for range 1 + r.IntN(6) {
				n := both[r.IntN(2)]
				block := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(64)), 0}), 24)
				if _, taken := used[block]; taken {
					continue
				}
				used[block] = [2]string{n, l.cloud.AddSubnet(n, at[n].region, at[n].network, "later", block)}
			}
			l.wait(time.Hour)
			if err := l.db.Write(t.Context(), "", func(tx *store.Tx) error { return tx.SetRestored(time.Unix(l.now.Load(), 0)) }); err != nil {
				t.Fatal(err)
			}
			if err := l.Begin(t.Context(), ipam.AWS); err != nil {
				t.Fatal(err)
			}
			var taken []ipam.Allocation
			seen := map[string]bool{}
			for step := range 16 {
				l.wait(2 * time.Minute)
				n := both[r.IntN(2)]
				switch r.IntN(5) {
				case 0, 1:
					want := "/24"
					if r.IntN(3) == 0 {
						want = fmt.Sprintf("10.0.%d.0/25", r.IntN(64))
					}
					a, err := l.take(t, "vpc", fmt.Sprintf("a%d-%d", seed, step), want)
					switch code := ipam.CodeOf(err); {
					case err == nil:
						given++
						taken = append(taken, a)
						if len(seen) < views {
							t.Fatalf("seed %d: %s was handed out before all accounts were seen", seed, a.CIDR)
						}
						for block, of := range used {
							if block.Overlaps(a.CIDR) {
								t.Fatalf("seed %d: %s was handed out, where %v has %s", seed, a.CIDR, of, block)
							}
						}
					case code == ipam.CodeObservationTooOld:
						refused++
						if len(seen) == views {
							t.Fatalf("seed %d: all accounts were seen, and yet: %v", seed, err)
						}
					case code != ipam.CodeCIDRTaken:
						t.Fatal(err)
					}
				case 2: // a look that fails somewhere
					kind, region := []fault.Kind{fault.Denied, fault.Disabled, fault.RepeatPage}[r.IntN(3)], []string{"east", "west"}[r.IntN(2)]
					l.cloud.Set(func(c fault.Call) fault.Fault {
						if c.Account == n && c.Region == region {
							return fault.Fault{Kind: kind}
						}
						return fault.Fault{}
					})
					out, err := l.Sync(t.Context(), alice, "aws:"+n, reconcile.Ask{})
					if err != nil {
						t.Fatal(err)
					}
					l.cloud.Set(nil)
					for _, s := range out.States { // one region with one look and one with another come to all of it
						if s.Code == "" {
							seen[n+s.Kind+s.Region] = true
						}
					}
				default:
					out, err := l.Sync(t.Context(), alice, "aws:"+n, reconcile.Ask{Believe: true})
					if err != nil {
						t.Fatal(err)
					}
					for _, s := range out.States {
						seen[n+s.Kind+s.Region] = true
					}
				}
			}
			for _, a := range taken {
				l.release(t, a)
			}
			for _, of := range used {
				l.cloud.RemoveSubnet(of[0], at[of[0]].region, of[1])
			}
		}
		t.Logf("%d schedules: %d handed out, %d refused", schedules, given, refused)
		if given < schedules || refused < schedules {
			t.Errorf("%d handed out and %d refused in %d schedules are too few to show anything", given, refused, schedules)
		}
	})
}
