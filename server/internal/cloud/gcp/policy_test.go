package gcp_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/cloud/gcp"
	"github.com/cloudpam/cloudpam/server/internal/cloud/gcp/gcpfake"
)

// permissions are those of a role among the examples.
func permissions(t *testing.T, name string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "examples", "gcp-roles", name))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if p, is := strings.CutPrefix(line, "- "); is {
			all = append(all, strings.TrimSpace(p))
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s has no permissions", name)
	}
	return all
}

// TestTheRolesAreWhatTheCodeCalls does all that the provider can do, with exactly the permissions of the examples.
func TestTheRolesAreWhatTheCodeCalls(t *testing.T) {
	looks := slices.Concat(permissions(t, "read.yaml"), permissions(t, "organization.yaml"))
	for _, c := range []struct {
		name    string
		allowed []string
		do      func(context.Context, *gcp.Cloud) []error
	}{
		{"read", looks, look},
		{"write", slices.Concat(looks, permissions(t, "write.yaml")), act},
	} {
		synctest.Test(t, func(t *testing.T) {
			fake := gcpfake.New([]string{"europe-west1"}, project)
			fake.AddNetwork(project, "", "main")
			fake.Allow(append(c.allowed, "iam.serviceAccounts.getAccessToken")...)
			for _, err := range c.do(t.Context(), open(fake, gcp.Options{})) {
				if err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
			}
			calls := fake.Calls()
			calls["compute.networks.updatePolicy"] = calls["compute.subnetworks.create"] // the insert of a subnetwork takes both
			for _, p := range c.allowed {
				if calls[p] == 0 {
					t.Errorf("%s: the roles have %s, which nothing needs", c.name, p)
				}
			}
		})
	}
}

func look(ctx context.Context, c *gcp.Cloud) []error {
	_, members := c.Accounts(ctx, here, "folders/1")
	return []error{members, c.Validate(ctx, here), c.Networks(ctx, here).Err(), c.Subnets(ctx, here).Err(), c.Ranges(ctx, here).Err()}
}

func act(ctx context.Context, c *gcp.Cloud) []error {
	all := look(ctx, c)
	made, err := c.CreateSubnet(ctx, here, cloud.NewSubnet{
		Network: project + "/main", Region: "europe-west1", Name: "b", CIDR: netip.MustParsePrefix("10.0.2.0/24"), Mark: cloud.Mark{Instance: "i", Allocation: "a"},
	})
	all = append(all, err)
	made, err = c.GrowSubnet(ctx, here, made, netip.MustParsePrefix("10.0.2.0/23"))
	return append(all, err, c.DeleteSubnet(ctx, here, made))
}
