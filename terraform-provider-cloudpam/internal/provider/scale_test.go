package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// subnetsOf is a configuration with n allocations of many sizes in a pool of its own or of others.
func subnetsOf(n int, pool, prefix string) string {
	return fmt.Sprintf(`
resource "cloudpam_allocation" "subnet" {
  count         = %d
  pool          = %s
  name          = "%s-${count.index}"
  prefix_length = 22 + count.index %% 7
}
`, n, pool, prefix)
}

// inPlan reads the CIDRs of a saved plan by address.
func inPlan(t *testing.T, tf *acctest.Terraform, file string) map[string]netip.Prefix {
	t.Helper()
	var plan struct {
		Changes []struct {
			Address string
			Change  struct {
				After struct{ CIDR netip.Prefix }
			}
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal([]byte(tf.Run(t, "show", "-json", file)), &plan); err != nil {
		t.Fatal(err)
	}
	cidrs := map[string]netip.Prefix{}
	for _, change := range plan.Changes {
		cidrs[change.Address] = change.Change.After.CIDR
	}
	return cidrs
}

func distinct(t *testing.T, cidrs []netip.Prefix) {
	t.Helper()
	slices.SortFunc(cidrs, netip.Prefix.Compare)
	for i := 1; i < len(cidrs); i++ {
		if cidrs[i].Overlaps(cidrs[i-1]) {
			t.Errorf("%s and %s overlap", cidrs[i-1], cidrs[i])
		}
	}
}

func TestHundredsOfAllocationsAreAppliedAsPlanned(t *testing.T) {
	t.Parallel()
	for _, n := range []int{50, 500} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t)
			others(corpPool)(t, server.Client)
			proxy := server.Proxy(t, nil)
			tf := acctest.NewTerraform(t, nil, proxy.ProviderConfig("")+
				"resource \"cloudpam_pool\" \"big\" {\n  name = \"big\"\n  cidr = \"172.16.0.0/12\"\n}\n"+subnetsOf(n, "cloudpam_pool.big.id", "subnet"))
			tf.Run(t, "plan", "-no-color", "-parallelism=50", "-out=first.tfplan")
			first := inPlan(t, tf, "first.tfplan")
			tf.Run(t, "plan", "-no-color", "-parallelism=50", "-out=second.tfplan")
			second := inPlan(t, tf, "second.tfplan")
			if len(first) != n+1 || !maps.Equal(first, second) {
				t.Errorf("two plans of %d allocations differ, or are incomplete: %d and %d", n, len(first), len(second))
			}
			tf.Run(t, "apply", "-no-color", "-parallelism=50", "second.tfplan")
			got := planned(t, tf)
			if len(got) != n+1 {
				t.Errorf("%d CIDRs in the state, want %d", len(got), n+1)
			}
			for address, cidr := range got {
				if first[address].String() != cidr {
					t.Errorf("%s was planned as %s and is %s", address, first[address], cidr)
				}
			}
			delete(first, "cloudpam_pool.big")
			distinct(t, slices.Collect(maps.Values(first)))

			proxy.Counts()
			tf.Run(t, "plan", "-no-color", "-parallelism=50", "-detailed-exitcode")
			if got, want := proxy.Counts(), map[string]int{"GET pools/{id}": 1, "GET allocations/{id}": 4, "GET allocations": 1}; !maps.Equal(got, want) {
				t.Errorf("an empty plan over %d allocations asked %v, want %v", n, got, want)
			}
		})
	}
}

func TestTwoWorkspacesThatPlanAtOnceGetDifferentSpace(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	others(corpPool)(t, server.Client)
	const n = 50
	var plans [2]map[string]netip.Prefix
	var wg sync.WaitGroup
	var workspaces [2]*acctest.Terraform
	for i, name := range []string{"blue", "green"} {
		workspaces[i] = acctest.NewTerraform(t, server, "provider \"cloudpam\" {\n  holder = \""+name+"\"\n}\n"+subnetsOf(n, `"corp"`, name))
	}
	for i, tf := range workspaces {
		wg.Go(func() {
			if _, out, err := tf.Try("plan", "-no-color", "-parallelism=50", "-out=p.tfplan"); err != nil {
				t.Errorf("plan: %v\n%s", err, out)
				return
			}
			plans[i] = inPlan(t, tf, "p.tfplan")
		})
	}
	wg.Wait()
	both := append(slices.Collect(maps.Values(plans[0])), slices.Collect(maps.Values(plans[1]))...)
	if len(both) != 2*n {
		t.Fatalf("%d CIDRs are planned, want %d", len(both), 2*n)
	}
	distinct(t, both)
	for i, tf := range workspaces {
		tf.Run(t, "apply", "-no-color", "-parallelism=50", "p.tfplan")
		for address, cidr := range planned(t, tf) {
			if plans[i][address].String() != cidr {
				t.Errorf("%s was planned as %s and is %s", address, plans[i][address], cidr)
			}
		}
	}
}
