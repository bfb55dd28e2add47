package provider

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/vmihailenco/msgpack/v5"
)

const address = "registry.terraform.io/cloudpam/cloudpam"

// Serve serves the provider to the Terraform that started it, or until it is interrupted where a debugger attaches.
func Serve(version string, attach bool) error {
	var opts []tf6server.ServeOpt
	if attach {
		opts = append(opts, tf6server.WithManagedDebug())
	}
	return tf6server.Serve(address, func() tfprotov6.ProviderServer { return NewServer(version) }, opts...)
}

// NewServer is the provider as Terraform speaks to it.
func NewServer(version string) tfprotov6.ProviderServer {
	return refreshesAsStored{providerserver.NewProtocol6(New(version)())().(protocol)}
}

// protocol is what the framework serves that we use.
type protocol interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
}

// refreshesAsStored answers a refresh as JSON, which is how Terraform keeps a state. Its numbers are others, as Go compares them, by
// whether they came as JSON or as msgpack, and Terraform up to 1.14 compares so to tell whether a refresh has changed anything:
// terraform plan -refresh-only -detailed-exitcode would answer 2 and say "No changes" (hashicorp/terraform#36403).
type refreshesAsStored struct {
	protocol
}

// ReadResource refreshes a resource.
func (s refreshesAsStored) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	resp, err := s.protocol.ReadResource(ctx, req)
	if err != nil || resp == nil || resp.NewState == nil || len(resp.NewState.MsgPack) == 0 {
		return resp, err
	}
	var state any
	if err := msgpack.Unmarshal(resp.NewState.MsgPack, &state); err != nil {
		return nil, fmt.Errorf("read back the refreshed %s: %w", req.TypeName, err)
	}
	stored, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("write the refreshed %s: %w", req.TypeName, err)
	}
	resp.NewState = &tfprotov6.DynamicValue{JSON: stored}
	return resp, nil
}
