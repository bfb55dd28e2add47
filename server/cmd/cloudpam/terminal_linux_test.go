package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal opens a pseudo terminal of some columns; what is written to the other end of it is read from it.
func terminal(t *testing.T, columns int) *os.File {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	if err := unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(ours.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
	return ours
}

// otherEnd is what a program has as its terminal.
func otherEnd(t *testing.T, ours *os.File) *os.File {
	t.Helper()
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return theirs
}

// onTerminal runs a command whose output goes to a terminal, and its input comes from there where it is that, and returns what stands there.
func onTerminal(t *testing.T, c *exec.Cmd, ours *os.File) ([]byte, error) {
	t.Helper()
	theirs := otherEnd(t, ours)
	c.Stdout, c.Stderr = theirs, theirs
	if c.Stdin == ours {
		c.Stdin = theirs
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	var out bytes.Buffer
	_, _ = io.Copy(&out, ours) // ends with an error when nobody has the other end any more
	err := c.Wait()
	return bytes.ReplaceAll(out.Bytes(), []byte("\r\n"), []byte("\n")), err
}

func TestAReleaseAsksAtATerminal(t *testing.T) {
	address := estate(t)
	p := place{dir: t.TempDir(), settings: []string{"CLOUDPAM_ENDPOINT=" + address, "CLOUDPAM_TOKEN=" + adminToken}}
	p.want(t, 0, "pool", "create", "corp", "10.0.0.0/8")
	p.want(t, 0, "allocate", "corp", "a", "/24")
	p.want(t, 2, "release", "corp/a") // nobody is there
	for _, answer := range []struct {
		text string
		code int
		want string
	}{{"no\n", 3, "Do it? (yes/no)"}, {"yes\n", 0, "released 10.0.0.0/24, allocation a of pool corp"}} {
		screen := terminal(t, 80)
		c := p.command("release", "corp/a")
		c.Stdin = screen
		if _, err := screen.WriteString(answer.text); err != nil {
			t.Fatal(err)
		}
		out, _ := onTerminal(t, c, screen)
		if got := c.ProcessState.ExitCode(); got != answer.code || !strings.Contains(string(out), "Release 10.0.0.0/24, allocation a of pool corp?") || !strings.Contains(string(out), answer.want) {
			t.Errorf("%q: code %d, it says %s", answer.text, got, out)
		}
	}
	p.want(t, 1, "release", "corp/a", "--yes")
}
