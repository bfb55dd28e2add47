package acctest

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what tests print to testdata/golden instead of comparing it")

// Golden compares a text with testdata/golden/NAME.txt of the package, which go test -update writes.
func Golden(t testing.TB, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if got != string(want) {
		t.Errorf("%s is not what was printed. go test -update accepts it.\n--- printed:\n%s\n--- want:\n%s", file, got, want)
	}
}

var (
	ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")
	// What differs between runs has the same length in all of them, so Terraform breaks the lines at the same places.
	volatile = []struct {
		form *regexp.Regexp
		as   string
	}{
		{regexp.MustCompile(`127\.0\.0\.1:\d{5}`), "127.0.0.1:40000"},
		{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "01234567-89ab-cdef-0123-456789abcdef"},
		{regexp.MustCompile(`\b(alloc|hold|rsv|approval)_[a-z0-9]{13}\b`), "${1}_0123456789abc"},
		{regexp.MustCompile(`registry\.opentofu\.org`), "registry.terraform.io"},
		{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "2006-01-02T15:04:05Z"},
	}
)

// Diagnostics are the warnings and errors in what Terraform printed, boxed as a person sees them, without what differs
// between runs. Terraform sorts neither, so one run should cause one.
func Diagnostics(printed string) string {
	printed = ansi.ReplaceAllString(printed, "")
	var boxes strings.Builder
	for {
		start := strings.Index(printed, "╷\n")
		end := strings.Index(printed, "\n╵")
		if start < 0 || end < start {
			break
		}
		box := printed[start : end+len("\n╵")]
		printed = printed[end+len("\n╵"):]
		if strings.Contains(box, "Provider development overrides are in effect") {
			continue
		}
		boxes.WriteString(box + "\n")
	}
	text := boxes.String()
	for _, v := range volatile {
		text = v.form.ReplaceAllString(text, v.as)
	}
	return text
}

// Page compares a text with what a page of the documentation has between its two marks, which go test -update writes.
func Page(t testing.TB, file, got string) {
	t.Helper()
	const begin, end = "<!-- what the tests found -->\n", "<!-- until here -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), begin)
	want, tail, ended := strings.Cut(rest, end)
	switch {
	case !found || !ended:
		t.Fatalf("%s has no marks", file)
	case *update:
		if err := os.WriteFile(file, []byte(head+begin+got+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
	case got != want:
		t.Errorf("%s does not say what was found. go test -update writes it.\n--- found:\n%s\n--- it says:\n%s", file, got, want)
	}
}
