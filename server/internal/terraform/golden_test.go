package terraform

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2/hclparse"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

var update = flag.Bool("update", false, "write the golden files")

func pfx(text string) netip.Prefix { return netip.MustParsePrefix(text) }

func awsEstate() *estate {
	e := &estate{account: ipam.Account{ID: "aws:111111111111", Cloud: ipam.AWS, ExternalID: "111111111111"}, pools: map[ipam.UID]ipam.Pool{}, allocations: map[ipam.UID]ipam.Allocation{}}
	vpc := ipam.Observation{UID: "obs_1", Kind: ipam.ObservedNetwork, CloudID: "vpc-1", Network: "vpc-1", CIDR: pfx("10.0.0.0/16")}
	e.things = append(e.things, &thing{
		kind: ipam.ObservedNetwork, Thing: ipam.Thing{ID: "vpc-1", Name: "Main", Network: "vpc-1", Region: "eu-west-1", Blocks: []netip.Prefix{vpc.CIDR}, Labels: ipam.Labels{"Name": "Main", "aws:cloudformation:stack-name": "x"}},
		blocks: []ipam.Observation{vpc},
	})
	e.pools["obs_1"] = ipam.Pool{ID: "main", UID: "pool_1", Scope: "default", Name: "main", Parent: "corp", ParentUID: "pool_0", CIDR: vpc.CIDR, Strategy: "best_fit", Details: ipam.Details{Account: "aws:111111111111", Region: "eu-west-1"}, Sizes: ipam.Sizes{Min: new(20)}}
	for _, s := range []struct {
		id, name, region string
		blocks           []string
		tags             ipam.Labels
	}{
		{"subnet-a", "app", "eu-west-1", []string{"10.0.1.0/24", "2001:db8:0:1::/64"}, ipam.Labels{"Name": "app", "cost ${center}": `"7"`}},
		{"subnet-b", "app", "eu-west-1", []string{"10.0.2.0/24"}, nil},
		{"subnet-c", "", "us-east-1", []string{"10.0.3.0/24"}, nil},
	} {
		t := &thing{kind: ipam.ObservedSubnet, Thing: ipam.Thing{ID: s.id, Name: s.name, Network: "vpc-1", Region: s.region, Zone: s.region + "a", Labels: s.tags}}
		for _, text := range s.blocks {
			o := ipam.Observation{UID: ipam.UID("obs_" + s.id + text), Kind: ipam.ObservedSubnet, CloudID: s.id, Network: "vpc-1", CIDR: pfx(text)}
			t.blocks, t.Blocks = append(t.blocks, o), append(t.Blocks, o.CIDR)
			if o.CIDR.Addr().Is4() { // that of IPv6 was not adopted
				e.allocations[o.UID] = ipam.Allocation{ID: "alloc_" + s.id, In: ipam.In{Pool: "main", PoolUID: "pool_1"}, Name: "net/" + s.id, CIDR: o.CIDR, Details: ipam.Details{Account: "aws:111111111111", Region: s.region, Labels: ipam.Labels{"team": "net"}}}
			}
		}
		e.things = append(e.things, t)
	}
	return e
}

func gcpEstate() *estate {
	e := &estate{account: ipam.Account{ID: "gcp:my-project", Cloud: ipam.GCP, ExternalID: "my-project"}, pools: map[ipam.UID]ipam.Pool{}, allocations: map[ipam.UID]ipam.Allocation{}}
	t := &thing{kind: ipam.ObservedSubnet, Thing: ipam.Thing{ID: "my-project/europe-west1/nodes", Name: "nodes", Network: "host-project/shared", Region: "europe-west1"}}
	for _, r := range []struct{ part, block string }{{"", "10.1.0.0/20"}, {"pods", "10.2.0.0/16"}, {"services", "10.3.0.0/20"}} {
		o := ipam.Observation{UID: ipam.UID("obs_" + r.block), Kind: ipam.ObservedSubnet, CloudID: t.ID, Part: r.part, Network: t.Network, CIDR: pfx(r.block)}
		t.blocks = append(t.blocks, o)
		if r.part == "" {
			t.Blocks = append(t.Blocks, o.CIDR)
		} else {
			o.Kind = ipam.ObservedSecondary
			t.Secondary = append(t.Secondary, ipam.NamedBlock{Name: r.part, CIDR: o.CIDR})
		}
		if r.part != "services" {
			e.allocations[o.UID] = ipam.Allocation{ID: "alloc_" + r.part, In: ipam.In{Pool: "net.gke", PoolUID: "pool_9"}, Name: "nodes/" + r.part, CIDR: o.CIDR}
		}
	}
	e.things = append(e.things, t)
	return e
}

// The text of a module is what its users review, so that each change of it is seen here.
func TestModulesAreAsTheyWere(t *testing.T) {
	for name, e := range map[string]*estate{"aws": awsEstate(), "gcp": gcpEstate()} {
		for _, m := range e.modules(Ask{}) {
			for _, f := range m.files(e.account, false) {
				golden := filepath.Join("testdata", name, f.Path)
				if *update {
					if err := os.MkdirAll(filepath.Dir(golden), 0o750); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(golden, []byte(f.Content), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil || string(want) != f.Content {
					t.Errorf("%s, %v: it is\n%s", golden, err, f.Content)
				}
				if _, wrong := hclparse.NewParser().ParseHCL([]byte(f.Content), f.Path); wrong.HasErrors() {
					t.Errorf("%s: %v", golden, wrong)
				}
			}
		}
	}
}

func TestEachNetworkMayHaveAModuleAndOneHalfWillDo(t *testing.T) {
	e := awsEstate()
	e.things[3].Network = "vpc-2"
	all := e.modules(Ask{ByNetwork: true})
	if len(all) != 2 || len(all[0].things) != 3 || all[1].network != "vpc-2" {
		t.Fatalf("%+v", all)
	}
	for _, f := range all[1].files(e.account, true) {
		if f.Path == "aws.tf" {
			t.Error("the cloud's own are written where only one half was asked for")
		}
	}
	delete(e.allocations, "obs_subnet-c10.0.3.0/24")
	if all := e.modules(Ask{ByNetwork: true}); len(all) != 1 {
		t.Errorf("a network of which nothing was adopted has a module: %+v", all)
	}
}
