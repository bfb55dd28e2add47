//go:build release

// Package packaging_test installs what `make release/snapshot` has built, and uses it. `make release/test` runs it.
package packaging_test

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// released is what `make release/snapshot` has left in dist/.
type released struct{ version, server, provider string }

func release(t *testing.T) released {
	t.Helper()
	var metadata struct{ Version string }
	text, err := os.ReadFile("../../dist/server/metadata.json")
	if err == nil {
		err = json.Unmarshal(text, &metadata)
	}
	if err != nil {
		t.Fatalf("%v: run make release/snapshot first", err)
	}
	r := released{metadata.Version, "../../dist/server", "../../dist/provider"}
	for _, dir := range []*string{&r.server, &r.provider} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// platforms are those that a release is for, or the one that it was narrowed to.
func platforms(all ...string) []string {
	if only := os.Getenv("ONLY"); only != "" {
		return []string{only}
	}
	return all
}

var unixes = []string{"darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64"}

func here() string { return runtime.GOOS + "_" + runtime.GOARCH }

func TestChecksumsAreThoseOfTheFilesAndOfNoOthers(t *testing.T) {
	r := release(t)
	var server, provider []string
	for _, p := range platforms(unixes...) {
		server = append(server, "cloudpam_"+r.version+"_"+p+".tar.gz", "cloudpam_"+r.version+"_"+p+".cdx.json")
	}
	for _, pattern := range []string{"*.deb", "*.rpm"} {
		found, _ := filepath.Glob(filepath.Join(r.server, pattern))
		if want := len(platforms("linux_amd64", "linux_arm64")); len(found) != want {
			t.Errorf("there are %d of %s, not %d", len(found), pattern, want)
		}
		for _, path := range found {
			server = append(server, filepath.Base(path))
		}
	}
	for _, p := range platforms(append(unixes, "windows_amd64", "windows_arm64")...) {
		provider = append(provider, "terraform-provider-cloudpam_"+r.version+"_"+p+".zip")
	}
	manifest := "terraform-provider-cloudpam_" + r.version + "_manifest.json"
	for sums, want := range map[string][]string{
		filepath.Join(r.server, "cloudpam_"+r.version+"_SHA256SUMS"):                      server,
		filepath.Join(r.provider, "terraform-provider-cloudpam_"+r.version+"_SHA256SUMS"): append(provider, manifest),
	} {
		text, err := os.ReadFile(sums)
		if err != nil {
			t.Fatal(err)
		}
		var listed []string
		for line := range strings.Lines(string(text)) {
			sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
			listed = append(listed, name)
			path := filepath.Join(filepath.Dir(sums), name)
			if name == manifest { // it is uploaded under this name, and kept under another
				path = "../../terraform-provider-cloudpam/terraform-registry-manifest.json"
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
			} else if is := sha256.Sum256(content); hex.EncodeToString(is[:]) != sum {
				t.Errorf("%s has another checksum than %s says", name, filepath.Base(sums))
			}
		}
		slices.Sort(listed)
		slices.Sort(want)
		if !slices.Equal(listed, want) {
			t.Errorf("%s lists\n%q, not\n%q", filepath.Base(sums), listed, want)
		}
	}
}

// The words are those of https://developer.hashicorp.com/terraform/registry/providers/publishing.
func TestTheProvidersReleaseIsWhatTheRegistryReads(t *testing.T) {
	r := release(t)
	var manifest struct {
		Version  int
		Metadata struct {
			Protocols []string `json:"protocol_versions"`
		}
	}
	text, err := os.ReadFile("../../terraform-provider-cloudpam/terraform-registry-manifest.json")
	if err == nil {
		err = json.Unmarshal(text, &manifest)
	}
	if err != nil || manifest.Version != 1 || !slices.Equal(manifest.Metadata.Protocols, []string{"6.0"}) {
		t.Errorf("the manifest is %s, %v", text, err)
	}
	zips, _ := filepath.Glob(filepath.Join(r.provider, "*.zip"))
	name := regexp.MustCompile(`^terraform-provider-cloudpam_\d+\.\d+\.\d+(-[0-9a-z.]+)?_[a-z]+_[0-9a-z]+\.zip$`)
	for _, path := range zips {
		if !name.MatchString(filepath.Base(path)) {
			t.Errorf("the registry would not read %s", filepath.Base(path))
		}
		archive, err := zip.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		plugin := "terraform-provider-cloudpam_v" + r.version
		if strings.Contains(path, "_windows_") {
			plugin += ".exe"
		}
		if len(archive.File) != 1 || archive.File[0].Name != plugin || archive.File[0].Mode() != 0o755 {
			t.Errorf("%s does not hold %s alone, to be run by anybody", filepath.Base(path), plugin)
		}
		_ = archive.Close()
	}
}

func TestTheArchiveHoldsTheServerAndAllThatIsInstalledWithIt(t *testing.T) {
	r := release(t)
	for _, p := range platforms(unixes...) {
		file, err := os.Open(filepath.Join(r.server, "cloudpam_"+r.version+"_"+p+".tar.gz"))
		if err != nil {
			t.Fatal(err)
		}
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for archive := tar.NewReader(unzipped); ; {
			h, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, h.FileInfo().Mode().String()+" "+h.Uname+" "+h.Name)
		}
		_ = file.Close()
		slices.Sort(got)
		want := []string{
			"-rw-r--r-- root CHANGELOG.md", "-rw-r--r-- root LICENSE", "-rw-r--r-- root README.md", "-rw-r--r-- root cloudpam.1",
			"-rw-r--r-- root systemd/cloudpam.service", "-rw-r--r-- root systemd/cloudpam.sysusers", "-rwxr-xr-x root cloudpam",
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", p, got)
		}
	}
}

func TestEveryProgramHasTheListOfWhatItIsMadeOf(t *testing.T) {
	r := release(t)
	for pattern, has := range map[string]string{filepath.Join(r.server, "*.cdx.json"): "modernc.org/sqlite", filepath.Join(r.provider, "*.cdx.json"): "github.com/hashicorp/terraform-plugin-framework"} {
		files, _ := filepath.Glob(pattern)
		if want := len(platforms(append(unixes, "windows_amd64", "windows_arm64")...)); strings.Contains(pattern, "/provider/") && len(files) != want {
			t.Errorf("there are %d of %s, not %d", len(files), pattern, want)
		}
		for _, path := range files {
			var bom struct {
				BomFormat  string
				Metadata   struct{ Component struct{ Version string } }
				Components []struct {
					Name     string
					Evidence *struct{ Licenses []any }
				}
			}
			text, err := os.ReadFile(path)
			if err == nil {
				err = json.Unmarshal(text, &bom)
			}
			licensed, found := 0, false
			for _, c := range bom.Components {
				found = found || c.Name == has
				if c.Evidence != nil {
					licensed++
				}
			}
			if err != nil || bom.BomFormat != "CycloneDX" || bom.Metadata.Component.Version != "v"+r.version || !found || licensed < len(bom.Components)/2 {
				t.Errorf("%s: %v, %s of %s with %s %v and %d licences", filepath.Base(path), err, bom.BomFormat, bom.Metadata.Component.Version, has, found, licensed)
			}
		}
	}
}

// From the artefacts alone, with an empty home and no registry: the server of the archive, the provider of the zip, and a plan that
// shows the CIDR which the apply takes.
func TestTerraformInstallsTheZipAndPlansWithTheServerOfTheArchive(t *testing.T) {
	r := release(t)
	dir := t.TempDir()
	run(t, "tar", "-xzf", filepath.Join(r.server, "cloudpam_"+r.version+"_"+here()+".tar.gz"), "-C", dir)
	program := filepath.Join(dir, "cloudpam")
	if said := run(t, program, "version"); !strings.HasPrefix(said, "cloudpam "+r.version+"\n") {
		t.Errorf("the server is %s", said)
	}
	const secret = "cpam_test_0123456789abcdefghijklmnopqrstuv"
	address := free(t)
	serve := exec.Command(program, "serve")
	serve.Dir = dir
	serve.Env = []string{"HOME=" + dir, "CLOUDPAM_LISTEN=" + address, "CLOUDPAM_BOOTSTRAP_TOKEN=" + secret}
	up(t, serve, func() bool {
		answer, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			_ = answer.Body.Close()
		}
		return err == nil && answer.StatusCode == http.StatusOK
	})

	// The layout of "terraform providers mirror", in which the zips stay packed.
	mirror := filepath.Join(dir, "mirror/registry.terraform.io/cloudpam/cloudpam")
	work := filepath.Join(dir, "work")
	for _, made := range []string{mirror, work} {
		if err := os.MkdirAll(made, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	zips, _ := filepath.Glob(filepath.Join(r.provider, "*.zip"))
	run(t, "cp", append(zips, mirror)...)
	write(t, filepath.Join(dir, "terraformrc"), `provider_installation {
  filesystem_mirror {
    path = "`+filepath.Join(dir, "mirror")+`"
  }
}`)
	write(t, filepath.Join(work, "main.tf"), `terraform {
  required_providers {
    cloudpam = {
      source  = "registry.terraform.io/cloudpam/cloudpam"
      version = "`+r.version+`"
    }
  }
}

resource "cloudpam_pool" "corp" {
  name = "corp"
  cidr = "10.0.0.0/8"
}

resource "cloudpam_allocation" "app" {
  pool          = cloudpam_pool.corp.id
  name          = "app"
  prefix_length = 22
}`)
	terraform := func(code int, args ...string) string {
		t.Helper()
		c := exec.Command(os.Getenv("TF_ACC_TERRAFORM_PATH"), args...)
		c.Dir = work
		c.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "TF_CLI_CONFIG_FILE=" + filepath.Join(dir, "terraformrc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "CLOUDPAM_ENDPOINT=http://" + address, "CLOUDPAM_TOKEN=" + secret}
		out, err := c.CombinedOutput()
		if c.ProcessState == nil || c.ProcessState.ExitCode() != code {
			t.Fatalf("terraform %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	terraform(0, "init", "-no-color", "-input=false")
	if plan := terraform(2, "plan", "-no-color", "-input=false", "-detailed-exitcode", "-out=plan"); !strings.Contains(plan, `"10.0.0.0/22"`) {
		t.Errorf("the plan does not show the CIDR:\n%s", plan)
	}
	terraform(0, "apply", "-no-color", "-input=false", "plan")
	terraform(0, "plan", "-no-color", "-input=false", "-detailed-exitcode")
	if state := terraform(0, "show", "-no-color"); !strings.Contains(state, `"10.0.0.0/22"`) {
		t.Errorf("the apply took another CIDR than the plan showed:\n%s", state)
	}
}

// up starts a server that ends with the test, and waits until it is ready or has ended.
func up(t *testing.T, serve *exec.Cmd, ready func() bool) {
	t.Helper()
	said := &strings.Builder{}
	serve.Stderr = said
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve.Wait() }()
	t.Cleanup(func() {
		_ = serve.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil {
			t.Errorf("the server did not end well: %v\n%s", err, said)
		}
	})
	for !ready() {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the server ended: %v\n%s", err, said)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
