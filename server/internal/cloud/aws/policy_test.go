package aws_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/cloud/aws"
	"github.com/cloudpam/cloudpam/server/internal/cloud/aws/awsfake"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// actions are those that a policy among the examples allows.
func actions(t *testing.T, name string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "examples", "aws-policies", name))
	if err != nil {
		t.Fatal(err)
	}
	var policy struct{ Statement []struct{ Action []string } }
	if err := json.Unmarshal(text, &policy); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, s := range policy.Statement {
		all = append(all, s.Action...)
	}
	return all
}

// TestThePoliciesAreWhatTheCodeCalls does all that the provider can do, with exactly the actions of the examples allowed.
func TestThePoliciesAreWhatTheCodeCalls(t *testing.T) {
	read, write, organization := actions(t, "read.json"), actions(t, "write.json"), actions(t, "organization.json")
	for _, c := range []struct {
		name    string
		allowed []string
		do      func(context.Context, *aws.Cloud, ipam.Account, string) []error
	}{
		{"read", slices.Concat(read, organization), look},
		{"write", slices.Concat(read, organization, write), act},
	} {
		synctest.Test(t, func(t *testing.T) {
			fake := awsfake.New([]string{"eu-west-1"}, management, payments)
			vpc := fake.AddNetwork(payments, "eu-west-1", "main", netip.MustParsePrefix("10.0.0.0/16"))
			fake.AddSubnet(payments, "eu-west-1", vpc, "a", netip.MustParsePrefix("10.0.1.0/24"))
			fake.AddPool(payments, "eu-west-1", netip.MustParsePrefix("10.0.0.0/8"))
			fake.Allow(append(c.allowed, "sts:GetCallerIdentity")...)
			for _, err := range c.do(t.Context(), open(fake, aws.Options{}), inPayments(), vpc) {
				if err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
			}
			for action := range fake.Calls() {
				if action != "sts:GetCallerIdentity" && !slices.Contains(c.allowed, action) {
					t.Errorf("%s: the code calls %s, which no policy allows", c.name, action)
				}
			}
			for _, action := range c.allowed {
				if fake.Calls()[action] == 0 {
					t.Errorf("%s: the policies allow %s, which nothing calls", c.name, action)
				}
			}
		})
	}
}

func look(ctx context.Context, c *aws.Cloud, a ipam.Account, _ string) []error {
	_, members := c.Accounts(ctx, ipam.Account{Cloud: ipam.AWS, ExternalID: management}, "")
	return []error{members, c.Validate(ctx, a), c.Networks(ctx, a).Err(), c.Subnets(ctx, a).Err(), c.Ranges(ctx, a).Err()}
}

func act(ctx context.Context, c *aws.Cloud, a ipam.Account, vpc string) []error {
	a.Mode = ipam.ModeApply
	all := look(ctx, c, a, vpc)
	made, err := c.CreateSubnet(ctx, a, cloud.NewSubnet{
		Network: vpc, Region: "eu-west-1", Name: "b", CIDR: netip.MustParsePrefix("10.0.2.0/24"), Mark: cloud.Mark{Instance: "i", Allocation: "a"},
	})
	all = append(all, err, c.MarkSubnet(ctx, a, made, cloud.Mark{Instance: "i", Allocation: "a", Epoch: 2}))
	return append(all, c.DeleteSubnet(ctx, a, made))
}

// TestEachMissingPermissionIsNamed takes one action after the other away.
func TestEachMissingPermissionIsNamed(t *testing.T) {
	all := slices.Concat(actions(t, "read.json"), actions(t, "write.json"), []string{"sts:AssumeRole", "sts:GetCallerIdentity"})
	for _, missing := range all {
		if strings.Contains(missing, "Ipam") {
			continue // awareness: a role without it sees all that counts
		}
		synctest.Test(t, func(t *testing.T) {
			fake := awsfake.New([]string{"eu-west-1"}, management, payments)
			vpc := fake.AddNetwork(payments, "eu-west-1", "main", netip.MustParsePrefix("10.0.0.0/16"))
			fake.AddSubnet(payments, "eu-west-1", vpc, "a", netip.MustParsePrefix("10.0.1.0/24"))
			fake.Allow(slices.DeleteFunc(slices.Clone(all), func(a string) bool { return a == missing })...)
			a := inPayments()
			a.Mode = ipam.ModeApply
			err := open(fake, aws.Options{}).Validate(t.Context(), a)
			if e, ours := errors.AsType[*cloud.Error](err); !ours || e.Code != cloud.CodeDenied || e.Permission != missing || e.Fix == "" {
				t.Errorf("without %s: %#v", missing, err)
			}
		})
	}
}
