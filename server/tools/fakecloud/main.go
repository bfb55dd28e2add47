// Command fakecloud is an AWS in memory with an estate, for demonstrations: it speaks the protocols of EC2, STS and Organizations on
// one address, which CloudPAM and Terraform's AWS provider take as AWS_ENDPOINT_URL.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/cloud/aws/awsfake"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	account := flag.String("account", "111111111111", "the account that has the estate")
	networks := flag.Int("networks", 2, "VPCs, each a /16 of 10.64.0.0/10, over two regions; at most 64")
	subnets := flag.Int("subnets", 5, "subnets of each VPC, each a /24; at most 256")
	flag.Parse()
	if err := run(*listen, *account, *networks, *subnets); err != nil {
		fmt.Fprintln(os.Stderr, "fakecloud:", err)
		os.Exit(1)
	}
}

func run(listen, account string, networks, subnets int) error {
	if networks > 64 || subnets > 256 {
		return fmt.Errorf("%d networks of %d subnets are too many; at most 64 of 256", networks, subnets)
	}
	regions := []string{"eu-west-1", "us-east-1"}
	cloud := awsfake.New(regions, account)
	for n := range networks {
		region := regions[n%len(regions)]
		block := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(64 + n), 0, 0}), 16)
		vpc := cloud.AddNetwork(account, region, fmt.Sprintf("prod-%d", n+1), block)
		for s := range subnets {
			cloud.AddSubnet(account, region, vpc, fmt.Sprintf("app-%d", s+1), netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(64 + n), byte(s), 0}), 24))
		}
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("export AWS_ENDPOINT_URL=http://%s AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=none\n", listener.Addr(), awsfake.AccessKey(account))
	server := &http.Server{Handler: cloud, ReadHeaderTimeout: 5 * time.Second}
	return server.Serve(listener)
}
