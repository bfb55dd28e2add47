package provider

import (
	"net/netip"
	"testing"
)

func TestAnImportIDNamesAnAllocationInThreeWays(t *testing.T) {
	for id, want := range map[string]allocationKey{
		"alloc_06f2k1m9v8q3":           {id: "alloc_06f2k1m9v8q3"},
		"prod-euw1/app-a":              {pool: "prod-euw1", name: "app-a"},
		"partner.prod/app/a:1.b":       {pool: "partner.prod", name: "app/a:1.b"},
		"prod-euw1@10.0.1.0/24":        {pool: "prod-euw1", cidr: netip.MustParsePrefix("10.0.1.0/24")},
		"partner.v6@2001:DB8:0:0::/56": {pool: "partner.v6", cidr: netip.MustParsePrefix("2001:db8::/56")},
	} {
		if got, err := parseAllocationKey(id); err != nil || got != want {
			t.Errorf("%s is %+v, %v", id, got, err)
		}
	}
}

func TestAWrongImportIDIsExplained(t *testing.T) {
	for id, want := range map[string]string{
		"app-a":               `"app-a" is not the id of an allocation`,
		"":                    `"" is not the id of an allocation`,
		"Prod/app":            `"Prod" is not the id of a pool`,
		"a.b.c/app":           `"a.b.c" is not the id of a pool`,
		"prod/":               `"" is not the name of an allocation`,
		"prod/-a":             `"-a" is not the name of an allocation`,
		"prod@10.0.1.5/24":    `10.0.1.5/24 is an address inside 10.0.1.0/24. Did you mean "10.0.1.0/24"?`,
		"PROD@10.0.1.0/24":    `"PROD" is not the id of a pool`,
		"prod/app@10.0.0.0/8": `"prod/app" is not the id of a pool`,
	} {
		if _, err := parseAllocationKey(id); err == nil || err.Error() != want {
			t.Errorf("%q\n got %v\nwant %s", id, err, want)
		}
	}
}
