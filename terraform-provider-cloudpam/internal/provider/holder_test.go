package provider

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func environment(set map[string]string) func(string) string {
	return func(name string) string { return set[name] }
}

// inFolder is the holder of a folder in which Terraform has written down a backend, and has selected a workspace.
func inFolder(t *testing.T, backend, workspace string, env map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	data := filepath.Join(folder, ".terraform")
	if name := env["TF_DATA_DIR"]; name != "" {
		data = filepath.Join(folder, name)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"terraform.tfstate": backend, "environment": workspace} {
		if content == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(data, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Replace(defaultHolder(environment(env), folder, "build-7"), folder, "/srv/network", 1)
}

func backend(kind, config string) string {
	return `{"version": 3, "backend": {"type": "` + kind + `", "config": {` + config + `}, "hash": 42}}`
}

func TestTheDefaultHolderSaysWhichStateItIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		backend, workspace string
		env                map[string]string
		want               string // without the sum at the end
	}{
		"nothing":             {want: "folder build-7:/srv/network (default)"},
		"a workspace":         {workspace: "prod\n", want: "folder build-7:/srv/network (prod)"},
		"TF_WORKSPACE":        {workspace: "prod", env: map[string]string{"TF_WORKSPACE": "stage"}, want: "folder build-7:/srv/network (stage)"},
		"TF_DATA_DIR":         {backend: backend("gcs", `"bucket": "states", "prefix": "network"`), env: map[string]string{"TF_DATA_DIR": "data"}, want: "gcs states/network (default)"},
		"local":               {backend: backend("local", `"path": "here.tfstate"`), want: "folder build-7:/srv/network (default)"},
		"s3":                  {backend: backend("s3", `"bucket": "network", "key": "prod", "region": "eu-west-1", "endpoints": [{"s3": null}]`), want: "s3 network/prod (default)"},
		"azurerm":             {backend: backend("azurerm", `"storage_account_name": "acme", "container_name": "tf", "key": "network"`), workspace: "prod", want: "azurerm acme/tf/network (prod)"},
		"http":                {backend: backend("http", `"address": "https://me:secret@git.example.com/states/1?private_token=secret", "password": "secret"`), want: "http git.example.com/states/1 (default)"},
		"http by environment": {backend: backend("http", `"address": null`), env: map[string]string{"TF_HTTP_ADDRESS": "https://git.example.com/states/2"}, want: "http git.example.com/states/2 (default)"},
		"pg":                  {backend: backend("pg", `"conn_str": "postgres://me:secret@db/states?sslmode=require", "schema_name": "network"`), want: "pg db/states/network (default)"},
		"pg by keywords":      {backend: backend("pg", `"conn_str": "host=db user=me password=secret dbname=states"`), want: "pg db/states (default)"},
		"pg by nothing":       {backend: backend("pg", `"conn_str": null`), want: "folder build-7:/srv/network (default)"},
		"cloud":               {backend: backend("cloud", `"organization": "acme", "token": "secret", "workspaces": {"name": "network", "tags": null}`), want: "cloud acme/network (default)"},
		"remote":              {backend: backend("remote", `"organization": "acme", "workspaces": [{"prefix": "network-"}]`), workspace: "prod", want: "remote acme/network- (prod)"},
		"HCP Terraform":       {workspace: "x", env: map[string]string{"TFC_WORKSPACE_SLUG": "acme/network"}, want: "hcp acme/network"},
		"Terraform Cloud":     {env: map[string]string{"TFC_ORGANIZATION_NAME": "acme", "TFC_WORKSPACE_NAME": "network"}, want: "hcp acme/network"},
		"Spacelift":           {env: map[string]string{"SPACELIFT_STACK_ID": "network"}, want: "spacelift network"},
		"Spacelift's input":   {env: map[string]string{"TF_VAR_spacelift_stack_id": "network"}, want: "spacelift network"},
		"unreadable":          {backend: "{", want: "folder build-7:/srv/network (default)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := inFolder(t, c.backend, c.workspace, c.env)
			if strings.Contains(got, "secret") {
				t.Fatalf("tells a secret: %s", got)
			}
			if said := regexp.MustCompile(` [0-9a-f]{8}$`).ReplaceAllString(got, ""); said != c.want {
				t.Errorf("%s, want %s", said, c.want)
			}
		})
	}
}

func TestTwoStatesAreTwoHoldersAndOneIsOne(t *testing.T) {
	t.Parallel()
	const s3 = `"bucket": "network", "key": "prod", "secret_key": "one"`
	one := inFolder(t, backend("s3", s3), "", nil)
	for name, same := range map[string]string{
		"another folder":           inFolder(t, backend("s3", s3), "", nil),
		"another secret":           inFolder(t, backend("s3", strings.Replace(s3, "one", "two", 1)), "", nil),
		"the workspace spelt out":  inFolder(t, backend("s3", s3), "default", nil),
		"what is not set is empty": inFolder(t, backend("s3", s3+`, "workspace_key_prefix": ""`), "", nil),
	} {
		if same != one {
			t.Errorf("%s: %s and %s", name, one, same)
		}
	}
	long := strings.Repeat("long/", 60)
	distinct := map[string]string{}
	for name, other := range map[string]string{
		"it":                   one,
		"another key":          inFolder(t, backend("s3", strings.Replace(s3, `"prod"`, `"stage"`, 1)), "", nil),
		"another place":        inFolder(t, backend("s3", s3+`, "endpoints": {"s3": "https://s3.example.com"}`), "", nil),
		"another workspace":    inFolder(t, backend("s3", s3), "green", nil),
		"another kind":         inFolder(t, backend("oss", s3), "", nil),
		"long":                 inFolder(t, backend("gcs", `"bucket": "a", "prefix": "`+long+`"`), long, nil),
		"long, and another":    inFolder(t, backend("gcs", `"bucket": "b", "prefix": "`+long+`"`), long, nil),
		"long, and another ws": inFolder(t, backend("gcs", `"bucket": "b", "prefix": "`+long+`"`), long+"x", nil),
	} {
		if len([]rune(other)) > 255 {
			t.Errorf("%s has %d letters", name, len([]rune(other)))
		}
		if known, twice := distinct[other]; twice {
			t.Errorf("%s and %s are one holder: %s", name, known, other)
		}
		distinct[other] = name
	}
}
