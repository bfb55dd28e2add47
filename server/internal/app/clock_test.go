package app_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func TestAServerSaysThatItsClockDiffersFromTheDatabases(t *testing.T) {
	url := storetest.Postgres(t)
	// A function of ours stands before that of PostgreSQL.
	err := storetest.Exec(url, `CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT pg_catalog.clock_timestamp() + interval ''25 hours'''`)
	if err != nil {
		t.Fatal(err)
	}
	get, log := running(t, url+"&search_path=public,pg_catalog")
	if !strings.Contains(log.String(), "the clock of this server differs from that of the database") {
		t.Errorf("the log says\n%s", log)
	}
	if _, figures := get("/metrics"); !regexp.MustCompile(`\ncloudpam_clock_difference_seconds -(8|9)\d{4}`).MatchString(figures) || !strings.Contains(figures, "\ncloudpam_clock_doubted_seconds 0\n") {
		t.Errorf("the figures are\n%s", figures)
	}
	get, log = running(t, storetest.Postgres(t))
	if strings.Contains(log.String(), "a clock is wrong") {
		t.Errorf("the log says\n%s", log)
	}
	if _, figures := get("/metrics"); !strings.Contains(figures, "\ncloudpam_clock_behind_seconds 0\n") {
		t.Errorf("the figures are\n%s", figures)
	}
}
