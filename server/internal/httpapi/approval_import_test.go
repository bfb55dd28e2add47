package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
)

func TestAnImportIsOneRequestForAllThatItNeeds(t *testing.T) {
	inOffice(t, func(o office) {
		const rows = "pool,name,cidr\nteam,big,10.0.16.0/20\nteam,bigger,10.0.32.0/19\nteam,small,10.0.0.0/28\n"
		before := o.events(t)
		// A row that is refused needs no approval either.
		broken := o.tried(t, "allocations", rows+"team,over,10.0.0.0/18\n")
		if broken.Refused != 1 || broken.NeedsApproval == nil || *broken.NeedsApproval != 2 {
			t.Errorf("a file with a row that is refused needs approval of %v blocks: %s", broken.NeedsApproval, verdictsOf(broken))
		}
		shown := o.tried(t, "allocations", rows)
		if shown.Refused != 0 || shown.NeedsApproval == nil || *shown.NeedsApproval != 2 || o.events(t) != before {
			t.Fatalf("a dry run shows %+v", shown)
		}
		file := asFile(t, "allocations", rows, shown.Digest, nil)
		asked := o.asks("POST", "/imports", file)
		if len(asked.Blocks) != 2 || len(get[api.AllocationPage](t, o.lab, "/allocations").Items) != 0 {
			t.Fatalf("an import that waits has made something, or asks for %+v", asked.Blocks)
		}
		// What waits is shown as it was, and is the same request.
		if again := o.tried(t, "allocations", rows); again.Digest != shown.Digest {
			t.Errorf("while it waits the verdicts are others:\n%s", verdictsOf(again))
		}
		if again := o.asks("POST", "/imports", file); again.ID != asked.ID {
			t.Errorf("it asks anew: %s, %s", again.ID, asked.ID)
		}
		o.approves(o.person("eve", "admins"), asked)
		done := o.send(t, "POST", "/api/v1/imports", file)
		if done.status != http.StatusCreated || len(get[api.AllocationPage](t, o.lab, "/allocations").Items) != 3 || o.status(asked) != "used" {
			t.Fatalf("what was approved is answered %d %s", done.status, done.body)
		}
		// Undone and tried again it needs approval again: one was for once.
		made := decode[api.Import](t, done)
		if made.NeedsApproval != nil {
			t.Errorf("what is done still needs approval of %d blocks", *made.NeedsApproval)
		}
		id := made.ID
		if a := o.send(t, "POST", "/api/v1/imports/"+id+"/undo", ""); a.status != http.StatusOK {
			t.Fatalf("undo: %d %s", a.status, a.body)
		}
		if again := o.tried(t, "allocations", rows); again.NeedsApproval == nil {
			t.Error("an approval is good for a second import")
		}
	})
}
