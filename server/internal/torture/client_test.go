package torture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
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
	return &client{label: label, http: &http.Client{Timeout: 10 * time.Minute, Transport: &http.Transport{}}}
}

// noun is what the tests look at in an answer, whatever the answer is.
type noun struct {
	ID        string       `json:"id"`
	UID       string       `json:"uid"`
	Scope     string       `json:"scope"`
	Pool      string       `json:"pool"`
	Parent    string       `json:"parent"`
	Name      string       `json:"name"`
	CIDR      netip.Prefix `json:"cidr"`
	Version   int64        `json:"version"`
	ExpiresAt time.Time    `json:"expires_at"`
	Set       string       `json:"set"`
	SetKey    string       `json:"set_key"`
	Members   []part       `json:"members"`
}

// part is a member of a set, or of the plan of one.
type part struct {
	Key        string       `json:"key"`
	Allocation string       `json:"allocation"`
	Hold       string       `json:"hold"`
	CIDR       netip.Prefix `json:"cidr"`
}

func (n noun) block(kind string) block {
	return block{Kind: kind, ID: n.ID, Space: n.Pool, CIDR: n.CIDR, Until: n.ExpiresAt}
}

// request is a write that can be sent again as it was.
type request struct {
	what                    string // of the acts
	method, path, body, key string

	version  int64            // what it is about; 0: whatever stands
	status   int              // of success
	refusals []string         // codes that are an answer too
	gives    []block          // what it may free, from the moment it is sent
	done     func(noun) error // enters what was acknowledged
	refused  func(code string) error
	made     string // the list that has what it makes, or has no more what it releases
	leaves   int    // how many the list has then
}

// post is a request that makes something.
func post(path string, body any) *request {
	return &request{method: http.MethodPost, path: path, body: text(body), status: http.StatusCreated}
}

// patch is a request that changes the version of something that was read last.
func patch(path string, version int64, body any) *request {
	return &request{method: http.MethodPatch, path: path, body: text(body), version: version, status: http.StatusOK}
}

// remove is a request that ends something.
func remove(path string, version int64) *request {
	return &request{method: http.MethodDelete, path: path, version: version, status: http.StatusNoContent}
}

// object is a JSON object.
type object = map[string]any

func text(body any) string {
	out, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// next is a name that the client has not used.
func (c *client) next() string {
	c.made++
	return fmt.Sprintf("%s-%04d", c.label, c.made)
}

// asks makes the next allocation request of a client.
func (c *client) asks(pool string, length int) request {
	return *post("/allocations", object{"pool": pool, "name": c.next(), "prefix_length": length})
}

// answer is a response that arrived whole.
type answer struct {
	status   int
	replayed bool
	body     []byte
}

func (a answer) code() string {
	var problem struct{ Code string }
	_ = json.Unmarshal(a.body, &problem) // what is no problem has no code
	return problem.Code
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
	if r.version != 0 {
		req.Header.Set("If-Match", fmt.Sprintf("%q", fmt.Sprint(path.Base(r.path), ".", r.version)))
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
	if a.status != r.status {
		t.Fatalf("%s %s answers %d: %s", r.method, r.path, a.status, a.body)
	}
	return a
}

func (c *client) createPool(t testing.TB, server, name, cidr, tier string) {
	t.Helper()
	c.must(t, server, *post("/pools", object{"name": name, "cidr": cidr, "labels": object{"tier": tier}}))
}

// items reads a list to its end, page by page.
func items[T any](t testing.TB, c *client, server, path string) []T {
	t.Helper()
	var found []T
	token := ""
	for {
		var page struct {
			Items         []T    `json:"items"`
			NextPageToken string `json:"next_page_token"`
		}
		a := c.must(t, server, request{method: http.MethodGet, path: path + "limit=1000" + token, status: http.StatusOK})
		if err := json.Unmarshal(a.body, &page); err != nil {
			t.Fatal(err)
		}
		found = append(found, page.Items...)
		if page.NextPageToken == "" {
			return found
		}
		token = "&page_token=" + url.QueryEscape(page.NextPageToken)
	}
}

// blocks is all that occupies space, but for the pools that the test began with.
func (c *client) blocks(t testing.TB, server string) map[string]block {
	t.Helper()
	found := map[string]block{}
	for _, p := range items[struct {
		Scope, Pool, Kind string
		CIDR              netip.Prefix `json:"cidr"`
		OwnerID           string       `json:"owner_id"`
	}](t, c, server, "/prefixes?") {
		if p.Pool == "" && p.Scope == "default" {
			continue
		}
		if p.Pool == "" {
			p.Pool = root(p.Scope)
		}
		found[p.OwnerID] = block{Kind: p.Kind, ID: p.OwnerID, Space: p.Pool, CIDR: p.CIDR}
	}
	return found
}

// root names the root of a scope in the ledger.
func root(scope string) string { return "root of " + scope }

// counted are the events that only a client can cause.
var counted = []string{
	"allocation.created", "allocation.updated", "allocation.released", "allocation_set.created", "allocation_set.updated", "allocation_set.released",
	"reservation.created", "reservation.updated", "reservation.released", "pool.created", "pool.updated", "pool.deleted", "scope.created",
}

// events counts them by action and object.
func (c *client) events(t testing.TB, server string) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, action := range counted {
		for _, e := range items[struct {
			Action        string
			Before, After *noun
		}](t, c, server, "/events?action="+action+"&") {
			of := e.After
			if of == nil {
				of = e.Before
			}
			if !strings.HasPrefix(of.ID, "pool-") && !strings.HasPrefix(of.ID, "tight-") && of.ID != "default" {
				found[e.Action+" "+of.ID]++
			}
		}
	}
	return found
}

func decode(a answer) (noun, error) {
	var out noun
	if len(a.body) == 0 {
		return out, nil
	}
	err := json.Unmarshal(a.body, &out)
	return out, err
}
