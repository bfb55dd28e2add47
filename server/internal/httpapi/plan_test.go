package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
)

func TestAnAllocationIsPreviewedAndResized(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"corp","cidr":"10.0.0.0/16"}`)
		a := post[api.Allocation](t, s, "/allocations", `{"pool":"corp","name":"a","prefix_length":24}`)
		path, events := "/api/v1/allocations/"+a.ID, s.events(t)

		seen := s.send(t, "POST", path+"/preview", `{"prefix_length":23,"owner":"net"}`, "Idempotency-Key: preview-1")
		would := decode[api.Allocation](t, seen)
		if seen.status != http.StatusOK || would.CIDR != "10.0.0.0/23" || would.Owner != "net" || s.events(t) != events {
			t.Errorf("preview: %d %s", seen.status, seen.body)
		}
		if now := get[api.Allocation](t, s, "/allocations/"+a.ID); now.CIDR != a.CIDR || now.Version != 1 {
			t.Errorf("after the preview: %+v", now)
		}
		did := s.send(t, "PATCH", path, `{"prefix_length":23,"owner":"net"}`, `If-Match: "v1"`, "Idempotency-Key: preview-1")
		if did.status != http.StatusOK || did.body != seen.body || !strings.HasSuffix(did.header.Get("ETag"), `.2"`) {
			t.Errorf("the change: %d %s\npreview: %s", did.status, did.body, seen.body)
		}

		post[api.Allocation](t, s, "/allocations", `{"pool":"corp","name":"b","cidr":"10.0.2.0/24"}`)
		for _, send := range []func() answer{
			func() answer { return s.send(t, "POST", path+"/preview", `{"cidr":"10.0.0.0/22"}`) },
			func() answer { return s.send(t, "PATCH", path, `{"cidr":"10.0.0.0/22"}`, `If-Match: "v2"`) },
		} {
			if p := wantProblemCode(t, send(), http.StatusConflict, "cidr_taken"); len(p.Holders) != 1 || p.Holders[0].Name != "b" {
				t.Errorf("holders = %+v", p.Holders)
			}
		}
		wantProblemCode(t, s.send(t, "POST", "/api/v1/allocations/alloc_none/preview", `{}`), http.StatusNotFound, "not_found")
	})
}

func TestAPoolIsPreviewed(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		corp := post[api.Pool](t, s, "/pools", `{"name":"corp","cidr":"10.0.0.0/16"}`)
		post[api.Allocation](t, s, "/allocations", `{"pool":"corp","name":"a","cidr":"10.0.9.0/24"}`)
		would := s.send(t, "POST", "/api/v1/pools/corp/preview", `{"prefix_length":15}`)
		if got := decode[api.Pool](t, would); would.status != http.StatusOK || got.CIDR != "10.0.0.0/15" {
			t.Errorf("preview: %d %s", would.status, would.body)
		}
		if now := get[api.Pool](t, s, "/pools/corp"); now.CIDR != corp.CIDR || now.Version != corp.Version {
			t.Errorf("after the preview: %+v", now)
		}
		p := wantProblemCode(t, s.send(t, "POST", "/api/v1/pools/corp/preview", `{"prefix_length":24}`), http.StatusConflict, "cidr_taken")
		if len(p.Holders) != 1 || p.Holders[0].Name != "a" {
			t.Errorf("holders = %+v", p.Holders)
		}
	})
}

func TestDraftsAreListed(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"corp","cidr":"10.0.0.0/8"}`)
		for _, name := range []string{"b", "a"} {
			a := s.send(t, "POST", "/api/v1/pool-drafts", `{"pool":{"name":"`+name+`","parent":"corp","prefix_length":16},"holder":"ci","plan_id":"2030-01-02T03:04:05Z","ttl_seconds":60}`)
			if a.status != http.StatusOK {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		page := get[api.DraftPage](t, s, "/pool-drafts?limit=1")
		if len(page.Items) != 1 || page.NextPageToken == nil || page.Items[0].Pool.ID != "b" || page.Items[0].Holder != "ci" || page.Items[0].Actor == "" || page.Items[0].ExpiresAt.IsZero() {
			t.Errorf("first page: %+v", page)
		}
		if page = get[api.DraftPage](t, s, "/pool-drafts?scope=default&page_token="+*page.NextPageToken); len(page.Items) != 1 || page.Items[0].Pool.ID != "a" {
			t.Errorf("second page: %+v", page)
		}
		if page = get[api.DraftPage](t, s, "/pool-drafts?scope=other"); len(page.Items) != 0 {
			t.Errorf("another scope: %+v", page)
		}
	})
}

func TestAHoldIsPromisedToAPlan(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"corp","cidr":"10.0.0.0/8"}`)
		hold := func(plan string) answer {
			return s.send(t, "POST", "/api/v1/holds", `{"pool":"corp","name":"a","prefix_length":16,"plan_id":"`+plan+`"}`)
		}
		h := decode[api.Hold](t, hold("one"))
		if a := s.send(t, "DELETE", "/api/v1/holds/"+h.ID, ""); a.status != http.StatusNoContent {
			t.Fatalf("%d %s", a.status, a.body)
		}
		post[api.Allocation](t, s, "/allocations", `{"pool":"corp","name":"thief","cidr":"`+h.CIDR+`"}`)
		for range 2 {
			wantProblemCode(t, hold("one"), http.StatusConflict, "hold_lost")
		}
		if now := decode[api.Hold](t, hold("two")); now.CIDR == h.CIDR || !now.Kept {
			t.Errorf("a new plan got %+v", now)
		}
		s.Registry.HoldQuota = 1
		wantProblemCode(t, s.send(t, "POST", "/api/v1/holds", `{"pool":"corp","name":"b","prefix_length":16}`), http.StatusConflict, "quota_exceeded")
	})
}
