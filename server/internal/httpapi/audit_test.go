package httpapi_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/audit"
)

func TestEventsSayFromWhereAndWhy(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		ok := func(a answer) {
			t.Helper()
			if a.status >= 300 {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		ok(s.send(t, "POST", "/api/v1/pools", `{"name":"corp","cidr":"10.0.0.0/8"}`, "Cloudpam-Source: terraform", "Cloudpam-Reason: ticket%20%C3%A4"))
		ok(s.send(t, "POST", "/api/v1/pools", `{"name":"other","cidr":"11.0.0.0/8"}`, "X-Forwarded-For: 192.0.2.99"))
		events := decode[api.EventPage](t, s.send(t, "GET", "/api/v1/events?action=pool.created", "")).Items
		if len(events) != 2 || events[1].Source != "terraform" || events[1].Reason != "ticket ä" || *events[1].CIDR != "10.0.0.0/8" {
			t.Errorf("%+v", events)
		}
		if e := events[0]; e.Source != "api" || e.Reason != "" || e.Address == "" || e.Address == "192.0.2.99" {
			t.Errorf("%+v", e)
		}
		wantProblemCode(t, s.send(t, "GET", "/api/v1/scopes", "", "Cloudpam-Source: reconcile"), 400, "invalid")
		wantProblemCode(t, s.send(t, "GET", "/api/v1/scopes", "", "Cloudpam-Reason: "+strings.Repeat("x", 1025)), 400, "invalid")
		wantProblemCode(t, s.send(t, "GET", "/api/v1/scopes", "", "Cloudpam-Reason: 50%"), 400, "invalid")
		for within, want := range map[string]string{"10.2.0.0/16": "pool.created", "0.0.0.0/0": "pool.created pool.created", "12.0.0.0/8": "", "10.0.0.0/8": "pool.created"} {
			var got []string
			for _, e := range decode[api.EventPage](t, s.send(t, "GET", "/api/v1/events?within="+within, "")).Items {
				got = append(got, e.Action)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %v, want %s", within, got, want)
			}
		}
	})
}

func TestHistoryTellsWhoHadAnAddress(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"corp","cidr":"10.0.0.0/8"}`)
		a := post[api.Allocation](t, s, "/allocations", `{"pool":"corp","name":"app","cidr":"10.2.214.0/24","owner":"ann"}`)
		s.wait()
		for _, body := range []string{`{"name":"shop"}`, `{"purpose":"unseen"}`, `{"prefix_length":25}`} {
			if got := s.send(t, "PATCH", "/api/v1/allocations/"+a.ID, body, "If-Match: *"); got.status != 200 {
				t.Fatal(got.body)
			}
			s.wait()
		}
		s.wait()
		if got := s.send(t, "DELETE", "/api/v1/allocations/"+a.ID, "", "Cloudpam-Reason: gone"); got.status != 204 {
			t.Fatal(got.body)
		}
		page := decode[api.SpanPage](t, s.send(t, "GET", "/api/v1/history?within=10.2.214.0/23", ""))
		var got []string
		for _, v := range page.Items {
			until := "now"
			if v.Until != nil {
				until = v.Until.Action + " " + v.Until.Reason
			}
			got = append(got, fmt.Sprint(v.Kind, " ", v.Name, " ", v.CIDR, " ", v.From.Action, " - ", until))
		}
		want := []string{
			"pool corp 10.0.0.0/8 pool.created - now", "allocation app 10.2.214.0/24 allocation.created - allocation.updated ",
			"allocation shop 10.2.214.0/24 allocation.updated - allocation.updated ", "allocation shop 10.2.214.0/25 allocation.updated - allocation.released gone",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		p := wantProblemCode(t, s.send(t, "GET", "/api/v1/history?within=10.2.214.1/23", ""), 400, "invalid")
		if !strings.Contains(p.Detail, "10.2.214.0/23") {
			t.Error(p.Detail)
		}
	})
}

func TestExportsAreWholeAndNoFormula(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"corp","cidr":"10.0.0.0/8","description":"=HYPERLINK(\"x\")"}`)
		for i := range 600 { // more than a page
			post[api.Allocation](t, s, "/allocations", fmt.Sprintf(`{"pool":"corp","name":"a%d","prefix_length":28}`, i))
		}
		s.send(t, "POST", "/api/v1/pools", `{"name":"evil","cidr":"11.0.0.0/8"}`, "Cloudpam-Reason: =1+1")
		lines := strings.Split(strings.TrimSpace(s.send(t, "GET", "/api/v1/events/export", "").body), "\n")
		var end struct{ End struct{ Events int } }
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &end); err != nil || end.End.Events != len(lines)-1 || len(lines) < 603 {
			t.Errorf("%d lines, the last is %s", len(lines), lines[len(lines)-1])
		}
		a := s.send(t, "GET", "/api/v1/events/export?format=csv&action=pool.created", "")
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		if err != nil || len(rows) != 3 || rows[0][0] != "at" || rows[2][9] != "'=1+1" {
			t.Errorf("%v, %v", rows, err)
		}
	})
}

func TestAnExportIsCheckedWithoutTheServer(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		post[api.Pool](t, s, "/pools", `{"name":"corp","cidr":"10.0.0.0/8"}`)
		a := post[api.Allocation](t, s, "/allocations", `{"pool":"corp","name":"app","prefix_length":24,"description":"<b>&"}`)
		sealed := func(want int64) {
			t.Helper()
			if n, err := s.Sealer.Seal(t.Context()); n != want || err != nil {
				t.Fatalf("%d seals, %v", n, err)
			}
		}
		sealed(1)
		sealed(0) // nothing has moved
		s.wait()
		s.send(t, "DELETE", "/api/v1/allocations/"+a.ID, "", "Cloudpam-Reason: gone")
		sealed(1)
		seals := decode[api.SealPage](t, s.send(t, "GET", "/api/v1/seals", "")).Items
		if len(seals) != 2 || seals[1].Number != 2 || len(seals[1].Heads) != 1 || seals[1].Heads[0].Sequence != 2 {
			t.Fatalf("%+v", seals)
		}
		export := s.send(t, "GET", "/api/v1/events/export", "").body
		check := func(what, text, key string, wrong ...string) {
			t.Helper()
			c, err := audit.CheckExport(strings.NewReader(text), key)
			if err != nil {
				t.Fatal(err)
			}
			if found := strings.Join(c.Findings, "; "); (len(c.Findings) == 0) != (len(wrong) == 0) || len(wrong) > 0 && !strings.Contains(found, wrong[0]) {
				t.Errorf("%s: found %q, want %q", what, found, wrong)
			}
		}
		check("as it is", export, "")
		check("with the key of the log", export, seals[0].PublicKey)
		check("with another key", export, strings.Repeat("00", 32), "is signed with the key")
		lines := strings.SplitAfter(export, "\n")
		without := func(part string) string {
			var left []string
			for _, l := range lines {
				if !strings.Contains(l, part) {
					left = append(left, l)
				}
			}
			return strings.Join(left, "")
		}
		check("another actor", strings.Replace(export, `"actor":"token:bootstrap"`, `"actor":"token:somebody"`, 1), "", "does not match its hash")
		check("another reason", strings.Replace(export, `"reason":"gone"`, `"reason":"lost"`, 1), "", "does not match its hash")
		check("an event less", without(`"action":"allocation.created"`), "", "the file says that it has")
		check("its tail cut off", strings.Replace(without(`"action":"allocation.released"`), fmt.Sprint(`"events":`, len(lines)-4), fmt.Sprint(`"events":`, len(lines)-5), 1), "", "of it was sealed")
		check("broken off", export[:len(export)-60], "", "the file has no end")
		check("a seal less", without(`"number":1`), "", "the first seal is number 2")
		check("another seal", strings.Replace(export, `"seal":{"number":2,"at":"2030`, `"seal":{"number":2,"at":"2031`, 1), "", "seal 2 does not match its hash")
		some := s.send(t, "GET", "/api/v1/events/export?action=allocation.released", "").body
		c, err := audit.CheckExport(strings.NewReader(some), "")
		if err != nil || len(c.Findings) > 0 || c.Unlinked != 1 || c.Events != 1 {
			t.Errorf("of one action: %+v, %v", c, err)
		}
	})
}
