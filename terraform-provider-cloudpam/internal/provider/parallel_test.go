package provider_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const many = 60

func TestManyAllocationsAtOnceAreAllDistinct(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, server, fmt.Sprintf(`
		resource "cloudpam_pool" "corp" {
		  name = "corp"
		  cidr = "10.0.0.0/8"
		}
		resource "cloudpam_allocation" "subnet" {
		  count         = %d
		  pool          = cloudpam_pool.corp.id
		  name          = "subnet-${count.index}"
		  prefix_length = 20 + count.index %% 8
		}
		output "cidrs" { value = cloudpam_allocation.subnet[*].cidr }`, many))

	tf.Run(t, "apply", "-auto-approve", "-no-color", "-parallelism=50")
	first := cidrs(t, tf)
	if len(first) != many {
		t.Fatalf("%d CIDRs, want %d", len(first), many)
	}
	for i, p := range first {
		for _, q := range first[i+1:] {
			if p.Overlaps(q) {
				t.Errorf("%s and %s overlap", p, q)
			}
		}
	}
	tf.Run(t, "plan", "-no-color", "-parallelism=50", "-detailed-exitcode") // exit code 2 would mean changes

	tf.Run(t, "destroy", "-auto-approve", "-no-color", "-parallelism=50")
	tf.Run(t, "apply", "-auto-approve", "-no-color", "-parallelism=50")
	for i, again := range cidrs(t, tf) {
		if again != first[i] {
			t.Errorf("subnet-%d was %s and is %s after destroy and apply", i, first[i], again)
		}
	}
}

// cidrs reads the output of that name.
func cidrs(t *testing.T, tf *acctest.Terraform) []netip.Prefix {
	t.Helper()
	var out []netip.Prefix
	if err := json.Unmarshal([]byte(tf.Run(t, "output", "-json", "cidrs")), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
