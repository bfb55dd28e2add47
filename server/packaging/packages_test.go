//go:build release

package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// machine is this machine's own file system with a layer above it: what is installed there is truly installed, with its scripts, and is
// gone with the test. release-test.sh gives the tests mounts of their own.
type machine struct{ root string }

func scratch(t *testing.T) machine {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("packages are installed by root: run make release/test as root")
	}
	dir := t.TempDir()
	m := machine{filepath.Join(dir, "root")}
	run(t, "mount", "-t", "tmpfs", "layer", dir)
	t.Cleanup(func() { run(t, "umount", "--lazy", dir) })
	for _, made := range []string{"root", "work", "layer"} {
		if err := os.Mkdir(filepath.Join(dir, made), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "mount", "-t", "overlay", "-o", "lowerdir=/,upperdir="+dir+"/layer,workdir="+dir+"/work", "machine", m.root)
	t.Cleanup(func() { run(t, "umount", "--lazy", m.root) })
	for _, bound := range []string{"/dev", "/proc"} {
		run(t, "mount", "--rbind", bound, m.root+bound)
	}
	return m
}

func (m machine) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return run(t, "chroot", append([]string{m.root, name}, args...)...)
}

// put copies a file of ours to the top of the machine.
func (m machine) put(t *testing.T, path string) (inside string) {
	t.Helper()
	run(t, "cp", path, m.root)
	return "/" + filepath.Base(path)
}

func (m machine) has(path string) bool {
	_, err := os.Lstat(m.root + path)
	return err == nil
}

// packaged is what both packages install, and for whom.
var packaged = map[string]string{
	"/usr/bin/cloudpam":                               "755 root",
	"/usr/lib/systemd/system/cloudpam.service":        "644 root",
	"/usr/lib/sysusers.d/cloudpam.conf":               "644 root",
	"/etc/cloudpam/env":                               "600 root",
	"/usr/share/man/man1/cloudpam.1.gz":               "644 root",
	"/usr/share/bash-completion/completions/cloudpam": "644 root",
	"/usr/share/doc/cloudpam/CHANGELOG.md":            "644 root",

	"/usr/share/fish/vendor_completions.d/cloudpam.fish": "644 root",
}

// installed says what is true after the installation of either package, but for what they call their own.
func (m machine) installed(t *testing.T, r released, more ...string) {
	t.Helper()
	want := map[string]string{}
	for path, mode := range packaged {
		want[path] = mode
	}
	for _, path := range more {
		want[path] = "644 root"
	}
	for path, mode := range want {
		if got := strings.TrimSpace(m.run(t, "stat", "--format=%a %U", path)); got != mode {
			t.Errorf("%s is %s, not %s", path, got, mode)
		}
	}
	if got := m.run(t, "getent", "passwd", "cloudpam"); !strings.HasSuffix(got, ":/var/lib/cloudpam:/usr/sbin/nologin\n") {
		t.Errorf("the user is %s", got)
	}
	if m.has("/etc/systemd/system/multi-user.target.wants/cloudpam.service") {
		t.Error("it starts with the machine before anybody has said so")
	}
	m.run(t, "systemd-analyze", "verify", "/usr/lib/systemd/system/cloudpam.service")
	if said := m.run(t, "/usr/bin/cloudpam", "version"); !strings.HasPrefix(said, "cloudpam "+r.version+"\n") {
		t.Errorf("the program is %s", said)
	}
	if page := m.run(t, "gzip", "-dc", "/usr/share/man/man1/cloudpam.1.gz"); !strings.HasPrefix(page, `.TH CLOUDPAM 1 "" "cloudpam `) || !strings.Contains(page, "cloudpam serve") {
		t.Errorf("the manual page begins with %.100s", page)
	}
	m.run(t, "bash", "-c", "source /usr/share/bash-completion/completions/cloudpam && complete -p cloudpam")
}

// serves starts the server as the unit does: as the user, in the folder that systemd would make for it.
func (m machine) serves(t *testing.T) {
	t.Helper()
	m.run(t, "install", "--directory", "--owner=cloudpam", "--group=cloudpam", "--mode=700", "/var/lib/cloudpam")
	as := &syscall.SysProcAttr{Chroot: m.root, Credential: &syscall.Credential{Uid: m.id(t, "-u"), Gid: m.id(t, "-g")}}
	environment := []string{"CLOUDPAM_LISTEN=" + free(t), "CLOUDPAM_DATABASE_URL=sqlite:///var/lib/cloudpam/cloudpam.db"}
	program := func(args ...string) *exec.Cmd {
		c := exec.Command("/usr/bin/cloudpam", args...)
		c.Dir, c.Env, c.SysProcAttr = "/", environment, as
		return c
	}
	up(t, program("serve"), func() bool { return program("healthcheck").Run() == nil })
	if out, err := program("verify").CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

func (m machine) id(t *testing.T, of string) uint32 {
	t.Helper()
	id, err := strconv.ParseUint(strings.TrimSpace(m.run(t, "id", of, "cloudpam")), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(id)
}

func packageOf(t *testing.T, r released, pattern string) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(r.server, pattern))
	if len(found) != 1 {
		t.Fatalf("there are %d of %s: run make release/snapshot first", len(found), pattern)
	}
	return found[0]
}

func TestTheDebInstallsServesUpgradesAndLeavesTheDatabase(t *testing.T) {
	r := release(t)
	deb := packageOf(t, r, "cloudpam_*_amd64.deb")
	for field, want := range map[string]string{"Package": "cloudpam", "Architecture": "amd64", "Section": "net", "Depends": "passwd", "Recommends": "ca-certificates"} {
		if got := strings.TrimSpace(run(t, "dpkg-deb", "--field", deb, field)); got != want {
			t.Errorf("%s is %q, not %q", field, got, want)
		}
	}
	m := scratch(t)
	inside := m.put(t, deb)
	m.run(t, "dpkg", "--install", inside)
	m.installed(t, r, "/usr/share/zsh/vendor-completions/_cloudpam", "/usr/share/doc/cloudpam/copyright")
	t.Run("serves", m.serves)
	if err := os.WriteFile(m.root+"/etc/cloudpam/env", []byte("CLOUDPAM_LISTEN=0.0.0.0:8443\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.run(t, "dpkg", "--install", inside)
	if text, err := os.ReadFile(m.root + "/etc/cloudpam/env"); err != nil || !strings.HasPrefix(string(text), "CLOUDPAM_LISTEN") {
		t.Errorf("after an upgrade the settings are %s, %v", text, err)
	}
	m.run(t, "dpkg", "--remove", "cloudpam")
	if m.has("/usr/bin/cloudpam") || m.has("/usr/lib/systemd/system/cloudpam.service") || !m.has("/etc/cloudpam/env") {
		t.Error("removed, it left the program or the unit, or took the settings")
	}
	if said := m.run(t, "dpkg", "--purge", "cloudpam"); m.has("/etc/cloudpam/env") || !m.has("/var/lib/cloudpam/cloudpam.db") || !strings.Contains(said, "/var/lib/cloudpam stays") {
		t.Errorf("purged, it left the settings, or took the database, or said nothing of it: %s", said)
	}
}

// As in a container, where nothing of systemd is installed.
func TestTheDebMakesItsUserWithoutSystemd(t *testing.T) {
	r := release(t)
	m := scratch(t)
	m.run(t, "rm", "-f", "/usr/bin/systemd-sysusers", "/bin/systemd-sysusers")
	m.run(t, "dpkg", "--install", m.put(t, packageOf(t, r, "cloudpam_*_amd64.deb")))
	if got := m.run(t, "getent", "passwd", "cloudpam"); !strings.HasSuffix(got, ":CloudPAM:/var/lib/cloudpam:/usr/sbin/nologin\n") {
		t.Errorf("the user is %s", got)
	}
}

// Debian's rpm installs nothing unless forced to, and knows no packages to depend on.
func TestTheRpmInstallsServesUpgradesAndLeavesTheDatabase(t *testing.T) {
	r := release(t)
	rpm := packageOf(t, r, "cloudpam-*.x86_64.rpm")
	run(t, "rpm", "--checksig", "--nosignature", rpm)
	if got := run(t, "rpm", "-qp", "--qf", "%{NAME} %{ARCH} %{LICENSE} %{BUILDHOST}", rpm); got != "cloudpam x86_64 Apache-2.0 cloudpam" {
		t.Errorf("it is %s", got)
	}
	if got := run(t, "rpm", "-qp", "--requires", rpm); !strings.Contains(got, "shadow-utils") {
		t.Errorf("it requires %s", got)
	}
	if got := run(t, "rpm", "-qp", "--configfiles", rpm); got != "/etc/cloudpam/env\n" {
		t.Errorf("settings are %s", got)
	}
	m := scratch(t)
	inside := m.put(t, rpm)
	install := []string{"--force-debian", "--nodeps", "--upgrade", "--replacepkgs", inside}
	m.run(t, "rpm", install...)
	m.installed(t, r, "/usr/share/zsh/site-functions/_cloudpam", "/usr/share/licenses/cloudpam/LICENSE")
	t.Run("serves", m.serves)
	if err := os.WriteFile(m.root+"/etc/cloudpam/env", []byte("CLOUDPAM_LISTEN=0.0.0.0:8443\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.run(t, "rpm", install...)
	if text, err := os.ReadFile(m.root + "/etc/cloudpam/env"); err != nil || !strings.HasPrefix(string(text), "CLOUDPAM_LISTEN") {
		t.Errorf("after an upgrade the settings are %s, %v", text, err)
	}
	m.run(t, "rpm", "--force-debian", "--nodeps", "--erase", "cloudpam")
	if m.has("/usr/bin/cloudpam") || m.has("/usr/lib/systemd/system/cloudpam.service") || !m.has("/var/lib/cloudpam/cloudpam.db") {
		t.Error("removed, it left the program or the unit, or took the database")
	}
}
