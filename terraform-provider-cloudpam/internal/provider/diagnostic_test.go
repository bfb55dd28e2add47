package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// Refusals that a test cannot bring about at will through the server; the others are proved in refusal_test.go.
func TestARareRefusalSaysWhatToDoNext(t *testing.T) {
	tried := attempt{verb: "update", kind: "pool", name: "corp"}
	for code, want := range map[cloudpam.Code][2]string{
		cloudpam.ErrPreconditionFailed: {
			`Pool "corp" was changed by somebody else`,
			"Said.\n\nNothing was changed by Terraform. Run it again: the next plan is made from what stands now.\n\nRequest id: req_1",
		},
		cloudpam.ErrForbidden: {
			`Not allowed to update pool "corp"`,
			"Said.\n\nUse a token whose role allows it, or ask an administrator for the role.\n\nRequest id: req_1",
		},
		cloudpam.ErrOverloaded: {
			"CloudPAM is too busy",
			"Said.\n\nRun Terraform again later, with a smaller -parallelism, or raise max_retries in the provider block.\n\nRequest id: req_1",
		},
		cloudpam.ErrInternal: {
			`CloudPAM cannot update pool "corp"`,
			"Said.\n\nIf it happens again, send the server's administrator the request id.\n\nRequest id: req_1",
		},
		"a_code_of_tomorrow": {
			`CloudPAM cannot update pool "corp"`,
			"Said.\n\nIf it happens again, send the server's administrator the request id.\n\nRequest id: req_1",
		},
	} {
		got := tried.diagnose(&cloudpam.Error{Code: code, Detail: "said", RequestID: "req_1"})
		if len(got) != 1 || got[0].Summary() != want[0] || got[0].Detail() != want[1] {
			t.Errorf("%s\n got %v\nwant %q", string(code), got, want)
		}
	}
}

func TestEachWrongFieldIsItsOwnDiagnosticAtItsAttribute(t *testing.T) {
	got := attempt{verb: "create", kind: "pool", name: "corp"}.diagnose(&cloudpam.Error{Code: cloudpam.ErrInvalid, Detail: "two fields are wrong", Errors: []cloudpam.FieldError{
		{Pointer: "/labels/team", Detail: "a label value has at most 256 bytes"},
		{Pointer: "/owner", Detail: "too long"},
		{Pointer: "header:If-Match", Detail: "not an attribute"},
	}})
	if len(got) != 2 {
		t.Fatalf("got %v", got)
	}
	for i, want := range []path.Path{path.Root("labels"), path.Root("owner")} {
		if at, ok := got[i].(diag.DiagnosticWithPath); !ok || !at.Path().Equal(want) {
			t.Errorf("diagnostic %d is %v, want it at %s", i, got[i], want)
		}
	}
	if !strings.HasPrefix(got[0].Detail(), "A label value has at most 256 bytes.") {
		t.Error(got[0].Detail())
	}
}
