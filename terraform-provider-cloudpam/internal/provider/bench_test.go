package provider_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// BenchmarkTerraform shows what the provider costs a run beyond Terraform and the server, in milliseconds a resource: real
// Terraform over 500 allocations, against 500 resources of Terraform's own that need no provider.
//
//	wall, cpu          of Terraform and the provider together
//	own-wall, own-cpu  of the same run over terraform_data
//	provider           processor time of the provider's process alone
//	server             the time that the server took, the sum of its requests
//	adds-cpu           cpu - own-cpu; what Terraform does for any provider is in it, the server is not
//	adds-wall          wall - own-wall - server; with -parallelism=1 only, where nothing overlaps
func BenchmarkTerraform(b *testing.B) {
	const n = 500
	for _, parallelism := range []string{"1", "50"} {
		server := acctest.Start(b)
		tf := acctest.NewTerraform(b, server, "resource \"cloudpam_pool\" \"big\" {\n  name = \"big\"\n  cidr = \"172.16.0.0/12\"\n}\n"+
			subnetsOf(n, "cloudpam_pool.big.id", "subnet"))
		used := tf.Meter(b)
		own := acctest.NewTerraform(b, nil, fmt.Sprintf("resource \"terraform_data\" \"subnet\" {\n  count = %d\n  input = \"subnet-${count.index}\"\n}\n", n))
		for _, run := range []struct {
			name string
			args []string
		}{{"plan", []string{"plan", "-out=p.tfplan"}}, {"apply", []string{"apply", "p.tfplan"}}, {"empty plan", []string{"plan", "-detailed-exitcode"}}} {
			b.Run("parallelism="+parallelism+"/"+run.name, func(b *testing.B) {
				if b.N > 1 {
					b.Skip("a plan is applied once") // never reached: each run takes more than a second
				}
				args := append([]string{run.args[0], "-no-color", "-parallelism=" + parallelism}, run.args[1:]...)
				before := served(b, server)
				wall, cpu := tf.Measure(b, args...)
				provider := used()
				took := served(b, server) - before
				ownWall, ownCPU := own.Measure(b, args...)
				each := func(d time.Duration, unit string) { b.ReportMetric(float64(d.Microseconds())/1000/n, unit) }
				b.ReportMetric(0, "ns/op")
				each(wall, "wall")
				each(cpu, "cpu")
				each(ownWall, "own-wall")
				each(ownCPU, "own-cpu")
				each(provider, "provider")
				each(took, "server")
				each(cpu-ownCPU, "adds-cpu")
				if parallelism == "1" {
					each(wall-ownWall-took, "adds-wall")
				}
			})
		}
	}
}

// served is how long the server took for all requests so far.
func served(t testing.TB, server *acctest.Server) time.Duration {
	t.Helper()
	resp, err := http.Get(server.Endpoint + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var seconds float64
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "} ")
		if !strings.HasPrefix(name, "cloudpam_http_request_duration_seconds_sum") || !strings.Contains(name, "/api/v1/") {
			continue
		}
		one, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatal(err)
		}
		seconds += one
	}
	return time.Duration(seconds * float64(time.Second))
}
