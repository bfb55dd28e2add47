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
			wantProblemCode(t, s.send(t, "POST", "/api/v1"+path, `{"pool":"pool","name":"b","hosts":1,"target":"azure_subnet"}`), 400, "invalid")
		}
	})
}
