//go:build unix

package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// Ensures that the table shows every CIDR, those of child modules included, nothing else, and misses none silently.
func TestModuleBlocks(t *testing.T) {
	state := `{
	  "resources": [
	    {"address": "cloudpam_pool.corp", "mode": "managed", "type": "cloudpam_pool", "values": {"cidr": "10.0.0.0/8"}},
	    {"address": "data.cloudpam_pool.corp", "mode": "data", "type": "cloudpam_pool", "values": {"cidr": "10.0.0.0/8"}},
	    {"address": "terraform_data.a", "mode": "managed", "type": "terraform_data", "values": {}}
	  ],
	  "child_modules": [{"resources": [
	    {"address": "module.a.cloudpam_allocation.b", "mode": "managed", "type": "cloudpam_allocation", "values": {"cidr": "10.0.0.0/24", "pool": "corp"}},
	    {"address": "module.a.cloudpam_allocation_set.s", "mode": "managed", "type": "cloudpam_allocation_set", "values": {"cidrs": {"x": "10.0.1.0/24"}, "pool": "corp"}},
	    {"address": "module.a.cloudpam_allocation.c", "mode": "managed", "type": "cloudpam_allocation", "values": {"pool": "corp"}}
	  ]}]
	}`
	var root module
	if err := json.Unmarshal([]byte(state), &root); err != nil {
		t.Fatal(err)
	}
	var got []string
	found, unknown := root.blocks()
	if unknown != 1 {
		t.Errorf("%d resources have no CIDR yet, want 1", unknown)
	}
	for _, b := range found {
		got = append(got, strings.Join([]string{b.cidr.String(), b.address, b.from}, " "))
	}
	want := []string{"10.0.0.0/8 cloudpam_pool.corp ", "10.0.0.0/24 module.a.cloudpam_allocation.b corp", `10.0.1.0/24 module.a.cloudpam_allocation_set.s.cidrs["x"] corp`}
	if !slices.Equal(got, want) {
		t.Errorf("blocks:\n got %q\nwant %q", got, want)
	}
}
