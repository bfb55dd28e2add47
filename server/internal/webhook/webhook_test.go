package webhook_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/audit"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/webhook"
)

func TestWhatHappensFromNowOnIsToldOnceSignedAndInOrder(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		l.take(t, "before")
		r := receive(t)
		w := l.add(t, r, "inventory")
		a := l.touch(t, l.touch(t, l.take(t, "app"), "one"), "two")
		if err := l.registry.Release(t.Context(), system, a.ID, ipam.AnyVersion); err != nil {
			t.Fatal(err)
		}
		l.round(t, 4)
		l.round(t, 0)
		got := r.told()
		want := []string{"allocation.created app ", "allocation.updated app one", "allocation.updated app two", "allocation.released  "}
		if !slices.Equal(words(got), want) {
			t.Errorf("told %q, want %q", words(got), want)
		}
		for _, m := range got {
			if !m.verified(w.Secret) || m.verified(ipam.NewWebhookSecret()) {
				t.Errorf("%s is not signed with the secret", m.id)
			}
			if m.id != m.Data.ID {
				t.Errorf("the message %s is about the event %s", m.id, m.Data.ID)
			}
		}
	})
}

func TestAWebhookIsToldWhatItAsksFor(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		r := receive(t)
		if err := other(t, l); err != nil {
			t.Fatal(err)
		}
		l.add(t, r, "everything", func(w *ipam.Webhook) { w.Actions = nil })
		l.add(t, r, "chat", func(w *ipam.Webhook) { w.Actions, w.Format = []string{"allocation.created"}, ipam.FormatSlack })
		l.add(t, r, "elsewhere", func(w *ipam.Webhook) { w.Scope = "elsewhere" })
		l.touch(t, l.take(t, "a"), "x")
		l.round(t, 3+2+1) // three webhooks were created, one allocation was created and updated; the chat hears of the first
		var text []string
		for _, m := range r.told() {
			if m.Text != "" {
				text = append(text, m.Text)
			}
		}
		if want := "allocation created: a 10.0.0.0/28 in corp, by system"; len(text) != 1 || text[0] != want {
			t.Errorf("the chat reads %q, want %q", text, want)
		}
	})
}

func other(t *testing.T, l lab) error {
	_, err := change.Write(t.Context(), l.kernel, system, "system", func(c change.Change) (struct{}, error) {
		if err := c.Tx.LockSystem(); err != nil {
			return struct{}{}, err
		}
		s := ipam.Scope{ID: "elsewhere", UID: ipam.NewUID("scope"), Version: 1, CreatedAt: c.At, UpdatedAt: c.At}
		if err := c.Tx.InsertScope(s); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, c.Record(change.ScopeObject(s), "created", nil, s)
	})
	return err
}

// While a receiver is away it is left alone, longer each time and never more than ten minutes; it is told everything when it is back.
func TestAReceiverThatWasAwayHearsOfEverythingInOrder(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		r := receive(t)
		w := l.add(t, r, "inventory")
		var tries atomic.Int64
		r.answers(func(message) int { tries.Add(1); return http.StatusBadGateway })
		a := l.touch(t, l.take(t, "a"), "x")
		l.take(t, "b")
		l.round(t, 0)
		if tries.Load() != 2 { // one of each object
			t.Errorf("%d tries at first, want 2", tries.Load())
		}
		l.round(t, 0)
		if tries.Load() != 2 {
			t.Error("it was tried again at once")
		}
		for range 40 { // six hours and more
			l.wait(10 * time.Minute)
			l.round(t, 0)
		}
		if n := tries.Load(); n < 20 || n > 2+40 {
			t.Errorf("%d tries in seven hours", n)
		}
		got, err := l.Webhook(t.Context(), ipam.Everything, "inventory")
		if err != nil || got.Health.FailingSince == nil || got.Health.LastError != "it answered 502 bad gateway" || got.Health.Waiting != 3 {
			t.Errorf("%+v, %v", got.Health, err)
		}
		l.touch(t, a, "y")
		r.answers(nil)
		l.wait(11 * time.Minute)
		l.round(t, 4)
		if want := []string{"allocation.created a ", "allocation.updated a x", "allocation.updated a y"}; !slices.Equal(slices.DeleteFunc(words(r.told()), func(s string) bool { return strings.Contains(s, " b ") }), want) {
			t.Errorf("it heard in another order than %q", want)
		}
		if got, err := l.Webhook(t.Context(), ipam.Everything, string(w.ID)); err != nil || got.Health != (ipam.WebhookHealth{}) {
			t.Errorf("%+v, %v", got.Health, err)
		}
	})
}

// What a receiver does not want keeps no other object's events from it, and is given up after a while; then those behind it come.
func TestAMessageThatIsRefusedIsGivenUpAndHoldsUpItsObjectAlone(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		r := receive(t)
		l.add(t, r, "inventory")
		r.answers(func(m message) int {
			if m.Type == "allocation.created" && m.Data.After.Name == "bad" {
				return http.StatusUnprocessableEntity
			}
			return http.StatusOK
		})
		l.touch(t, l.take(t, "bad"), "x")
		l.take(t, "good")
		l.round(t, 1)
		for range 100 {
			l.wait(time.Hour)
			if _, err := l.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if want := []string{"allocation.created good ", "allocation.updated bad x"}; !slices.Equal(words(r.told()), want) {
			t.Errorf("want %q", want)
		}
		dead, err := l.Deliveries(t.Context(), ipam.Everything, "inventory", ipam.DeliveryDead, ipam.Page{Limit: 10})
		if err != nil || len(dead) != 1 || dead[0].Attempts != 12 || dead[0].Status != 422 || dead[0].EndedAt == nil {
			t.Fatalf("%+v, %v", dead, err)
		}
		r.answers(nil)
		if n, err := l.Replay(t.Context(), system, "inventory", ipam.Replay{Delivery: dead[0].ID}); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		l.round(t, 1)
	})
}

func TestEventsAreReplayedSinceATimeUnderTheirOwnIDs(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		l.take(t, "early")
		l.wait(time.Hour)
		since := l.time()
		a := l.take(t, "before")
		r := receive(t)
		l.add(t, r, "inventory")
		l.touch(t, a, "after")
		l.round(t, 1)
		first := r.told()
		if n, err := l.Replay(t.Context(), system, "inventory", ipam.Replay{Since: since}); n != 2 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		l.round(t, 2)
		again := r.told()
		if want := []string{"allocation.created before ", "allocation.updated before after"}; !slices.Equal(words(again), want) {
			t.Fatalf("%q came again, want %q", words(again), want)
		}
		if again[1].id != first[0].id || again[1].body != first[0].body {
			t.Errorf("first %q, again %q", first[0], again[1])
		}
		_, err := l.Replay(t.Context(), system, "inventory", ipam.Replay{})
		if ipam.CodeOf(err) != ipam.CodeInvalid {
			t.Errorf("a replay of nothing: %v", err)
		}
	})
}

// A server may end at any moment of a delivery. Whoever goes on sends again what was sent and not noted, and leaves nothing out.
func TestNoEventIsLostWhereverADeliveryEnds(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		r := receive(t)
		l.add(t, r, "inventory")
		var left atomic.Int64 // messages until the end
		var end atomic.Value
		r.answers(func(message) int {
			if left.Add(-1) == 0 {
				end.Load().(context.CancelFunc)()
			}
			return http.StatusOK
		})
		wanted := map[string]bool{}
		for kill := range 60 {
			a := l.take(t, string(ipam.NewUID("n")))
			l.touch(t, a, "x")
			wanted[a.ID] = true
			ctx, stop := context.WithCancel(t.Context())
			end.Store(stop)
			left.Store(int64(1 + kill%5))
			book := webhook.New(l.kernel, loopback, "test")
			_, _ = book.Once(ctx) // the next one goes on
			stop()
		}
		l.wait(time.Hour)
		left.Store(-1)
		if _, err := l.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		seen := map[string][]string{}
		doubled := 0
		for _, m := range r.told() {
			if slices.Contains(seen[m.Data.ObjectID], m.id) {
				doubled++
				continue
			}
			seen[m.Data.ObjectID] = append(seen[m.Data.ObjectID], m.id)
		}
		for object := range wanted {
			if got := seen[object]; len(got) != 2 || got[0] > got[1] {
				t.Errorf("%s: told of %q", object, got)
			}
		}
		if doubled == 0 {
			t.Error("no end came between sending and noting, so this shows nothing")
		}
	})
}

func TestOfTwoServersOneDelivers(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		r := receive(t)
		l.add(t, r, "inventory")
		l.take(t, "a")
		two := webhook.New(change.New(l.kernel.DB, time.Now).Pretend(l.time), loopback, "test")
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		arrived, answer := make(chan struct{}, 9), make(chan struct{})
		r.answers(func(message) int { arrived <- struct{}{}; <-answer; return http.StatusOK })
		ended := make(chan struct{})
		go func() { defer close(ended); _, _ = l.Deliver(ctx) }()
		<-arrived
		before := l.kernel.DB.Stats().Writes
		if n, err := two.Deliver(t.Context()); n != 0 || err != nil {
			t.Errorf("the other one delivered %d, %v", n, err)
		}
		if after := l.kernel.DB.Stats().Writes; after != before {
			t.Errorf("the other one wrote %d times", after-before)
		}
		close(answer)
		stop()
		<-ended // perhaps with the end of the context
	})
}

func TestWhereNothingWaitsNothingIsWritten(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		r := receive(t)
		l.add(t, r, "inventory")
		l.take(t, "a")
		r.answers(func(message) int { return http.StatusInternalServerError })
		l.round(t, 0) // the receiver rests
		wantIdle := func(when string) {
			t.Helper()
			before := l.kernel.DB.Stats().Writes
			if n, err := l.Deliver(t.Context()); n != 0 || err != nil {
				t.Errorf("%s: delivered %d, %v", when, n, err)
			}
			if after := l.kernel.DB.Stats().Writes; after != before {
				t.Errorf("%s: wrote %d times", when, after-before)
			}
		}
		wantIdle("while a receiver rests")
		r.answers(nil)
		l.wait(time.Minute)
		l.round(t, 1)
		wantIdle("once all has arrived")
	})
}

func TestWhatWaitedAWeekIsGivenUpAndWhatEndedIsForgotten(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		r := receive(t)
		l.add(t, r, "inventory")
		l.take(t, "told")
		l.round(t, 1)
		off := false
		if _, err := l.UpdateWebhook(t.Context(), system, "inventory", ipam.AnyVersion, ipam.WebhookPatch{Enabled: &off}); err != nil {
			t.Fatal(err)
		}
		l.take(t, "waiting")
		l.round(t, 0)
		count := func(state ipam.DeliveryState) int {
			all, err := l.Deliveries(t.Context(), ipam.Everything, "inventory", state, ipam.Page{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		for _, step := range []struct {
			wait                     time.Duration
			waiting, delivered, dead int
		}{{6 * 24 * time.Hour, 1, 1, 0}, {25 * time.Hour, 0, 0, 1}, {31 * 24 * time.Hour, 0, 0, 0}} {
			l.wait(step.wait)
			if _, err := l.Forget(t.Context()); err != nil {
				t.Fatal(err)
			}
			if count(ipam.DeliveryWaiting) != step.waiting || count(ipam.Delivered) != step.delivered || count(ipam.DeliveryDead) != step.dead {
				t.Errorf("after %s: %d wait, %d were delivered, %d are dead; want %+v", step.wait, count(ipam.DeliveryWaiting), count(ipam.Delivered), count(ipam.DeliveryDead), step)
			}
		}
	})
}

func TestWebhooksAreChangedAndDeleted(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		r := receive(t)
		w := l.add(t, r, "inventory")
		l.add(t, r, "other")
		taken, bad := "other", "https://192.0.2.1/x"
		if _, err := l.UpdateWebhook(t.Context(), system, "inventory", ipam.AnyVersion, ipam.WebhookPatch{Name: &taken}); ipam.CodeOf(err) != ipam.CodeNameTaken {
			t.Errorf("a taken name: %v", err)
		}
		if _, err := l.UpdateWebhook(t.Context(), system, "inventory", ipam.AnyVersion, ipam.WebhookPatch{URL: &bad}); ipam.CodeOf(err) != ipam.CodeInvalid {
			t.Errorf("an address that is nobody's: %v", err)
		}
		if _, err := l.UpdateWebhook(t.Context(), system, "inventory", ipam.Exactly("webhook_0.9"), ipam.WebhookPatch{}); ipam.CodeOf(err) != ipam.CodePreconditionFailed {
			t.Errorf("another version: %v", err)
		}
		l.take(t, "a")
		if err := l.DeleteWebhook(t.Context(), system, "inventory", ipam.Exactly(w.ETag())); err != nil {
			t.Error(err)
		}
		l.round(t, 1) // the other's
		if _, err := l.Webhook(t.Context(), ipam.Everything, "inventory"); ipam.CodeOf(err) != ipam.CodeNotFound {
			t.Errorf("it is still there: %v", err)
		}
		events, err := audit.New(l.kernel).Events(t.Context(), ipam.Everything, ipam.EventFilter{Object: string(w.ID)}, ipam.Page{Limit: 10})
		if err != nil || len(events) != 2 {
			t.Errorf("%d events, %v", len(events), err)
		}
	})
}

// An address that was allowed once, and is no more, keeps nobody from turning its webhook off.
func TestAWebhookWhoseAddressIsRefusedByNowIsDisabled(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		l.add(t, receive(t), "inventory")
		strict := webhook.New(l.kernel, webhook.Guard{}, "test")
		off := false
		if w, err := strict.UpdateWebhook(t.Context(), system, "inventory", ipam.AnyVersion, ipam.WebhookPatch{Enabled: &off}); err != nil || w.Enabled {
			t.Errorf("%+v, %v", w, err)
		}
		other := "http://127.0.0.1:9/"
		if _, err := strict.UpdateWebhook(t.Context(), system, "inventory", ipam.AnyVersion, ipam.WebhookPatch{URL: &other}); ipam.CodeOf(err) != ipam.CodeInvalid {
			t.Errorf("another address that is refused: %v", err)
		}
	})
}
