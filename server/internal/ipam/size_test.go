package ipam_test

import (
	"errors"
	"math/big"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

var (
	four = ipam.Pool{ID: "four", CIDR: netip.MustParsePrefix("10.0.0.0/8")}
	six  = ipam.Pool{ID: "six", CIDR: netip.MustParsePrefix("2001:db8::/32")}
)

func TestHostsBecomeTheSmallestBlockTheCloudGivesThemRoomIn(t *testing.T) {
	everything := ipam.Pool{ID: "all", CIDR: netip.MustParsePrefix("0.0.0.0/0")}
	for _, c := range []struct {
		pool   ipam.Pool
		target ipam.Target
		hosts  int64
		want   int
	}{
		{four, ipam.TargetAWSSubnet, 1, 28}, // nothing smaller is accepted
		{four, ipam.TargetAWSSubnet, 11, 28},
		{four, ipam.TargetAWSSubnet, 12, 27},
		{four, ipam.TargetAWSSubnet, 251, 24},
		{four, ipam.TargetAWSSubnet, 252, 23},
		{four, ipam.TargetAWSSubnet, 300, 23},
		{four, ipam.TargetAWSSubnet, 65531, 16},
		{four, ipam.TargetGCPSubnetwork, 1, 29},
		{four, ipam.TargetGCPSubnetwork, 4, 29},
		{four, ipam.TargetGCPSubnetwork, 5, 28},
		{four, ipam.TargetGCPSubnetwork, 252, 24},
		{four, ipam.TargetGCPSubnetwork, 253, 23},
		{everything, ipam.TargetGCPSubnetwork, 1<<28 - 4, 4},
		{four, ipam.TargetAzureSubnet, 3, 29},
		{four, ipam.TargetAzureSubnet, 4, 28},
		{six, ipam.TargetAWSSubnet, 1 << 32, 64},
		{six, ipam.TargetAzureSubnet, 1, 64},
		{six, ipam.TargetGCPSubnetwork, 1, 64},
	} {
		got, err := ipam.BlockSize{Hosts: c.hosts, Target: c.target}.LengthIn(c.pool)
		if err != nil || got != c.want {
			t.Errorf("%d hosts in %s of %s: /%d, %v; want /%d", c.hosts, c.target, c.pool.ID, got, err, c.want)
		}
	}
}

func TestASizeIsRefusedWithWhatWouldBeRight(t *testing.T) {
	withDefault := four
	withDefault.Sizes.Default = new(30)
	for _, c := range []struct {
		name    string
		size    ipam.BlockSize
		pool    ipam.Pool
		pointer string
		says    string
	}{
		{"hosts alone", ipam.BlockSize{Hosts: 10}, four, "/target", "aws_subnet, gcp_subnetwork or azure_subnet"},
		{"no such target", ipam.BlockSize{Length: new(24), Target: "azure_vm"}, four, "/target", "use aws_subnet, gcp_subnetwork or azure_subnet"},
		{"no such target, by default", ipam.BlockSize{Target: "azure_vm"}, four, "/target", "use aws_subnet, gcp_subnetwork or azure_subnet"},
		{"too many hosts", ipam.BlockSize{Hosts: 65532, Target: ipam.TargetAWSSubnet}, four, "/hosts", "room for 65531"},
		{"too many for GCP", ipam.BlockSize{Hosts: 1 << 28, Target: ipam.TargetGCPSubnetwork}, four, "/hosts", "room for 268435452"},
		{"too many for anyone", ipam.BlockSize{Hosts: 1<<32 + 1, Target: ipam.TargetAWSSubnet}, six, "/hosts", "4294967296"},
		{"fewer than none", ipam.BlockSize{Hosts: -1, Target: ipam.TargetAWSSubnet}, four, "/hosts", "1 to"},
		{"AWS takes no /29", ipam.BlockSize{Length: new(29), Target: ipam.TargetAWSSubnet}, four, "/prefix_length", "use /28"},
		{"AWS takes no /15", ipam.BlockSize{Length: new(15), Target: ipam.TargetAWSSubnet}, four, "/prefix_length", "use /16"},
		{"AWS steps by four", ipam.BlockSize{Length: new(50), Target: ipam.TargetAWSSubnet}, six, "/prefix_length", "use /48"},
		{"AWS takes no IPv6 /40", ipam.BlockSize{Length: new(40), Target: ipam.TargetAWSSubnet}, six, "/prefix_length", "use /44"},
		{"GCP takes no /30", ipam.BlockSize{Length: new(30), Target: ipam.TargetGCPSubnetwork}, four, "/prefix_length", "use /29"},
		{"GCP knows one IPv6 length", ipam.BlockSize{Length: new(56), Target: ipam.TargetGCPSubnetwork}, six, "/prefix_length", "always a /64"},
		{"a CIDR that AWS refuses", ipam.BlockSize{CIDR: netip.MustParsePrefix("10.0.0.0/30"), Target: ipam.TargetAWSSubnet}, four, "/cidr", "use /28"},
		{"a default that AWS refuses", ipam.BlockSize{Target: ipam.TargetAWSSubnet}, withDefault, "/prefix_length", "use /28"},
		{"hosts and a length that disagree", ipam.BlockSize{Hosts: 300, Length: new(24), Target: ipam.TargetAWSSubnet}, four, "/hosts", "need a /23"},
		{"hosts and a CIDR that disagree", ipam.BlockSize{Hosts: 300, CIDR: netip.MustParsePrefix("10.0.0.0/24"), Target: ipam.TargetAWSSubnet}, four, "/hosts", "cidr says /24"},
		{"a length and a CIDR that disagree", ipam.BlockSize{Length: new(23), CIDR: netip.MustParsePrefix("10.0.0.0/24")}, four, "/prefix_length", "leave one out"},
		{"another family", ipam.BlockSize{CIDR: netip.MustParsePrefix("2001:db8::/64")}, four, "/cidr", "outside pool four"},
		{"nothing at all", ipam.BlockSize{}, four, "/prefix_length", "no default_prefix_length"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.size.LengthIn(c.pool)
			e, ok := errors.AsType[*ipam.Error](err)
			if !ok || len(e.Fields) != 1 || e.Fields[0].Pointer != c.pointer || !strings.Contains(e.Detail, c.says) {
				t.Errorf("got %v (%+v), want %q at %s", err, e, c.says, c.pointer)
			}
		})
	}
}

func TestSizesThatAgreeAreOne(t *testing.T) {
	got, err := ipam.BlockSize{CIDR: netip.MustParsePrefix("10.2.0.0/23"), Length: new(23), Hosts: 300, Target: ipam.TargetAWSSubnet}.LengthIn(four)
	if err != nil || got != 23 {
		t.Errorf("got /%d, %v", got, err)
	}
}

// The block of so many hosts is one that the cloud accepts, has room for them, and its next smaller one does not or is refused.
func TestHostsGetNoMoreThanTheyNeed(t *testing.T) {
	taken := map[ipam.Target]int64{ipam.TargetAWSSubnet: 5, ipam.TargetGCPSubnetwork: 4}
	step := map[ipam.Target]int{ipam.TargetAWSSubnet: 4, ipam.TargetGCPSubnetwork: 1}
	rapid.Check(t, func(t *rapid.T) {
		target := rapid.SampledFrom([]ipam.Target{ipam.TargetAWSSubnet, ipam.TargetGCPSubnetwork}).Draw(t, "target")
		pool := rapid.SampledFrom([]ipam.Pool{four, six}).Draw(t, "pool")
		hosts := rapid.Int64Range(1, 65531).Draw(t, "hosts")
		room := func(length int) *big.Int {
			return new(big.Int).Sub(ipam.Size(ipam.Family(pool.CIDR), length), big.NewInt(taken[target]))
		}
		length, err := ipam.BlockSize{Hosts: hosts, Target: target}.LengthIn(pool)
		if err != nil {
			t.Fatal(err)
		}
		if room(length).Cmp(big.NewInt(hosts)) < 0 {
			t.Fatalf("a /%d has no room for %d", length, hosts)
		}
		if _, err := (ipam.BlockSize{Length: &length, Target: target}).LengthIn(pool); err != nil {
			t.Fatalf("the cloud refuses its own size: %v", err)
		}
		next := length + 1
		if pool.ID == six.ID {
			next = length + step[target]
		}
		if _, err := (ipam.BlockSize{Length: &next, Target: target}).LengthIn(pool); err == nil && room(next).Cmp(big.NewInt(hosts)) >= 0 {
			t.Fatalf("%d hosts got a /%d, a /%d would do", hosts, length, next)
		}
	})
}
