package provider_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

func TestTheExampleOfTerraformTestPassesOnARealServer(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := example(t, server, filepath.Join(examples, "terraform-test"))
	tf.Run(t, "get", "-no-color") // what init does but for providers: those of this test are not from a registry
	if out := tf.Run(t, "test", "-no-color", "-filter=tests/server.tftest.hcl"); !strings.Contains(out, "Success! 5 passed, 0 failed.") {
		t.Error(out)
	}
	// It leaves nothing behind: its pool and its scope are deleted with what stood in them.
	if _, err := server.Client.GetScope(t.Context(), "terraform-test"); !isNotFound(err) {
		t.Errorf("the scope of the tests is still there: %v", err)
	}
}

func TestTheExampleOfAMockNeedsNoServer(t *testing.T) {
	t.Parallel()
	tf := example(t, nil, filepath.Join(examples, "terraform-test"))
	tf.Run(t, "get", "-no-color") // what init does but for providers: those of this test are not from a registry
	if out := tf.Run(t, "test", "-no-color", "-filter=tests/mock.tftest.hcl"); !strings.Contains(out, "Success! 1 passed, 0 failed.") {
		t.Error(out)
	}
}
