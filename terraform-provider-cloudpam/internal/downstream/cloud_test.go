//go:build downstream

package downstream

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// addToState puts a cloud's resource into a state that has one of ours.
func addToState(t *testing.T, tf *acctest.Terraform, cloud string, resource map[string]any) {
	t.Helper()
	var state map[string]any
	if err := json.Unmarshal([]byte(tf.Run(t, "state", "pull")), &state); err != nil {
		t.Fatal(err)
	}
	resources := state["resources"].([]any)
	ours := resources[0].(map[string]any)["provider"].(string)
	resource["provider"] = strings.Replace(ours, "cloudpam/cloudpam", "hashicorp/"+cloud, 1)
	state["resources"] = append(resources, resource)
	state["serial"] = state["serial"].(float64) + 1
	content, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	tf.Write(t, "more.tfstate", string(content))
	tf.Run(t, "state", "push", "more.tfstate")
}

// serverWithPools is a server with the pools that the examples take blocks of.
func serverWithPools(t *testing.T) *acctest.Server {
	t.Helper()
	server := acctest.Start(t)
	for _, pool := range []cloudpam.NewPool{
		{Name: "corp", CIDR: new("10.0.0.0/8")},
		{Name: "clusters", CIDR: new("172.16.0.0/12"), Labels: &cloudpam.Labels{"cloud": "gcp", "tier": "prd"}},
	} {
		if _, err := server.Client.CreatePool(t.Context(), pool); err != nil {
			t.Fatal(err)
		}
	}
	return server
}

// forecast is what a plan says.
type forecast struct {
	pairs   [][2]string // the output of that name
	clouds  []string    // every CIDR in a resource that is not ours, sorted; one that is not known yet is missing
	targets []string    // -target=… for each resource of ours that changes
	actions map[string][]string
}

// plan plans into p.tfplan.
func plan(t *testing.T, tf *acctest.Terraform, args ...string) forecast {
	t.Helper()
	tf.Run(t, append([]string{"plan", "-no-color", "-out=p.tfplan"}, args...)...)
	var show struct {
		PlannedValues struct {
			Outputs struct {
				Pairs struct{ Value [][2]string }
			}
			RootModule struct {
				Resources []struct {
					ProviderName string `json:"provider_name"`
					Values       any
				}
			} `json:"root_module"`
		} `json:"planned_values"`
		ResourceChanges []struct {
			Address, Mode, Type string
			Change              struct{ Actions []string }
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal([]byte(tf.Run(t, "show", "-json", "p.tfplan")), &show); err != nil {
		t.Fatal(err)
	}
	p := forecast{pairs: show.PlannedValues.Outputs.Pairs.Value, actions: map[string][]string{}}
	for _, resource := range show.PlannedValues.RootModule.Resources {
		if !strings.HasSuffix(resource.ProviderName, "/cloudpam") {
			p.clouds = append(p.clouds, cidrsIn(resource.Values)...)
		}
	}
	slices.Sort(p.clouds)
	for _, r := range show.ResourceChanges {
		p.actions[r.Address] = r.Change.Actions
		if r.Mode == "managed" && strings.HasPrefix(r.Type, "cloudpam_") && !slices.Equal(r.Change.Actions, []string{"no-op"}) {
			p.targets = append(p.targets, "-target="+r.Address)
		}
	}
	return p
}

// cidrsIn finds what AWS and Google call a block's CIDR, however deep.
func cidrsIn(values any) (found []string) {
	switch values := values.(type) {
	case []any:
		for _, value := range values {
			found = append(found, cidrsIn(value)...)
		}
	case map[string]any:
		for name, value := range values {
			if cidr, is := value.(string); is && (name == "cidr_block" || name == "ip_cidr_range") {
				found = append(found, cidr)
			}
			found = append(found, cidrsIn(value)...)
		}
	}
	return found
}

// offline gives the working folder a cloud's provider, and it what it needs to plan without the cloud: made-up credentials,
// and the one answer that examples/aws asks for. Whatever else it asks for ends in a proxy that fails the test.
func offline(t *testing.T, tf *acctest.Terraform, cloud string) {
	t.Helper()
	tf.Override(t, "hashicorp/"+cloud, filepath.Join(acctest.Root(), "bin", "downstream", cloud))
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Google's provider asks who it is, for its log, and plans whatever comes back.
		if r.Host != "openidconnect.googleapis.com:443" {
			t.Errorf("a provider wants to %s %s", r.Method, r.Host)
		}
		http.Error(w, "there is no cloud here", http.StatusBadGateway)
	}))
	t.Cleanup(proxy.Close)
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if action := r.FormValue("Action"); action != "GetCallerIdentity" {
			t.Errorf("AWS is asked for %s", action)
		}
		fmt.Fprint(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
	}))
	t.Cleanup(sts.Close)
	for name, value := range map[string]string{
		"HTTP_PROXY": proxy.URL, "HTTPS_PROXY": proxy.URL, "NO_PROXY": "", // loopback goes round a proxy anyhow
		"http_proxy": proxy.URL, "https_proxy": proxy.URL, "no_proxy": "",
		"AWS_DEFAULT_REGION": "eu-west-1", "TF_VAR_project": "shop",
	} {
		tf.Setenv(name, value)
	}
	tf.Write(t, "offline_override.tf", map[string]string{
		"aws": fmt.Sprintf(`
			provider "aws" {
			  access_key                  = "none"
			  secret_key                  = "none"
			  skip_credentials_validation = true
			  skip_get_ec2_platforms      = true
			  skip_metadata_api_check     = true
			  skip_requesting_account_id  = true

			  endpoints {
			    sts = %q
			  }
			}`, sts.URL),
		"google": `
			provider "google" {
			  access_token = "none"
			}`,
	}[cloud])
}
