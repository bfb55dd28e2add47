package provider_test

import (
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// Names of pools and of sets are handed on in two applies: the plan says so, and what it says works.
func TestNamesOfPoolsAndSetsAreHandedOnInTwoApplies(t *testing.T) {
	t.Parallel()
	corp := poolNamed("corp", `cidr = "10.0.0.0/16"`)
	pool := func(label, name string) string {
		return rootCalled(label, name, map[string]string{"x": "10.1.0.0/16", "y": "10.2.0.0/16"}[label])
	}
	for what, c := range map[string]struct{ before, after, first string }{
		"pools in a row":       {pool("x", "a") + pool("y", "b"), pool("x", "b") + pool("y", "c"), "cloudpam_pool.y"},
		"a pool and a new one": {pool("x", "a"), pool("x", "b") + pool("y", "a"), "cloudpam_pool.x"},
		"pools that swap":      {pool("x", "a") + pool("y", "b"), pool("x", "b") + pool("y", "a"), ""},
		"sets in a row":        {corp + setCalled("x", "a") + setCalled("y", "b"), corp + setCalled("x", "b") + setCalled("y", "c"), "cloudpam_allocation_set.y"},
		"a set and a new one":  {corp + setCalled("x", "a"), corp + setCalled("x", "b") + setCalled("y", "a"), "cloudpam_allocation_set.x"},
		"sets that swap":       {corp + setCalled("x", "a") + setCalled("y", "b"), corp + setCalled("x", "b") + setCalled("y", "a"), ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			tf := acctest.NewTerraform(t, acctest.Start(t), c.before)
			tf.Run(t, "apply", "-auto-approve")
			tf.Write(t, "main.tf", c.after)
			for _, parallelism := range []string{"1", "10"} {
				if _, out, err := tf.Try("plan", "-no-color", "-parallelism="+parallelism); err == nil || !strings.Contains(out, "Name is not free yet") || parallelism != "1" && strings.Contains(out, "import {") { // one at a time does not know of the other
					t.Errorf("at parallelism %s: %v\n%s", parallelism, err, out)
				}
			}
			if c.first != "" {
				tf.Run(t, "apply", "-auto-approve", "-target="+c.first)
				tf.Run(t, "apply", "-auto-approve")
				tf.Run(t, "plan", "-detailed-exitcode")
			}
		})
	}
}

// One of each is had by something of this configuration, the other by something of nobody's.
func TestANameThatAPoolOrASetHasIsRefusedWhilePlanning(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	corp := poolNamed("corp", `cidr = "10.0.0.0/16"`)
	before := corp + rootCalled("x", "a", "10.1.0.0/16") + rootCalled("y", "b", "10.2.0.0/16") + setCalled("s", "s") + setCalled("t", "t")
	tf := acctest.NewTerraform(t, server, before+rootCalled("z", "c", "10.3.0.0/16")+setCalled("u", "u"))
	tf.Run(t, "apply", "-auto-approve")
	for _, forgotten := range []string{"cloudpam_pool.z", "cloudpam_allocation_set.u"} {
		tf.Run(t, "state", "rm", forgotten)
	}
	for _, c := range []struct{ old, new, says string }{
		{`name = "a"`, `name = "b"`, "Duplicate pool name"},
		{`name = "s"`, `name = "t"`, "Duplicate allocation set name"},
		{`name = "a"`, `name = "c"`, `There is a pool "c" already`},
		{`name = "s"`, `name = "u"`, `There is an allocation set "u" in pool "corp" already`},
	} {
		tf.Write(t, "main.tf", strings.Replace(before, c.old, c.new, 1))
		if _, out, err := tf.Try("plan", "-no-color"); err == nil || !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " "), c.says) {
			t.Errorf("%s: %v\n%s", c.new, err, out)
		}
	}
}
