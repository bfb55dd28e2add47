package torture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"
)

// client is one caller with a connection of its own.
type client struct {
	http  *http.Client
	label string // in the names of what it makes
	made  int
}

func newClient(label string) *client {
	return &client{label: label, http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}}
}

// allocation is what the tests look at in an answer.
type allocation struct {
	ID   string       `json:"id"`
	Pool string       `json:"pool"`
	Name string       `json:"name"`
	CIDR netip.Prefix `json:"cidr"`
}

// request is a write that can be sent again as it was.
type request struct {
	method, path, body, key string
	of                      allocation // what it releases, or what it asks for
}

// asks makes the next allocation request of a client.
func (c *client) asks(pool string, length int) request {
	c.made++
	a := allocation{Pool: pool, Name: fmt.Sprintf("%s-%04d", c.label, c.made)}
	body := fmt.Sprintf(`{"pool":%q,"name":%q,"prefix_length":%d}`, a.Pool, a.Name, length)
	return request{method: http.MethodPost, path: "/allocations", body: body, of: a}
}

// releases makes the request that gives an allocation back.
func releases(a allocation) request {
	return request{method: http.MethodDelete, path: "/allocations/" + a.ID, of: a}
}

func (r request) expected() int {
	if r.method == http.MethodPost {
		return http.StatusCreated
	}
	return http.StatusNoContent
}

// answer is a response that arrived whole.
type answer struct {
	status   int
	replayed bool
	body     []byte
}

// send returns an error only when no whole answer came, so that nobody knows what the server did.
func (c *client) send(server string, r request) (answer, error) {
	// Without GetBody the transport never repeats a write by itself: the tests count effects.
	req, err := http.NewRequest(r.method, server+"/api/v1"+r.path, io.NopCloser(bytes.NewReader([]byte(r.body))))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	if r.body != "" {
		req.ContentLength = int64(len(r.body))
		req.Header.Set("Content-Type", "application/json")
	} else {
		req.Body = http.NoBody
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, replayed: res.Header.Get("Idempotency-Replayed") == "true"}
	a.body, err = io.ReadAll(res.Body)
	return a, err
}

// must sends a request whose answer is known beforehand.
func (c *client) must(t testing.TB, server string, r request) answer {
	t.Helper()
	a, err := c.send(server, r)
	if err != nil {
		t.Fatal(err)
	}
	if a.status != r.expected() {
		t.Fatalf("%s %s answers %d: %s", r.method, r.path, a.status, a.body)
	}
	return a
}

func (c *client) createPool(t testing.TB, server, name, cidr string) {
	t.Helper()
	c.must(t, server, request{method: http.MethodPost, path: "/pools", body: fmt.Sprintf(`{"name":%q,"cidr":%q}`, name, cidr)})
}

// list reads every allocation, page by page.
func (c *client) list(t testing.TB, server string) map[string]allocation {
	t.Helper()
	found := map[string]allocation{}
	token := ""
	for {
		var page struct {
			Items         []allocation `json:"items"`
			NextPageToken *string      `json:"next_page_token"`
		}
		a, err := c.send(server, request{method: http.MethodGet, path: "/allocations?limit=1000&page_token=" + url.QueryEscape(token)})
		if err != nil {
			t.Fatal(err)
		}
		if a.status != http.StatusOK {
			t.Fatalf("list: %d %s", a.status, a.body)
		}
		if err := json.Unmarshal(a.body, &page); err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			found[item.ID] = item
		}
		if page.NextPageToken == nil || *page.NextPageToken == "" {
			return found
		}
		token = *page.NextPageToken
	}
}

func decode(a answer) (allocation, error) {
	var out allocation
	err := json.Unmarshal(a.body, &out)
	return out, err
}
