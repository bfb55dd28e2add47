package examples_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
)

// The library is the one of docker compose itself: it checks against the schema, and fills the variables in.
func TestComposeTakesTheFiles(t *testing.T) {
	for name, files := range map[string][]string{
		"SQLite": {"compose.yaml"}, "PostgreSQL": {"postgresql.yaml"}, "watched": {"compose.yaml", "monitoring.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			var paths []string
			for _, file := range files {
				paths = append(paths, filepath.Join("compose", file))
			}
			options, err := cli.NewProjectOptions(paths, cli.WithName("try"), cli.WithEnv([]string{"POSTGRES_PASSWORD=p", "CLOUDPAM_BOOTSTRAP_TOKEN=" + strings.Repeat("t", 32)}))
			if err != nil {
				t.Fatal(err)
			}
			project, err := options.LoadProject(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ours := 0
			for _, service := range project.Services {
				for _, volume := range service.Volumes {
					if volume.Type == "bind" {
						if matches, err := filepath.Glob(volume.Source); err != nil || len(matches) != 1 {
							t.Errorf("%s mounts %s, which is not there", service.Name, volume.Source)
						}
					}
				}
				if !strings.HasPrefix(service.Name, "cloudpam") {
					continue
				}
				ours++
				if !service.ReadOnly || len(service.CapDrop) != 1 || service.CapDrop[0] != "ALL" {
					t.Errorf("%s may do more than it needs", service.Name)
				}
				for _, port := range service.Ports {
					if port.HostIP != "127.0.0.1" {
						t.Errorf("%s is reachable from everywhere, in plain HTTP: %s", service.Name, port.HostIP)
					}
				}
			}
			if ours == 0 {
				t.Error("there is no server")
			}
		})
	}
	options, err := cli.NewProjectOptions([]string{"compose/postgresql.yaml"}, cli.WithName("try"), cli.WithEnv(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := options.LoadProject(t.Context()); err == nil || !strings.Contains(err.Error(), "POSTGRES_PASSWORD") {
		t.Errorf("without a password it starts: %v", err)
	}
}
