package httpapi_test

import (
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
)

func setBlocks(s api.AllocationSet) string {
	var out []string
	for _, m := range s.Members {
		out = append(out, m.Key+"="+m.CIDR)
	}
	return strings.Join(out, " ")
}

func TestSetsOverHTTP(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"net","cidr":"10.0.0.0/8"}`)
		body := `{"pool":"net","name":"gke","bundle":{"gke":{"nodes":100}},"members":{"vms":{"hosts":300,"target":"gcp_subnetwork"}}}`
		plan := post[api.SetPlan](t, s, "/allocation-set-holds", body)
		set := post[api.AllocationSet](t, s, "/allocation-sets", body)
		if got := setBlocks(set); got != "nodes=10.0.146.0/25 pods=10.0.0.0/17 services=10.0.128.0/20 vms=10.0.144.0/23" {
			t.Errorf("made %s", got)
		}
		for i, m := range plan.Members {
			if m.Hold == nil || m.CIDR != set.Members[i].CIDR || m.PrefixLength != set.Members[i].PrefixLength {
				t.Errorf("planned %+v, made %+v", m, set.Members[i])
			}
		}
		if got := strings.Join(names(t, s, "/allocations?set="+set.ID), " "); got != "gke/pods gke/services gke/vms gke/nodes" {
			t.Errorf("members: %s", got)
		}
		member := get[api.Allocation](t, s, "/allocations/"+set.Members[0].Allocation)
		if member.Set == nil || *member.Set != set.ID || *member.SetKey != set.Members[0].Key {
			t.Errorf("member = %+v", member)
		}
		if got := names(t, s, "/allocation-sets?pool=net&name=gke"); len(got) != 1 {
			t.Errorf("listed %v", got)
		}
		if got := names(t, s, "/allocation-sets?q=eks"); len(got) != 0 {
			t.Errorf("listed %v", got)
		}

		updates := post[api.SetPlan](t, s, "/allocation-set-holds", `{"name":"gke","updates":"`+set.ID+`","bundle":{"gke":{"nodes":100}}}`)
		for i, m := range updates.Members {
			if m.Hold != nil || m.CIDR != set.Members[i].CIDR {
				t.Errorf("a member that stays is planned as %+v", m)
			}
		}
		wantProblemCode(t, s.send(t, "PATCH", "/api/v1/allocation-sets/"+set.ID, `{"owner":"x"}`), 428, "precondition_required")
		changed := decode[api.AllocationSet](t, s.send(t, "PATCH", "/api/v1/allocation-sets/"+set.ID, `{"owner":"x","members":{"pods":{"prefix_length":18}}}`, `If-Match: "v1"`))
		if len(changed.Members) != 1 || changed.Members[0].Allocation != set.Members[1].Allocation || changed.Owner != "x" || changed.Version != 2 {
			t.Errorf("changed = %+v", changed)
		}
		for body, code := range map[string]string{
			`{"pool":"net","name":"x"}`:                                                  "invalid",
			`{"pool":"net","name":"x","members":{"a":{"cidr":"10.0.0.1/24"}}}`:           "invalid",
			`{"pool":"net","name":"x","bundle":{}}`:                                      "invalid",
			`{"pool":"net","name":"x","bundle":{"gke":{"nodes":0}}}`:                     "invalid",
			`{"pool":"net","name":"x","bundle":{"eks":{"zones":[],"nodes_per_zone":1}}}`: "invalid",
			`{"pool":"net","name":"x","members":{"-":{"prefix_length":24}}}`:             "invalid",
			`{"pool":"none","name":"x","members":{"a":{"prefix_length":24}}}`:            "not_found",
			`{"pool":"net","name":"gke","members":{"a":{"prefix_length":24}}}`:           "name_taken",
		} {
			status := map[string]int{"invalid": 400, "not_found": 404, "name_taken": 409}[code]
			wantProblemCode(t, s.send(t, "POST", "/api/v1/allocation-sets", body), status, code)
		}
		if got := s.send(t, "DELETE", "/api/v1/allocation-sets/"+set.ID, ""); got.status != 204 {
			t.Errorf("release: %d %s", got.status, got.body)
		}
		wantProblemCode(t, s.send(t, "GET", "/api/v1/allocation-sets/"+set.ID, ""), 404, "not_found")
		if got := names(t, s, "/prefixes?pool=net"); len(got) != 0 {
			t.Errorf("left over: %v", got)
		}
	})
}

func TestASetRenamesAndAdoptsOverHTTP(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"net","cidr":"10.0.0.0/24"}`)
		single := post[api.Allocation](t, s, "/allocations", `{"pool":"net","name":"app/a","prefix_length":25}`)
		body := `{"pool":"net","name":"app","adopt":true,"members":{"a":{"prefix_length":25},"b":{"prefix_length":26}}}`
		plan := post[api.SetPlan](t, s, "/allocation-set-holds", body)
		if m := plan.Members[0]; m.Allocation == nil || *m.Allocation != single.ID || m.CIDR != single.CIDR || plan.Members[1].Allocation != nil {
			t.Errorf("planned %+v", plan)
		}
		set := post[api.AllocationSet](t, s, "/allocation-sets", body)
		if set.Members[0].Allocation != single.ID || setBlocks(set) != "a=10.0.0.0/25 b=10.0.0.128/26" {
			t.Errorf("made %+v", set)
		}
		sizes := `"members":{"a":{"prefix_length":26},"b":{"prefix_length":25}},"renamed":{"a":"b","b":"a"}}`
		plan = post[api.SetPlan](t, s, "/allocation-set-holds", `{"name":"app","updates":"`+set.ID+`",`+sizes)
		changed := decode[api.AllocationSet](t, s.send(t, "PATCH", "/api/v1/allocation-sets/"+set.ID, `{`+sizes, `If-Match: "v1"`))
		if setBlocks(changed) != "a=10.0.0.128/26 b=10.0.0.0/25" || changed.Members[1].Allocation != single.ID || *plan.Members[1].Allocation != single.ID {
			t.Errorf("planned %+v, made %+v", plan, changed)
		}
		p := wantProblemCode(t, s.send(t, "PATCH", "/api/v1/allocation-sets/"+set.ID, `{"renamed":{"b":"a"}}`, `If-Match: "v2"`), 400, "invalid")
		if len(p.Errors) != 1 || p.Errors[0].Pointer != "/renamed/b" {
			t.Errorf("%+v", p.Errors)
		}
	})
}
