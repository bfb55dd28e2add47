package acctest

import (
	"bufio"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// AWSAccount is the account that AWS has an estate in.
const AWSAccount = "111111111111"

var cloudBuild = &build{module: "server", pkg: "./tools/fakecloud", name: "fakecloud"}

// AWS runs an AWS in memory until the test ends: its account has VPCs prod-1, prod-2, … of 10.64.0.0/16, 10.65.0.0/16, … in the regions
// eu-west-1 and us-east-1 in turn, each with subnets app-1, app-2, … of a /24. It answers the settings of a server that looks there.
func AWS(t testing.TB, networks, subnets int) (settings []string) {
	t.Helper()
	c := exec.Command(cloudBuild.binary(t), "-account", AWSAccount, "-networks", fmt.Sprint(networks), "-subnets", fmt.Sprint(subnets))
	said, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatalf("the cloud did not start: %v", err)
	}
	return append(strings.Fields(strings.TrimPrefix(line, "export ")), "AWS_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true", "CLOUDPAM_CLOUDS=aws")
}
