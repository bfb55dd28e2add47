package httpapi_test

import (
	"net/http"
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
		if did.status != http.StatusOK || did.body != seen.body || did.header.Get("ETag") != `"v2"` {
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
