package store_test

import (
	"fmt"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func TestEveryTriggerAndExclusionOfTheSchemaIsAGuard(t *testing.T) {
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			at := url(t)
			db := storetest.Open(t, at)
			present := "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
			if engine == "postgres" {
				present = `SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal UNION ALL SELECT conname::text FROM pg_constraint WHERE contype = 'x'`
			}
			if got, want := fmt.Sprint(rows(t, handle(t, at), present)), fmt.Sprint(store.Guards(db.Engine())); got != want {
				t.Errorf("the schema has %s, the list of guards %s", got, want)
			}
		})
	}
}

func TestAServerWithoutItsGuardsDoesNotStart(t *testing.T) {
	for engine, harms := range map[string]map[string]string{
		"sqlite": {
			"DROP TRIGGER prefixes_never_overlap_on_insert": "prefixes_never_overlap_on_insert",
			"DROP TRIGGER prefixes_never_overlap_on_update": "prefixes_never_overlap_on_update",
			"DROP TRIGGER events_are_final_on_update":       "events_are_final_on_update",
			"DROP TRIGGER events_are_final_on_delete":       "events_are_final_on_delete",
			"DROP TRIGGER events_are_final_on_insert":       "events_are_final_on_insert",
		},
		"postgres": {
			"ALTER TABLE prefixes DROP CONSTRAINT prefixes_never_overlap":                                  "prefixes_never_overlap",
			"DROP TRIGGER events_are_final ON events":                                                      "events_are_final",
			"ALTER TABLE events DISABLE TRIGGER ALL":                                                       "events_are_final, events_are_not_truncated",
			"DROP TRIGGER events_are_not_truncated ON events":                                              "events_are_not_truncated",
			"ALTER TABLE events ENABLE REPLICA TRIGGER events_are_final":                                   "events_are_final",
			"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'prefixes_never_overlap'::regclass": "prefixes_never_overlap",
		},
	} {
		fresh, tested := storetest.Engines(t)[engine]
		if !tested {
			continue
		}
		for harm, name := range harms {
			t.Run(engine+" "+harm, func(t *testing.T) {
				at := fresh(t)
				db := bare(t, at)
				if err := db.Migrate(t.Context(), "test"); err != nil {
					t.Fatal(err)
				}
				if _, err := handle(t, at).Exec(harm); err != nil {
					t.Fatal(err)
				}
				wantRefusal(t, db.Start(t.Context()), name+" is missing", "cloudpam verify")
			})
		}
	}
}
