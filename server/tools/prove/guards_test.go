package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The table is true as it stands: a guard that moved or was reworded is said here, and not first when somebody runs it.
func TestEveryGuardStandsWhereTheTableSays(t *testing.T) {
	t.Chdir("../..")
	for _, g := range guards {
		if _, err := g.without(); err != nil {
			t.Error(err)
		}
	}
}

// A test that is named for a guard is there under just this name: what matches nothing would miss nothing.
func TestEveryTestOfAGuardIsThere(t *testing.T) {
	t.Chdir("../..")
	for _, g := range guards {
		files, err := filepath.Glob(filepath.Join(g.in, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(text))
		}
		for name := range strings.SplitSeq(g.tests, "|") {
			if !slices.ContainsFunc(all, func(text string) bool { return strings.Contains(text, "\nfunc "+name+"(t *testing.T)") }) {
				t.Errorf("%s: there is no test %s in %s", g.promise, name, g.in)
			}
		}
	}
}
