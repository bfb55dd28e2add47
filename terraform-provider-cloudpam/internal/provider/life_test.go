package provider_test

import (
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

const resting = `
resource "cloudpam_pool" "corp" {
  name       = "corp"
  cidr       = "10.0.0.0/16"
  quarantine = "168h"
}
resource "cloudpam_pool" "team" {
  name          = "team"
  parent        = cloudpam_pool.corp.id
  prefix_length = 20
}
resource "cloudpam_allocation" "all" {
  for_each      = toset(["a", "b"])
  name          = each.key
  pool          = cloudpam_pool.team.id
  prefix_length = 24
}
resource "cloudpam_allocation_set" "set" {
  name    = "set"
  pool    = cloudpam_pool.team.id
  subnets = { x = 26, y = 27 }
}
output "cidrs" {
  value = [cloudpam_pool.team.cidr, [for a in cloudpam_allocation.all : a.cidr], cloudpam_allocation_set.set.cidrs]
}
`

func TestDestroyAndApplyGiveTheSameCIDRsThroughQuarantine(t *testing.T) {
	t.Parallel()
	tf := acctest.NewTerraform(t, acctest.Start(t), resting)
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	before := tf.Run(t, "output", "-json", "cidrs")
	t.Run("of some", func(t *testing.T) {
		tf.Run(t, "destroy", "-auto-approve", "-no-color", `-target=cloudpam_allocation.all["a"]`)
		tf.Run(t, "apply", "-auto-approve", "-no-color")
		if after := tf.Run(t, "output", "-json", "cidrs"); after != before {
			t.Errorf("%s, and before %s", after, before)
		}
	})
	t.Run("of everything", func(t *testing.T) {
		tf.Run(t, "destroy", "-auto-approve", "-no-color")
		tf.Run(t, "apply", "-auto-approve", "-no-color")
		if after := tf.Run(t, "output", "-json", "cidrs"); after != before {
			t.Errorf("%s, and before %s", after, before)
		}
	})
	t.Run("and the spelling of a time is no change", func(t *testing.T) {
		tf.Write(t, "main.tf", strings.Replace(resting, "168h", "10080m", 1))
		tf.Run(t, "plan", "-detailed-exitcode", "-no-color")
	})
	t.Run("what another has left is not given to a new name", func(t *testing.T) {
		tf.Write(t, "main.tf", strings.Replace(resting, `["a", "b"]`, `["b", "c"]`, 1))
		tf.Run(t, "apply", "-auto-approve", "-no-color")
		now := tf.Run(t, "output", "-json", "cidrs")
		if strings.Contains(now, "10.0.1.0/24") || !strings.Contains(before, "10.0.1.0/24") || !strings.Contains(now, "10.0.3.0/24") {
			t.Errorf("%s, and before %s", now, before)
		}
	})
}

const ending = `
resource "cloudpam_pool" "corp" {
  name = "corp"
  cidr = "10.0.0.0/16"
}
resource "cloudpam_allocation" "preview" {
  name          = "preview"
  pool          = cloudpam_pool.corp.id
  prefix_length = 24
  expires_at    = END
}
output "cidr" {
  value = cloudpam_allocation.preview.cidr
}
`

func TestAnAllocationHasAnEndThatIsRenewedInPlace(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	at := func(end string) string { return strings.Replace(ending, "END", end, 1) }
	tf := acctest.NewTerraform(t, server, at(`"2999-01-01T00:00:00Z"`))
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	before := tf.Run(t, "output", "-json", "cidr")
	t.Run("in another spelling it is the same", func(t *testing.T) {
		tf.Write(t, "main.tf", at(`"2999-01-01T02:00:00+02:00"`))
		tf.Run(t, "plan", "-detailed-exitcode", "-no-color")
	})
	for _, end := range []string{`"2999-06-01T00:00:00Z"`, `timeadd(plantimestamp(), "72h")`, `null`} {
		t.Run("renewed to "+end, func(t *testing.T) {
			tf.Write(t, "main.tf", at(end))
			out := tf.Run(t, "apply", "-auto-approve", "-no-color")
			if !strings.Contains(out, "0 added, 1 changed, 0 destroyed") {
				t.Error(out)
			}
		})
	}
	t.Run("one that has passed is refused while planning", func(t *testing.T) {
		tf.Write(t, "main.tf", at(`"2020-01-01T00:00:00Z"`))
		_, out, err := tf.Try("plan", "-no-color")
		if err == nil || !strings.Contains(out, "Allocation has ended") {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("gone, it is planned again with its CIDR", func(t *testing.T) {
		tf.Write(t, "main.tf", at(`timeadd(plantimestamp(), "72h")`))
		for a, err := range server.Client.Allocations(t.Context(), cloudpam.ListAllocationsParams{}) {
			if err == nil {
				err = server.Client.ReleaseAllocation(t.Context(), a.ID)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		out := tf.Run(t, "plan", "-no-color")
		if !strings.Contains(out, `+ cidr            = `+strings.TrimSpace(before)) {
			t.Errorf("want %s in\n%s", before, out)
		}
	})
}
