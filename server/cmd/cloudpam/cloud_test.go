package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

func TestAnEstateIsSeenAdoptedAndWrittenByCommands(t *testing.T) {
	const secret = "cpam_test_0123456789abcdefghijklmnopqrstuv"
	p := place{dir: t.TempDir(), settings: []string{"CLOUDPAM_BOOTSTRAP_TOKEN=" + secret, "CLOUDPAM_CLOUDS=custom"}}
	p.settings = append(p.settings, "CLOUDPAM_CUSTOM_DIR="+p.dir)
	document := `{"networks":[{"id":"net-1","name":"Office","cidrs":["10.20.0.0/16"]}],"subnets":[{"id":"sub-1","name":"floor\u001b[2J 1","network":"net-1","cidr":"10.20.1.0/24"},{"id":"sub-2","network":"net-1","cidr":"10.20.2.0/24"}]}`
	if err := os.WriteFile(filepath.Join(p.dir, "berlin.json"), []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	address, _, stop := p.serve(t)
	defer stop()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+address+"/api/v1/accounts", strings.NewReader(`{"cloud":"custom","external_id":"berlin","name":"berlin"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil || res.StatusCode != http.StatusCreated {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()

	client := place{dir: t.TempDir(), settings: []string{"CLOUDPAM_ENDPOINT=http://" + address, "CLOUDPAM_TOKEN=" + secret}}
	if out, _ := client.want(t, 0, "sync", "custom:berlin"); !strings.Contains(out, "custom:berlin: 3 new, 0 changed, 0 gone") || !strings.Contains(out, "global  subnets   complete") {
		t.Errorf("it says %s", out)
	}
	if out, _ := client.want(t, 3, "drift"); !strings.Contains(out, "unmanaged  10.20.1.0/24") || !strings.Contains(out, "3 differences in scope default") {
		t.Errorf("it says %s", out)
	}
	if out, _ := client.want(t, 3, "adopt", "custom:sub-1"); !strings.Contains(out, "refused  10.20.1.0/24  custom:sub-1") || !strings.Contains(out, "no pool of scope default is around 10.20.1.0/24") {
		t.Errorf("it says %s", out)
	}
	if out, _ := client.want(t, 0, "adopt", "--account", "custom:berlin", "--dry-run"); !strings.Contains(out, "3 would be adopted") {
		t.Errorf("it says %s", out)
	}
	dir := filepath.Join(client.dir, "out")
	out, _ := client.want(t, 0, "adopt", "--account", "custom:berlin", "--label", "team=net", "--out", dir)
	if !strings.Contains(out, "adopted  10.20.0.0/16  custom:net-1  pool        office") || !strings.Contains(out, "3 adopted") || strings.Contains(out, "\x1b") {
		t.Errorf("it says %s", out)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "custom-berlin", "cloudpam.tf")); err != nil || !strings.Contains(string(text), `resource "cloudpam_pool" "office"`) {
		t.Errorf("%v\n%s", err, text)
	}
	var drifts []cloudpam.Drift
	if out, _ := client.want(t, 0, "drift", "--json"); json.Unmarshal([]byte(out), &drifts) != nil || len(drifts) != 0 || out != "[]\n" {
		t.Errorf("it says %s", out)
	}
	var again cloudpam.Adoption
	if out, _ := client.want(t, 0, "adopt", "custom:sub-1", "--json"); json.Unmarshal([]byte(out), &again) != nil || again.Already != 1 {
		t.Errorf("it says %s", out)
	}

	for want, args := range map[string][]string{
		"say what to adopt":                          {"adopt"},
		"name it with --account":                     {"adopt", "custom:sub-1", "--out", dir},
		"with --dry-run nothing is":                  {"adopt", "--account", "custom:berlin", "--out", dir, "--dry-run"},
		"write it like https://cloudpam.example.com": {"drift", "--endpoint", "nonsense"},
	} {
		if _, said := client.want(t, 2, args...); !strings.Contains(said, want) {
			t.Errorf("%v: it says %s", args, said)
		}
	}
	for want, args := range map[string][]string{
		`there is no account "custom:rome"`: {"sync", "custom:rome"},
		"is CLOUDPAM_ENDPOINT right?":       {"drift", "--endpoint", "http://127.0.0.1:1"},
	} {
		if _, said := client.want(t, 1, args...); !strings.Contains(said, want) {
			t.Errorf("%v: it says %s", args, said)
		}
	}
	if _, said := (place{dir: client.dir}).want(t, 2, "drift"); !strings.Contains(said, "set CLOUDPAM_TOKEN") {
		t.Errorf("it says %s", said)
	}
}

func TestATableFitsTheTerminal(t *testing.T) {
	for most, rows := range map[int]int{0: 3, 80: 3, 40: 3, 24: 7} {
		var out bytes.Buffer
		table(&out, most, []string{"KIND", "CIDR", "WHAT"}, [][]string{{"unmanaged", "10.20.1.0/24", strings.Repeat("long ", 40)}, {"missing", "2001:db8::/56", "größe\n\x1b[31m"}})
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != rows || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%q", lines)
		}
		for _, line := range lines {
			if n := len([]rune(line)); most > 0 && rows == 3 && n > most {
				t.Errorf("%d columns of %d: %q", n, most, line)
			}
		}
		if !strings.Contains(out.String(), "2001:db8::/56") {
			t.Errorf("half an address is another one: %s", &out)
		}
		if (most == 0 || rows > 3) && !strings.Contains(out.String(), strings.TrimSpace(strings.Repeat("long ", 40))) {
			t.Errorf("what goes into a file is cut: %s", &out)
		}
	}
}
