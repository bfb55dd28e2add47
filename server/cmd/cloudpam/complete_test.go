package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// What each shell does with a line whose end is to be completed, with the words that it would offer on lines of their own.
var shells = map[string]string{
	"bash": `source <(cloudpam completion bash); COMP_LINE=$0 COMP_POINT=${#0}; _cloudpam; printf '%s\n' "${COMPREPLY[@]}"`,
	"zsh":  `compdef() { :; }; compadd() { print -l -- $found; }; _default() { :; }; source <(cloudpam completion zsh); words=("${(@s: :)1}"); CURRENT=${#words}; _cloudpam`,
	"fish": `cloudpam completion fish | source; complete -C "$argv[1]"`,
}

func TestShellsCompleteCommandsAndNames(t *testing.T) {
	address := estate(t)
	p := shell(t)
	p.settings = append(p.settings, "CLOUDPAM_ENDPOINT="+address, "CLOUDPAM_TOKEN="+adminToken)
	p.want(t, 0, "pool", "create", "corp", "10.0.0.0/8")
	p.want(t, 0, "pool", "create", "core", "172.16.0.0/12")
	p.want(t, 0, "allocate", "corp", "shop-a", "/24")
	for name, script := range shells {
		offered := func(line string) []string {
			t.Helper()
			c := p.command()
			args := map[string][]string{"bash": {"bash", "-c", script, line}, "zsh": {"zsh", "-f", "-c", script, "zsh", line}, "fish": {"fish", "--no-config", "-c", script, line}}[name]
			c.Path, c.Args = pathOf(t, name), args
			out, err := c.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %q: %v\n%s", name, line, err, out)
			}
			return strings.Fields(string(out))
		}
		for line, want := range map[string][]string{
			"cloudpam pool s":         {"show"},
			"cloudpam free cor":       {"core", "corp"},
			"cloudpam release corp/":  {"corp/shop-a"},
			"cloudpam sync cust":      {"custom:berlin"},
			"cloudpam hold list --po": {"--pool"},
			"cloudpam completion z":   {"zsh"},
		} {
			got := offered(line)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %q is completed with %q, not %q", name, line, got, want)
			}
		}
	}
	t.Run("bash takes what is behind a colon for a word of its own", func(t *testing.T) {
		c := p.command()
		c.Path, c.Args = pathOf(t, "bash"), []string{"bash", "-c", shells["bash"], "cloudpam sync custom:b"}
		if out, err := c.CombinedOutput(); string(out) != "berlin\n" {
			t.Errorf("it is completed with %q, %v", out, err)
		}
	})
	t.Run("a server that is not there completes nothing", func(t *testing.T) {
		away := p
		away.settings = []string{"COMP_LINE=cloudpam free ", "CLOUDPAM_ENDPOINT=http://127.0.0.1:1", "CLOUDPAM_TOKEN=x"}
		if out, said := away.want(t, 0); out != "" || said != "" {
			t.Errorf("it says %q, %q", out, said)
		}
	})
}

func pathOf(t *testing.T, program string) string {
	t.Helper()
	name, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%s is not installed: %v", program, err)
	}
	return name
}
