package httpapi_test

import (
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
)

func TestARequestSaysHowItsBlockIsChosen(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"pool","cidr":"10.0.0.0/16"}`)
		const how = `"strategy":"sparse","exclude":["10.0.128.0/17","192.168.0.0/16"]`
		held := post[api.Hold](t, s, "/holds", `{"pool":"pool","name":"a","prefix_length":24,`+how+`}`)
		if held.CIDR != "10.0.64.0/24" { // the middle of what is left
			t.Errorf("held %s", held.CIDR)
		}
		if a := post[api.Allocation](t, s, "/allocations", `{"pool":"pool","name":"a","prefix_length":24,`+how+`}`); a.CIDR != held.CIDR {
			t.Errorf("held %s, got %s", held.CIDR, a.CIDR)
		}
		const set = `{"pool":"pool","name":"s","members":{"a":{"prefix_length":24},"b":{"cidr":"10.0.7.0/24"}},"exclude":["10.0.0.0/22"]}`
		plan := post[api.SetPlan](t, s, "/allocation-set-holds", set)
		made := post[api.AllocationSet](t, s, "/allocation-sets", set)
		for i, want := range []string{"10.0.6.0/24", "10.0.7.0/24"} {
			if plan.Members[i].CIDR != want || made.Members[i].CIDR != want {
				t.Errorf("planned %s, made %s, want %s", plan.Members[i].CIDR, made.Members[i].CIDR, want)
			}
		}
		const child = `{"name":"child","parent":"pool","prefix_length":20,"parent_strategy":"largest_fit","strategy":"first_fit","exclude":["10.0.128.0/18"]}`
		draft := post[api.Pool](t, s, "/pool-drafts", `{"pool":`+child+`}`)
		if p := post[api.Pool](t, s, "/pools", child); p.CIDR != "10.0.192.0/20" || draft.CIDR != p.CIDR || p.Strategy != "first_fit" {
			t.Errorf("drafted %s, made %s, which hands out by %s", draft.CIDR, p.CIDR, p.Strategy)
		}
		for path, body := range map[string]string{
			"/allocations":     `{"pool":"pool","name":"b","prefix_length":24,"exclude":["10.0.0.1/24"]}`,
			"/holds":           `{"pool":"pool","name":"b","cidr":"10.0.0.0/24","exclude":["10.0.0.0/16"]}`,
			"/allocation-sets": `{"pool":"pool","name":"b","members":{"a":{"cidr":"10.0.0.0/24"}},"exclude":["10.0.0.0/16"]}`,
			"/pools":           `{"name":"b","parent":"pool","prefix_length":24,"parent_strategy":"worst_fit"}`,
		} {
			wantProblemCode(t, s.send(t, "POST", "/api/v1"+path, body), 400, "invalid")
		}
	})
}

func TestAPoolIsPutWhereItsSelectorSays(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"a","cidr":"10.0.0.0/28","labels":{"tier":"prd"}}`)
		post[api.Pool](t, s, "/pools", `{"name":"b","cidr":"10.1.0.0/16","labels":{"tier":"prd"}}`)
		const vpc = `{"name":"vpc","pool_selector":{"labels":{"tier":"prd"}},"prefix_length":20}`
		draft := post[api.Pool](t, s, "/pool-drafts", `{"pool":`+vpc+`}`)
		p := post[api.Pool](t, s, "/pools", vpc)
		if draft.Parent == nil || *draft.Parent != "b" || p.CIDR != draft.CIDR || p.UID != draft.UID {
			t.Errorf("drafted %+v, made %+v", draft, p)
		}
		wantProblemCode(t, s.send(t, "POST", "/api/v1/pools", `{"name":"c","parent":"a","pool_selector":{"labels":{"tier":"prd"}},"prefix_length":28}`), 400, "invalid")
		wantProblemCode(t, s.send(t, "POST", "/api/v1/pools", `{"name":"c","pool_selector":{"labels":{"tier":"dev"}},"prefix_length":28}`), 404, "not_found")
	})
}
