package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// The example of docs/import.md, as it stands there.
func TestASpreadsheetIsImportedAndTakenBackByCommands(t *testing.T) {
	const secret = "cpam_test_0123456789abcdefghijklmnopqrstuv"
	server := place{dir: t.TempDir(), settings: []string{"CLOUDPAM_BOOTSTRAP_TOKEN=" + secret}}
	address, _, stop := server.serve(t)
	defer stop()
	client := place{dir: t.TempDir(), settings: []string{"CLOUDPAM_ENDPOINT=http://" + address, "CLOUDPAM_TOKEN=" + secret}}
	doc, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "import.md"))
	if err != nil {
		t.Fatal(err)
	}
	parts := regexp.MustCompile("(?s)\n\n```\n(.*?)```").FindAllSubmatch(doc, 2)
	if len(parts) != 2 {
		t.Fatalf("the page has %d examples", len(parts))
	}
	file := filepath.Join(client.dir, "team.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("name,cidr\ncorp,10.0.0.0/16\n")
	client.want(t, 0, "import", "csv", "pools", file, "--yes")
	write(string(parts[0][1]))
	if _, said := client.want(t, 2, "import", "csv", "allocations", file); !strings.Contains(said, "look with --dry-run, or do it with --yes") {
		t.Errorf("it says %s", said)
	}
	shown, said := client.want(t, 3, "import", "csv", "allocations", file, "--yes")
	if got := "$ cloudpam import csv allocations team.csv\n" + shown + said; got != string(parts[1][1]) {
		t.Errorf("the page says\n%s\nand the command\n%s", parts[1][1], got)
	}
	write(strings.Replace(string(parts[0][1]), "10.0.2.128/25", "10.0.3.0/24", 1))
	if out, _ := client.want(t, 0, "import", "csv", "allocations", file, "--dry-run"); !strings.Contains(out, "3 would be created, 0 updated, 0 are unchanged, 0 refused") {
		t.Errorf("it says %s", out)
	}
	out, _ := client.want(t, 0, "import", "csv", "allocations", file, "--yes")
	id := regexp.MustCompile(`cloudpam import undo (import_\w+)`).FindStringSubmatch(out)
	if id == nil {
		t.Fatalf("it says %s", out)
	}
	var again cloudpam.Import
	if out, _ := client.want(t, 0, "import", "csv", "allocations", file, "--yes", "--json"); json.Unmarshal([]byte(out), &again) != nil || again.Unchanged != 3 {
		t.Errorf("it says %s", out)
	}
	if out, _ := client.want(t, 0, "import", "undo", id[1]); out != "3 are gone, 0 are as before\n" {
		t.Errorf("it says %s", out)
	}
	if _, said := client.want(t, 1, "import", "undo", id[1]); !strings.Contains(said, "was undone already") {
		t.Errorf("it says %s", said)
	}
	if out, _ := client.want(t, 0, "import", "list"); strings.Count(out, "import_") != 3 || !strings.Contains(out, "undone") {
		t.Errorf("it says %s", out)
	}
	if _, said := client.want(t, 1, "import", "csv", "allocations", file, "--dry-run", "--column", "Nme=owner"); !strings.Contains(said, `the file has no column "Nme"`) {
		t.Errorf("it says %s", said)
	}
}
