package torture

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math/bits"
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
	if r.of.etag != "" && r.path == r.of.kind+"/"+r.of.id {
		req.Header.Set("If-Match", r.of.etag)
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
	body := marshal(map[string]any{"name": name, "cidr": cidr, "labels": map[string]string{label: "yes"}})
	c.must(t, server, request{method: http.MethodPost, path: pools, body: body})
}

// createPools divides space into so many pools, a power of two, that a selector may choose.
func (c *client) createPools(t testing.TB, server string, space netip.Prefix, n int) {
	t.Helper()
	at, length := space.Addr(), space.Bits()+bits.Len(uint(n))-1
	for i := range n {
		c.createPool(t, server, poolName(i), netip.PrefixFrom(at, length).String())
		first := binary.BigEndian.Uint32(at.AsSlice()) + 1<<(32-length)
		at = netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, first)))
	}
}

// everything is all space that anybody has, block by block: what stands only for a moment and the pools of the test left out.
func (c *client) everything(t testing.TB, server string) map[string]block {
	t.Helper()
	found := map[string]block{}
	for kind, filter := range map[string]url.Values{allocations: {}, reservations: {}, holds: {"kept": {"true"}}, pools: {}} {
		for _, i := range c.list(t, server, kind, filter) {
			if kind == pools && i.Parent == "" || i.ExpiresAt != "" && kind == reservations {
				continue
			}
			found[i.ID] = i.block()
		}
	}
	return found
}

// list reads a collection, page by page.
func (c *client) list(t testing.TB, server, kind string, filter url.Values) (found []item) {
	t.Helper()
	filter.Set("limit", "1000")
	for {
		var page struct {
			Items         []item  `json:"items"`
			NextPageToken *string `json:"next_page_token"`
		}
		a, err := c.send(server, request{method: http.MethodGet, path: kind + "?" + filter.Encode()})
		if err != nil {
			t.Fatal(err)
		}
		if a.status != http.StatusOK {
			t.Fatalf("list: %d %s", a.status, a.body)
		}
		if err := json.Unmarshal(a.body, &page); err != nil {
			t.Fatal(err)
		}
		found = append(found, page.Items...)
		if page.NextPageToken == nil || *page.NextPageToken == "" {
			return found
		}
		filter.Set("page_token", *page.NextPageToken)
	}
}

func decode(a answer) (item, error) {
	var out item
	err := json.Unmarshal(a.body, &out)
	return out, err
}
