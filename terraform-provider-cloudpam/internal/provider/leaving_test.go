package provider_test

import (
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// With one thing at a time, what waits for a release may be in the way of it. It gives up then, and the next apply finishes.
func TestAnApplyThatIsInItsOwnWayFinishesTheNextTime(t *testing.T) {
	t.Parallel()
	pool := poolNamed("corp", `cidr = "10.0.0.0/24"`)
	tf := acctest.NewTerraform(t, acctest.Start(t), pool+sizedIn("whole", "corp", 24))
	tf.Run(t, "apply", "-auto-approve")
	tf.Write(t, "main.tf", pool+sizedIn("a", "corp", 25)+sizedIn("b", "corp", 25))
	tf.Setenv("CLOUDPAM_RELEASE_WAIT", "1s")
	if _, _, err := tf.Try("plan", "-out=plan"); err != nil { // the server knows now what goes
		tf.Run(t, "plan", "-out=plan")
	}
	if _, out, err := tf.Try("apply", "-no-color", "-parallelism=1", "plan"); err != nil {
		if !strings.Contains(out, "Block is not released yet") || !strings.Contains(out, "run terraform apply again") {
			t.Fatalf("%v\n%s", err, out)
		}
		tf.Run(t, "apply", "-auto-approve", "-parallelism=1")
	}
	tf.Run(t, "plan", "-detailed-exitcode")
}

func TestAWaitForReleasesThatIsNoDurationIsRefused(t *testing.T) {
	t.Parallel()
	tf := acctest.NewTerraform(t, acctest.Start(t), poolNamed("corp", `cidr = "10.0.0.0/24"`))
	tf.Setenv("CLOUDPAM_RELEASE_WAIT", "soon")
	if _, out, err := tf.Try("plan", "-no-color"); err == nil || !strings.Contains(out, `CLOUDPAM_RELEASE_WAIT is "soon"`) {
		t.Errorf("%v\n%s", err, out)
	}
}
