// Command prove takes out the lines that guard what CloudPAM promises, one at a time, and expects a test to miss each. It changes
// nothing: the compiler is handed another text in place of the file (go test -overlay).
//
// Exit codes: 0 every line is missed, 1 one is not, or the table is not true any more, 2 wrong usage.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// guard is a line that keeps a promise, and who misses it.
type guard struct {
	promise string
	file    string // below server/
	take    string // there once
	put     string // in its place
	in      string // the package of the tests, below server/
	tests   string // of which one must fail, as go test -run takes them
}

func main() {
	only := flag.String("only", "", "only guards whose promise or file has this text")
	list := flag.Bool("list", false, "list the guards")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "prove takes no arguments; see -help")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	chosen := slices.DeleteFunc(slices.Clone(guards), func(g guard) bool { return !strings.Contains(g.promise+" "+g.file, *only) })
	if *list {
		for _, g := range chosen {
			fmt.Printf("%-36s %s\n", g.file, g.promise)
		}
		return
	}
	if err := prove(ctx, chosen); err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

// prove runs all guards.
func prove(ctx context.Context, all []guard) error {
	dir, err := os.MkdirTemp("", "prove")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	begun := time.Now()
	for _, g := range all { // before anything is run
		if _, err := g.without(); err != nil {
			return err
		}
	}
	if err := sound(ctx, all); err != nil {
		return err
	}
	var bad []string
	for n, g := range all {
		start := time.Now()
		failed, err := g.missed(ctx, dir)
		verdict := "missed by " + failed
		if err != nil {
			verdict = "NOT MISSED: " + err.Error()
			bad = append(bad, g.promise+" ("+g.file+")")
		}
		fmt.Printf("%3d/%d %6.1fs  %s: %s\n", n+1, len(all), time.Since(start).Seconds(), g.promise, verdict)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Printf("\n%d of %d guards are missed by a test when they are taken out; %s\n", len(all)-len(bad), len(all), time.Since(begun).Round(time.Second))
	if len(bad) > 0 {
		return fmt.Errorf("nothing misses:\n  %s", strings.Join(bad, "\n  "))
	}
	return nil
}

// sound runs the tests of all guards as the tree is: they must pass, or their failing would say nothing.
func sound(ctx context.Context, all []guard) error {
	tests := map[string][]string{}
	for _, g := range all {
		for name := range strings.SplitSeq(g.tests, "|") {
			if !slices.Contains(tests[g.in], name) {
				tests[g.in] = append(tests[g.in], name)
			}
		}
	}
	for in, names := range tests {
		out, err := goTest(ctx, in, strings.Join(names, "|"))
		if err != nil {
			return fmt.Errorf("before anything is taken out, tests of %s fail:\n%s", in, out)
		}
		for _, name := range names {
			if !strings.Contains(out, "--- PASS: "+name+" ") {
				return fmt.Errorf("%s has no test %s that passes", in, name)
			}
		}
		fmt.Printf("%s: %d tests pass\n", in, len(names))
	}
	return nil
}

// without is the file without the guard.
func (g guard) without() (string, error) {
	text, err := os.ReadFile(g.file)
	if err != nil {
		return "", fmt.Errorf("%w; prove runs in server/", err)
	}
	if n := strings.Count(string(text), g.take); n != 1 {
		return "", fmt.Errorf("%s has %d times what guards %q:\n%s\nsay in guards.go what does by now", g.file, n, g.promise, g.take)
	}
	return strings.Replace(string(text), g.take, g.put, 1), nil
}

// missed takes the guard out and answers which test fails.
func (g guard) missed(ctx context.Context, dir string) (string, error) {
	text, err := g.without()
	if err != nil {
		return "", err
	}
	file, err := filepath.Abs(g.file)
	if err != nil {
		return "", err
	}
	instead, overlay := filepath.Join(dir, "instead"+filepath.Ext(file)), filepath.Join(dir, "overlay.json")
	table, err := json.Marshal(map[string]map[string]string{"Replace": {file: instead}})
	if err == nil {
		err = errors.Join(os.WriteFile(instead, []byte(text), 0o600), os.WriteFile(overlay, table, 0o600))
	}
	if err != nil {
		return "", err
	}
	out, err := goTest(ctx, g.in, g.tests, "-overlay="+overlay, "-failfast")
	switch {
	case err == nil:
		return "", fmt.Errorf("%s pass without it", g.tests)
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		return "", fmt.Errorf("it does not compile without it:\n%s", out)
	}
	for line := range strings.SplitSeq(out, "\n") {
		if name, failed := strings.CutPrefix(line, "--- FAIL: "); failed {
			name, _, _ = strings.Cut(name, " ")
			return name, nil
		}
	}
	if strings.Contains(out, "panic:") {
		return "a panic", nil
	}
	return "", fmt.Errorf("no test fails:\n%s", out)
}

func goTest(ctx context.Context, in, tests string, more ...string) (string, error) {
	args := append([]string{"test", "-count=1", "-vet=off", "-v", "-timeout=60m", "-run", "^(" + tests + ")$"}, more...)
	out, err := exec.CommandContext(ctx, "go", append(args, "./"+in)...).CombinedOutput() //nolint:gosec // the table is ours
	return string(out), err
}
