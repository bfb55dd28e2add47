package registry_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/approval"
	"github.com/cloudpam/cloudpam/server/internal/bulk"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/issuer"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	"github.com/cloudpam/cloudpam/server/internal/seal"
	"github.com/cloudpam/cloudpam/server/internal/webhook"
)

// fill makes something of all that there is.
func (r planner) fill(t *testing.T) {
	t.Helper()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	scope, other := r.scope(t), r.scope(t)
	root := r.rootIn(t, scope, "root", "10.0.0.0/16")
	six := r.rootIn(t, other, "six", "2001:db8::/48", func(in *ipam.NewPool) { in.Strategy = alloc.FirstFit })
	r.take(t, six, "a", "/64")
	r.reserve(t, six, "kept", "/64")
	r.hold(t, six, "held", "/64")
	kid := r.child(t, root, "kid", "/20", func(in *ipam.NewPool) { in.Sizes = ipam.Sizes{Min: ptr(20), Max: ptr(30), Default: ptr(26)} })
	r.wait(time.Hour)
	deep := r.child(t, kid, "deep", "/24")
	_, err := r.UpdatePool(ctx, alice, deep.ID, ipam.Exactly(deep.ETag()), ipam.PoolPatch{Name: ptr("deeper"), DetailsPatch: ipam.DetailsPatch{Owner: ptr("net"), Labels: &ipam.Labels{"a": "b"}}})
	ok(err)
	r.drop(t, r.child(t, kid, "gone", "/24"))
	for _, pool := range []ipam.Pool{root, kid, six} {
		r.govern(t, pool, ipam.Rules{SkipFirst: pool.CIDR.Bits() % 10, NamePattern: ".*", MaxOwnerShare: 90})
		r.wait(time.Minute)
	}
	_, err = r.SetPolicy(ctx, bob, kid.ID, ipam.AnyVersion, ipam.NewPolicy{Description: "kid", Rules: ipam.Rules{Exclude: []netip.Prefix{r.cidr("172.17.0.0/16")}}})
	ok(err)
	rest := r.rootIn(t, other, "rest", "10.0.0.0/16", keeps(week))
	r.rootIn(t, other, "rests", "10.1.0.0/16", keeps(time.Hour), func(in *ipam.NewPool) { in.MaxObservedAge = ptr(int64(3600)) })
	r.rootIn(t, other, "young", "10.2.0.0/16", func(in *ipam.NewPool) { in.MaxObservedAge = ptr(int64(7200)) })
	inner := r.child(t, rest, "inner", "/24")
	ends := clock.Add(2000 * time.Hour)
	for i, in := range []ipam.Pool{rest, inner, six} {
		_, err := r.Allocate(ctx, alice, ipam.NewAllocation{Pool: in.ID, Name: fmt.Sprint("ends", i), BlockSize: ipam.BlockSize{Length: ptr(in.CIDR.Bits() + 4)}, ExpiresAt: ptr(ends.Add(time.Duration(i) * time.Hour))})
		ok(err)
	}
	rests6 := r.rootIn(t, other, "rests6", "2001:db8:1::/48", keeps(time.Hour))
	r.release(t, r.take(t, rests6, "resting", "/64"))
	for _, size := range []string{"/26", "/27"} {
		r.release(t, r.take(t, inner, "resting"+size, size))
		r.wait(time.Hour)
		shrinks := r.take(t, rest, "shrinks"+size, size)
		_, err = r.UpdateAllocation(ctx, alice, shrinks.ID, ipam.AnyVersion, ipam.AllocationPatch{Length: ptr(29)})
		ok(err)
	}
	for i := range 3 {
		r.take(t, kid, fmt.Sprint("a", i), "/28")
	}
	r.release(t, r.take(t, kid, "released", "/27"))
	changed := r.take(t, kid, "changed", "/27")
	_, err = r.UpdateAllocation(ctx, bob, changed.ID, ipam.Exactly(changed.ETag()), ipam.AllocationPatch{DetailsPatch: ipam.DetailsPatch{Owner: ptr("team"), Account: ptr("aws:1"), Labels: &ipam.Labels{"x": "y"}}})
	ok(err)
	r.set(t, kid, "net", "a /28", "b /28")
	r.set(t, root, "other", "a /28")
	r.reserve(t, root, "kept", "/24")
	r.reserve(t, kid, "for a time", "/28", clock.Add(1000*time.Hour))
	r.hold(t, kid, "held", "/28", func(in *ipam.NewHold) { in.Plan = ipam.Plan{ID: "plan", Holder: "ws"} })
	r.hold(t, root, "held2", "/24")
	lost := r.hold(t, kid, "lost", "/29", func(in *ipam.NewHold) { in.Plan.ID = "plan2" })
	ok(r.ReleaseHold(ctx, bob, lost.ID))
	r.draft(t, root, "draft", "/20")
	_, err = r.DraftPool(ctx, bob, ipam.NewPool{Scope: "planned", Name: "p", CIDR: r.cidr("10.0.0.0/8")}, ipam.Plan{NewScope: true, Holder: "ws"})
	ok(err)
	for i, cloud := range []string{"dc1", "dc2", "dc3"} {
		a, err := r.CreateAccount(ctx, alice, ipam.Account{Scope: scope, Cloud: ipam.Custom, ExternalID: cloud, Name: cloud, Regions: []string{"eu-west-1"}, Mode: []string{"plan", "apply", "observe"}[i], Tier: []string{"dev", "prd", "stg"}[i], Labels: ipam.Labels{"n": fmt.Sprint(i)}})
		ok(err)
		if i == 1 {
			_, err = r.UpdateAccount(ctx, alice, a.ID, ipam.Exactly(a.ETag()), ipam.AccountPatch{Scope: &other})
			ok(err)
		}
	}
	r.account(t, ipam.AWS, "123456789012")
	later := clock.Add(10_000 * time.Hour)
	_, _, err = r.CreateToken(ctx, alice, ipam.NewToken{Name: "ci", ExpiresAt: &later, Bindings: []ipam.NewBinding{{Role: ipam.Admin}}})
	ok(err)
	_, _, err = r.CreateToken(ctx, alice, ipam.NewToken{Name: "old", Bindings: []ipam.NewBinding{
		{Role: ipam.Operator, Pool: kid.ID, Largest: ptr(24), Labels: ipam.Labels{"team": "net"}}, {Role: ipam.Viewer, Pool: root.ID}, {Role: ipam.Planner, Scope: other},
	}})
	ok(err)
	tokens, err := r.Tokens(ctx, ipam.Everything, nil, ipam.Page{Limit: 100})
	ok(err)
	ok(r.RevokeToken(ctx, alice, tokens[len(tokens)-1].ID))
	for i, name := range []string{"repo:acme/a", "repo:acme/b", "repo:acme/c"} {
		_, _, err := r.SignIn(ctx, alice, issuer.Identity{Issuer: []string{"https://i.example", "https://j.example"}[i%2], Subject: name, Kind: []string{"machine", "user"}[i%2], Name: name})
		ok(err)
	}
	_, _, err = r.SignIn(ctx, alice, issuer.Identity{Issuer: "https://i.example", Subject: "repo:acme/a", Kind: "machine", Name: "renamed"})
	ok(err)
	_, _, err = r.OpenSession(ctx, ipam.Caller{Principal: tokens[0].Principal()})
	ok(err)
	s, err := r.CreateScope(ctx, alice, ipam.Scope{ID: "left", Labels: ipam.Labels{"s": "t"}})
	ok(err)
	_, err = r.UpdateScope(ctx, alice, s.ID, ipam.Exactly(s.ETag()), ipam.ScopePatch{Name: ptr("now")})
	ok(err)
	_, err = r.Allocate(ctx, ipam.Caller{Principal: alice.Principal, Rights: ipam.AllRights, Retry: &ipam.Retry{Key: "key", Fingerprint: sha256.Sum256(nil)}}, ipam.NewAllocation{Pool: kid.ID, Name: "keyed"})
	ok(err)
	r.importFiles(t, kid, six)
	hooks := webhook.New(change.New(r.db, time.Now).Pretend(func() time.Time { return clock }), webhook.Guard{}, "test")
	for i, name := range []string{"one", "two", "three"} {
		w := ipam.Webhook{Name: name, Description: name, URL: "https://1.1.1.1/", Scope: scope, Actions: []string{"allocation.*", "webhook.created"}[:1+i%2], Enabled: i > 0, Format: []string{"slack", "standard", "slack"}[i]}
		if i == 1 {
			w.Scope = ""
		}
		_, err := hooks.CreateWebhook(ctx, alice, w)
		ok(err)
	}
	_, err = hooks.RotateSecret(ctx, alice, "two", "")
	ok(err)
	ok(hooks.Feed(ctx))
	sealer, err := seal.New(change.New(r.db, time.Now).Pretend(func() time.Time { return *r.now }), slog.New(slog.DiscardHandler), "")
	ok(err)
	for i := range 2 {
		_, err = sealer.Seal(ctx)
		ok(err)
		r.wait(time.Hour)
		r.take(t, root, fmt.Sprint("sealed", i), "/28")
	}
	for i, facts := range []string{"one", "two"} {
		r.raw(t, fmt.Sprintf(`INSERT INTO drift_records (id, scope_id, drift, kind, account, region, cidr, desired, observed, detail, facts, first_seen, last_seen)
			SELECT id + %d, id, '%s', 'unmanaged', '', '', '', '', '', '', '', 1, 1 FROM scopes WHERE draft_until IS NULL`, i+7, facts))
		_, err = change.Write(ctx, change.New(r.db, time.Now).Pretend(func() time.Time { return *r.now }), alice, "system", func(c change.Change) (none struct{}, err error) {
			s, err := c.Tx.LockScope(ipam.Everything, []string{scope, other}[i])
			if err != nil {
				return none, err
			}
			ignore := ipam.DriftIgnore{UID: ipam.NewUID("ignore"), Scope: s.ID, ScopeUID: s.UID, Drift: "drift_" + facts, Facts: facts, Reason: "why " + facts, By: "token:" + facts, CreatedAt: c.At}
			if err := errors.Join(c.Tx.InsertDriftIgnore(ignore), c.Record(change.IgnoreObject(ignore), "created", nil, ignore), c.Tx.LockSystem()); err != nil || i > 0 {
				return none, err
			}
			rules := ipam.DriftRules{UID: ipam.NewUID("rules"), Rules: []byte("[]"), Version: 1, CreatedAt: c.At, UpdatedAt: c.At}
			return none, errors.Join(c.Tx.SetDriftRules(rules), c.Record(change.Object{Kind: "drift_rules", ID: string(rules.UID)}, "created", nil, rules))
		})
		ok(err)
		r.wait(time.Hour)
	}
	r.raw(t, "INSERT INTO looks (account_id, tried_at, seen_at) SELECT id, 1, 1 FROM accounts WHERE cloud = 'aws'")
	r.fillApprovals(t, r.rootIn(t, other, "waits", "10.7.0.0/16"))
	for i, kind := range []string{"network", "subnet"} {
		r.raw(t, fmt.Sprintf(`INSERT INTO observations (id, account_id, scope_id, kind, cloud_id, part, network, region, zone, name, owner, standard, family, first_ip, length,
			mark_instance, mark_allocation, mark_epoch, labels, misses, first_seen, changed_at)
			SELECT id + %d, id, scope_id, '%s', 'thing', '', 'vpc', 'east', '', '', '', FALSE, 4, (SELECT first_ip FROM prefixes LIMIT 1), 24, '', '', 0, '{}', %d, 1, 1 FROM accounts WHERE cloud = 'aws'`, i+1, kind, i))
		r.raw(t, fmt.Sprintf(`INSERT INTO sync_states (id, account_id, kind, region, tried_at, seen_at, second_at, third_at, code, detail, fix)
			SELECT id + %d, id, '%s', 'east', 1, 1, NULL, NULL, '', '', '' FROM accounts WHERE cloud = 'aws'`, i+1, kind))
	}
	r.raw(t, "INSERT INTO leases (name, holder, epoch, until) VALUES ('sweep', 'me', 1, 1)")
}

// fillApprovals makes requests of each kind in a pool.
func (r planner) fillApprovals(t *testing.T, pool ipam.Pool) {
	t.Helper()
	ctx, k := t.Context(), change.New(r.db, time.Now).Pretend(func() time.Time { return *r.now })
	reg := registry.New(k)
	desk := approval.New(k, reg, slog.New(slog.DiscardHandler))
	r.govern(t, pool, ipam.Rules{ApprovalAbove: ptr(24)})
	tokens, err := r.Tokens(ctx, ipam.Everything, nil, ipam.Page{Limit: 100})
	if err != nil || tokens[0].Name != ipam.Bootstrap {
		t.Fatal(tokens, err)
	}
	first := ipam.Caller{Principal: tokens[0].Principal(), Rights: ipam.AllRights}
	for i, by := range []ipam.Caller{alice, bob, alice, bob} {
		by.Reason, by.Source = fmt.Sprint("why", i), []string{"api", "terraform"}[i%2]
		_, err := reg.Allocate(ctx, by, ipam.NewAllocation{Pool: pool.ID, Name: fmt.Sprint("large", i), BlockSize: ipam.BlockSize{Length: ptr(22 - i%2)}})
		asked := wantCode(t, err, ipam.CodeApprovalRequired).Approval
		if asked == nil || asked.ID == "" {
			t.Fatal(err)
		}
		r.wait(time.Hour)
		if i != 2 {
			d := desk.Decide(ctx, first, []ipam.Decision{{ID: string(asked.ID), Digest: asked.Digest, Approve: i != 1, Comment: fmt.Sprint("because", i)}})
			if d[0].Err != nil {
				t.Fatal(d[0].Err)
			}
		}
		if i == 0 {
			if _, err := reg.Allocate(ctx, by, ipam.NewAllocation{Pool: pool.ID, Name: "large0", BlockSize: ipam.BlockSize{Length: ptr(22)}}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// importFiles imports three files of two kinds, of which two are undone.
func (r planner) importFiles(t *testing.T, four, six ipam.Pool) {
	t.Helper()
	in := bulk.New(change.New(r.db, time.Now).Pretend(func() time.Time { return *r.now }), r.Registry, r.accountBook)
	for i, by := range []ipam.Caller{alice, bob, alice} {
		f := bulk.File{Kind: ipam.ImportAllocations, Rows: []bulk.Row{{Number: 2, Ask: &bulk.Allocation{New: ipam.NewAllocation{Pool: four.ID, Name: fmt.Sprint("imported", i), BlockSize: ipam.BlockSize{Length: ptr(29)}}}}}}
		if i == 1 {
			f = bulk.File{Kind: ipam.ImportReservations, Rows: []bulk.Row{{Number: 3, Ask: &bulk.Reservation{New: ipam.NewReservation{Pool: six.ID, Reason: "imported", Length: ptr(64)}}}}}
		}
		by.DryRun, by.Reason = true, fmt.Sprint("file ", i)
		shown, err := in.Import(t.Context(), by, f)
		if err != nil {
			t.Fatal(err)
		}
		by.DryRun, f.Digest = false, shown.Digest
		done, err := in.Import(t.Context(), by, f)
		if err == nil && i > 0 {
			r.wait(time.Minute)
			_, err = in.Undo(t.Context(), by, string(done.ID))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
