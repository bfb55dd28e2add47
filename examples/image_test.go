package examples_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// image is what a builder of containers makes of server/Dockerfile: a root, and how to run what is in it.
type image struct {
	root, dir    string
	uid, gid     int
	env          []string
	entry, args  []string
	health       []string
	ports, label []string
}

// build follows the instructions of the Dockerfile, of which ours needs few, over the folder that `make image/context` fills.
func build(t *testing.T) image {
	t.Helper()
	run(t, "make", "-C", "..", "image/context")
	text, err := os.ReadFile("../server/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	i := image{root: t.TempDir(), dir: "/"}
	for line := range strings.SplitSeq(strings.ReplaceAll(string(text), "\\\n", " "), "\n") {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		words := strings.Fields(rest)
		switch verb {
		case "", "#":
		case "FROM":
			if rest != "scratch" {
				t.Fatalf("it is built from %s; ours is static and needs nothing", rest)
			}
		case "COPY":
			uid, gid := 0, 0
			if owner, ok := strings.CutPrefix(words[0], "--chown="); ok {
				uid, gid = ids(t, owner)
				words = words[1:]
			}
			i.copy(t, filepath.Join("../bin/image", words[0]), words[1], uid, gid)
		case "USER":
			i.uid, i.gid = ids(t, rest)
		case "WORKDIR":
			i.dir = rest
		case "ENV":
			i.env = append(i.env, words...)
		case "EXPOSE":
			i.ports = append(i.ports, rest)
		case "LABEL":
			i.label = append(i.label, rest)
		case "ENTRYPOINT":
			list(t, rest, &i.entry)
		case "CMD":
			list(t, rest, &i.args)
		case "HEALTHCHECK":
			_, command, _ := strings.Cut(rest, "CMD ")
			list(t, command, &i.health)
		case "VOLUME":
			if _, err := os.Stat(filepath.Join(i.root, rest)); err != nil {
				t.Errorf("the volume: %v", err)
			}
		default:
			t.Fatalf("the test does not know the instruction %s", verb)
		}
	}
	// A read-only root: nobody but its owner could write there, and its owner does not run in it.
	for _, dir := range []string{"etc/ssl/certs", "etc/ssl", "etc", "usr/bin", "usr", "."} {
		if err := os.Chmod(filepath.Join(i.root, dir), 0o555); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		_ = filepath.WalkDir(i.root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				_ = os.Chmod(path, 0o700)
			}
			return nil
		})
	})
	return i
}

func ids(t *testing.T, owner string) (uid, gid int) {
	t.Helper()
	u, g, _ := strings.Cut(owner, ":")
	uid, err := strconv.Atoi(u)
	if err == nil {
		gid, err = strconv.Atoi(g)
	}
	if err != nil {
		t.Fatalf("%q is no uid and gid; Kubernetes checks that a number is not 0", owner)
	}
	return uid, gid
}

func list(t *testing.T, text string, into *[]string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%s: %v; there is no shell", text, err)
	}
}

func (i image) copy(t *testing.T, from, to string, uid, gid int) {
	t.Helper()
	to = filepath.Join(i.root, to)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		err = os.Mkdir(to, 0o755)
	} else {
		var content []byte
		if content, err = os.ReadFile(from); err == nil {
			err = os.WriteFile(to, content, info.Mode().Perm())
		}
	}
	if err == nil && os.Getuid() == 0 {
		err = os.Chown(to, uid, gid)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// command runs in the root as the image's user. Who is not root has that user be himself, in a namespace of his own.
func (i image) command(env []string, args ...string) *exec.Cmd {
	c := exec.Command(args[0], args[1:]...)
	c.Dir, c.Env = i.dir, append(append([]string{}, i.env...), env...)
	c.SysProcAttr = &syscall.SysProcAttr{Chroot: i.root, Credential: &syscall.Credential{Uid: uint32(i.uid), Gid: uint32(i.gid), NoSetGroups: os.Getuid() != 0}}
	if os.Getuid() != 0 {
		c.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: i.uid, HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: i.gid, HostID: os.Getgid(), Size: 1}}
	}
	return c
}

func TestTheImageServesAsNobodyAndWritesOnlyItsData(t *testing.T) {
	i := build(t)
	if i.uid == 0 || i.gid == 0 {
		t.Fatal("it runs as root")
	}
	// The port of the image may be in use on this machine, and no namespace keeps them apart here.
	address := free(t)
	_, port, _ := net.SplitHostPort(address)
	env := []string{"CLOUDPAM_LISTEN=0.0.0.0:" + port}

	if out, err := i.command(env, i.health...).CombinedOutput(); err == nil {
		t.Errorf("before anything runs, the health check says %s", out)
	}
	serve := i.command(env, append(append([]string{}, i.entry...), i.args...)...)
	var log bytes.Buffer
	serve.Stderr = &log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve.Wait() }()
	for ready := false; !ready; {
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v\n%s", err, &log)
		case <-time.After(20 * time.Millisecond):
			ready = i.command(env, i.health...).Run() == nil
		}
	}

	secret, err := os.ReadFile(filepath.Join(i.root, "data/cloudpam-admin-token"))
	if err != nil {
		t.Fatal(err)
	}
	ask, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+address+"/api/v1/pools", strings.NewReader(`{"name":"corp","cidr":"10.0.0.0/8"}`))
	if err != nil {
		t.Fatal(err)
	}
	ask.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(secret)))
	ask.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		t.Errorf("a pool: %s", answer.Status)
	}
	_ = serve.Process.Signal(syscall.SIGTERM)
	if err := <-ended; err != nil {
		t.Errorf("it did not end well: %v\n%s", err, &log)
	}

	// The tools are the same program, on the same database.
	if out, err := i.command(env, append(append([]string{}, i.entry...), "verify")...).CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	var written []string
	_ = filepath.WalkDir(i.root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.HasPrefix(path, filepath.Join(i.root, "data")) {
			written = append(written, strings.TrimPrefix(path, i.root))
		}
		return err
	})
	if got := strings.Join(written, " "); got != "/etc/ssl/certs/ca-certificates.crt /usr/bin/cloudpam" {
		t.Errorf("beside its data there are %s", got)
	}
}
