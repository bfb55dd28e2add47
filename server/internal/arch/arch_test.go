package arch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cloudpam/cloudpam/server"

// rule is which packages of ours a package may import, and why no others. A new package gets a row here first.
type rule struct {
	may []string
	why string
}

var rules = map[string]rule{
	"api":                                   {nil, "the contract and what is generated from it: it knows no rule of ours"},
	"internal/alloc":                        {nil, "a pure library on addresses, of use to anybody"},
	"internal/ipam":                         {[]string{"internal/alloc"}, "the nouns and their rules, with no I/O; a pool names an allocation strategy"},
	"internal/store/query":                  {nil, "generated from the SQL"},
	"internal/store/lite":                   {nil, "speaks to SQLite below its driver; it knows no table"},
	"internal/store":                        {[]string{"internal/alloc", "internal/ipam", "internal/store/lite", "internal/store/query", "internal/trace"}, "rows to nouns and back; the leaves of alloc as rows"},
	"internal/store/storetest":              {[]string{"internal/store"}, "databases for tests"},
	"internal/store/storetest/testpostgres": {[]string{"internal/store/storetest"}, "one cluster for a whole run of the tests"},
	"internal/trace":                        {[]string{"internal/ipam"}, "tells what others do and how it failed; it does none of it"},
	"internal/policy":                       {[]string{"internal/ipam"}, "pure: why something breaks rules, from facts alone"},
	"internal/change":                       {[]string{"internal/ipam", "internal/policy", "internal/store", "internal/trace"}, "the kernel of a write; it knows no use case, and no change passes it that a policy forbids"},
	"internal/govern":                       {[]string{"internal/change", "internal/ipam", "internal/policy", "internal/store"}, "what pools ask of what is in them; it changes no space"},
	"internal/issuer":                       {[]string{"internal/ipam"}, "what issuers say, and the rules about it; it keeps nothing"},
	"internal/issuer/issuertest":            {nil, "an issuer for tests, which knows nothing of who trusts it"},
	"internal/access":                       {[]string{"internal/change", "internal/ipam", "internal/issuer", "internal/store"}, "who asks; it changes no space"},
	"internal/account":                      {[]string{"internal/change", "internal/ipam", "internal/store"}, "where networks live; it changes no space"},
	"internal/scope":                        {[]string{"internal/change", "internal/ipam", "internal/quarantine", "internal/store"}, "address spaces side by side; what is in one is the registry's"},
	"internal/choose":                       {[]string{"internal/alloc", "internal/change", "internal/ipam", "internal/policy", "internal/store"}, "reads and ranks; who attempts knows it, and it does not know who attempts"},
	"internal/seal":                         {[]string{"internal/change", "internal/ipam", "internal/store"}, "signs what others wrote"},
	"internal/quarantine":                   {[]string{"internal/alloc", "internal/change", "internal/ipam", "internal/store"}, "what a released block goes through before it is free; it decides nothing about what is handed out"},
	"internal/registry":                     {[]string{"internal/alloc", "internal/change", "internal/choose", "internal/ipam", "internal/quarantine", "internal/scope", "internal/store"}, "what changes space: the only writer of prefixes, but those in quarantine"},
	"internal/audit":                        {[]string{"internal/alloc", "internal/change", "internal/ipam", "internal/store"}, "what checks the books does not keep them"},
	"internal/insight":                      {[]string{"internal/alloc", "internal/change", "internal/ipam", "internal/store"}, "reads only, so that a question never takes a lock of a change"},
	"internal/cloud":                        {[]string{"internal/ipam"}, "what is asked of a cloud; it knows none by name"},
	"internal/cloud/fault":                  {nil, "what goes wrong on the way to any cloud"},
	"internal/cloud/cloudtest":              {[]string{"internal/cloud", "internal/cloud/fault", "internal/ipam"}, "the contract, of all clouds"},
	"internal/cloud/fake":                   {[]string{"internal/cloud", "internal/cloud/fault", "internal/ipam"}, "a cloud in memory"},
	"internal/cloud/aws":                    {[]string{"internal/cloud", "internal/ipam"}, "one cloud, which knows no other"},
	"internal/cloud/aws/awsfake":            {[]string{"internal/cloud/fault"}, "speaks the protocol only, so that it cannot share a mistake with what it tests"},
	"internal/cloud/gcp":                    {[]string{"internal/cloud", "internal/ipam"}, "one cloud, which knows no other"},
	"internal/cloud/gcp/gcpfake":            {[]string{"internal/cloud/fault"}, "speaks the protocol only, so that it cannot share a mistake with what it tests"},
	"internal/cloud/custom":                 {[]string{"internal/cloud", "internal/ipam"}, "one cloud, which knows no other"},
	"internal/drift":                        {[]string{"internal/ipam"}, "pure: what differs, from facts alone"},
	"internal/observe":                      {[]string{"internal/change", "internal/cloud", "internal/drift", "internal/ipam", "internal/store"}, "records what clouds showed; it writes no space"},
	"internal/approval":                     {[]string{"internal/alloc", "internal/change", "internal/ipam", "internal/policy", "internal/registry", "internal/store"}, "who allows what others ask for; the registry holds the space until then"},
	"internal/adopt":                        {[]string{"internal/change", "internal/ipam", "internal/registry"}, "makes desired what clouds have; the registry gives the space"},
	"internal/bulk":                         {[]string{"internal/account", "internal/change", "internal/ipam", "internal/registry", "internal/store"}, "many single requests as one; it goes through their doors and writes nothing of theirs"},
	"internal/terraform":                    {[]string{"internal/change", "internal/ipam", "internal/store"}, "writes what others keep as Terraform; it changes nothing"},
	"internal/reconcile":                    {[]string{"internal/change", "internal/cloud", "internal/ipam", "internal/observe", "internal/trace"}, "when who looks at which account; what it means is said elsewhere"},
	"internal/webhook":                      {[]string{"internal/change", "internal/ipam", "internal/store"}, "tells others what happened; it changes no space"},
	"internal/job":                          {[]string{"internal/store"}, "runs what it is given; it knows no use case"},
	"internal/httpapi":                      {[]string{"api", "internal/access", "internal/account", "internal/adopt", "internal/alloc", "internal/approval", "internal/audit", "internal/bulk", "internal/cloud", "internal/drift", "internal/govern", "internal/insight", "internal/ipam", "internal/issuer", "internal/observe", "internal/quarantine", "internal/reconcile", "internal/registry", "internal/scope", "internal/seal", "internal/terraform", "internal/trace", "internal/webhook"}, "translates; a handler that reaches the store could skip a rule"},
	"internal/config":                       {[]string{"internal/ipam", "internal/issuer", "internal/trace"}, "reads the environment; it knows what a secret needs, and what is said of an issuer"},
	"internal/app":                          {[]string{"api", "internal/access", "internal/account", "internal/adopt", "internal/approval", "internal/audit", "internal/bulk", "internal/change", "internal/cloud", "internal/cloud/aws", "internal/cloud/custom", "internal/cloud/gcp", "internal/config", "internal/govern", "internal/httpapi", "internal/insight", "internal/ipam", "internal/job", "internal/observe", "internal/quarantine", "internal/reconcile", "internal/registry", "internal/scope", "internal/seal", "internal/store", "internal/terraform", "internal/trace", "internal/webhook", "web"}, "wires everything, so nothing else has to"},
	"internal/remote":                       {[]string{"client"}, "which server is asked, and as whom; it knows no rule of ours"},
	"tools/fakecloud":                       {[]string{"internal/cloud/aws/awsfake"}, "a cloud for demonstrations"},
	"tools/prove":                           {nil, "takes lines out of others' text; it calls nobody"},
	"internal/arch":                         {nil, "looks from outside"},
	"internal/servertest":                   {nil, "meets the built program only, as its users do"},
	"internal/torture":                      {nil, "meets the built program only, as its users do"},
	"internal/powercut":                     {nil, "tests alone, which cut the power under the layers in their own process"},
	"internal/bench":                        {[]string{"internal/access", "internal/alloc", "internal/change", "internal/ipam", "internal/registry", "internal/servertest", "internal/store", "internal/store/query"}, "measures each layer beside the one below it; nothing imports it"},
	"cmd/cloudpam":                          {[]string{"client", "internal/access", "internal/app", "internal/audit", "internal/change", "internal/config", "internal/ipam", "internal/remote", "internal/store"}, "signals, exit codes and the short commands beside a server"},
}

// owners of what others reach only through them.
var owners = map[string]rule{
	"github.com/labstack/echo":     {[]string{"internal/httpapi", "api"}, "only the HTTP layer knows the framework, so that leaving it is one package"},
	"database/sql":                 {[]string{"internal/store", "internal/store/lite", "internal/store/query", "internal/store/storetest", "internal/bench"}, "the store alone speaks SQL"},
	"github.com/jackc/pgx":         {[]string{"internal/store", "internal/store/storetest", "internal/bench"}, "the store alone speaks SQL"},
	"modernc.org/sqlite":           {[]string{"internal/store", "internal/store/lite", "internal/bench"}, "the store alone speaks SQL"},
	"github.com/pressly/goose":     {[]string{"internal/store"}, "the store migrates itself"},
	"github.com/alecthomas/kong":   {[]string{"cmd/cloudpam"}, "flags are the command's"},
	"go.opentelemetry.io/":         {[]string{"internal/trace"}, "what is said of whom in a trace is said in one place"},
	"github.com/prometheus/client": {[]string{"internal/httpapi"}, "figures are counted at the edge"},
	"github.com/google/cel-go":     {[]string{"internal/policy"}, "expressions are those of policies"},
	"github.com/aws/":              {[]string{"internal/cloud/aws"}, "each cloud is one folder, and its SDK with it"},
	"google.golang.org/":           {[]string{"internal/cloud/gcp"}, "each cloud is one folder, and its SDK with it"},
	"github.com/hashicorp/hcl":     {[]string{"internal/terraform"}, "one room writes Terraform"},
	"golang.org/x/oauth2":          {[]string{"internal/cloud/gcp", "internal/issuer"}, "each cloud is one folder, and its SDK with it; people log in by it"},
	"github.com/coreos/go-oidc":    {[]string{"internal/issuer"}, "one door for what others have signed"},
	"github.com/go-jose":           {[]string{"internal/issuer", "internal/issuer/issuertest"}, "one door for what others have signed"},
	"net/http":                     {[]string{"internal/httpapi", "internal/app", "internal/webhook", "internal/issuer", "internal/issuer/issuertest", "api", "internal/remote", "tools/fakecloud", "internal/servertest", "internal/bench", "internal/cloud/fault", "internal/cloud/aws/awsfake", "internal/cloud/gcp", "internal/cloud/gcp/gcpfake", "internal/trace"}, "rules do not know that HTTP carries them"},
	"math/rand":                    {[]string{"internal/store", "internal/webhook", "internal/bench", "internal/cloud"}, "jitter only: secrets come from crypto/rand"},
	"log":                          {nil, "a line without keys cannot be searched: take log/slog"},
	"unsafe":                       {[]string{"internal/store/lite"}, "no speed elsewhere is worth it"},
}

type pkg struct {
	Dir, ImportPath, Doc, Name string
	Imports, GoFiles           []string
}

func (p pkg) short() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

func packages(t *testing.T) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-json=Dir,ImportPath,Doc,Name,Imports,GoFiles", "./...")
	list.Dir = filepath.Join("..", "..")
	var complaint bytes.Buffer
	list.Stderr = &complaint
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &complaint)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}

func TestWhoImportsWhom(t *testing.T) {
	for _, p := range packages(t) {
		r, known := rules[p.short()]
		if !known {
			t.Errorf("%s is not in the table: say here what it may import, and why", p.short())
		}
		for _, path := range p.Imports {
			ours, isOurs := strings.CutPrefix(path, "github.com/cloudpam/cloudpam/")
			ours = strings.TrimPrefix(ours, "server/")
			if isOurs && !slices.Contains(r.may, ours) {
				t.Errorf("%s imports %s; it may not: %s", p.short(), ours, r.why)
			}
		}
	}
}

func TestSomeOutsidersHaveOneDoor(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			for outsider, r := range owners {
				inModule := strings.Contains(outsider, ".") && strings.HasPrefix(path, outsider)
				if (path == outsider || path == outsider+"/v2" || inModule) && !slices.Contains(r.may, p.short()) {
					t.Errorf("%s imports %s; it may not: %s", p.short(), path, r.why)
				}
			}
		}
	}
}

// rowsOf are the calls that change who has which space or what happened, and who may make them.
var rowsOf = map[string][]string{
	"InsertPrefix": {"internal/registry", "internal/quarantine"}, "DeletePrefix": {"internal/registry", "internal/quarantine"},
	"MovePrefix": {"internal/registry"}, "SetPrefixStatus": {"internal/registry"}, "MoveHold": {"internal/registry"},
	"InsertQuarantine": {"internal/quarantine"}, "DeleteQuarantine": {"internal/quarantine"}, "MoveQuarantine": {"internal/quarantine"},
	"AppendEvent": {"internal/change"}, "InsertAnswer": {"internal/change"},
}

func TestOnlyTheRegistryWritesPrefixesAndOnlyTheKernelWritesEvents(t *testing.T) {
	for _, p := range packages(t) {
		if strings.HasPrefix(p.short(), "internal/store") || p.short() == "internal/bench" {
			continue // the rows themselves, and what measures writing them without rules
		}
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.SelectorExpr); ok {
					if rooms, guarded := rowsOf[call.Sel.Name]; guarded && !slices.Contains(rooms, p.short()) {
						t.Errorf("%s/%s calls %s; only %v may", p.short(), name, call.Sel.Name, rooms)
					}
				}
				return true
			})
		}
	}
}

func TestTheRegistryStaysReadable(t *testing.T) {
	const most = 4000
	lines := 0
	for _, p := range packages(t) {
		if p.short() != "internal/registry" {
			continue
		}
		for _, name := range p.GoFiles {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			lines += bytes.Count(text, []byte("\n"))
		}
	}
	if lines == 0 || lines > most {
		t.Errorf("internal/registry has %d lines; past %d a room is missing", lines, most)
	}
}

func TestEveryPackageSaysInOneSentenceWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command " + filepath.Base(p.ImportPath) + " "
		}
		if p.short() == "internal/store/query" {
			continue // sqlc writes it
		}
		if len(p.GoFiles) > 0 && !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: its comment is %q; begin it with %q", p.short(), p.Doc, want)
		}
	}
}

func TestFilesAreShortEnoughToRead(t *testing.T) {
	const most = 400
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			generated := bytes.Contains(text[:min(len(text), 300)], []byte("DO NOT EDIT."))
			if lines := bytes.Count(text, []byte("\n")); lines > most && !generated {
				t.Errorf("%s/%s has %d lines: past %d, look for the missing noun", p.short(), name, lines, most)
			}
		}
	}
}
