// Command terraform-provider-cloudpam is the Terraform provider of CloudPAM. Terraform starts it; people do not.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/provider"
)

// version is set when a release is built.
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "serve until interrupted, for a debugger such as delve to attach")
	flag.Parse()
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: "registry.terraform.io/cloudpam/cloudpam",
		Debug:   *debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}
