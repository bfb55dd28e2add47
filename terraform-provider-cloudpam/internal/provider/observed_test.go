package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// inAWS is a server that has looked at an AWS in memory, and has a pool around all of it.
func inAWS(t *testing.T, networks, subnets int) *acctest.Server {
	t.Helper()
	server := acctest.Start(t, acctest.AWS(t, networks, subnets)...)
	if _, err := server.Client.CreateAccount(t.Context(), cloudpam.NewAccount{Cloud: "aws", ExternalID: acctest.AWSAccount, Name: "payments"}); err != nil {
		t.Fatal(err)
	}
	out, err := server.Client.SyncAccount(t.Context(), "aws:"+acctest.AWSAccount, cloudpam.SyncRequest{})
	if want := networks * (1 + subnets); err != nil || out.Added != want {
		t.Fatalf("%d of %d were seen: %+v, %v", out.Added, want, out, err)
	}
	if _, err := server.Client.CreatePool(t.Context(), cloudpam.NewPool{Name: "corp", CIDR: new("10.64.0.0/10")}); err != nil {
		t.Fatal(err)
	}
	return server
}

// answer is an output of a configuration that was applied, as JSON.
func answer(t *testing.T, tf *acctest.Terraform, name string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(tf.Run(t, "output", "-json", name)), into); err != nil {
		t.Fatal(err)
	}
}

func TestWhatACloudHasIsImportedFromItsDataSource(t *testing.T) {
	t.Parallel()
	server := inAWS(t, 2, 6)
	tf := example(t, server, filepath.Join(registryExamples, "guides", "import-from-a-cloud"))
	replaceIn(t, tf, "main.tf", "123456789012", acctest.AWSAccount)
	tf.Write(t, "provider.tf", `
		terraform {
		  required_providers {
		    cloudpam = { source = "cloudpam/cloudpam" }
		  }
		}
		`+server.ProviderConfig())
	if plan := tf.Run(t, "plan", "-no-color", "-out=p.tfplan"); !strings.Contains(plan, "Plan: 6 to import, 0 to add, 0 to change, 0 to destroy.") {
		t.Errorf("%s", plan)
	}
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")

	// The import blocks may stay, and a wider list imports the rest. Its names repeat those of the other VPC, and one pool is around both:
	// who comes later is called after its id, too, as the configuration has it.
	main, err := os.ReadFile(filepath.Join(tf.Dir, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	tf.Write(t, "main.tf", replaceOnce(t, string(main), `within  = "10.64.0.0/16"`, `within  = "10.64.0.0/10"`))
	if plan := tf.Run(t, "plan", "-no-color", "-out=p.tfplan"); !strings.Contains(plan, "Plan: 6 to import, 0 to add, 0 to change, 0 to destroy.") {
		t.Errorf("%s", plan)
	}
	tf.Run(t, "apply", "-no-color", "p.tfplan")
	tf.Run(t, "plan", "-no-color", "-detailed-exitcode")
	made, err := server.Client.ListAllocations(t.Context(), cloudpam.ListAllocationsParams{Pool: new("corp")})
	if err != nil || len(made.Items) != 12 {
		t.Errorf("%d allocations, %v", len(made.Items), err)
	}
}

func TestWhatCloudsShowedIsNarrowedByEveryFilter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "berlin.json"), []byte(`{"networks":[
		{"id":"vpc-1","name":"Main","region":"east","cidrs":["10.21.0.0/16","10.20.0.0/16"],"tags":{"env":"prod"}},
		{"id":"vpc-2","name":"lone","region":"west","cidrs":["10.30.0.0/16"],"tags":{"cloudpam:scope":"-"}}],"subnets":[
		{"id":"s-b","name":"web","network":"vpc-1","region":"east","cidr":"10.20.1.0/24","tags":{"env":"prod"}},
		{"id":"s-a","name":"web","network":"vpc-1","region":"east","cidr":"10.20.2.0/24","tags":{"env":"prod","team":"net"}},
		{"id":"s-c","name":"data","network":"vpc-1","region":"west","cidr":"10.20.3.0/24"},
		{"id":"s-d","name":"data","network":"vpc-2","region":"west","cidr":"10.30.4.0/24"},
		{"id":"s-e","name":"parts","network":"vpc-1","region":"east","cidr":"10.21.0.128/25"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	server := acctest.Start(t, "CLOUDPAM_CLOUDS=custom", "CLOUDPAM_CUSTOM_DIR="+dir)
	if _, err := server.Client.CreateAccount(t.Context(), cloudpam.NewAccount{Cloud: "custom", ExternalID: "berlin", Name: "berlin"}); err != nil {
		t.Fatal(err)
	}
	others([]cloudpam.NewPool{{Name: "corp", CIDR: new("10.0.0.0/8")}, {Name: "vpc", Parent: new("corp"), CIDR: new("10.20.0.0/16")}},
		cloudpam.NewAllocation{Pool: "corp", Name: "around", CIDR: new("10.21.0.0/24")}, cloudpam.NewAllocation{Pool: "vpc", Name: "known", CIDR: new("10.20.3.0/24")})(t, server.Client)
	if _, err := server.Client.SyncAccount(t.Context(), "custom:berlin", cloudpam.SyncRequest{}); err != nil {
		t.Fatal(err)
	}
	filters := map[string]struct{ networks, subnets []string }{
		``:                          {[]string{"vpc-1", "vpc-2"}, []string{"s-a", "s-b", "s-c", "s-d", "s-e"}},
		`account = "custom:berlin"`: {[]string{"vpc-1", "vpc-2"}, []string{"s-a", "s-b", "s-c", "s-d", "s-e"}},
		`account = "custom:paris"`:  {},
		`cloud = "aws"`:             {},
		`scope = "default"`:         {[]string{"vpc-1"}, []string{"s-a", "s-b", "s-c", "s-e"}},
		`unmapped = true`:           {[]string{"vpc-2"}, []string{"s-d"}},
		`network = "vpc-2"`:         {[]string{"vpc-2"}, []string{"s-d"}},
		`region = "west"`:           {[]string{"vpc-1", "vpc-2"}, []string{"s-c", "s-d"}},
		`tags = { env = "prod" }`:   {[]string{"vpc-1"}, []string{"s-a", "s-b"}},
		`search = "DATA"`:           {nil, []string{"s-c", "s-d"}},
		`within = "10.20.0.0/16"`:   {[]string{"vpc-1"}, []string{"s-a", "s-b", "s-c"}},
		`contains = "10.30.4.1"`:    {[]string{"vpc-2"}, []string{"s-d"}},
		`managed = true`:            {[]string{"vpc-1"}, []string{"s-c", "s-e"}},
		`managed = false`:           {[]string{"vpc-1", "vpc-2"}, []string{"s-a", "s-b", "s-d"}},
		"managed = false\ncloud = \"custom\"\nwithin = \"10.20.2.0/23\"": {nil, []string{"s-a"}},
	}
	config, keys := "", slices.Sorted(maps.Keys(filters))
	for i, filter := range keys {
		config += fmt.Sprintf("data \"cloudpam_observed_networks\" \"x%d\" {\n%s\n}\ndata \"cloudpam_observed_subnets\" \"x%d\" {\n%s\n}\n", i, filter, i, filter)
		config += fmt.Sprintf("output \"x%d\" {\n  value = [data.cloudpam_observed_networks.x%d.networks[*].cloud_id, data.cloudpam_observed_subnets.x%d.subnets[*].cloud_id]\n}\n", i, i, i)
	}
	config += `
		output "networks" {
		  value = data.cloudpam_observed_networks.x0.by_id
		}
		output "pools" {
		  value = data.cloudpam_observed_networks.x0.blocks
		}
		output "subnets" {
		  value = data.cloudpam_observed_subnets.x0.by_id
		}
		output "blocks" {
		  value = data.cloudpam_observed_subnets.x0.blocks
		}`
	tf := acctest.NewTerraform(t, server, config)
	tf.Run(t, "apply", "-auto-approve", "-no-color")
	for i, filter := range keys {
		var got [2][]string
		answer(t, tf, fmt.Sprintf("x%d", i), &got)
		if want := filters[filter]; !slices.Equal(got[0], want.networks) || !slices.Equal(got[1], want.subnets) {
			t.Errorf("%q finds %v and %v, want %v", filter, got[0], got[1], want)
		}
	}

	var networks map[string]struct {
		CIDRs             []string
		Subnets           int
		Tags              map[string]string
		Scope, Region     string
		Mapped_by, Owner  string
		First_seen_at     string
		Last_seen_at      string
		Name, Account     string
		Cloud, ID         string
		Default           bool
		Secondary_ranges  int
		Cloud_ID, Network string
	}
	answer(t, tf, "networks", &networks)
	if n := networks["custom:vpc-1"]; !slices.Equal(n.CIDRs, []string{"10.20.0.0/16", "10.21.0.0/16"}) || n.Subnets != 4 || n.Tags["env"] != "prod" || n.Scope != "default" || n.Mapped_by != "account" ||
		n.Name != "Main" || n.Account != "custom:berlin" || n.Cloud != "custom" || n.Region != "east" || n.First_seen_at == "" || n.Last_seen_at < n.First_seen_at {
		t.Errorf("%+v", n)
	}
	type block struct {
		Name, Pool, Account, Region, Scope, Kind string
		Managed_by                               *struct{ Kind, Name, Pool, CIDR, ID string }
	}
	said := func(all map[string]block) (lines []string) {
		for id, b := range all {
			by := "nothing"
			if b.Managed_by != nil {
				by = b.Managed_by.Kind + " " + b.Managed_by.Name
			}
			lines = append(lines, fmt.Sprintf("%s: %s in %q, of %s", id, b.Name, b.Pool, by))
		}
		slices.Sort(lines)
		return lines
	}
	var pools, blocks map[string]block
	answer(t, tf, "pools", &pools)
	answer(t, tf, "blocks", &blocks)
	if got, want := said(pools), []string{
		`custom:vpc-1@10.20.0.0/16: vpc in "corp", of pool vpc`,
		`custom:vpc-1@10.21.0.0/16: main in "corp", of nothing`,
		`custom:vpc-2@10.30.0.0/16: lone in "", of nothing`,
	}; !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// Two have one name, so each has its id behind it; what lies inside of an allocation is not for an import.
	if got, want := said(blocks), []string{
		`custom:s-a@10.20.2.0/24: web/s-a in "vpc", of nothing`,
		`custom:s-b@10.20.1.0/24: web/s-b in "vpc", of nothing`,
		`custom:s-c@10.20.3.0/24: known in "vpc", of allocation known`,
		`custom:s-d@10.30.4.0/24: data in "", of nothing`,
	}; !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhatCloudsShowedIsReadToItsLastPageInOneOrder(t *testing.T) {
	t.Parallel()
	server := inAWS(t, 5, 210) // 1,050 subnets, more than fit on a page
	config := `
		data "cloudpam_observed_subnets" "x" {
		  cloud = "aws"
		}
		output "x" {
		  value = [length(data.cloudpam_observed_subnets.x.blocks), data.cloudpam_observed_subnets.x.subnets[*].id]
		}`
	var first string
	for range 2 {
		tf := acctest.NewTerraform(t, server, config)
		tf.Run(t, "apply", "-auto-approve", "-no-color")
		out := tf.Run(t, "output", "-json", "x")
		var got []json.RawMessage
		var ids []string
		if err := json.Unmarshal([]byte(out), &got); err != nil || string(got[0]) != "1050" {
			t.Fatalf("%v: %s", err, got[0])
		}
		if err := json.Unmarshal(got[1], &ids); err != nil || len(ids) != 1050 || !slices.IsSorted(ids) {
			t.Errorf("%d ids, %v", len(ids), err)
		}
		if first == "" {
			first = out
			if _, err := server.Client.SyncAccount(t.Context(), "aws:"+acctest.AWSAccount, cloudpam.SyncRequest{}); err != nil {
				t.Fatal(err)
			}
		}
		if out != first {
			t.Error("the same estate gives another list")
		}
	}
}
