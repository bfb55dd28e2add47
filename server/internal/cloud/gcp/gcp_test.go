package gcp_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/cloud/cloudtest"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
	"github.com/cloudpam/cloudpam/server/internal/cloud/gcp"
	"github.com/cloudpam/cloudpam/server/internal/cloud/gcp/gcpfake"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

const project = "my-project"

var here = ipam.Account{Cloud: ipam.GCP, ExternalID: project, WorkloadIdentity: "cloudpam@my-project.iam.gserviceaccount.com"}

// open makes a GCP whose calls end in a double, with no network between.
func open(fake *gcpfake.Cloud, o gcp.Options) *gcp.Cloud {
	o.HTTP = &http.Client{Transport: fault.Transport(fake)}
	return gcp.New(o)
}

func TestContract(t *testing.T) {
	cloudtest.Run(t, func(*testing.T) cloudtest.Bench {
		fake := gcpfake.New([]string{"europe-west1", "us-central1", "us-east1"}, project)
		return cloudtest.Bench{
			Provider: open(fake, gcp.Options{PageSize: 5}), Behind: fake, Region: "europe-west1", Account: here, Grows: true,
			Actions: cloudtest.Actions{Subnets: "compute.subnetworks.list", Networks: "compute.networks.list", Create: "compute.subnetworks.create", Delete: "compute.subnetworks.delete"},
		}
	})
}

func TestASubnetworkIsToldWithAllItsRanges(t *testing.T) {
	fake := gcpfake.New([]string{"europe-west1"}, project)
	main := fake.AddNetwork(project, "", "main")
	id := fake.AddSubnet(project, "europe-west1", main, "gke", netip.MustParsePrefix("10.0.0.0/22"))
	fake.AddSecondary(id, "services", netip.MustParsePrefix("10.8.0.0/20"))
	fake.AddSecondary(id, "pods", netip.MustParsePrefix("10.4.0.0/14"))
	fake.AddSix(id, netip.MustParsePrefix("fd20:1::/64"))
	l := open(fake, gcp.Options{}).Subnets(t.Context(), here)
	if l.Err() != nil || len(l.Items) != 1 {
		t.Fatalf("%+v", l)
	}
	s := l.Items[0]
	if s.ID != "my-project/europe-west1/gke" || s.Network != "my-project/main" || !slices.Equal(s.CIDRs, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/22"), netip.MustParsePrefix("fd20:1::/64")}) {
		t.Errorf("%+v", s)
	}
	if want := []cloud.Secondary{{Name: "pods", CIDR: netip.MustParsePrefix("10.4.0.0/14")}, {Name: "services", CIDR: netip.MustParsePrefix("10.8.0.0/20")}}; !slices.Equal(s.Secondary, want) {
		t.Errorf("%v, want %v", s.Secondary, want)
	}
	// Over a secondary range nothing can be made: all ranges of a network share one space.
	_, err := open(fake, gcp.Options{}).CreateSubnet(t.Context(), here, cloud.NewSubnet{Network: main, Region: "europe-west1", Name: "b", CIDR: netip.MustParsePrefix("10.5.0.0/24"), Mark: cloud.Mark{Instance: "i", Allocation: "a"}})
	if cloud.CodeOf(err) != cloud.CodeConflict {
		t.Errorf("over the pods: %v", err)
	}
}

func TestNetworksOfBothModes(t *testing.T) {
	fake := gcpfake.New([]string{"europe-west1"}, project)
	fake.AddNetwork(project, "", "")
	fake.AddNetwork(project, "", "main", netip.MustParsePrefix("fd20:1::/48"))
	l := open(fake, gcp.Options{}).Networks(t.Context(), here)
	if l.Err() != nil || len(l.Items) != 2 {
		t.Fatalf("%+v", l)
	}
	auto, custom := l.Items[0], l.Items[1]
	if !auto.Default || !slices.Equal(auto.CIDRs, []netip.Prefix{netip.MustParsePrefix("10.128.0.0/9")}) || custom.Default || !slices.Equal(custom.CIDRs, []netip.Prefix{netip.MustParsePrefix("fd20:1::/48")}) {
		t.Errorf("%+v\n%+v", auto, custom)
	}
}

func TestARegionThatCannotBeReachedIsNoEmptyRegion(t *testing.T) {
	fake := gcpfake.New([]string{"europe-west1", "us-east1"}, project)
	main := fake.AddNetwork(project, "", "main")
	fake.AddSubnet(project, "us-east1", main, "a", netip.MustParsePrefix("10.0.0.0/24"))
	fake.Unreachable("us-east1")
	l := open(fake, gcp.Options{}).Subnets(t.Context(), here)
	if l.Whole("us-east1") || !l.Whole("europe-west1") {
		t.Errorf("%+v", l.Views)
	}
	abroad := here
	abroad.Regions = []string{"mars-north1"}
	if l := open(fake, gcp.Options{}).Subnets(t.Context(), abroad); l.Whole("mars-north1") || cloud.CodeOf(l.Err()) != cloud.CodeDisabled {
		t.Errorf("a region that is none: %+v", l.Views)
	}
}

func TestInternalRangesAreRead(t *testing.T) {
	fake := gcpfake.New([]string{"europe-west1"}, project)
	main := fake.AddNetwork(project, "", "main")
	for i := range 12 {
		fake.AddRange(project, main, fmt.Sprintf("r%d", i), netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 16))
	}
	if l := open(fake, gcp.Options{PageSize: 5}).Ranges(t.Context(), here); l.Err() != nil || len(l.Items) != 12 || l.Items[0].Kind != cloud.RangeInternal {
		t.Errorf("%d, %v", len(l.Items), l.Err())
	}
}

func TestProjectsAreFoundBelowFoldersOfFolders(t *testing.T) {
	fake := gcpfake.New([]string{"europe-west1"}, project)
	fake.AddFolder("folders/1", "folders/2")
	fake.AddFolder("folders/2", "folders/3")
	for i := range 7 {
		fake.AddProject("folders/3", fmt.Sprintf("deep-%d", i))
	}
	got, err := open(fake, gcp.Options{PageSize: 5}).Accounts(t.Context(), here, "folders/1")
	if err != nil || len(got) != 8 {
		t.Errorf("%v, %v", got, err)
	}
}

// TestARealGCP proves the contract against GCP where a project is named:
//
//	CLOUDPAM_TEST_GCP=my-project/europe-west1/my-network/10.0.8.0/24 go test ./internal/cloud/gcp -run RealGCP
//
// with application default credentials. It makes and removes subnetworks in the block.
func TestARealGCP(t *testing.T) {
	said := os.Getenv("CLOUDPAM_TEST_GCP")
	if said == "" {
		t.Skip("CLOUDPAM_TEST_GCP names no project to try")
	}
	part := strings.SplitN(said, "/", 4)
	if len(part) != 4 {
		t.Fatalf("CLOUDPAM_TEST_GCP=%s is not PROJECT/REGION/NETWORK/CIDR", said)
	}
	cloudtest.RunReal(t, cloudtest.Bench{
		Provider: gcp.New(gcp.Options{PageSize: 5}), Account: ipam.Account{Cloud: ipam.GCP, ExternalID: part[0]}, Region: part[1], Network: part[0] + "/" + part[2],
		Block: netip.MustParsePrefix(part[3]), Grows: true,
	})
}
