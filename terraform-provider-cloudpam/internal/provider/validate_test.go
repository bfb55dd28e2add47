package provider_test

import (
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// What no server would accept is refused by terraform validate, which needs none.
func TestValidateRefusesOffline(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ config, want string }{
		"host bits": {
			`resource "cloudpam_pool" "a" {
			  name = "a"
			  cidr = "10.1.2.3/20"
			}`,
			`Error: Not a CIDR with cloudpam_pool.a, on main.tf line #, in resource "cloudpam_pool" "a": #: cidr = "10.1.2.3/20"
			10.1.2.3/20 is an address inside 10.1.0.0/20. Did you mean "10.1.0.0/20"?`,
		},
		"IPv4 written as IPv6": {
			`resource "cloudpam_allocation" "a" {
			  pool = "corp"
			  name = "a"
			  cidr = "::ffff:10.0.0.0/104"
			}`,
			`"::ffff:10.0.0.0/104" is IPv4 written as IPv6. Did you mean "10.0.0.0/8"?`,
		},
		"a CIDR and a length that disagree": {
			`resource "cloudpam_allocation" "a" {
			  pool          = "corp"
			  name          = "a"
			  cidr          = "10.0.0.0/24"
			  prefix_length = 25
			}`,
			`Error: CIDR and prefix length disagree with cloudpam_allocation.a, on main.tf line #, in resource "cloudpam_allocation" "a":
			#: prefix_length = 25 cidr 10.0.0.0/24 is a /24 but prefix_length is 25. Leave one of them out, or make them agree.`,
		},
		"a root pool without a CIDR": {
			`resource "cloudpam_pool" "a" {
			  name          = "a"
			  prefix_length = 8
			}`,
			`A pool without a parent brings its own address space: set cidr. A child pool sets parent or pool_selector, and either cidr or prefix_length.`,
		},
		"a child pool without a size": {
			`resource "cloudpam_pool" "a" {
			  name   = "a"
			  parent = "corp"
			}`,
			`Set prefix_length to let CloudPAM choose a block of the parent, or cidr to choose it yourself.`,
		},
		"a child pool in another scope": {
			`resource "cloudpam_pool" "a" {
			  name          = "a"
			  parent        = "partner.corp"
			  scope         = "default"
			  prefix_length = 16
			}`,
			`Parent "partner.corp" is in the scope "partner". Leave scope out: a child pool is in the scope of its parent.`,
		},
		"a pool's name": {
			`resource "cloudpam_pool" "a" {
			  name = "Prod"
			  cidr = "10.0.0.0/8"
			}`,
			`name is "Prod". It must be 1 to 63 lower-case letters, digits, - and _, with a letter or digit at both ends.`,
		},
		"a strategy": {
			`resource "cloudpam_pool" "a" {
			  name     = "a"
			  cidr     = "10.0.0.0/8"
			  strategy = "random"
			}`,
			`strategy is "random". It must be best_fit, first_fit, largest_fit or sparse.`,
		},
		"a prefix length": {
			`resource "cloudpam_allocation" "a" {
			  pool          = "corp"
			  name          = "a"
			  prefix_length = 129
			}`,
			`Attribute prefix_length value must be between 0 and 128, got: 129`,
		},
		"two ways to name an allocation": {
			`data "cloudpam_allocation" "a" {
			  pool = "corp"
			  name = "a"
			  cidr = "10.0.0.0/24"
			}`,
			`Set id, or pool and name, or pool and cidr, and nothing else.`,
		},
		"a duration": {
			`provider "cloudpam" {
			  request_timeout = "fast"
			}
			resource "cloudpam_pool" "a" { # Terraform does not look at a provider that nothing uses
			  name = "a"
			  cidr = "10.0.0.0/8"
			}`,
			`request_timeout is "fast". It must be a duration such as "30s" or "2m".`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, out, err := acctest.NewTerraform(t, nil, c.config).Try("validate", "-no-color")
			if err == nil || !said(c.want).MatchString(out) {
				t.Errorf("want %s\ngot %v\n%s", c.want, err, out)
			}
		})
	}
}

func TestValidateNeedsNoServer(t *testing.T) {
	t.Parallel()
	out := acctest.NewTerraform(t, nil, `
		provider "cloudpam" {
		  endpoint = "http://127.0.0.1:1"
		}
		resource "cloudpam_pool" "corp" {
		  name = "corp"
		  cidr = "2001:DB8::/32"
		}
		resource "cloudpam_allocation" "a" {
		  pool          = cloudpam_pool.corp.id
		  name          = "eu/app:1"
		  cidr          = "2001:db8:1::/48"
		  prefix_length = 48
		}`).Run(t, "validate", "-no-color")
	if !said("Success! The configuration is valid").MatchString(out) {
		t.Error(out)
	}
}
