package provider

import "testing"

func TestAKeyIsClaimedOnceInARun(t *testing.T) {
	var c claims
	for range 2 { // what planning validates itself is no second run
		c.validated("corp/app")
	}
	c.planning("corp/app")
	if !c.claim("corp/app", created, "") {
		t.Error("the first does not get its key")
	}
	c.planning("corp/app")
	if c.claim("corp/app", created, "") || c.claim("corp/app", "alloc_1", "") {
		t.Error("two new ones have one key")
	}
	if !c.claim("corp/old", "alloc_1", "") || !c.claim("corp/old", created, "alloc_1") {
		t.Error("a successor does not get the key of what it replaces")
	}
}

// terraform test validates each run as a whole, where names may not be known yet, and then plans it in the same session.
func TestAKeyThatIsPlannedRunAfterRunIsNoSecondResource(t *testing.T) {
	for validatedAs, key := range map[string]string{"corp/app": "corp/app", "": "corp/app", "?/app": "corp/app", "?/set app": "corp/set app"} {
		var c claims
		for run, id := range []string{created, "alloc_1", created, "alloc_2"} {
			c.validated(validatedAs)
			c.validated(key)
			c.planning(key)
			if !c.claim(key, id, "") {
				t.Errorf("validated as %q, %s in run %d: %s is taken for a second resource", validatedAs, key, run, id)
			}
		}
	}
}
