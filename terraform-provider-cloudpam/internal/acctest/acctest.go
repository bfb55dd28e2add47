// Package acctest runs the real thing for tests: the CloudPAM server from this repository on a temporary SQLite file,
// the provider's own binary, and the Terraform command line. Nothing is faked and nothing is skipped: what is missing fails.
package acctest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// bin is where this test binary's executables are built; Main removes it.
var bin string

// Main runs a package's tests with Terraform found and acceptance tests on. Call it from TestMain.
func Main(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if err := checkEngines(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	terraform := os.Getenv("TF_ACC_TERRAFORM_PATH")
	if terraform == "" {
		found, err := exec.LookPath("terraform")
		if err != nil {
			fmt.Fprintln(os.Stderr, "these tests drive the Terraform command line, which is not in PATH: install it, or set TF_ACC_TERRAFORM_PATH")
			return 1
		}
		terraform = found
	}
	dir, err := os.MkdirTemp("", "cloudpam-acctest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	defer stopPostgres()
	// A developer's own settings must not reach the tests, nor the tests a developer's server.
	for _, name := range []string{"CLOUDPAM_ENDPOINT", "CLOUDPAM_TOKEN", "CLOUDPAM_TOKEN_FILE", "TFC_WORKLOAD_IDENTITY_TOKEN", "TFC_WORKLOAD_IDENTITY_TOKEN_CLOUDPAM", "CLOUDPAM_CA_CERT", "CLOUDPAM_PLAN_MODE", "CLOUDPAM_HOLD_TTL", "CLOUDPAM_HOLDER", "CLOUDPAM_APPLYING", "TF_CLI_CONFIG_FILE"} {
		_ = os.Unsetenv(name)
	}
	for name, value := range map[string]string{"TF_ACC": "1", "TF_ACC_TERRAFORM_PATH": terraform, "CHECKPOINT_DISABLE": "1"} {
		_ = os.Setenv(name, value)
	}
	return m.Run()
}

// Root is the top folder of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// Readme lists the blocks of code of a language that the repository's README shows.
func Readme(t testing.TB, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, rest := range strings.Split(string(text), "```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(rest, "```")
		blocks = append(blocks, block)
	}
	return blocks
}

// terraformPath is the Terraform command line that Main found.
func terraformPath() string { return os.Getenv("TF_ACC_TERRAFORM_PATH") }

// build compiles a main package once per test binary.
type build struct {
	module, pkg, name string

	once sync.Once
	path string
	err  error
}

var (
	serverBuild   = &build{module: "server", pkg: "./cmd/cloudpam", name: "cloudpam"}
	postgresBuild = &build{module: "server", pkg: "./internal/store/storetest/testpostgres", name: "testpostgres"}
	providerBuild = &build{module: "terraform-provider-cloudpam", pkg: ".", name: "terraform-provider-cloudpam"}
)

func (b *build) binary(t testing.TB) string {
	t.Helper()
	b.once.Do(func() {
		b.path = filepath.Join(bin, b.name)
		cmd := exec.Command("go", "build", "-o", b.path, b.pkg)
		cmd.Dir = filepath.Join(Root(), b.module)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.err = fmt.Errorf("go build %s in %s: %w\n%s", b.pkg, b.module, err, out)
		}
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.path
}
