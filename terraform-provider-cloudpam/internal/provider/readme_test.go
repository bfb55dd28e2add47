package provider_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// Who copies the README's variables and its first configuration, and nothing else, has a network.
func TestTheFirstConfigurationOfTheReadmeRunsAsItIsPrinted(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t)
	tf := acctest.NewTerraform(t, nil, "")
	says := map[string]string{"CLOUDPAM_ENDPOINT": server.Endpoint, "CLOUDPAM_TOKEN": acctest.Token}
	exports := regexp.MustCompile(`(?m)^export (\w+)=`).FindAllStringSubmatch(strings.Join(acctest.Readme(t, "sh"), ""), -1)
	for _, export := range exports {
		if says[export[1]] == "" {
			t.Fatalf("the README exports %s", export[1])
		}
		tf.Setenv(export[1], says[export[1]])
	}
	tf.Write(t, "main.tf", acctest.Readme(t, "hcl")[0])
	tf.Run(t, "fmt", "-check")
	planThenApply(t, tf, "-parallelism=10",
		`cidr = "10.0.0.0/18"`, `"private-a" = "10.0.0.0/21" + "private-b" = "10.0.8.0/21" + "public-a" = "10.0.16.0/24" + "public-b" = "10.0.17.0/24"`, "3 to add")
	tf.Run(t, "destroy", "-no-color", "-auto-approve")
}
