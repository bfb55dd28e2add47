package aws_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/cloud/aws"
	"github.com/cloudpam/cloudpam/server/internal/cloud/aws/awsfake"
	"github.com/cloudpam/cloudpam/server/internal/cloud/cloudtest"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

const (
	management = "111111111111"
	payments   = "222222222222"
)

// open makes an AWS whose calls end in a double, with no network between.
func open(fake *awsfake.Cloud, o aws.Options) *aws.Cloud {
	return aws.New(sdk.Config{
		Region:       "eu-west-1",
		Credentials:  credentials.NewStaticCredentialsProvider(awsfake.AccessKey(management), "secret", ""),
		BaseEndpoint: sdk.String("http://aws.test"),
		HTTPClient:   &http.Client{Transport: fault.Transport(fake)},
	}, o)
}

func TestContract(t *testing.T) {
	cloudtest.Run(t, func(*testing.T) cloudtest.Bench {
		fake := awsfake.New([]string{"eu-west-1", "us-east-1", "ap-south-1"}, management, payments)
		return cloudtest.Bench{
			Provider: open(fake, aws.Options{PageSize: 5}), Behind: fake, Region: "eu-west-1", Aside: "us-east-1", Marks: true,
			Account: ipam.Account{Cloud: ipam.AWS, ExternalID: payments, RoleARN: "arn:aws:iam::" + payments + ":role/cloudpam"},
			Actions: cloudtest.Actions{Subnets: "ec2:DescribeSubnets", Networks: "ec2:DescribeVpcs", Create: "ec2:CreateSubnet", Delete: "ec2:DeleteSubnet"},
		}
	})
}

func inPayments() ipam.Account {
	return ipam.Account{Cloud: ipam.AWS, ExternalID: payments, RoleARN: "arn:aws:iam::" + payments + ":role/cloudpam"}
}

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func TestAVPCIsToldWithAllItsBlocks(t *testing.T) {
	fake := awsfake.New([]string{"eu-west-1"}, management, payments)
	blocks := prefixes("10.0.0.0/16", "10.1.0.0/16", "100.64.0.0/16", "2600:1f18::/56")
	vpc := fake.AddNetwork(payments, "eu-west-1", "main", blocks...)
	fake.AddNetwork(payments, "eu-west-1", "", prefixes("172.31.0.0/16")...)
	dual := fake.AddSubnet(payments, "eu-west-1", vpc, "dual", prefixes("10.1.0.0/24")[0])
	fake.AddSix(dual, prefixes("2600:1f18::/64")[0])
	fake.AddSubnet(payments, "eu-west-1", vpc, "six", prefixes("2600:1f18:0:1::/64")[0])
	c := open(fake, aws.Options{PageSize: 5})

	networks := c.Networks(t.Context(), inPayments())
	if err := networks.Err(); err != nil || len(networks.Items) != 2 {
		t.Fatalf("%v, %v", networks.Items, err)
	}
	for _, n := range networks.Items {
		if n.Default == (n.ID == vpc) || n.ID == vpc && !slices.Equal(n.CIDRs, blocks) {
			t.Errorf("%+v", n)
		}
	}
	for _, s := range c.Subnets(t.Context(), inPayments()).Items {
		want := prefixes("10.1.0.0/24", "2600:1f18::/64")
		if s.Name == "six" {
			want = prefixes("2600:1f18:0:1::/64")
		}
		if !slices.Equal(s.CIDRs, want) {
			t.Errorf("%s is %v, want %v", s.Name, s.CIDRs, want)
		}
	}
}

func TestASharedSubnetNamesItsOwner(t *testing.T) {
	fake := awsfake.New([]string{"eu-west-1"}, management, payments)
	vpc := fake.AddNetwork(management, "eu-west-1", "shared", prefixes("10.0.0.0/16")...)
	id := fake.AddSubnet(management, "eu-west-1", vpc, "shared", prefixes("10.0.0.0/24")[0])
	fake.Share(id, payments)
	c := open(fake, aws.Options{})
	for _, a := range []ipam.Account{{Cloud: ipam.AWS, ExternalID: management}, inPayments()} {
		if s := c.Subnets(t.Context(), a).Items; len(s) != 1 || s[0].ID != id || s[0].Owner != management {
			t.Errorf("%s sees %+v", a.ExternalID, s)
		}
		if n := c.Networks(t.Context(), a).Items; len(n) != 1 || n[0].Owner != management {
			t.Errorf("%s sees %+v", a.ExternalID, n)
		}
	}
}

func TestNobodyTakesOneAccountForAnother(t *testing.T) {
	fake := awsfake.New([]string{"eu-west-1"}, management, payments)
	fake.AddNetwork(management, "eu-west-1", "main", prefixes("10.0.0.0/16")...)
	c := open(fake, aws.Options{})
	l := c.Networks(t.Context(), ipam.Account{Cloud: ipam.AWS, ExternalID: payments}) // no role: these are management's credentials
	if len(l.Items) != 0 || l.Whole("eu-west-1") || cloud.CodeOf(l.Err()) != cloud.CodeInvalid || !strings.Contains(l.Err().Error(), management) {
		t.Errorf("%+v", l)
	}
}

func TestARoleMayInsistOnAnExternalID(t *testing.T) {
	fake := awsfake.New([]string{"eu-west-1"}, management, payments)
	fake.ExternalID = "cloudpam-7"
	for said, want := range map[string]cloud.Code{"": cloud.CodeDenied, "cloudpam-8": cloud.CodeDenied, "cloudpam-7": ""} {
		err := open(fake, aws.Options{ExternalID: said}).Validate(t.Context(), inPayments())
		if err == nil != (want == "") || err != nil && cloud.CodeOf(err) != want {
			t.Errorf("external id %q: %v", said, err)
		}
	}
}

func TestWithoutCredentialsTheFixIsNamed(t *testing.T) {
	fake := awsfake.New([]string{"eu-west-1"}, management)
	nobody := sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
		return sdk.Credentials{}, errors.New("no EC2 IMDS role found")
	})
	c := aws.New(sdk.Config{Credentials: nobody, BaseEndpoint: sdk.String("http://aws.test"), HTTPClient: &http.Client{Transport: fault.Transport(fake)}}, aws.Options{})
	err := c.Validate(t.Context(), ipam.Account{Cloud: ipam.AWS, ExternalID: management})
	if e, ours := errors.AsType[*cloud.Error](err); !ours || e.Code != cloud.CodeDenied || e.Fix == "" {
		t.Errorf("%#v", err)
	}
}

func TestARegionThatIsOffIsNoEmptyRegion(t *testing.T) {
	fake := awsfake.New([]string{"eu-west-1", "ap-south-1"}, management, payments)
	fake.Off(payments, "ap-south-1")
	c := open(fake, aws.Options{})
	if l := c.Subnets(t.Context(), inPayments()); l.Err() != nil || l.Whole("ap-south-1") || !l.Whole("eu-west-1") {
		t.Errorf("all that are enabled: %+v", l.Views)
	}
	a := inPayments()
	a.Regions = []string{"ap-south-1", "eu-west-1"}
	l := c.Subnets(t.Context(), a)
	if l.Whole("ap-south-1") || !l.Whole("eu-west-1") || cloud.CodeOf(l.Err()) != cloud.CodeDisabled {
		t.Errorf("one that is off: %+v", l.Views)
	}
}

func TestIPAMPoolsAreRead(t *testing.T) {
	fake := awsfake.New([]string{"eu-west-1"}, management, payments)
	fake.AddPool(payments, "eu-west-1", prefixes("10.0.0.0/8")[0], prefixes("10.3.0.0/16", "10.4.0.0/16")...)
	l := open(fake, aws.Options{PageSize: 5}).Ranges(t.Context(), inPayments())
	if l.Err() != nil || len(l.Items) != 3 {
		t.Fatalf("%+v, %v", l.Items, l.Err())
	}
	for i, want := range []cloud.RangeKind{cloud.RangePool, cloud.RangeAllocation, cloud.RangeAllocation} {
		if l.Items[i].Kind != want || l.Items[i].Owner != payments {
			t.Errorf("%+v", l.Items[i])
		}
	}
}

func TestAnOrganizationIsListedOverItsPages(t *testing.T) {
	var ids []string
	for i := range 45 {
		ids = append(ids, fmt.Sprintf("%012d", 300000000000+i))
	}
	fake := awsfake.New([]string{"eu-west-1"}, append([]string{management}, ids...)...)
	got, err := open(fake, aws.Options{}).Accounts(t.Context(), ipam.Account{Cloud: ipam.AWS, ExternalID: management}, "")
	if err != nil || len(got) != 46 || !got[0].Active {
		t.Errorf("%d accounts, %v", len(got), err)
	}
}

// TestOverANetwork meets the double as the SDK meets AWS: over sockets that break.
func TestOverANetwork(t *testing.T) {
	fake := awsfake.New([]string{"eu-west-1"}, management)
	vpc := fake.AddNetwork(management, "eu-west-1", "main", prefixes("10.8.0.0/16")...)
	server := httptest.NewServer(fake)
	defer server.Close()
	lost := true
	fake.Set(func(c fault.Call) fault.Fault {
		if c.Action == "ec2:CreateSubnet" && lost {
			lost = false
			return fault.Fault{Kind: fault.LoseReply}
		}
		return fault.Fault{}
	})
	c := aws.New(sdk.Config{Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider(awsfake.AccessKey(management), "s", ""), BaseEndpoint: &server.URL}, aws.Options{})
	a := ipam.Account{Cloud: ipam.AWS, ExternalID: management}
	s, err := c.CreateSubnet(t.Context(), a, cloud.NewSubnet{Network: vpc, Region: "eu-west-1", CIDR: prefixes("10.8.0.0/24")[0], Mark: cloud.Mark{Instance: "i", Allocation: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	if l := c.Subnets(t.Context(), a); len(l.Items) != 1 || l.Items[0].ID != s.ID {
		t.Errorf("%+v", l.Items)
	}
}

// TestARealAWS proves the contract against AWS, or an emulator of it such as LocalStack, where one is named:
//
//	CLOUDPAM_TEST_AWS=123456789012/eu-west-1/vpc-0123/10.0.8.0/24 go test ./internal/cloud/aws -run RealAWS
//
// with credentials, and AWS_ENDPOINT_URL for an emulator, in the environment. It makes and removes subnets in the block.
func TestARealAWS(t *testing.T) {
	said := os.Getenv("CLOUDPAM_TEST_AWS")
	if said == "" {
		t.Skip("CLOUDPAM_TEST_AWS names no account to try")
	}
	part := strings.SplitN(said, "/", 4)
	if len(part) != 4 {
		t.Fatalf("CLOUDPAM_TEST_AWS=%s is not ACCOUNT/REGION/VPC/CIDR", said)
	}
	c, err := aws.Open(t.Context(), aws.Options{PageSize: 5})
	if err != nil {
		t.Fatal(err)
	}
	cloudtest.RunReal(t, cloudtest.Bench{
		Provider: c, Account: ipam.Account{Cloud: ipam.AWS, ExternalID: part[0], Regions: []string{part[1]}}, Region: part[1], Aside: "none", Network: part[2], Block: netip.MustParsePrefix(part[3]),
	})
}
