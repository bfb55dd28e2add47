package provider_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// applied asserts what every crash must leave: one allocation, with the CIDR of the plan, created once, and nothing to do.
func applied(t *testing.T, server *acctest.Server, tf *acctest.Terraform, cidr string) {
	t.Helper()
	all, err := cloudpam.Collect(server.Client.Allocations(t.Context(), cloudpam.ListAllocationsParams{}))
	if err != nil || len(all) != 1 || all[0].CIDR != cidr {
		t.Errorf("the server has %v, %v; want one allocation of %s", all, err, cidr)
	}
	created := 0
	for event, err := range server.Client.Events(t.Context(), cloudpam.ListEventsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Action == "allocation.created" {
			created++
		}
	}
	if created != 1 {
		t.Errorf("the allocation was created %d times", created)
	}
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
}

func TestAServerThatIsKilledBetweenPlanAndApplyKeepsItsPromise(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	tf := acctest.NewTerraform(t, server, appOfCorp)
	tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
	server.Kill(t)
	server.Restart(t)
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	applied(t, server, tf, "10.0.0.0/24")
}

// The server dies while it creates the allocation: before it has it, or after it has committed and before it has answered.
// The provider asks again under the same idempotency key, and gets the one allocation.
func TestAServerThatIsKilledWhileItCreatesCreatesOnce(t *testing.T) {
	t.Parallel()
	for moment, committed := range map[string]bool{"before the commit": false, "after the commit": true} {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t)
			others(corpPool)(t, server.Client)
			var once sync.Once
			proxy := server.Proxy(t, func(_ http.ResponseWriter, r *http.Request, forward http.Handler) bool {
				if r.Method != http.MethodPost || r.URL.Path != "/api/v1/allocations" {
					return false
				}
				died := false
				once.Do(func() {
					if committed {
						forward.ServeHTTP(httptest.NewRecorder(), r)
					}
					server.Kill(t)
					server.Restart(t)
					died = true
				})
				if died {
					panic(http.ErrAbortHandler) // hang up without an answer
				}
				return false
			})
			tf := acctest.NewTerraform(t, nil, proxy.ProviderConfig("")+appOfCorp)
			tf.Run(t, "apply", "-no-color", "-auto-approve")
			if asked := proxy.Counts()["POST allocations"]; asked != 2 {
				t.Errorf("the provider asked %d times, want 2: the server did not die", asked)
			}
			applied(t, server, tf, "10.0.0.0/24")
		})
	}
}

// A provider that gives up does not know what it left. The next run says so, and its import block adopts it.
func TestWhatAProviderThatGaveUpHasCreatedIsAdopted(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	var healed atomic.Bool
	proxy := server.Proxy(t, func(_ http.ResponseWriter, r *http.Request, forward http.Handler) bool {
		if r.Method != http.MethodPost || r.URL.Path != "/api/v1/allocations" || healed.Load() {
			return false
		}
		forward.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler) // every answer is lost
	})
	tf := acctest.NewTerraform(t, nil, proxy.ProviderConfig("  max_retries = 0")+appOfCorp)
	if _, out, err := tf.Try("apply", "-no-color", "-auto-approve"); err == nil || !said(`If the server got the request after all, its effect shows in the next plan.`).MatchString(out) {
		t.Errorf("a lost answer: %v\n%s", err, out)
	}
	healed.Store(true)
	if _, out, err := tf.Try("apply", "-no-color", "-auto-approve"); err == nil || !said(`import { to = cloudpam_allocation.NAME id = "corp/app" }`).MatchString(out) {
		t.Errorf("after a lost answer: %v\n%s", err, out)
	}
	tf.Write(t, "import.tf", "import {\n  to = cloudpam_allocation.app\n  id = \"corp/app\"\n}\n")
	tf.Run(t, "apply", "-no-color", "-auto-approve")
	applied(t, server, tf, "10.0.0.0/24")
}

func TestRefreshingAndDestroyingPlaceNoAllocation(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	proxy := server.Proxy(t, nil)
	tf := acctest.NewTerraform(t, nil, proxy.ProviderConfig("")+appOfCorp)
	for _, command := range [][]string{{"plan", "-refresh-only"}, {"apply", "-refresh-only", "-auto-approve"}} {
		tf.Run(t, append(command, "-no-color")...)
		if counts := proxy.Counts(); counts["POST hold-batches"]+counts["POST allocations"] != 0 {
			t.Errorf("terraform %v asked the server %v", command, counts)
		}
	}
	// A destroy plans what is configured before it destroys what exists, which holds, and never allocates.
	tf.Run(t, "destroy", "-auto-approve", "-no-color")
	if counts := proxy.Counts(); counts["POST allocations"] != 0 {
		t.Errorf("a destroy asked the server %v", counts)
	}
}

// As the README says: a configuration that asks a full pool for more cannot be planned, and so stops a destroy.
func TestADestroyGetsThroughAFullPoolWithoutPlanning(t *testing.T) {
	t.Parallel()
	for how, args := range map[string][]string{"refresh=false": {"-refresh=false"}, "plan mode off": nil} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t)
			others([]cloudpam.NewPool{tiny})(t, server.Client)
			whole := strings.Replace(appOfCorp, "corp", "tiny", 1)
			tf := acctest.NewTerraform(t, server, whole)
			tf.Run(t, "apply", "-auto-approve", "-no-color")
			tf.Write(t, "main.tf", whole+strings.ReplaceAll(whole, "app", "more"))
			if _, out, err := tf.Try("destroy", "-auto-approve", "-no-color"); err == nil || !said("Error: Pool is exhausted").MatchString(out) {
				t.Errorf("destroy: %v\n%s", err, out)
			}
			if args == nil {
				tf.Write(t, "provider.tf", "provider \"cloudpam\" {\n  plan_mode = \"off\"\n}\n")
			}
			tf.Run(t, append([]string{"destroy", "-auto-approve", "-no-color"}, args...)...)
			if all, err := cloudpam.Collect(server.Client.Allocations(t.Context(), cloudpam.ListAllocationsParams{})); err != nil || len(all) != 0 {
				t.Errorf("left: %v, %v", all, err)
			}
		})
	}
}

func TestWhatDisappearedComesBackWithItsCIDRs(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	tf := acctest.NewTerraform(t, server, `
		resource "cloudpam_pool" "vpc" {
		  for_each      = toset(["a", "b"])
		  name          = each.key
		  parent        = "corp"
		  prefix_length = 20
		}
		resource "cloudpam_allocation" "app" {
		  for_each      = cloudpam_pool.vpc
		  pool          = each.value.id
		  name          = "app"
		  prefix_length = 24
		}`)
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	before := planned(t, tf)
	drop(t, server, "app")
	for _, pool := range []string{"a", "b"} {
		if err := server.Client.DeletePool(t.Context(), pool); err != nil {
			t.Fatal(err)
		}
	}
	if plan := tf.Run(t, "plan", "-no-color"); !strings.Contains(plan, "4 to add, 0 to change, 0 to destroy") {
		t.Errorf("not planned again:\n%s", plan)
	}
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	for address, cidr := range planned(t, tf) {
		if before[address] != cidr {
			t.Errorf("%s was %s and came back as %s", address, before[address], cidr)
		}
	}
}

func TestWhatIsMovedBetweenModulesKeepsItsCIDR(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	tf := acctest.NewTerraform(t, server, appOfCorp)
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	module := filepath.Join(tf.Dir, "network")
	if err := os.Mkdir(module, 0o750); err != nil {
		t.Fatal(err)
	}
	versions, err := os.ReadFile(filepath.Join(tf.Dir, "versions.tf"))
	if err != nil {
		t.Fatal(err)
	}
	tf.Write(t, "network/versions.tf", string(versions))
	tf.Write(t, "network/main.tf", appOfCorp)
	tf.Write(t, "main.tf", "module \"network\" {\n  source = \"./network\"\n}\nmoved {\n  from = cloudpam_allocation.app\n  to   = module.network.cloudpam_allocation.app\n}\n")
	tf.Run(t, "get", "-no-color")
	if plan := tf.Run(t, "plan", "-no-color", "-out=p.tfplan"); !strings.Contains(plan, "0 to add, 0 to change, 0 to destroy") {
		t.Errorf("a move is no move:\n%s", plan)
	}
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	applied(t, server, tf, "10.0.0.0/24")
}

// A token that may allocate and not hold plans "known after apply", with a warning, and applies.
func TestATokenWithoutHoldsPlansUnknownAndApplies(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	proxy := server.Proxy(t, func(w http.ResponseWriter, r *http.Request, forward http.Handler) bool {
		return strings.HasSuffix(r.URL.Path, "/hold-batches") && mayOnlyRead(w, r, forward)
	})
	tf := acctest.NewTerraform(t, nil, proxy.ProviderConfig("")+appOfCorp)
	plan := tf.Run(t, "plan", "-no-color", "-out=p.tfplan")
	if !said(`+ cidr = (known after apply)`).MatchString(plan) || !strings.Contains(plan, "Warning: CIDR cannot be planned with this token") {
		t.Errorf("the plan:\n%s", plan)
	}
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	applied(t, server, tf, "10.0.0.0/24")
}

func TestAPrivateAuthorityIsTrustedThroughCACertFile(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	target, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(target))
	t.Cleanup(secure.Close)
	tf := acctest.NewTerraform(t, server, appOfCorp)
	tf.Write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})))
	tf.Write(t, "provider.tf", "provider \"cloudpam\" {\n  endpoint     = \""+secure.URL+"\"\n  ca_cert_file = \"ca.pem\"\n}\n")
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	applied(t, server, tf, "10.0.0.0/24")
}
