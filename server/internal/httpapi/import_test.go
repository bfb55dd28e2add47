package httpapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// asFile is the body of a request that imports a file.
func asFile(t testing.TB, kind, text, digest string, columns map[string]string) string {
	t.Helper()
	ask := map[string]any{"kind": kind, "csv": text}
	if digest != "" {
		ask["digest"] = digest
	}
	if columns != nil {
		ask["columns"] = columns
	}
	body, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// tried is a dry run of a file.
func (s lab) tried(t testing.TB, kind, text string, headers ...string) api.Import {
	t.Helper()
	a := s.send(t, "POST", "/api/v1/imports", asFile(t, kind, text, "", nil), append(headers, "Cloudpam-Dry-Run: true")...)
	if a.status != 201 {
		t.Fatalf("a dry run answers %d %s", a.status, a.body)
	}
	return decode[api.Import](t, a)
}

// imports tries a file and does what was shown.
func (s lab) imports(t testing.TB, kind, text string, headers ...string) api.Import {
	t.Helper()
	shown := s.tried(t, kind, text, headers...)
	a := s.send(t, "POST", "/api/v1/imports", asFile(t, kind, text, shown.Digest, nil), headers...)
	if a.status != 201 {
		t.Fatalf("an import answers %d %s", a.status, a.body)
	}
	return decode[api.Import](t, a)
}

// verdictsOf are the verdicts of an import, a line each.
func verdictsOf(i api.Import) string {
	var all []string
	for _, r := range i.Rows {
		line := string(r.Verdict)
		for _, part := range []*string{r.Pool, r.Name, r.CIDR} {
			if part != nil {
				line += " " + *part
			}
		}
		if len(r.Changed) > 0 {
			line += " " + strings.Join(r.Changed, ",")
		}
		if r.Problem != nil {
			line += " " + r.Problem.Code
		}
		all = append(all, line)
	}
	return strings.Join(all, "\n")
}

const estateOfPools = `name,parent,cidr,prefix_length,owner,default_prefix_length,labels
web,corp,10.0.0.0/20,,team,26,tier=web;env=prd
corp,,10.0.0.0/16,,net,,
small,web,,24,,,
`

func TestAFileIsTriedAndThenDoneAsItWasShown(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		before := s.dumpAll(t)
		shown := s.tried(t, "pools", estateOfPools)
		if got := verdictsOf(shown); got != "created corp web 10.0.0.0/20\ncreated corp 10.0.0.0/16\ncreated web small 10.0.0.0/24" || shown.Created != 3 {
			t.Fatalf("a dry run says:\n%s", got)
		}
		if after := s.dumpAll(t); after != before {
			t.Fatalf("a dry run leaves something behind:\n%s\n%s", before, after)
		}
		wantProblemCode(t, s.send(t, "POST", "/api/v1/imports", asFile(t, "pools", estateOfPools, "", nil)), 428, "precondition_required")
		wantProblemCode(t, s.send(t, "POST", "/api/v1/imports", asFile(t, "pools", estateOfPools, "sha256:other", nil)), 412, "precondition_failed")
		if after := s.dumpAll(t); after != before {
			t.Fatal("what was not shown is done")
		}
		done := s.imports(t, "pools", estateOfPools)
		if done.Digest != shown.Digest || done.Created != 3 || verdictsOf(done) != verdictsOf(shown) {
			t.Errorf("it is not what was shown: %+v", done)
		}
		p := get[api.Pool](t, s, "/pools/web")
		if *p.Parent != "corp" || p.Owner != "team" || p.Labels["env"] != "prd" || *p.DefaultPrefixLength != 26 {
			t.Errorf("%+v", p)
		}

		rows := "name,cidr,owner,label.team\napp,10.0.16.0/24,a,x\nweb-a,10.0.1.0/26,b,\nnext,,c,\n"
		got := verdictsOf(s.tried(t, "allocations", rows))
		if got != "created corp app 10.0.16.0/24\ncreated web web-a 10.0.1.0/26\nrefused invalid" {
			t.Errorf("%s", got)
		}
		rows = strings.Replace(rows, "next,,c,\n", "", 1)
		shown = s.tried(t, "allocations", rows)
		post[api.Allocation](t, s, "/allocations", `{"pool":"web","name":"meanwhile","cidr":"10.0.1.0/28"}`)
		p1 := wantProblemCode(t, s.send(t, "POST", "/api/v1/imports", asFile(t, "allocations", rows, shown.Digest, nil)), 409, "cidr_taken")
		if !strings.Contains(p1.Detail, "nothing was imported, since 1 of 2 rows are refused; row 3: ") {
			t.Errorf("%s", p1.Detail)
		}
		s.send(t, "DELETE", "/api/v1/allocations/"+get[api.AllocationPage](t, s, "/allocations?name=meanwhile&pool=web").Items[0].ID, "")
		done = s.imports(t, "allocations", rows)
		if again := s.tried(t, "allocations", strings.ReplaceAll(rows, ",b,", ",other,")); verdictsOf(again) != "unchanged corp app 10.0.16.0/24\nupdated web web-a 10.0.1.0/26 owner" {
			t.Errorf("%s", verdictsOf(again))
		}
		if found := get[api.Import](t, s, "/imports/"+done.ID); verdictsOf(found) != verdictsOf(done) || found.Actor != "token:bootstrap" {
			t.Errorf("%+v", found)
		}
		e := get[api.EventPage](t, s, "/events?action=allocation.created&limit=1").Items[0]
		if e.Source != "import" || e.Reason != "imports "+done.ID {
			t.Errorf("%+v", e)
		}
		s.events(t)
	})
}

func TestAnImportIsUndoneUnlessSomethingHasChanged(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.imports(t, "pools", estateOfPools)
		post[api.Allocation](t, s, "/allocations", `{"pool":"web","name":"old","cidr":"10.0.1.0/28","owner":"before","labels":{"a":"b"}}`)
		before := s.send(t, "GET", "/api/v1/allocations?format=csv", "").body
		done := s.imports(t, "allocations", "pool,name,cidr,owner\nweb,old,10.0.1.0/27,after\nweb,new,10.0.2.0/28,x\n")
		if got := verdictsOf(done); got != "updated web old 10.0.1.0/27 cidr,owner\ncreated web new 10.0.2.0/28" {
			t.Fatalf("%s", got)
		}
		created := get[api.AllocationPage](t, s, "/allocations?pool=web&name=new").Items[0]
		s.send(t, "PATCH", "/api/v1/allocations/"+created.ID, `{"purpose":"mine"}`, "If-Match: *")
		p := wantProblemCode(t, s.send(t, "POST", "/api/v1/imports/"+done.ID+"/undo", ""), 412, "precondition_failed")
		if len(p.Errors) != 1 || !strings.Contains(p.Errors[0].Detail, "row 3: allocation new has changed since the import: purpose; change it back yourself") {
			t.Errorf("%+v", p)
		}
		if a := get[api.AllocationPage](t, s, "/allocations?pool=web&name=old").Items[0]; a.Owner != "after" {
			t.Errorf("half of it is undone: %+v", a)
		}
		s.send(t, "DELETE", "/api/v1/allocations/"+created.ID, "")
		p = wantProblemCode(t, s.send(t, "POST", "/api/v1/imports/"+done.ID+"/undo", ""), 412, "precondition_failed")
		if !strings.Contains(p.Detail, "is not there any more") {
			t.Errorf("%s", p.Detail)
		}

		done = s.imports(t, "allocations", "pool,name,cidr,owner\nweb,old,10.0.1.0/26,again\nweb,newer,10.0.2.0/28,x\n")
		undone := decode[api.Import](t, s.send(t, "POST", "/api/v1/imports/"+done.ID+"/undo", ""))
		if undone.UndoneAt == nil || *undone.UndoneBy != "token:bootstrap" {
			t.Errorf("%+v", undone)
		}
		after := get[api.AllocationPage](t, s, "/allocations?pool=web").Items
		if len(after) != 1 || after[0].Owner != "after" || after[0].CIDR != "10.0.1.0/27" || after[0].Labels["a"] != "b" {
			t.Errorf("%+v\n%s", after, before)
		}
		p = wantProblemCode(t, s.send(t, "POST", "/api/v1/imports/"+done.ID+"/undo", ""), 412, "precondition_failed")
		if !strings.Contains(p.Detail, "was undone already, by token:bootstrap") {
			t.Errorf("%s", p.Detail)
		}
		s.events(t)
	})
}

func TestAFileThatIsWrongSaysWhatWouldBeRight(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.imports(t, "pools", estateOfPools)
		for text, want := range map[string]string{
			"":                                  "the file is empty",
			"pool,name\n":                       "the file has a header and no rows",
			"pool,name,ownr\nweb,a,b\n":         `allocations have no column "ownr" (the nearest is owner); leave it out, or say in columns what it is`,
			"pool,name,Owner,owner\nweb,a,b,\n": `the columns "Owner" and "owner" are both owner`,
			"pool,name\nweb,\"a\n":              "line 2",
			"pool,name\nweb,a\"b\n":             "a cell that has a quote in it is in quotes",
			"pool,name,pool_selector\nweb,a,\n": `no column "pool_selector"`,
			"pool,name" + strings.Repeat("\nweb,a", 10_001): "more than 10000 rows",
		} {
			body := asFile(t, "allocations", text, "", nil)
			if p := wantProblemCode(t, s.send(t, "POST", "/api/v1/imports", body, "Cloudpam-Dry-Run: true"), 400, "invalid"); text != "" && !strings.Contains(p.Detail, want) {
				t.Errorf("%.60q: %s", text, p.Detail)
			}
		}
		for row, want := range map[string]string{
			"web,a,10.0.0.1/24,,,":                     "host bits",
			"web,a,10.9.0.0/24,,,":                     "lies outside pool web",
			"nowhere,a,10.0.0.0/24,,,":                 `there is no pool "nowhere"`,
			"web,a,,twelve,,":                          `"twelve" is not a whole number`,
			"web,a,10.0.0.0/24,25,,":                   "prefix_length 25 and cidr 10.0.0.0/24 disagree",
			"web,-a,10.0.0.0/24,,,":                    "name: not allowed here",
			"web,a,10.0.0.0/24,,team,":                 `"team" is not a label; write key=value`,
			"web,a,10.0.0.0/24,,,tomorrow":             "not a time; one looks like 2030-01-31T12:00:00Z",
			"web,a,10.0.0.0/24,,":                      "the row has 5 cells, and the header 6",
			"web,,10.0.0.0/24,,,":                      "name",
			"web,a,10.0.0.0/24,,,2020-01-01T00:00:00Z": "has passed",
		} {
			got := s.tried(t, "allocations", "pool,name,cidr,prefix_length,labels,expires_at\n"+row+"\n").Rows
			if len(got) != 1 || got[0].Problem == nil || !strings.Contains(got[0].Problem.Detail, want) {
				t.Errorf("%s: %+v", row, got)
			}
		}
		got := s.tried(t, "allocations", "pool,name,cidr\nweb,a,10.0.1.0/28\nweb,a,10.0.1.16/28\n").Rows
		if got[1].Problem == nil || got[1].Problem.Detail != "row 2 is about allocation a, too; leave one of them out" {
			t.Errorf("%+v", got[1])
		}
	})
}

func TestColumnsOfOthersAreSaid(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.imports(t, "pools", "\ufeffPrefix;VRF;Tenant;Description\r\n10.0.0.0/8;;net;\"a\r\nb\"\r\n10.1.0.0/16;;'=x;'@y\r\n")
		p := get[api.Pool](t, s, "/pools/10-1-0-0-16")
		if *p.Parent != "10-0-0-0-8" || p.Owner != "=x" || p.Description != "@y" {
			t.Errorf("%+v", p)
		}
		if p := get[api.Pool](t, s, "/pools/10-0-0-0-8"); p.Description != "a\r\nb" {
			t.Errorf("%q", p.Description)
		}
		text := "Prefix\tStatus\tRole\tSite\n10.1.0.0/24\tActive\tdb\tberlin\n"
		columns := map[string]string{"Status": "", "Role": "purpose", "Site": "label.site"}
		shown := decode[api.Import](t, s.send(t, "POST", "/api/v1/imports", asFile(t, "allocations", text, "", columns), "Cloudpam-Dry-Run: true"))
		a := s.send(t, "POST", "/api/v1/imports", asFile(t, "allocations", text, shown.Digest, columns))
		if a.status != 201 {
			t.Fatalf("%s", a.body)
		}
		got := get[api.AllocationPage](t, s, "/allocations?pool=10-1-0-0-16").Items[0]
		if got.Name != "10.1.0.0/24" || got.Purpose != "db" || got.Labels["site"] != "berlin" {
			t.Errorf("%+v", got)
		}
		columns["Nope"] = "owner"
		if p := wantProblemCode(t, s.send(t, "POST", "/api/v1/imports", asFile(t, "allocations", text, "", columns), "Cloudpam-Dry-Run: true"), 400, "invalid"); !strings.Contains(p.Detail, `the file has no column "Nope"; its columns are Prefix, Status, Role, Site`) {
			t.Errorf("%s", p.Detail)
		}
	})
}

func TestAnImportIsItsOwnersAndRowsAreJudgedByTheirPlaces(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.land(t)
		mine := s.as(t, ipam.NewBinding{Role: ipam.Operator, Pool: "mine.team"})
		other := s.as(t, ipam.NewBinding{Role: ipam.Viewer, Scope: "mine"})
		got := verdictsOf(s.tried(t, "allocations", "pool,name,prefix_length\nmine.web,b,28\nmine.other,c,28\ntheirs.top,d,28\n", mine))
		if got != "created mine.web b 10.0.0.16/28\nrefused not_found\nrefused not_found" {
			t.Errorf("%s", got)
		}
		if got := verdictsOf(s.tried(t, "pools", "scope,name,parent,prefix_length\nmine,q,mine.team,28\n", mine)); got != "refused forbidden" {
			t.Errorf("%s", got)
		}
		done := s.imports(t, "allocations", "pool,name,prefix_length\nmine.web,b,28\n", mine)
		wantProblemCode(t, s.send(t, "GET", "/api/v1/imports/"+done.ID, "", other), 404, "not_found")
		wantProblemCode(t, s.send(t, "POST", "/api/v1/imports/"+done.ID+"/undo", "", other), 404, "not_found")
		if a := s.send(t, "GET", "/api/v1/imports", "", other); decode[api.ImportPage](t, a).Items != nil && len(decode[api.ImportPage](t, a).Items) > 0 {
			t.Errorf("%s", a.body)
		}
		if n := len(decode[api.ImportPage](t, s.send(t, "GET", "/api/v1/imports", "", mine)).Items); n != 1 {
			t.Errorf("%d imports", n)
		}
	})
}

func TestAnImportThatIsSentAgainIsDoneOnce(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		s.imports(t, "pools", estateOfPools)
		const rows = "pool,name,prefix_length\nweb,a,28\n"
		body := asFile(t, "allocations", rows, s.tried(t, "allocations", rows).Digest, nil)
		a := s.send(t, "POST", "/api/v1/imports", body, "Idempotency-Key: once-and-only")
		b := s.send(t, "POST", "/api/v1/imports", body, "Idempotency-Key: once-and-only")
		if a.status != 201 || a.body != b.body || b.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%d %s\n%d %s", a.status, a.body, b.status, b.body)
		}
		wantProblemCode(t, s.send(t, "POST", "/api/v1/imports", body), 412, "precondition_failed")
		s.events(t)
	})
}
