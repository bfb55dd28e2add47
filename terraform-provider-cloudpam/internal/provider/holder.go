package provider

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A holder tells one state from another, so that two of them are never promised one block. Where nobody names it, it follows
// from what Terraform keeps about the state: two jobs with one backend are one holder, whatever machine they run on, and so are the
// plan and the apply of one folder, while each workspace is a holder of its own.
//
//	HCP Terraform, Spacelift    what they call the workspace or the stack
//	a backend                   what in its configuration says which state it keeps, and the workspace
//	none, or a local file       the host, the working folder and the workspace
//
// A holder is shown to others, so nothing of a backend's configuration gets into it that is not known to name a place.

// defaultHolder is the holder of the state that Terraform uses in a working folder: that of the provider's process, which
// Terraform starts in its own, after -chdir.
func defaultHolder(env func(string) string, folder, host string) string {
	if slug := env("TFC_WORKSPACE_SLUG"); slug != "" {
		return holder{kind: "hcp", name: slug}.String()
	}
	if workspace := env("TFC_WORKSPACE_NAME"); workspace != "" && env("TFC_ORGANIZATION_NAME") != "" {
		return holder{kind: "hcp", name: env("TFC_ORGANIZATION_NAME") + "/" + workspace}.String()
	}
	if stack := spacelift(env, "stack_id"); stack != "" {
		return holder{kind: "spacelift", name: stack}.String()
	}
	data := cmp.Or(env("TF_DATA_DIR"), ".terraform")
	if !filepath.IsAbs(data) {
		data = filepath.Join(folder, data)
	}
	selected, _ := os.ReadFile(filepath.Join(data, "environment"))
	workspace := cmp.Or(env("TF_WORKSPACE"), strings.TrimSpace(string(selected)), "default")

	kind, place := readBackend(filepath.Join(data, "terraform.tfstate"), env)
	if name := place.name(); name != "" && kind != "local" && kind != "inmem" {
		return holder{kind, name, workspace, place}.String()
	}
	return holder{"folder", host + ":" + folder, workspace, place}.String()
}

// spacelift is what Spacelift says of a run: in a variable of its own, or in the one that it makes an input of the configuration.
func spacelift(env func(string) string, name string) string {
	return cmp.Or(env("SPACELIFT_"+strings.ToUpper(name)), env("TF_VAR_spacelift_"+name))
}

type holder struct {
	kind, name, workspace string
	place                 place
}

// String reads like "s3 network/prod (default) 5f3c9a1e". The end says the same of two holders only when all is the same: the
// name is shortened, and leaves out what matters less.
func (h holder) String() string {
	const most = 120
	name := h.name
	if letters := []rune(name); len(letters) > most {
		name = "…" + string(letters[len(letters)-most:]) // the end of a path says more than its beginning
	}
	if h.workspace == "" {
		return h.kind + " " + name
	}
	all, _ := json.Marshal([]any{h.kind, h.name, h.workspace, h.place}) // strings, and maps in the order of their keys
	sum := sha256.Sum256(all)
	workspace := h.workspace
	if letters := []rune(workspace); len(letters) > 60 {
		workspace = string(letters[:60]) + "…"
	}
	return fmt.Sprintf("%s %s (%s) %s", h.kind, name, workspace, hex.EncodeToString(sum[:4]))
}

// place is what in a backend's configuration says which state it keeps.
type place map[string]any

// placed are the settings of backends that say where a state is, and that hold no secret once an address has lost who asks.
// Some of them can be left to the environment. The order is that of reading aloud, and named is what is read.
var placed = []struct {
	setting string
	named   bool
	env     string
}{
	{setting: "organization", named: true, env: "TF_CLOUD_ORGANIZATION"},
	{setting: "storage_account_name", named: true},
	{setting: "container_name", named: true},
	{setting: "conn_str", named: true, env: "PG_CONN_STR"},
	{setting: "schema_name", named: true, env: "PG_SCHEMA_NAME"},
	{setting: "address", named: true, env: "TF_HTTP_ADDRESS"},
	{setting: "namespace", named: true, env: "KUBE_NAMESPACE"},
	{setting: "secret_suffix", named: true},
	{setting: "bucket", named: true},
	{setting: "prefix", named: true},
	{setting: "key", named: true},
	{setting: "path", named: true},
	{setting: "workspaces", named: true},
	{setting: "hostname", env: "TF_CLOUD_HOSTNAME"},
	{setting: "host", env: "KUBE_HOST"},
	{setting: "datacenter"},
	{setting: "endpoint"},
	{setting: "endpoints"},
	{setting: "environment"},
	{setting: "workspace_dir"},
	{setting: "workspace_key_prefix"},
}

// readBackend reads what terraform init wrote down about the backend; nothing where it wrote nothing.
func readBackend(file string, env func(string) string) (kind string, at place) {
	var state struct {
		Backend struct {
			Type   string
			Config map[string]any
		}
	}
	content, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(content, &state) != nil || state.Backend.Type == "" {
		return "", nil
	}
	at = place{}
	for _, p := range placed {
		value, has := state.Backend.Config[p.setting] // null where it is not set
		if has && value == nil && p.env != "" {
			value = env(p.env)
		}
		if text, ok := value.(string); ok && p.setting == "conn_str" && !strings.Contains(text, "://") {
			value = database(text)
		}
		if value = bare(value); value != nil {
			at[p.setting] = value
		}
	}
	return state.Backend.Type, at
}

// name is the part of a place that one reads.
func (at place) name() string {
	var parts []string
	for _, p := range placed {
		if !p.named {
			continue
		}
		value := at[p.setting]
		if workspaces, ok := value.(map[string]any); ok { // of the backends cloud and remote
			value = cmp.Or(written(workspaces["name"]), written(workspaces["prefix"]))
		}
		if part := strings.Trim(written(value), "/"); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "/")
}

func written(v any) string {
	s, _ := v.(string)
	return s
}

// bare is a setting without what is null, empty, or says who asks; nil when nothing is left.
func bare(v any) any {
	switch v := v.(type) {
	case string:
		if s := bareText(v); s != "" {
			return s
		}
	case map[string]any:
		left := map[string]any{}
		for key, value := range v {
			if value = bare(value); value != nil {
				left[key] = value
			}
		}
		if len(left) > 0 {
			return left
		}
	case []any:
		var left []any
		for _, value := range v {
			if value = bare(value); value != nil {
				left = append(left, value)
			}
		}
		switch len(left) {
		case 0:
		case 1: // Terraform writes some blocks as a list of one
			return left[0]
		default:
			return left
		}
	}
	return nil
}

// bareText takes users, passwords and queries, which may hold tokens, out of an address.
func bareText(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Host+u.Path, "/")
}

var keyword = regexp.MustCompile(`\b(?:host|port|dbname)\s*=\s*('[^']*'|\S+)`)

// database is what PostgreSQL's other way to write a connection says of the database.
func database(conn string) string {
	var parts []string
	for _, found := range keyword.FindAllStringSubmatch(conn, -1) {
		parts = append(parts, strings.Trim(found[1], "'"))
	}
	return strings.Join(parts, "/")
}

// workingFolder is the folder of the configuration, and the machine that it is on.
func workingFolder() (folder, host string) {
	folder, _ = os.Getwd()
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		folder = real
	}
	host, _ = os.Hostname()
	return folder, host
}
