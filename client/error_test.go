package cloudpam

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestAProblemBecomesATypedError(t *testing.T) {
	c, _, _ := newClient(t, answerWith(409, "application/problem+json", `{"type":"/problems/pool-exhausted","title":"Pool exhausted","status":409,
		"code":"pool_exhausted","detail":"pool corp has no free /20; its largest free block is a /22","request_id":"req_7","trace_id":"4bf92f",
		"largest_free_prefix_length":22,"nearest_pool":"spare"}`))
	_, err := c.CreateAllocation(t.Context(), NewAllocation{Pool: "corp", Name: "app", PrefixLength: new(20)})

	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, ErrPoolExhausted) || errors.Is(err, ErrNotFound) {
		t.Fatalf("got %#v", err)
	}
	if e.Status != 409 || e.RequestID != "req_7" || e.TraceID != "4bf92f" || *e.LargestFreePrefixLength != 22 || e.NearestPool != "spare" {
		t.Errorf("got %+v", e)
	}
	if want := "pool corp has no free /20; its largest free block is a /22 [pool_exhausted, request req_7, trace 4bf92f]"; err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestAnErrorNamesFieldsAndHolders(t *testing.T) {
	err := &Error{
		Code: ErrCIDRTaken, Detail: "10.0.0.0/24 is taken",
		Errors:  []FieldError{{Pointer: "/cidr", Detail: "choose another"}},
		Holders: []Holder{{Kind: PrefixKindAllocation, Name: "app", CIDR: "10.0.0.0/25"}, {Kind: PrefixKindPool, Name: "child", CIDR: "10.0.0.128/25"}},
	}
	want := "10.0.0.0/24 is taken; /cidr: choose another; held by allocation app (10.0.0.0/25), pool child (10.0.0.128/25) [cidr_taken]"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestAnAnswerThatIsNotCloudPAMIsAnErrorAndNeverAnEmptyObject(t *testing.T) {
	for name, step := range map[string]http.HandlerFunc{
		"another server's page":   answerWith(200, "text/html", "<h1>Welcome</h1>"),
		"another server's 404":    answerWith(404, "text/plain", "404 page not found"),
		"JSON that is not a pool": answerWith(200, "application/json", `["x"]`),
		"nothing at all":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusMovedPermanently)
		},
		"a problem of another kind": answerWith(400, "application/problem+json", `{"title":"x"}`),
	} {
		t.Run(name, func(t *testing.T) {
			c, _, _ := newClient(t, step)
			_, err := c.GetPool(t.Context(), "corp")
			if !errors.Is(err, ErrUnexpected) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestARedirectNamesTheServerToUse(t *testing.T) {
	c, s, _ := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://ipam.example.com/api/v1/pools", http.StatusMovedPermanently)
	})
	_, err := c.CreatePool(t.Context(), NewPool{Name: "corp"})
	if len(s.seen) != 1 || !strings.Contains(err.Error(), "it redirects to https://ipam.example.com/api/v1/pools: use that server as the endpoint") {
		t.Errorf("got %v after %d requests", err, len(s.seen))
	}
}

func TestAnEmptyIDNeverReachesTheServer(t *testing.T) {
	c, s, _ := newClient(t)
	if _, err := c.GetPool(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "the id is empty") {
		t.Errorf("get: %v", err)
	}
	if err := c.ReleaseAllocation(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "the id is empty") {
		t.Errorf("release: %v", err)
	}
	if _, err := c.GetPoolUtilization(t.Context(), ""); err == nil {
		t.Error("utilization of no pool")
	}
	if len(s.seen) != 0 {
		t.Errorf("%d requests were sent", len(s.seen))
	}
}
