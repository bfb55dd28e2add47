package main

import (
	"slices"
	"strings"
	"testing"
)

func TestTheManualHasEveryCommandArgumentAndFlag(t *testing.T) {
	page, _ := place{dir: t.TempDir()}.want(t, 0, "man")
	lines := strings.Split(page, "\n")
	parser := newParser(t.Context())
	for _, command := range parser.Model.Leaves(true) {
		if !slices.Contains(lines, ".SS "+troff("cloudpam "+command.Summary())) {
			t.Errorf("%s is not there", command.FullPath())
		}
		for _, value := range command.Values() {
			if value.Name != "help" && !slices.Contains(lines, ".B "+troff(value.Summary())) {
				t.Errorf("%s: %s is not there", command.FullPath(), value.Summary())
			}
		}
	}
	if !strings.Contains(page, `CLOUDPAM_LISTEN`) {
		t.Error("it does not say how settings are made by the environment")
	}
}

func TestTheFormatterOfManualsTakesNoTextForItsOwn(t *testing.T) {
	for text, want := range map[string]string{
		"-f":         `\-f`,
		`a\b`:        `a\eb`,
		".env":       `\&.env`,
		"'quoted'":   `\&'quoted'`,
		"two\nlines": "two lines",
	} {
		if got := troff(text); got != want {
			t.Errorf("%q becomes %q, not %q", text, got, want)
		}
	}
}
