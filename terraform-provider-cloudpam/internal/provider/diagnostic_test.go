package provider

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// Every code that the server has, also those that no test can bring about at will, for the two kinds that are refused most.
func TestEveryCodeOfTheServerHasItsWords(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(acctest.Root(), "docs", "problems.md"))
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile("(?m)^\\| \\[`([a-z_]+)`\\]").FindAllSubmatch(page, -1)
	if len(codes) < 20 {
		t.Fatalf("docs/problems.md lists only %d codes", len(codes))
	}
	codes = append(codes, [][]byte{nil, []byte(cloudpam.ErrUnexpected)}, [][]byte{nil, []byte("a_code_of_tomorrow")})
	var told strings.Builder
	for _, tried := range []attempt{
		{verb: "create", kind: "allocation", name: "app", pool: "corp", poolAttr: "pool"},
		{verb: "update", kind: "pool", name: "vpc", pool: "corp", poolAttr: "parent"},
	} {
		for _, code := range codes {
			for _, d := range tried.diagnose(&cloudpam.Error{
				Code: cloudpam.Code(code[1]), Detail: "what the server says", RequestID: "req_1", NearestPool: "spare",
				Holders: []cloudpam.Holder{{Kind: "allocation", ID: "alloc_1", Name: "a", CIDR: "10.0.0.0/24"}, {Kind: "pool", ID: "vpc", Name: "vpc", CIDR: "10.0.1.0/24"}},
			}) {
				at := ""
				if placed, ok := d.(diag.DiagnosticWithPath); ok {
					at = " at " + placed.Path().String()
				}
				fmt.Fprintf(&told, "== %s %s: %s%s\n%s\n\n%s\n\n", tried.verb, tried.kind, code[1], at, d.Summary(), d.Detail())
			}
		}
	}
	acctest.Golden(t, "every_code", told.String())
}

func TestEachWrongFieldIsItsOwnDiagnosticAtItsAttribute(t *testing.T) {
	t.Parallel()
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
