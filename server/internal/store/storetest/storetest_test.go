package storetest

import (
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

func TestNothingIsLeftOutInSilence(t *testing.T) {
	for _, c := range []struct{ engines, ci, left, refused string }{
		{"", "", "", ""},
		{"", "true", "", ""},
		{"all", "true", "", ""},
		{"sqlite", "", "PostgreSQL is left out", ""},
		{"sqlite", "true", "", "CI never does"},
		{"postgres", "", "", "is all, the default, or sqlite"},
	} {
		left, err := leftOut(c.engines, c.ci)
		if !strings.Contains(left, c.left) || (left == "") != (c.left == "") {
			t.Errorf("%+v: says %q", c, left)
		}
		if (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A test must not find what another one has written.
func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	for engine, url := range Engines(t) {
		for range 2 {
			at := url(t)
			if err := Exec(at, "INSERT INTO scopes (id, name, description, labels, version, space_revision, created_at, updated_at) VALUES (7, 'mine', '', '{}', 1, 0, 0, 0)"); err != nil {
				t.Errorf("%s: %v", engine, err)
			}
		}
	}
}

// What a fresh database costs: a copy, next to running the migrations.
func BenchmarkDatabases(b *testing.B) {
	for engine, url := range Engines(b) {
		b.Run(engine+" copied", func(b *testing.B) {
			for b.Loop() {
				url(b)
			}
		})
	}
	for engine, url := range Empty(b) {
		b.Run(engine+" migrated", func(b *testing.B) {
			for b.Loop() {
				if err := migrate(url(b)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
