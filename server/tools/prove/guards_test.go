package main

import "testing"

// The table is true as it stands: a guard that moved or was reworded is said here, and not first when somebody runs it.
func TestEveryGuardStandsWhereTheTableSays(t *testing.T) {
	t.Chdir("../..")
	for _, g := range guards {
		if _, err := g.without(); err != nil {
			t.Error(err)
		}
	}
}
