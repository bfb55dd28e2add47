package provider

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// An import may name what a cloud has, by the cloud and its id there. It is looked up among what the server has seen, and adopted where
// nobody has done that yet: Terraform asks a provider nothing more once an import is planned, so that is done while planning.

// cloudIDForm tells an id of a cloud from ids of pools and allocations, which have no colon before a slash or an @.
var cloudIDForm = regexp.MustCompile(`^[a-z][a-z0-9]*:[^:@]`)

const cloudIDHelp = "  - <cloud>:<id>   such as aws:subnet-0123 or gcp:my-project/europe-west1/nodes, of what CloudPAM has seen there; " +
	"with @<cidr> where it has several blocks"

// adopted is what an id of a cloud has become: adopted by this import, or before.
func (s *session) adopted(ctx context.Context, id, kind string) (item cloudpam.AdoptionItem, diags diag.Diagnostics) {
	const title = "Import id names nothing that can be adopted"
	tried := attempt{verb: "import", kind: kind, name: id}
	thing, cidr, one := strings.Cut(id, "@")
	if one {
		p, err := parseCIDR(cidr)
		if err != nil {
			diags.AddError(title, sentence(err.Error()))
			return item, diags
		}
		cidr = p.String()
	}
	var seen []cloudpam.Observation
	var blocks []string
	for o, err := range s.client.Observations(ctx, cloudpam.ListObservationsParams{ID: &thing}) {
		if err != nil {
			return item, tried.diagnose(err)
		}
		blocks = append(blocks, "  - "+thing+"@"+o.CIDR)
		if !one || o.CIDR == cidr {
			seen = append(seen, o)
		}
	}
	switch {
	case len(blocks) == 0:
		diags.AddError(title, fmt.Sprintf("CloudPAM has not seen %q, or you may not see it. Have the server look at its account, and import it again:\n\n    cloudpam sync ACCOUNT", thing))
	case len(seen) == 0:
		diags.AddError(title, fmt.Sprintf("%s does not have %s. It has:\n%s", thing, cidr, strings.Join(blocks, "\n")))
	case len(seen) > 1:
		diags.AddError(title, fmt.Sprintf("%s has several blocks, each of which is imported by itself. Name one of:\n%s", thing, strings.Join(blocks, "\n")))
	case kind == "pool" && seen[0].Kind != cloudpam.ObservationKindNetwork:
		diags.AddError(title, fmt.Sprintf("%s is a %s, which becomes an allocation. Import it into a cloudpam_allocation.", id, seen[0].Kind))
	}
	if diags.HasError() {
		return item, diags
	}
	ask := cloudpam.NewAdoption{Ids: []string{thing + "@" + seen[0].CIDR}, Networks: new(cloudpam.NewAdoptionNetworksPools)}
	if kind == "allocation" {
		ask.Networks = new(cloudpam.NewAdoptionNetworksAllocations)
	}
	answer, err := s.client.AdoptObservations(ctx, ask)
	if err == nil && answer.Items[0].Problem != nil {
		problem := answer.Items[0].Problem
		err = &cloudpam.Error{Status: problem.Status, Code: cloudpam.Code(problem.Code), Detail: problem.Detail, RequestID: problem.RequestID}
	}
	if errors.Is(err, cloudpam.ErrForbidden) {
		diags.AddError("Import may not adopt", fmt.Sprintf("Nothing in CloudPAM has %s yet, and to import it adopts it, which takes the role operator; a pool takes an admin. "+
			"Have somebody adopt it who may, and import it again:\n\n    cloudpam adopt %s\n\n%s", id, id, sentence(err.Error())))
		return item, diags
	}
	if refusal, ok := errors.AsType[*cloudpam.Error](err); ok {
		diags.AddError(fmt.Sprintf("%s cannot be adopted", id), sentence(refusal.Detail))
		return item, diags
	}
	if err != nil {
		return item, tried.diagnose(err)
	}
	item = answer.Items[0]
	switch {
	case item.Verdict == cloudpam.AdoptionItemVerdictInside:
		diags.AddError(title, fmt.Sprintf("%s lies inside of allocation %q of pool %q, which has its space. Import that one: %s/%s.", id, valueOf(item.Name), valueOf(item.Pool), valueOf(item.Pool), valueOf(item.Name)))
	case item.Kind == nil || item.Object == nil:
		diags.AddError(title, fmt.Sprintf("The server did not say what %s has become.", id))
	case string(*item.Kind) != kind:
		diags.AddError(title, fmt.Sprintf("%s is the %s %q. Import it into a cloudpam_%s.", id, *item.Kind, valueOf(item.Name), *item.Kind))
	}
	return item, diags
}
