package provider_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const behindProxy = `
variable "owner" { default = "us" }
resource "cloudpam_pool" "corp" {
  name        = "corp"
  cidr        = "10.0.0.0/8"
  owner       = var.owner
  description = "long enough to be worth compressing, as every pool of a real network is"
}
resource "cloudpam_allocation" "app" {
  pool          = cloudpam_pool.corp.id
  name          = "app"
  prefix_length = 24
  owner         = var.owner
}
resource "cloudpam_allocation_set" "vpc" {
  pool    = cloudpam_pool.corp.id
  name    = "vpc"
  subnets = { a = 24, b = 26 }
  owner   = var.owner
}
resource "cloudpam_reservation" "kept" {
  pool   = cloudpam_pool.corp.id
  cidr   = "10.200.0.0/16"
  reason = "later"
  owner  = var.owner
}
`

// Proxies in front of a server weaken or rename the ETags of what they compress. A change is made against the version that was
// read all the same.
func TestTerraformWorksBehindAProxyThatCompresses(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]struct {
		endpoint func(*testing.T, *acctest.Server) string
		etag     func(string) bool // what the proxy makes of an ETag
	}{
		"nginx":  {func(t *testing.T, s *acctest.Server) string { return s.Nginx(t) }, func(etag string) bool { return strings.HasPrefix(etag, `W/"pool_`) }},
		"Apache": {likeApache, func(etag string) bool { return strings.HasSuffix(etag, `-gzip"`) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t)
			endpoint := start.endpoint(t, server)
			tf := acctest.NewTerraform(t, server, behindProxy)
			tf.Setenv("CLOUDPAM_ENDPOINT", endpoint)
			tf.Run(t, "plan", "-no-color", "-out=p")
			tf.Run(t, "apply", "-no-color", "p")
			plansTo(t, tf, "No changes", "-detailed-exitcode")

			// The proxy really does it, or this test would prove nothing.
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint+"/api/v1/pools/corp", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+acctest.Token)
			req.Header.Set("Accept-Encoding", "gzip")
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if got := resp.Header.Get("ETag"); !start.etag(got) {
				t.Fatalf("the ETag arrives as %s", got)
			}

			// What came back as it was is accepted too: a person's script sends no other.
			req, err = http.NewRequestWithContext(t.Context(), http.MethodPatch, endpoint+"/api/v1/pools/corp", strings.NewReader(`{"region":"eu"}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header = http.Header{"Authorization": {"Bearer " + acctest.Token}, "Content-Type": {"application/json"}, "If-Match": {resp.Header.Get("ETag")}}
			if resp, err = http.DefaultTransport.RoundTrip(req); err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("a change with the ETag as it came: %s", resp.Status)
			}

			plansTo(t, tf, "Plan: 0 to add, 4 to change, 0 to destroy", "-var=owner=them")
			tf.Run(t, "apply", "-auto-approve", "-no-color", "-var=owner=them")
			plansTo(t, tf, "No changes", "-var=owner=them", "-detailed-exitcode")
			tf.Run(t, "destroy", "-auto-approve", "-no-color", "-var=owner=them")
		})
	}
}

// likeApache puts a proxy in front of the server that ends the ETag of every answer in -gzip, as mod_deflate does.
func likeApache(t *testing.T, server *acctest.Server) string {
	var changed atomic.Int64
	proxy := server.Proxy(t, func(w http.ResponseWriter, r *http.Request, to http.Handler) bool {
		answer := httptest.NewRecorder()
		to.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		if etag := answer.Header().Get("ETag"); etag != "" {
			changed.Add(1)
			w.Header().Set("ETag", strings.TrimSuffix(etag, `"`)+`-gzip"`)
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
		return true
	})
	t.Cleanup(func() {
		if changed.Load() == 0 {
			t.Error("no ETag was changed")
		}
	})
	return proxy.Endpoint
}
