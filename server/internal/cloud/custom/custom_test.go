package custom_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/cloud/custom"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

var berlin = ipam.Account{ID: "custom:berlin", Cloud: ipam.Custom, ExternalID: "berlin"}

func write(t *testing.T, text string) custom.Cloud {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "berlin.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return custom.New(dir)
}

const document = `{"networks": [{"id": "office", "name": "Office", "cidrs": ["192.168.0.0/16", "10.0.0.0/16"]}],
 "subnets": [{"id": "floor-1", "network": "office", "region": "house-a", "cidr": "10.0.1.0/24", "tags": {"vlan": "12"}}]}`

func TestADocumentIsAPlace(t *testing.T) {
	c := write(t, document)
	if err := c.Validate(t.Context(), berlin); err != nil {
		t.Fatal(err)
	}
	n, s := c.Networks(t.Context(), berlin), c.Subnets(t.Context(), berlin)
	if !n.Whole(cloud.Global) || len(n.Items) != 1 || n.Items[0].CIDRs[0].String() != "10.0.0.0/16" || n.Items[0].Owner != "berlin" {
		t.Errorf("%+v", n)
	}
	if !s.Whole("house-a") || len(s.Items) != 1 || s.Items[0].Tags["vlan"] != "12" || s.Items[0].CIDRs[0].String() != "10.0.1.0/24" {
		t.Errorf("%+v", s)
	}
}

func TestWhatIsWrongWithADocumentIsWrongWithAllOfIt(t *testing.T) {
	for what, text := range map[string]string{
		"no JSON":           `{"networks"`,
		"nothing":           ``,
		"half":              `{"networks": []}`,
		"a misspelt member": strings.Replace(document, `"cidr":`, `"cdir":`, 1),
		"host bits":         strings.Replace(document, "10.0.1.0/24", "10.0.1.1/24", 1),
		"no id":             strings.Replace(document, "floor-1", "", 1),
		"something after":   document + "{}",
	} {
		c := write(t, text)
		if l := c.Subnets(t.Context(), berlin); l.Whole("house-a") || l.Whole(cloud.Global) || l.Err() == nil {
			t.Errorf("%s: %+v", what, l)
		}
	}
	if l := custom.New(t.TempDir()).Networks(t.Context(), berlin); l.Whole(cloud.Global) || cloud.CodeOf(l.Err()) != cloud.CodeUnavailable {
		t.Errorf("no document: %+v", l)
	}
}
