package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/audit"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
	"github.com/cloudpam/cloudpam/server/internal/webhook"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	loopback = webhook.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
	system   = ipam.System("req")
)

// lab is webhooks and what they tell of, on a real database with a clock that the test moves.
type lab struct {
	*webhook.Book
	registry *registry.Registry
	kernel   *change.Kernel
	mu       *sync.Mutex
	now      *time.Time
	pool     ipam.Pool
}

func each(t *testing.T, body func(t *testing.T, l lab)) {
	t.Helper()
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			l := open(t, url(t))
			t.Cleanup(func() { l.wantSound(t) })
			body(t, l)
		})
	}
}

func open(t *testing.T, url string) lab {
	t.Helper()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	l := lab{mu: new(sync.Mutex), now: &now}
	l.kernel = change.New(storetest.Open(t, url), time.Now).Pretend(l.time)
	l.Book, l.registry = webhook.New(l.kernel, loopback, "test"), registry.New(l.kernel)
	if _, err := access.New(l.kernel).SetUp(t.Context(), strings.Repeat("s", ipam.MinSecret)); err != nil {
		t.Fatal(err)
	}
	var err error
	l.pool, err = l.registry.CreatePool(t.Context(), system, ipam.NewPool{Scope: ipam.DefaultScope, Name: "corp", CIDR: netip.MustParsePrefix("10.0.0.0/8")})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (l lab) time() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *l.now
}

func (l lab) wait(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*l.now = l.now.Add(d)
}

func (l lab) wantSound(t *testing.T) {
	report, err := audit.New(l.kernel).Verify(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		t.Errorf("verify found %s: %s", f.Object, f.Detail)
	}
}

// take makes an allocation, which is an event.
func (l lab) take(t testing.TB, name string) ipam.Allocation {
	t.Helper()
	length := 28
	a, err := l.registry.Allocate(t.Context(), system, ipam.NewAllocation{Pool: l.pool.ID, Name: name, BlockSize: ipam.BlockSize{Length: &length}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// touch changes an allocation, which is an event of the same object.
func (l lab) touch(t testing.TB, a ipam.Allocation, owner string) ipam.Allocation {
	t.Helper()
	a, err := l.registry.UpdateAllocation(t.Context(), system, a.ID, ipam.AnyVersion, ipam.AllocationPatch{DetailsPatch: ipam.DetailsPatch{Owner: &owner}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// round delivers what is due, and wants so many to arrive.
func (l lab) round(t testing.TB, want int64) {
	t.Helper()
	if got, err := l.Once(t.Context()); err != nil || got != want {
		t.Errorf("%d arrived, %v; want %d", got, err, want)
	}
}

// receiver is a real HTTP server that messages are sent to.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(message) int // the status; 204 where it is nil
	got    []message
}

type message struct {
	id     string
	header http.Header
	body   string
	Type   string
	Data   struct {
		ID, Action string
		ObjectID   string `json:"object_id"`
		After      struct{ Name, Owner string }
	}
	Text string
}

func receive(t testing.TB) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		m := message{id: q.Header.Get("Webhook-Id"), header: q.Header, body: string(body)}
		_ = json.Unmarshal(body, &m)
		r.mu.Lock()
		defer r.mu.Unlock()
		status := http.StatusNoContent
		if r.answer != nil {
			status = r.answer(m)
		}
		if status < 300 {
			r.got = append(r.got, m)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(answer func(message) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// told lists what arrived, and forgets it.
func (r *receiver) told() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

// add makes a webhook that sends to the receiver.
func (l lab) add(t testing.TB, r *receiver, name string, with ...func(*ipam.Webhook)) webhook.Created {
	t.Helper()
	w := ipam.Webhook{Name: name, URL: r.URL, Enabled: true, Actions: []string{"allocation.*"}}
	for _, f := range with {
		f(&w)
	}
	created, err := l.CreateWebhook(t.Context(), system, w)
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// verified reports whether a message is signed with a secret, by the library that receivers use.
func (m message) verified(secret string) bool {
	w, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return false
	}
	return w.VerifyIgnoringTimestamp([]byte(m.body), m.header) == nil
}

func words(got []message) (all []string) {
	for _, m := range got {
		all = append(all, fmt.Sprintf("%s %s %s", m.Type, m.Data.After.Name, m.Data.After.Owner))
	}
	return all
}

// sqlite is a fresh database for tests of what no database has a part in.
func sqlite(t *testing.T) string { return storetest.SQLite(t) }
