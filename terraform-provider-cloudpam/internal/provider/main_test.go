package provider_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/provider"
)

func TestMain(m *testing.M) { acctest.Main(m) }

// factories serve the provider inside the test process.
var factories = map[string]func() (tfprotov6.ProviderServer, error){
	"cloudpam": func() (tfprotov6.ProviderServer, error) { return provider.NewServer("test"), nil },
}

// steps runs Terraform through the steps, with the server's provider block before each configuration.
func steps(t *testing.T, server *acctest.Server, all ...resource.TestStep) {
	t.Helper()
	for i, step := range all {
		if step.Config != "" {
			all[i].Config = server.ProviderConfig() + step.Config
		}
	}
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: all})
}

// refuses is a step whose configuration fails with exactly this text; Terraform wraps lines as it likes.
func refuses(config, text string) resource.TestStep {
	return resource.TestStep{Config: config, ExpectError: said(text)}
}

// said matches a whole text whatever its line breaks. A # stands for a line number.
func said(text string) *regexp.Regexp {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = strings.Replace(regexp.QuoteMeta(word), "#", `\d+`, 1)
	}
	return regexp.MustCompile(strings.Join(words, `[\s│]+`))
}
