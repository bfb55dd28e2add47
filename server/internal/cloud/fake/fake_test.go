package fake_test

import (
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/cloud/cloudtest"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fake"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func TestContract(t *testing.T) {
	cloudtest.Run(t, func(*testing.T) cloudtest.Bench {
		c := fake.New(ipam.AWS, 5, "west", "east")
		return cloudtest.Bench{
			Provider: c, Behind: c, Account: ipam.Account{Cloud: ipam.AWS, ExternalID: "111111111111"}, Region: "west", Aside: "east", Grows: true, Marks: true,
			Actions: cloudtest.Actions{Subnets: fake.ListSubnets, Networks: fake.ListNetworks, Create: fake.CreateSubnet, Delete: fake.DeleteSubnet},
		}
	})
}
