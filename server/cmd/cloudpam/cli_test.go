package main

import (
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what commands say into docs/cli.md and testdata")

const adminToken = "cpam_test_0123456789abcdefghijklmnopqrstuv"

// estate is a server whose first token approves at once, with an account that it looks at.
func estate(t *testing.T) (address string) {
	t.Helper()
	p := place{dir: t.TempDir(), settings: []string{"CLOUDPAM_BOOTSTRAP_TOKEN=" + adminToken, "CLOUDPAM_CLOUDS=custom", "CLOUDPAM_APPROVAL_DELAY=0s"}}
	p.settings = append(p.settings, "CLOUDPAM_CUSTOM_DIR="+p.dir)
	document := `{"networks":[{"id":"net-1","name":"Office","cidrs":["10.20.0.0/16"]}],"subnets":[{"id":"sub-1","name":"floor-1","network":"net-1","cidr":"10.20.1.0/24"}]}`
	if err := os.WriteFile(filepath.Join(p.dir, "berlin.json"), []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	host, _, _ := p.serve(t)
	address = "http://" + host
	if code, body := ask(t, "POST", address+"/api/v1/accounts", adminToken, `{"cloud":"custom","external_id":"berlin","name":"berlin"}`); code != 201 {
		t.Fatal(code, body)
	}
	return address
}

// shell is a place whose commands run in a shell that knows the program by its name.
func shell(t *testing.T) place {
	t.Helper()
	p := place{dir: t.TempDir()}
	program := filepath.Join(p.dir, "bin")
	if err := os.MkdirAll(program, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(testBinary(t), filepath.Join(program, "cloudpam")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "token"), []byte(adminToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.settings = []string{"PATH=" + program + ":" + os.Getenv("PATH")}
	return p
}

func testBinary(t *testing.T) string {
	t.Helper()
	name, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// said runs a line of a shell and returns what a terminal would show, with what differs between runs made alike.
func (p place) said(t *testing.T, line, address string, screen *os.File) string {
	t.Helper()
	c := p.command()
	c.Path, c.Args = "/bin/bash", []string{"bash", "-c", strings.ReplaceAll(line, "https://cloudpam.example.com", address)}
	var out []byte
	var err error
	if screen == nil {
		out, err = c.CombinedOutput()
	} else {
		out, err = onTerminal(t, c, screen)
	}
	if err != nil {
		t.Logf("%s: %v", line, err)
	}
	text := strings.ReplaceAll(string(out), address, "https://cloudpam.example.com")
	text = strings.ReplaceAll(text, p.dir+"/", "/home/you/")
	text = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d`).ReplaceAllString(text, "2026-12-01 09:30")
	text = regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`).ReplaceAllString(text, "2026-12-01T09:30:00Z")
	return regexp.MustCompile(`(alloc|hold|approval|pool|quar|quarantine|event|resv)_[0-9a-z]{13}\b`).ReplaceAllString(text, "${1}_05avjh1tavuhf")
}

// The page is the test: what stands below each command is what the command says.
func TestThePageOfCommandsShowsWhatTheySay(t *testing.T) {
	const page = "../../../docs/cli.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	address, p, run := estate(t), shell(t), 0
	got := regexp.MustCompile("(?s)```console\n(.*?)```").ReplaceAllFunc(text, func(block []byte) []byte {
		var out strings.Builder
		out.WriteString("```console\n")
		for line := range strings.SplitSeq(string(block), "\n") {
			command, is := strings.CutPrefix(line, "$ ")
			if !is {
				continue
			}
			if run++; strings.Contains(command, "allocate corp huge") { // the policy that the page speaks of
				ask(t, "PUT", address+"/api/v1/pools/corp/policy", adminToken, `{"rules":{"approval_above":12}}`)
			}
			out.WriteString(line + "\n" + p.said(t, command, address, nil))
		}
		return []byte(out.String() + "```")
	})
	if run < 30 {
		t.Fatalf("the page has %d commands", run)
	}
	golden(t, page, string(got))
}

// golden compares a text with a file, or writes it there.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		file := filepath.Join(t.TempDir(), "got")
		_ = os.WriteFile(file, []byte(got), 0o600)
		diff, _ := exec.Command("diff", "-u", name, file).CombinedOutput()
		t.Errorf("%s is not what commands say; look, and take it with go test -update:\n%s", name, diff)
	}
}

// record is a line of a row that no table has room for: it is as long as it needs.
var record = regexp.MustCompile(`^[A-Z]+  +\S`)

func TestTablesFitTheTerminalThatTheyAreWrittenTo(t *testing.T) {
	address, p := estate(t), shell(t)
	for _, line := range []string{
		"cloudpam login https://cloudpam.example.com < token",
		"cloudpam pool create corp 10.0.0.0/8 --owner network-engineering-and-operations --description 'All that the company has of private space, in every region and cloud'",
		"cloudpam pool create prod-eu-west-1-shared-services /16 --parent corp --owner platform",
		"cloudpam allocate prod-eu-west-1-shared-services payments/checkout/eu-west-1a/app /22 --owner payments",
		"cloudpam hold place prod-eu-west-1-shared-services payments/checkout/eu-west-1b/app /22 --holder github:cloudpam/estate/prod",
		"cloudpam pool create v6 2001:db8::/32 && cloudpam allocate v6 lab 2001:db8:abcd:ef01:2345:6789:abcd:ef00/120",
		"cloudpam sync custom:berlin",
	} {
		t.Log(p.said(t, line, address, nil))
	}
	for _, columns := range []int{60, 120} {
		var all strings.Builder
		for _, line := range []string{
			"cloudpam pool list", "cloudpam pool tree", "cloudpam pool show corp", "cloudpam pool show prod-eu-west-1-shared-services --space",
			"cloudpam free corp", "cloudpam who 10.0.0.9", "cloudpam who 2001:db8:abcd:ef01:2345:6789:abcd:ef01", "cloudpam who payments", "cloudpam hold list",
			"cloudpam history 10.0.0.0/16", "cloudpam drift",
		} {
			screen := terminal(t, columns)
			out := p.said(t, line, address, screen)
			for row := range strings.SplitSeq(out, "\n") {
				if n := len([]rune(row)); n > columns && !record.MatchString(row) {
					t.Errorf("%s: %d columns of %d: %s", line, n, columns, row)
				}
			}
			all.WriteString("$ " + line + "\n" + out + "\n")
		}
		golden(t, filepath.Join("testdata", map[int]string{60: "columns-60.txt", 120: "columns-120.txt"}[columns]), all.String())
	}
}

func TestEachCommandThatAsksAnswersWithJSON(t *testing.T) {
	address := estate(t)
	p := place{dir: t.TempDir(), settings: []string{"CLOUDPAM_ENDPOINT=" + address, "CLOUDPAM_TOKEN=" + adminToken}}
	for _, args := range [][]string{
		{"pool", "create", "corp", "10.0.0.0/8"},
		{"pool", "list"},
		{"pool", "tree"},
		{"pool", "show", "corp"},
		{"pool", "show", "corp", "--space"},
		{"allocate", "corp", "a", "/24", "--dry-run"},
		{"allocate", "corp", "a", "/24"},
		{"free", "corp"},
		{"free", "corp", "/24"},
		{"who", "10.0.0.1"},
		{"who", "a"},
		{"history", "10.0.0.1"},
		{"hold", "place", "corp", "b", "/24"},
		{"hold", "list"},
		{"approve"},
		{"sync", "custom:berlin"},
		{"adopt", "--account", "custom:berlin"},
		{"drift"},
		{"release", "corp/a", "--yes", "--dry-run"},
		{"release", "corp/a", "--yes"},
		{"import", "list"},
	} {
		out, said := p.want(t, 0, append(args, "--json")...)
		d := json.NewDecoder(strings.NewReader(out))
		var answer any
		if err := d.Decode(&answer); err != nil || answer == nil {
			t.Errorf("%v: %v: %q", args, err, out)
		}
		if _, err := d.Token(); err != io.EOF || said != "" {
			t.Errorf("%v: more than an answer: %q, %q", args, out, said)
		}
	}
}

func TestARefusalIsSaidOnceWithItsCode(t *testing.T) {
	address := estate(t)
	p := place{dir: t.TempDir(), settings: []string{"CLOUDPAM_ENDPOINT=" + address, "CLOUDPAM_TOKEN=" + adminToken}}
	p.want(t, 0, "pool", "create", "corp", "10.0.0.0/8")
	for want, args := range map[string][]string{
		"cloudpam: a /4 is larger than pool corp (10.0.0.0/8); use 8 to 32 [invalid]": {"allocate", "corp", "a", "/4"},
		`cloudpam: there is no pool "nowhere"`:                                        {"free", "nowhere"},
		`cloudpam: pool corp has no allocation "x"`:                                   {"release", "corp/x", "--yes"},
		`cloudpam: there is no allocation "alloc_0000000000000"`:                      {"release", "alloc_0000000000000", "--yes"},
		`cloudpam: there is no pool "corpse"`:                                         {"pool", "tree", "corpse"},
		"is CLOUDPAM_ENDPOINT right? Without it the server is that of cloudpam login": {"pool", "list", "--endpoint", "http://127.0.0.1:1"},
		"is CLOUDPAM_TOKEN right, or the token of cloudpam login?":                    {"pool", "list", "--token", "cpam_nobody_0123456789"},
	} {
		_, said := p.want(t, 1, args...)
		if !strings.Contains(said, want) || strings.Count(said, want) != 1 {
			t.Errorf("%v: it says %s", args, said)
		}
	}
	for want, args := range map[string][]string{
		"write how long its prefix is, like /24, or a CIDR, like 10.0.0.0/24":            {"allocate", "corp", "a", "/240"},
		"10.0.0.1/24 has bits behind its prefix; the block that it is in is 10.0.0.0/24": {"allocate", "corp", "a", "10.0.0.1/24"},
		"write how long its prefix is, like /22":                                         {"free", "corp", "10.0.0.0/24"},
		"nobody can be asked here; look with --dry-run, or do it with --yes":             {"approve", "approval_0000000000000"},
		`CLOUDPAM_ENDPOINT`: {"pool", "list", "--endpoint"},
		`endpoint "cloudpam.example.com" is not an http or https URL; write it like https://c`: {"pool", "list", "--endpoint", "cloudpam.example.com"},
	} {
		code := 2
		if args[0] == "approve" {
			code = 1 // there is none: that is seen first
			want = `there is no approval "approval_0000000000000"`
		}
		if args[len(args)-1] == "--endpoint" {
			want = "--endpoint"
		}
		if _, said := p.want(t, code, args...); !strings.Contains(said, want) {
			t.Errorf("%v: it says %s", args, said)
		}
	}
}
