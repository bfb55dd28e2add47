package provider

import (
	"testing"
	"time"
)

func TestANameIsClaimedOnceInARun(t *testing.T) {
	var c claims
	if !c.claim("corp/app", created, "") || c.claim("corp/app", created, "") {
		t.Error("two new ones have one name")
	}
	c.planned("corp/app")
	if c.claim("corp/app", created, "") || c.claim("corp/app", "alloc_1", "") {
		t.Error("a name is free again once it is planned")
	}
	if !c.claim("corp/old", "alloc_1", "") || !c.claim("corp/old", created, "alloc_1") {
		t.Error("a successor does not get the name of what it replaces")
	}
}

// terraform test plans the same resource again in the next run of a file.
func TestWhereRunsShareASessionOnlyOnesThatArePlannedAtOnceAreTwo(t *testing.T) {
	c := claims{manyRuns: true}
	if !c.claim("corp/app", created, "") || c.claim("corp/app", created, "") {
		t.Error("two new ones are planned at once under one name")
	}
	c.planned("corp/app")
	if c.claim("corp/app", created, "") {
		t.Error("the second is planned right after the first")
	}
	for _, id := range []string{created, "alloc_1", created} {
		c.ended["corp/app"] = time.Now().Add(-2 * atOnce)
		if !c.claim("corp/app", id, "") {
			t.Errorf("%s of a later run is taken for a second resource", id)
		}
		c.planned("corp/app")
	}
}

func TestWhoSharesSessions(t *testing.T) {
	for version, want := range map[string]bool{"1.10.5": false, "1.11.4": false, "1.12.0": true, "1.14.3-dev": true, "2.0.0": true, "": true} {
		if got := sharesSessions(version); got != want {
			t.Errorf("%q: %v", version, got)
		}
	}
}
