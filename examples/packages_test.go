package examples_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// What a release would only find out after many minutes; `make release/test` looks at the packages themselves.
func TestPackagesAreMadeOfFilesThatAreThere(t *testing.T) {
	var config struct {
		NFPMs []struct {
			Bindir   string
			Scripts  map[string]string
			Contents []struct{ Src, Dst string }
		}
	}
	text, err := os.ReadFile("../.goreleaser.yml")
	if err == nil {
		err = yaml.Unmarshal(text, &config)
	}
	if err != nil || len(config.NFPMs) != 1 {
		t.Fatalf("%d kinds of packages, %v", len(config.NFPMs), err)
	}
	packages := config.NFPMs[0]
	var sources, installed []string
	for _, script := range packages.Scripts {
		sources = append(sources, script)
		run(t, "sh", "-n", filepath.Join("..", script))
	}
	for _, content := range packages.Contents {
		sources = append(sources, content.Src)
		installed = append(installed, content.Dst)
	}
	for _, source := range sources {
		if _, err := os.Stat(filepath.Join("..", source)); err != nil && !strings.HasPrefix(source, "bin/release/") {
			t.Error(err)
		}
	}

	unit := lines(t, "systemd/cloudpam.service")
	if !slices.Contains(unit, "ExecStart="+packages.Bindir+"/cloudpam serve") {
		t.Errorf("the unit starts another program than %s/cloudpam", packages.Bindir)
	}
	settings := slices.IndexFunc(unit, func(l string) bool { return strings.HasPrefix(l, "EnvironmentFile=-") })
	if settings < 0 || !slices.Contains(installed, strings.TrimPrefix(unit[settings], "EnvironmentFile=-")) {
		t.Error("the settings that the unit reads are not in the packages")
	}
	if !slices.Contains(unit, "User=cloudpam") || !slices.Contains(lines(t, "systemd/cloudpam.sysusers"), `u cloudpam - "CloudPAM" /var/lib/cloudpam`) {
		t.Error("the unit runs as another user than systemd-sysusers is told to make")
	}
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}
