package httpapi_test

import (
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
)

func TestHostsForATargetAreASizeEverywhere(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"pool","cidr":"10.0.0.0/16"}`)
		held := post[api.Hold](t, s, "/holds", `{"pool":"pool","name":"a","hosts":300,"target":"aws_subnet"}`)
		if held.PrefixLength != 23 {
			t.Errorf("held a /%d", held.PrefixLength)
		}
		a := post[api.Allocation](t, s, "/allocations", `{"pool":"pool","name":"a","hosts":300,"target":"aws_subnet"}`)
		if a.CIDR != held.CIDR {
			t.Errorf("held %s, got %s", held.CIDR, a.CIDR)
		}
		grown := post[api.Allocation](t, s, "/allocations/"+a.ID+"/preview", `{"hosts":600,"target":"aws_subnet"}`)
		if grown.PrefixLength != 22 {
			t.Errorf("would grow to a /%d", grown.PrefixLength)
		}
		for _, path := range []string{"/allocations", "/holds"} {
			wantProblemCode(t, s.send(t, "POST", "/api/v1"+path, `{"pool":"pool","name":"b","hosts":300}`), 400, "invalid")
			wantProblemCode(t, s.send(t, "POST", "/api/v1"+path, `{"pool":"pool","name":"b","prefix_length":29,"target":"aws_subnet"}`), 400, "invalid")
			wantProblemCode(t, s.send(t, "POST", "/api/v1"+path, `{"pool":"pool","name":"b","hosts":1,"target":"azure_vm"}`), 400, "invalid")
		}
	})
}

func TestAPoolMayBeSelectedByItsLabels(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"a","cidr":"10.0.0.0/28","labels":{"tier":"prd"}}`)
		post[api.Pool](t, s, "/pools", `{"name":"b","cidr":"10.0.1.0/24","labels":{"tier":"prd"}}`)
		post[api.Pool](t, s, "/pools", `{"name":"six","cidr":"2001:db8::/48","labels":{"tier":"prd"}}`)
		if h := post[api.Hold](t, s, "/holds", `{"pool_selector":{"labels":{"tier":"prd"}},"name":"x","prefix_length":27}`); h.Pool != "b" {
			t.Errorf("held in %s", h.Pool)
		}
		if a := post[api.Allocation](t, s, "/allocations", `{"pool_selector":{"labels":{"tier":"prd"},"family":"ipv6"},"name":"x","prefix_length":64}`); a.Pool != "six" {
			t.Errorf("allocated in %s", a.Pool)
		}
		for _, path := range []string{"/allocations", "/holds"} {
			for body, want := range map[string]struct {
				status int
				code   string
			}{
				`{"name":"y"}`: {400, "invalid"},
				`{"pool":"a","pool_selector":{"labels":{"tier":"prd"}},"name":"y","prefix_length":28}`: {400, "invalid"},
				`{"pool_selector":{"labels":{}},"name":"y","prefix_length":28}`:                        {400, "invalid"},
				`{"pool_selector":{"labels":{"tier":"dev"}},"name":"y","prefix_length":28}`:            {404, "not_found"},
				`{"pool_selector":{"labels":{"tier":"prd"}},"name":"y","prefix_length":24}`:            {409, "pool_exhausted"},
			} {
				wantProblemCode(t, s.send(t, "POST", "/api/v1"+path, body), want.status, want.code)
			}
		}
	})
}
