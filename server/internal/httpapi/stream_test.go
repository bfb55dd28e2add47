package httpapi_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// eachStreaming is each with streams that go on until stop.
func eachStreaming(t *testing.T, body func(t *testing.T, s lab, another func() lab, stop func())) {
	t.Helper()
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			stopping, at := make(chan struct{}), url(t)
			stop := sync.OnceFunc(func() { close(stopping) })
			one := func() lab { return serveUntil(t, at, stopping, time.Now) }
			s := one()
			t.Cleanup(stop) // before the server closes, which waits for its streams
			body(t, s, one, stop)
		})
	}
}

// message is one of a stream.
type message struct{ id, kind, data string }

func (m message) events(t *testing.T) []api.Event {
	t.Helper()
	var page api.EventPage
	if err := json.Unmarshal([]byte(m.data), &page); err != nil {
		t.Fatal(err)
	}
	return page.Items
}

// reader reads a stream, as whoever its headers say.
type reader struct {
	t     *testing.T
	lines *bufio.Scanner
	close func()
}

func (s lab) stream(t *testing.T, after string, headers ...string) *reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.http.URL+"/api/v1/events/stream", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range append([]string{"Authorization: Bearer " + secret}, headers...) {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	if after != "" {
		r.Header.Set("Last-Event-ID", after)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 16<<20)
	out := &reader{t, lines, func() { resp.Body.Close() }}
	t.Cleanup(out.close)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %s", resp.StatusCode, resp.Header)
	}
	return out
}

// next is the next message, of the kind "" where there is none any more.
func (r *reader) next() (m message) {
	for r.lines.Scan() {
		field, value, _ := strings.Cut(r.lines.Text(), ": ")
		switch field {
		case "id":
			m.id = value
		case "event":
			m.kind = value
		case "data":
			m.data = value
		case "":
			if m.kind != "" {
				return m
			}
		}
	}
	return message{}
}

func (r *reader) want(kind string) message {
	r.t.Helper()
	m := r.next()
	if m.kind != kind {
		r.t.Fatalf("%+v, want %s", m, kind)
	}
	return m
}

// until reads until an event of an object is told, and answers what was told of which names.
func (r *reader) until(name string) (names []string, last string) {
	r.t.Helper()
	for !slices.Contains(names, name) {
		m := r.want("events")
		last = m.id
		for _, e := range m.events(r.t) {
			if e.After != nil {
				names = append(names, fmt.Sprint(e.After["name"]))
			}
		}
	}
	return names, last
}

// What happens is told to who sees it, and nobody learns more of others than the list of events would say: not by an event, and not
// by the id of a message.
func TestAStreamTellsWhatItsReaderSees(t *testing.T) {
	eachStreaming(t, func(t *testing.T, s lab, _ func() lab, _ func()) {
		post[api.Scope](t, s, "/scopes", `{"name":"mine"}`)
		post[api.Scope](t, s, "/scopes", `{"name":"theirs"}`)
		post[api.Pool](t, s, "/pools", `{"scope":"mine","name":"top","cidr":"10.0.0.0/8"}`)
		theirs := post[api.Pool](t, s, "/pools", `{"scope":"theirs","name":"top","cidr":"10.0.0.0/8"}`)
		viewer := s.as(t, ipam.NewBinding{Role: ipam.Viewer, Scope: "mine"})
		all, mine := s.stream(t, ""), s.stream(t, "", viewer)
		for _, r := range []*reader{all, mine} {
			r.want("ready")
		}
		for i := range 3 {
			post[api.Allocation](t, s, "/allocations", fmt.Sprintf(`{"pool":"theirs.top","name":"secret-%d","prefix_length":24}`, i))
		}
		post[api.Allocation](t, s, "/allocations", `{"pool":"mine.top","name":"shop","prefix_length":24}`)
		if names, _ := all.until("shop"); !slices.Contains(names, "secret-2") {
			t.Errorf("who sees everything is told of %q", names)
		}
		names, last := mine.until("shop")
		if len(names) != 1 {
			t.Errorf("a viewer of mine is told of %q", names)
		}
		chain := string(ipam.KeyUID("chain", ipam.UID(theirs.UID).Key()))
		if text := decodeID(t, last); strings.Contains(text, chain) || strings.Contains(text, theirs.UID) {
			t.Errorf("an id tells of another's chain: %s", text)
		}
		// Who sees more from now on is told of what happens from now on.
		post[api.Allocation](t, s, "/allocations", `{"pool":"theirs.top","name":"secret-3","prefix_length":24}`)
		all.until("secret-3")
		s.wait()
		again := s.stream(t, last, viewer)
		again.want("ready")
		post[api.Allocation](t, s, "/allocations", `{"pool":"mine.top","name":"after","prefix_length":24}`)
		if names, _ := again.until("after"); len(names) != 1 {
			t.Errorf("who went on is told of %q", names)
		}
	})
}

// However often a reader is cut off and on whichever server it goes on, while many write: each event once.
func TestAStreamThatGoesOnMissesNothingAndRepeatsNothing(t *testing.T) {
	const pools, each = 5, 24
	eachStreaming(t, func(t *testing.T, s lab, another func() lab, _ func()) {
		servers := []lab{s}
		if !strings.Contains(t.Name(), "sqlite") {
			servers = append(servers, another(), another())
		}
		post[api.Scope](t, s, "/scopes", `{"name":"mine"}`)
		for p := range pools {
			post[api.Pool](t, s, "/pools", fmt.Sprintf(`{"scope":"mine","name":"p%d","cidr":"10.%d.0.0/16"}`, p, p))
		}
		r := s.stream(t, "")
		last := r.want("ready").id
		r.close()
		var writers sync.WaitGroup
		for p := range pools {
			writers.Go(func() {
				for i := range each {
					post[api.Allocation](t, servers[(p+i)%len(servers)], "/allocations", fmt.Sprintf(`{"pool":"mine.p%d","name":"a%d","prefix_length":28}`, p, i))
				}
			})
		}
		told := map[string]int{}
		for n := 0; len(told) < pools*each; n++ {
			for _, s := range servers {
				s.wait()
			}
			r := servers[n%len(servers)].stream(t, last)
			r.want("ready")
			for range 1 + n%2 { // some messages, and then it is cut off
				m := r.want("events")
				last = m.id
				for _, e := range m.events(t) {
					if e.Action == "allocation.created" {
						told[e.ID]++
					}
				}
				if len(told) == pools*each {
					break
				}
			}
			r.close()
		}
		writers.Wait()
		for id, n := range told {
			if n != 1 {
				t.Errorf("%s was told %d times", id, n)
			}
		}
		var page api.EventPage
		if err := json.Unmarshal([]byte(s.send(t, "GET", "/api/v1/events?action=allocation.created&limit=1000", "").body), &page); err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Items {
			delete(told, e.ID)
		}
		if len(page.Items) != pools*each || len(told) != 0 {
			t.Errorf("%d events, told of others: %v", len(page.Items), slices.Collect(maps.Keys(told)))
		}
	})
}

func TestAStreamEndsWithWhatLetItBegin(t *testing.T) {
	eachStreaming(t, func(t *testing.T, s lab, _ func() lab, stop func()) {
		post[api.Scope](t, s, "/scopes", `{"name":"mine"}`)
		post[api.Pool](t, s, "/pools", `{"scope":"mine","name":"top","cidr":"10.0.0.0/8"}`)
		over := func(r *reader) {
			t.Helper()
			end := r.want("end")
			if !strings.Contains(end.data, `"unauthenticated"`) {
				t.Errorf("%+v", end)
			}
			if m := r.next(); m.kind != "" {
				t.Errorf("after the end: %+v", m)
			}
		}
		// A token that is revoked.
		token, made, err := s.Access.CreateToken(t.Context(), actor, ipam.NewToken{Name: "reader", Bindings: []ipam.NewBinding{{Role: ipam.Viewer, Scope: "mine"}}})
		if err != nil {
			t.Fatal(err)
		}
		r := s.stream(t, "", "Authorization: Bearer "+made)
		r.want("ready")
		if a := s.send(t, "DELETE", "/api/v1/tokens/"+token.ID, ""); a.status != http.StatusNoContent {
			t.Fatal(a)
		}
		over(r)
		// The session of a browser.
		signed := s.send(t, "POST", "/session", "", "Sec-Fetch-Site: same-origin")
		cookie, _, _ := strings.Cut(signed.header.Get("Set-Cookie"), ";")
		r = s.stream(t, "", "Authorization: ", "Cookie: "+cookie)
		r.want("ready")
		if a := s.send(t, "DELETE", "/session", "", "Authorization: ", "Cookie: "+cookie, "Sec-Fetch-Site: same-origin"); a.status >= 300 {
			t.Fatal(a)
		}
		over(r)
		// A server that stops ends it without a word, and another one goes on.
		r = s.stream(t, "")
		r.want("ready")
		stop()
		if m := r.next(); m.kind != "" {
			t.Errorf("a server that stops says %+v", m)
		}
	})
}

func TestAPrincipalHasOnlySoManyStreams(t *testing.T) {
	eachStreaming(t, func(t *testing.T, s lab, _ func() lab, _ func()) {
		viewer := s.as(t, ipam.NewBinding{Role: ipam.Viewer})
		open := make([]*reader, 16)
		for i := range open {
			open[i] = s.stream(t, "", viewer)
			open[i].want("ready")
		}
		refused := s.send(t, "GET", "/api/v1/events/stream", "", viewer)
		if refused.status != http.StatusConflict || !strings.Contains(refused.body, "quota_exceeded") || !strings.Contains(refused.body, "16 streams") {
			t.Errorf("%d %s", refused.status, refused.body)
		}
		s.stream(t, "").want("ready") // another's are none of these
		if !strings.Contains(s.send(t, "GET", "/metrics", "").body, "\ncloudpam_event_streams 17\n") {
			t.Error("17 streams are not counted as that")
		}
		open[0].close()
		for { // the server notices within a look
			if r, err := http.NewRequestWithContext(t.Context(), "GET", s.http.URL+"/api/v1/events/stream", http.NoBody); err == nil {
				name, value, _ := strings.Cut(viewer, ": ")
				r.Header.Set(name, value)
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					break
				}
			}
		}
		if strings.Contains(s.send(t, "GET", "/metrics", "").body, `route="/api/v1/events/stream",status="200"`) {
			t.Error("a stream that has ended is a request that took long")
		}
	})
}

// The limits of a whole request are none of a stream, and an id is taken as it is or not at all.
func TestAStreamOutlivesTheLimitsOfARequest(t *testing.T) {
	eachStreaming(t, func(t *testing.T, s lab, _ func() lab, _ func()) {
		post[api.Pool](t, s, "/pools", `{"name":"top","cidr":"10.0.0.0/8"}`)
		s.http.Config.ReadTimeout, s.http.Config.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
		http.DefaultClient.CloseIdleConnections() // a connection has the limits of its begin
		r := s.stream(t, "")
		r.want("ready")
		for i := range 4 { // a look each half a second
			name := fmt.Sprintf("n%d", i)
			post[api.Allocation](t, s, "/allocations", `{"pool":"top","name":"`+name+`","prefix_length":24}`)
			r.until(name)
		}
		for _, wrong := range []string{"7", "e30x", "event_05avjh1tavuhf"} {
			if a := s.send(t, "GET", "/api/v1/events/stream", "", "Last-Event-ID: "+wrong); a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest || !strings.Contains(a.body, "the id of the last one") {
				t.Errorf("%s: %d %s", wrong, a.status, a.body)
			}
		}
	})
}

// An id that is too old to go on from says so: what happened meanwhile is in the lists.
func TestAnOldStreamIsBegunAnew(t *testing.T) {
	eachStreaming(t, func(t *testing.T, s lab, _ func() lab, _ func()) {
		r := s.stream(t, "")
		last := r.want("ready").id
		s.passed.Add(int64(2 * time.Hour))
		s.stream(t, last).want("lost")
	})
}

func decodeID(t *testing.T, id string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
