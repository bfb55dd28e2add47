package ipam_test

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// lengthsOf reads a bundle as it comes out in a pool.
func lengthsOf(t *testing.T, b ipam.Bundle) string {
	t.Helper()
	everything := ipam.Pool{ID: "all", CIDR: netip.MustParsePrefix("0.0.0.0/0")}
	all, err := ipam.SetSizes{Bundle: &b}.All()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		length, err := all[key].LengthIn(everything)
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		out = append(out, fmt.Sprintf("%s /%d", key, length))
	}
	return strings.Join(out, ", ")
}

func TestGKEBundle(t *testing.T) {
	for _, c := range []struct {
		in   ipam.GKEBundle
		want string
	}{
		// Google's own tables: 110 pods take a /24 of each node, 64 a /25, 32 a /26, 16 a /27, 8 a /28; 111 to 128 a /24, 256 a /23.
		// A /29 has room for 3 nodes and the control plane's endpoint, a /24 for 251.
		{ipam.GKEBundle{Nodes: 3, MaxPodsPerNode: 110, Services: 4096}, "nodes /29, pods /22, services /20"},
		{ipam.GKEBundle{Nodes: 4, MaxPodsPerNode: 110, Services: 4097}, "nodes /28, pods /22, services /19"},
		{ipam.GKEBundle{Nodes: 251, MaxPodsPerNode: 110, Services: 128}, "nodes /24, pods /16, services /25"},
		{ipam.GKEBundle{Nodes: 252, MaxPodsPerNode: 110, Services: 16}, "nodes /23, pods /16, services /28"},
		{ipam.GKEBundle{Nodes: 100, MaxPodsPerNode: 64, Services: 1}, "nodes /25, pods /18, services /28"}, // GKE takes no smaller one
		{ipam.GKEBundle{Nodes: 100, MaxPodsPerNode: 65, Services: 17}, "nodes /25, pods /17, services /27"},
		{ipam.GKEBundle{Nodes: 64, MaxPodsPerNode: 32, Services: 32}, "nodes /25, pods /20, services /27"},
		{ipam.GKEBundle{Nodes: 64, MaxPodsPerNode: 16, Services: 33}, "nodes /25, pods /21, services /26"},
		{ipam.GKEBundle{Nodes: 64, MaxPodsPerNode: 128, Services: 65536}, "nodes /25, pods /18, services /16"},
		{ipam.GKEBundle{Nodes: 1, MaxPodsPerNode: 8, Services: 4096}, "nodes /29, pods /24, services /20"}, // GKE takes no smaller one
		{ipam.GKEBundle{Nodes: 15000, MaxPodsPerNode: 256, Services: 4096}, "nodes /18, pods /9, services /20"},
	} {
		if got := lengthsOf(t, ipam.Bundle{GKE: &c.in}); got != c.want {
			t.Errorf("%+v: %s, want %s", c.in, got, c.want)
		}
	}
}

func TestEKSBundle(t *testing.T) {
	for _, c := range []struct {
		in   ipam.EKSBundle
		want string
	}{
		{ipam.EKSBundle{Zones: []string{"b", "a"}, NodesPerZone: 10, MaxPodsPerNode: 29}, "control-plane-a /28, control-plane-b /28, nodes-a /23, nodes-b /23"},
		{ipam.EKSBundle{Zones: []string{"a"}, NodesPerZone: 1, MaxPodsPerNode: 10}, "control-plane-a /28, nodes-a /28"},
		{ipam.EKSBundle{Zones: []string{"a"}, NodesPerZone: 1, MaxPodsPerNode: 11}, "control-plane-a /28, nodes-a /27"},
	} {
		if got := lengthsOf(t, ipam.Bundle{EKS: &c.in}); got != c.want {
			t.Errorf("%+v: %s, want %s", c.in, got, c.want)
		}
	}
}

func TestABundleThatCannotBeIsRefused(t *testing.T) {
	for says, sizes := range map[string]ipam.SetSizes{
		"name one":                    {Bundle: &ipam.Bundle{}},
		"leave one out":               {Bundle: &ipam.Bundle{GKE: &ipam.GKEBundle{}, EKS: &ipam.EKSBundle{}}},
		"gke/nodes is 1":              {Bundle: &ipam.Bundle{GKE: &ipam.GKEBundle{MaxPodsPerNode: 8, Services: 1}}},
		"comes twice":                 {Bundle: &ipam.Bundle{EKS: &ipam.EKSBundle{Zones: []string{"a", "a"}, NodesPerZone: 1, MaxPodsPerNode: 1}}},
		"member nodes-a: 555000":      {Bundle: &ipam.Bundle{EKS: &ipam.EKSBundle{Zones: []string{"a"}, NodesPerZone: 5000, MaxPodsPerNode: 110}}},
		"the bundle has a member":     {Bundle: &ipam.Bundle{GKE: &ipam.GKEBundle{Nodes: 1, MaxPodsPerNode: 8, Services: 1}}, Members: map[string]ipam.BlockSize{"pods": {}}},
		"is not a key":                {Members: map[string]ipam.BlockSize{"-a": {}}},
		"member a: /33 is longer":     {Members: map[string]ipam.BlockSize{"a": {Length: new(33)}}},
		"member a: hosts need a targ": {Members: map[string]ipam.BlockSize{"a": {Hosts: 3}}},
	} {
		if err := sizes.CheckFor(4); ipam.CodeOf(err) != ipam.CodeInvalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	if err := (ipam.SetSizes{Bundle: &ipam.Bundle{GKE: &ipam.GKEBundle{Nodes: 1, MaxPodsPerNode: 8, Services: 1}}}).CheckFor(6); ipam.CodeOf(err) != ipam.CodeInvalid {
		t.Errorf("an IPv6 pool took a bundle: %v", err)
	}
}
