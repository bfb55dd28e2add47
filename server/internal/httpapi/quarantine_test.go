package httpapi_test

import (
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
)

func TestQuarantines(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"corp","cidr":"10.0.0.0/8","quarantine_seconds":604800}`)
		post[api.Pool](t, s, "/pools", `{"name":"six","cidr":"2001:db8::/32","quarantine_seconds":60}`)
		for _, body := range []string{
			`{"pool":"corp","name":"app","prefix_length":24,"owner":"ann","labels":{"env":"prd"}}`, `{"pool":"corp","name":"db","prefix_length":25,"owner":"bob"}`,
			`{"pool":"six","name":"app6","prefix_length":64}`,
		} {
			a := post[api.Allocation](t, s, "/allocations", body)
			if got := s.send(t, "DELETE", "/api/v1/allocations/"+a.ID, ""); got.status != 204 {
				t.Fatalf("%d %s", got.status, got.body)
			}
		}
		of := map[string]api.Quarantine{}
		for path, want := range map[string]string{
			"": "app db app6", "?pool=corp": "app db", "?owner=bob": "db", "?family=ipv6": "app6", "?q=APP": "app app6",
			"?within=10.0.0.0/8": "app db", "?contains=10.0.0.5": "app", "?scope=nowhere": "",
		} {
			var got []string
			for _, q := range decode[api.QuarantinePage](t, s.send(t, "GET", "/api/v1/quarantines"+path, "")).Items {
				got, of[q.Name] = append(got, q.Name), q
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %v, want %s", path, got, want)
			}
		}
		q := of["app"]
		if q.Pool == nil || *q.Pool != "corp" || q.CIDR != "10.0.0.0/24" || q.Cause != "released" || !q.Restorable || q.Owner != "ann" || q.Until.Sub(q.CreatedAt).Hours() != 168 {
			t.Errorf("%+v", q)
		}
		t.Run("how much of a pool it is", func(t *testing.T) {
			u := decode[api.Utilization](t, s.send(t, "GET", "/api/v1/pools/corp/utilization", ""))
			if u.Quarantined != "384" || u.Used != "384" {
				t.Errorf("%+v", u)
			}
			tree := decode[api.PoolTree](t, s.send(t, "GET", "/api/v1/pool-tree", ""))
			if n := tree.Items[0]; n.Utilization.Quarantined != "384" || n.SpaceBar[0].Kind != "quarantine" {
				t.Errorf("%+v", n)
			}
			space := decode[api.SpacePage](t, s.send(t, "GET", "/api/v1/pools/corp/space", ""))
			if b := space.Items[0]; b.Status != "quarantined" || *b.OwnerID != q.ID || *b.Name != "app" {
				t.Errorf("%+v", b)
			}
			if p := decode[api.PrefixPage](t, s.send(t, "GET", "/api/v1/prefixes?status=quarantined&kind=quarantine", "")); len(p.Items) != 3 {
				t.Errorf("%+v", p)
			}
		})
		t.Run("restored, and released early", func(t *testing.T) {
			a := s.send(t, "POST", "/api/v1/allocations/"+q.Allocation+"/restore", "", "Idempotency-Key: restore-app")
			back := decode[api.Allocation](t, a)
			if back.ID != q.Allocation || back.CIDR != q.CIDR || back.Labels["env"] != "prd" || a.header.Get("ETag") == "" {
				t.Errorf("%+v", back)
			}
			if again := s.send(t, "POST", "/api/v1/allocations/"+q.Allocation+"/restore", "", "Idempotency-Key: restore-app"); again.body != a.body {
				t.Errorf("%d %s", again.status, again.body)
			}
			wantProblemCode(t, s.send(t, "POST", "/api/v1/allocations/"+q.Allocation+"/restore", ""), 412, "precondition_failed")
			wantProblemCode(t, s.send(t, "GET", "/api/v1/quarantines/"+q.ID, ""), 404, "not_found")
			db := of["db"]
			if a := s.send(t, "DELETE", "/api/v1/quarantines/"+db.ID, ""); a.status != 204 {
				t.Errorf("%d %s", a.status, a.body)
			}
			wantProblemCode(t, s.send(t, "DELETE", "/api/v1/quarantines/"+db.ID, ""), 404, "not_found")
			wantProblemCode(t, s.send(t, "POST", "/api/v1/allocations/"+db.Allocation+"/restore", ""), 404, "not_found")
		})
		t.Run("how long is checked, inherited again and none at all", func(t *testing.T) {
			wantProblemCode(t, s.send(t, "POST", "/api/v1/pools", `{"name":"x","cidr":"11.0.0.0/8","quarantine_seconds":7776001}`), 400, "invalid")
			for body, want := range map[string]string{`{"quarantine_seconds":null}`: "", `{"quarantine_seconds":0}`: `"quarantine_seconds":0`} {
				a := s.send(t, "PATCH", "/api/v1/pools/six", body, "If-Match: *")
				if a.status != 200 || !strings.Contains(a.body, want) || strings.Contains(a.body, "quarantine_seconds") != (want != "") {
					t.Errorf("%s: %d %s", body, a.status, a.body)
				}
			}
		})
	})
}

func TestAnAllocationHasAnEnd(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"corp","cidr":"10.0.0.0/8"}`)
		a := s.send(t, "POST", "/api/v1/allocations", `{"pool":"corp","name":"app","prefix_length":24,"expires_at":"2030-02-01T00:00:00+01:00"}`)
		if !strings.Contains(a.body, `"expires_at":"2030-01-31T23:00:00Z"`) {
			t.Errorf("%d %s", a.status, a.body)
		}
		at := "/api/v1/allocations/" + decode[api.Allocation](t, a).ID
		p := wantProblemCode(t, s.send(t, "PATCH", at, `{"expires_at":"2020-01-01T00:00:00Z"}`, "If-Match: *"), 400, "invalid")
		if !strings.Contains(p.Detail, "has passed") {
			t.Error(p.Detail)
		}
		if a := s.send(t, "PATCH", at, `{"owner":"ann"}`, "If-Match: *"); !strings.Contains(a.body, "expires_at") {
			t.Errorf("it lost its end: %s", a.body)
		}
		if a := s.send(t, "PATCH", at, `{"expires_at":null}`, "If-Match: *"); strings.Contains(a.body, "expires_at") {
			t.Errorf("it has an end: %s", a.body)
		}
	})
}
