package provider

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// unknown names the first argument whose value is not known yet, as when it comes from a resource that is not created.
func (m providerModel) unknown() string {
	switch {
	case m.Endpoint.IsUnknown():
		return "endpoint"
	case m.Token.IsUnknown():
		return "token"
	case m.TokenFile.IsUnknown():
		return "token_file"
	case m.CACertFile.IsUnknown():
		return "ca_cert_file"
	case m.MaxRetries.IsUnknown():
		return "max_retries"
	case m.RequestTimeout.IsUnknown():
		return "request_timeout"
	}
	return ""
}

func (m providerModel) endpoint() string { return firstOf(m.Endpoint, "CLOUDPAM_ENDPOINT") }

// workloadTokens are where HCP Terraform puts the JWT of a run: that of a tag of its own first.
var workloadTokens = []string{"TFC_WORKLOAD_IDENTITY_TOKEN_CLOUDPAM", "TFC_WORKLOAD_IDENTITY_TOKEN"}

// token prefers the provider block, then CLOUDPAM_TOKEN, then the file that CLOUDPAM_TOKEN_FILE names, then the JWT of a run of HCP
// Terraform. Nil is that there is none. A file is read again whenever it changes.
func (m providerModel) token() (func() string, error) {
	fixed := func(token string) func() string { return func() string { return token } }
	named, file := "token_file", m.TokenFile.ValueString()
	if file == "" {
		if token := firstOf(m.Token, "CLOUDPAM_TOKEN"); token != "" {
			return fixed(token), nil
		}
		named, file = "CLOUDPAM_TOKEN_FILE", os.Getenv("CLOUDPAM_TOKEN_FILE")
	}
	if file == "" {
		for _, name := range workloadTokens {
			if token := os.Getenv(name); token != "" {
				return fixed(token), nil
			}
		}
		return nil, nil
	}
	content, err := cloudpam.OpenTokenFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s names a file that cannot be used: %w", named, err)
	}
	return content.Token, nil
}

func (m providerModel) options() []cloudpam.Option {
	var opts []cloudpam.Option
	if file := firstOf(m.CACertFile, "CLOUDPAM_CA_CERT"); file != "" {
		opts = append(opts, cloudpam.WithCAFile(file))
	}
	if !m.MaxRetries.IsNull() {
		opts = append(opts, cloudpam.WithRetries(int(m.MaxRetries.ValueInt64())))
	}
	if d, err := time.ParseDuration(m.RequestTimeout.ValueString()); err == nil {
		opts = append(opts, cloudpam.WithRequestTimeout(d))
	}
	return opts
}

func firstOf(v types.String, env string) string {
	if s := strings.TrimSpace(v.ValueString()); s != "" {
		return s
	}
	return strings.TrimSpace(os.Getenv(env))
}

// configured takes the session out of what Configure handed over; Terraform calls with nothing while it validates.
func configured(data any, diags *diag.Diagnostics) *session {
	if data == nil {
		return nil
	}
	s, ok := data.(*session)
	if !ok {
		diags.AddError("Unexpected provider data", fmt.Sprintf("Got %T. This is a bug in the provider; please report it.", data))
	}
	return s
}

// ready reports whether the server can be called, and says why not.
func (s *session) ready(diags *diag.Diagnostics) bool {
	switch {
	case s == nil:
		diags.AddError("Provider is not configured", "The provider \"cloudpam\" was used before it was configured. This is a bug in the provider; please report it.")
	case s.client == nil:
		diags.AddError("Provider configuration is not known yet",
			fmt.Sprintf("The provider's %s depends on something that has not been created, so CloudPAM cannot be asked about what exists already. "+
				"Apply what it depends on first (terraform apply -target=…), or set it from a variable or CLOUDPAM_%s.", s.unknown, strings.ToUpper(s.unknown)))
	default:
		return true
	}
	return false
}
