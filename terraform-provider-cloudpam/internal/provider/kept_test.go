package provider_test

import (
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// Whichever of the two Terraform plans first.
func TestACIDROfWhatStaysIsRefusedWhilePlanning(t *testing.T) {
	t.Parallel()
	pool := poolNamed("corp", `cidr = "10.0.0.0/8"`)
	set := "resource \"cloudpam_allocation_set\" \"there\" {\n  pool = cloudpam_pool.corp.id\n  name = \"there\"\n  subnets = { a = 16 }\n}\n"
	for what, there := range map[string]string{
		"an allocation": sizedIn("there", "corp", 16), "a pool": childIn("there", 16), "a member": set,
		"a reservation": "resource \"cloudpam_reservation\" \"there\" {\n  pool = cloudpam_pool.corp.id\n  cidr = \"10.0.0.0/16\"\n  reason = \"legacy\"\n}\n",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			tf := acctest.NewTerraform(t, acctest.Start(t), pool+there)
			tf.Run(t, "apply", "-auto-approve")
			tf.Write(t, "main.tf", pool+there+fixedIn("aa", "corp", "10.0.1.0/24")+fixedIn("zz", "corp", "10.0.2.0/24"))
			for _, parallelism := range []string{"1", "10"} {
				_, out, err := tf.Try("plan", "-no-color", "-parallelism="+parallelism)
				if err == nil {
					t.Fatalf("the plan at parallelism %s works:\n%s", parallelism, out)
				}
				for _, asked := range []string{"10.0.1.0/24", "10.0.2.0/24"} {
					taken := strings.Contains(out, asked+" is taken")
					twice := strings.Contains(out, "asks for "+asked)
					if taken == twice {
						t.Errorf("at parallelism %s %s is refused where it is asked for: %t, where it is: %t\n%s", parallelism, asked, taken, twice, out)
					}
				}
			}
			tf.Write(t, "main.tf", pool+fixedIn("aa", "corp", "10.0.1.0/24"))
			tf.Run(t, "plan", "-out=plan") // what goes may be in the way
		})
	}
}

func TestANameOfWhatKeepsItIsRefusedWhilePlanning(t *testing.T) {
	t.Parallel()
	pool := poolNamed("corp", `cidr = "10.0.0.0/8"`)
	tf := acctest.NewTerraform(t, acctest.Start(t), pool+calledIn("aa", "a", 24)+calledIn("mm", "m", 24)+calledIn("zz", "z", 24))
	tf.Run(t, "apply", "-auto-approve")
	tf.Write(t, "main.tf", pool+calledIn("aa", "m", 24)+calledIn("mm", "m", 24)+calledIn("zz", "z", 24))
	for _, parallelism := range []string{"1", "10"} {
		_, out, err := tf.Try("plan", "-no-color", "-parallelism="+parallelism)
		if err == nil || !strings.Contains(out, "Name is taken") && !strings.Contains(out, "Name is asked for twice") && !strings.Contains(out, "Duplicate allocation name") {
			t.Errorf("at parallelism %s: %v\n%s", parallelism, err, out)
		}
	}
}

// A replacement is told from a second resource of the same name by what it replaces, which the state knows from the first apply on.
func TestAReplacementIsPlannedWithoutARefreshToo(t *testing.T) {
	t.Parallel()
	pool := poolNamed("corp", `cidr = "10.0.0.0/16"`)
	reservation := "resource \"cloudpam_reservation\" \"r\" {\n  pool = cloudpam_pool.corp.id\n  cidr = \"10.0.32.0/24\"\n  reason = \"legacy\"\n}\n"
	tf := acctest.NewTerraform(t, acctest.Start(t), pool+fixedIn("a", "corp", "10.0.0.0/24")+reservation+halves)
	tf.Run(t, "apply", "-auto-approve")
	tf.Write(t, "main.tf", pool+fixedIn("a", "corp", "10.0.8.0/24")+strings.Replace(reservation, "10.0.32.0", "10.0.40.0", 1)+halves)
	tf.Run(t, "plan", "-refresh=false", "-replace=cloudpam_allocation_set.s", "-out=plan")
	tf.Run(t, "apply", "plan")
	tf.Run(t, "plan", "-detailed-exitcode")
}
