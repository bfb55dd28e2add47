package registry_test

import (
	"database/sql"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

const (
	renamedSets    = 80
	membersOfASet  = 256 // as many as a set may have
	renamedMembers = renamedSets * membersOfASet
)

// Rows refer to keys and never to names. So what a rename writes does not grow with what is in the pool, and no block moves.
func TestTheRenameOfAPoolWithTwentyThousandAllocationsChangesAHandfulOfRows(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		root := r.root(t, "10.0.0.0/8")
		child := r.child(t, root, "child", "10.200.0.0/16")
		var members [membersOfASet]string
		for i := range members {
			members[i] = fmt.Sprintf("m%d /28", i)
		}
		for i := range renamedSets {
			r.set(t, root, fmt.Sprintf("set-%d", i), members[:]...)
		}

		before := r.rows(t)
		renamed, err := r.UpdatePool(t.Context(), alice, string(root.UID), at(root, 1), ipam.PoolPatch{Name: new("company")})
		if err != nil {
			t.Fatal(err)
		}
		// Its own row and that of its block, the name that it left, and the event, which the head of its chain counts. The row of
		// the scope is that of the lock that the rename takes.
		want := map[string]int{"pools": 1, "prefixes": 1, "former_names": 1, "events": 1, "chains": 1, "scopes": 1}
		if got := changed(before, r.rows(t)); !maps.Equal(got, want) {
			t.Errorf("the rename changed %v rows, want %v", got, want)
		}
		if len(before["allocations"]) != renamedMembers {
			t.Errorf("there were %d allocations, want %d", len(before["allocations"]), renamedMembers)
		}
		if renamed.CIDR != root.CIDR || renamed.UID != root.UID || renamed.ID == root.ID {
			t.Errorf("renamed to %+v", renamed)
		}
		if after, err := r.Pool(t.Context(), string(child.UID)); err != nil || after.Parent != renamed.ID || after.CIDR != child.CIDR || after.Version != child.Version {
			t.Errorf("the child is %+v, %v", after, err)
		}
		some, err := r.Allocations(t.Context(), ipam.AllocationFilter{Pool: renamed.ID}, ipam.Page{Limit: 3})
		if err != nil || len(some) != 3 || some[0].Pool != renamed.ID || some[0].Version != 1 {
			t.Errorf("the allocations are %+v, %v", some, err)
		}
	})
}

// rows are the rows of every table, each as text, by table.
func (r lab) rows(t *testing.T) map[string]map[string]int {
	t.Helper()
	driver, address, list := "pgx", r.url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
	if path, ok := strings.CutPrefix(r.url, "sqlite://"); ok {
		driver, address, list = "sqlite", "file:"+path+"?_pragma=busy_timeout(600000)", "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := map[string]map[string]int{}
	for _, table := range texts(t, db, list) {
		all[table] = map[string]int{}
		for _, row := range texts(t, db, `SELECT * FROM "`+table+`"`) {
			all[table][row]++
		}
	}
	return all
}

// texts are the rows that a query answers, each as text.
func texts(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	cells, places := make([]any, len(columns)), make([]any, len(columns))
	for i := range cells {
		places[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Trim(fmt.Sprint(cells), "[]"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// changed counts, by table, the rows that are new or other than before.
func changed(before, after map[string]map[string]int) map[string]int {
	counts := map[string]int{}
	for table, rows := range after {
		for row, n := range rows {
			if more := n - before[table][row]; more > 0 {
				counts[table] += more
			}
		}
	}
	return counts
}

func TestADraftGivesTheNameThatItHasUpToTheCallersRename(t *testing.T) {
	eachPlanner(t, func(t *testing.T, r planner) {
		hour := func(holder, run string) ipam.Plan { return ipam.Plan{TTL: time.Hour, Holder: holder, Run: run} }
		scope := r.scope(t)
		root := r.rootIn(t, scope, "root", "10.0.0.0/16")
		p := r.child(t, root, "p", "/24")
		to := ipam.PoolPatch{Name: new("q")}
		preview := func(by ipam.Caller, plan ipam.Plan) error {
			return second(r.PreviewPool(t.Context(), by, string(p.UID), to, plan))
		}
		if _, err := r.tryDraft(alice, root, "q", "/24", hour("state", "1")); err != nil {
			t.Fatal(err)
		}
		wantCode(t, preview(alice, hour("state", "1")), ipam.CodeHoldConflict) // one plan, two pools of one name
		wantCode(t, preview(bob, hour("other", "9")), ipam.CodeHoldConflict)
		if err := preview(alice, hour("state", "2")); err != nil {
			t.Errorf("a later plan: %v", err)
		}
		wantCode(t, second(r.UpdatePool(t.Context(), bob, string(p.UID), at(p, 1), to)), ipam.CodeHoldConflict)
		if after, err := r.UpdatePool(t.Context(), alice, string(p.UID), at(p, 1), to); err != nil || after.Name != "q" || after.CIDR != p.CIDR {
			t.Errorf("%+v, %v", after, err)
		}
		if drafts, err := r.Drafts(t.Context(), root.ID, ipam.Page{Limit: 2}); err != nil || len(drafts) != 0 {
			t.Errorf("%+v, %v", drafts, err)
		}

		if _, err := r.tryDraft(bob, root, "late", "/24", hour("other", "1")); err != nil {
			t.Fatal(err)
		}
		r.wait(2 * time.Hour)
		if _, err := r.UpdatePool(t.Context(), alice, string(p.UID), at(p, 2), ipam.PoolPatch{Name: new("late")}); err != nil {
			t.Errorf("what has expired is in nobody's way: %v", err)
		}
	})
}
