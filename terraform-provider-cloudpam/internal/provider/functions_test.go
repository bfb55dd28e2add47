package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

func output(expression string) string { return "output \"x\" {\n  value = " + expression + "\n}\n" }

func TestFunctionsNeedNoServer(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		`provider::cloudpam::normalize("10.1.2.3/16")`:                                          "10.1.0.0/16",
		`provider::cloudpam::normalize("2001:DB8:0:0::/48")`:                                    "2001:db8::/48",
		`provider::cloudpam::normalize("10.0.0.1")`:                                             "10.0.0.1/32",
		`tostring(provider::cloudpam::contains("10.0.0.0/8", "10.255.0.0/16"))`:                 "true",
		`tostring(provider::cloudpam::contains("10.0.0.0/8", "11.0.0.1"))`:                      "false",
		`tostring(provider::cloudpam::contains("10.0.0.0/16", "10.0.0.0/8"))`:                   "false",
		`tostring(provider::cloudpam::contains("::/0", "10.0.0.0/8"))`:                          "false",
		`tostring(provider::cloudpam::overlaps(["10.0.0.0/24", "10.0.1.0/24"]))`:                "false",
		`tostring(provider::cloudpam::overlaps(["10.0.1.0/24", "::/0", "10.0.0.0/23"]))`:        "true",
		`tostring(provider::cloudpam::overlaps([]))`:                                            "false",
		`jsonencode(provider::cloudpam::carve("10.0.0.0/22", { db = 26, app = 24, web = 24 }))`: `{"app":"10.0.0.0/24","db":"10.0.2.0/26","web":"10.0.1.0/24"}`,
		`jsonencode(provider::cloudpam::carve("255.255.255.0/24", { all = 24 }))`:               `{"all":"255.255.255.0/24"}`,
	} {
		t.Run(expression, func(t *testing.T) {
			t.Parallel()
			resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
				{Config: output(expression), Check: resource.TestCheckOutput("x", want)},
			}})
		})
	}
}

func TestFunctionsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{
		refuses(output(`provider::cloudpam::normalize("ten")`), `"ten" is not a CIDR or an address`),
		refuses(output(`provider::cloudpam::contains("10.0.0.0/8", "::ffff:10.0.0.1")`), `is not a CIDR or an address`),
		refuses(output(`provider::cloudpam::carve("10.0.0.0/24", { a = 25, b = 25, c = 32 })`), `10.0.0.0/24 has no room left for c, a /32`),
		refuses(output(`provider::cloudpam::carve("10.0.0.0/24", { a = 16 })`), `a = 16 does not fit 10.0.0.0/24; use 24 to 32`),
	}})
}
