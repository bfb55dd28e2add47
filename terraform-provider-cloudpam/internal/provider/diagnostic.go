package provider

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// attempt is what was tried, so that a refusal can say what happened to what, and what to do next.
type attempt struct {
	verb     string // create, read, update, delete, import
	kind     string // pool, allocation, allocation set or another noun; its plural for a list
	name     string
	pool     string // the pool that was asked for space: an allocation's pool, a pool's parent
	poolAttr string // the attribute that names it
	sizeAttr string // the attribute that names the size, and the block; "" for prefix_length and cidr
	holder   string // who plans
	adopts   bool   // a set takes over allocations that have the names of its members
}

// at is the attribute that a field of the API is: under the same name, or what says the size of a set.
func (a attempt) at(field string) path.Path {
	switch field {
	case "cidr", "prefix_length", "members", "bundle":
		if a.sizeAttr != "" {
			return path.Root(a.sizeAttr)
		}
	}
	return path.Root(field)
}

// object reads like: allocation "app"; what has no name, as a list has none, is its kind.
func (a attempt) object() string {
	if a.name == "" {
		return a.kind
	}
	return fmt.Sprintf("%s %q", a.kind, a.name)
}

// diagnose turns an error of the client into diagnostics at the attribute that caused it.
func (a attempt) diagnose(err error) diag.Diagnostics {
	var diags diag.Diagnostics
	var refusal *cloudpam.Error
	var waits *unapproved
	var unreachable *cloudpam.UnreachableError
	switch {
	case errors.As(err, &unreachable):
		if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			diags.AddError("CloudPAM's certificate is not trusted", fmt.Sprintf("To %s %s: the certificate of %s cannot be verified: %s.\n\n"+
				"If it comes from an authority of your own, name the authority's PEM file in ca_cert_file in the provider block, or in CLOUDPAM_CA_CERT. "+
				"If not, check that the endpoint is the right host.", a.verb, a.object(), unreachable.Endpoint, untrusted.Err))
			break
		}
		if a.verb == "plan" {
			diags.AddError("Cannot reach CloudPAM to plan", fmt.Sprintf("To plan %s: %s.\n\n"+
				"The CIDR is chosen while planning, so planning needs the server. Check that it runs and that the provider's endpoint is right; "+
				"or set plan_mode = \"off\" in the provider block, and CIDRs are shown as (known after apply).", a.object(), err))
			break
		}
		next := "Check that the server runs and that the provider's endpoint is right, then run Terraform again."
		if a.verb == "create" || a.verb == "update" || a.verb == "delete" {
			next += " If the server got the request after all, its effect shows in the next plan."
		}
		diags.AddError("Cannot reach CloudPAM", fmt.Sprintf("To %s %s: %s.\n\n%s", a.verb, a.object(), err, next))
	case errors.As(err, &waits):
		a.waits(waits, &diags)
	case errors.As(err, &refusal):
		a.refused(refusal, &diags)
	default:
		diags.AddError(fmt.Sprintf("Cannot %s %s", a.verb, a.object()), sentence(err.Error()))
	}
	return diags
}

// previewed explains why what is planned for something that exists cannot be done, or why nobody knows.
func (a attempt) previewed(err error) diag.Diagnostics {
	if !refused(err) {
		a.verb = "plan"
	}
	return a.diagnose(err)
}

// refused explains a refusal of the server. Every text ends in the next step.
func (a attempt) refused(e *cloudpam.Error, diags *diag.Diagnostics) {
	switch e.Code {
	case cloudpam.ErrUnauthenticated, cloudpam.ErrTooManyFailures:
		a.add(diags, path.Empty(), "CloudPAM does not accept the token", e,
			"Set a valid token in CLOUDPAM_TOKEN, in the file that CLOUDPAM_TOKEN_FILE names, or in the provider block.")
	case cloudpam.ErrForbidden:
		a.add(diags, path.Empty(), fmt.Sprintf("Not allowed to %s %s", a.verb, a.object()), e,
			"Use a token whose role allows it, or ask an administrator for the role.")
	case cloudpam.ErrNotFound:
		a.notFound(e, diags)
	case cloudpam.ErrNameTaken:
		if a.kind == "account" {
			a.add(diags, path.Root("external_id"), "Account is registered already", e, "Adopt what exists with an import block:\n\n"+a.importBlock())
			return
		}
		if a.kind == "allocation set" && a.memberTaken(e, diags) {
			return
		}
		if a.kind == "reservation" && len(e.Holders) == 1 { // which no import finds by its name
			a.name, a.poolAttr = e.Holders[0].ID, ""
		}
		a.add(diags, path.Root("name"), "Name is taken", e,
			"Choose another name. If each workspace is to have its own, put ${terraform.workspace} into it. What exists, and no other configuration or workspace manages, is adopted with an import block:\n\n"+a.importBlock())
	case cloudpam.ErrCIDRTaken:
		a.taken(e, diags)
	case cloudpam.ErrOutsidePool:
		a.add(diags, a.at("cidr"), "CIDR lies outside the pool", e,
			fmt.Sprintf("Choose a CIDR inside pool %q, or leave cidr out and set prefix_length.", a.pool))
	case cloudpam.ErrPoolExhausted:
		a.exhausted(e, diags)
	case cloudpam.ErrPoolNotEmpty:
		a.notEmpty(e, diags)
	case cloudpam.ErrScopeNotEmpty:
		a.add(diags, path.Empty(), fmt.Sprintf("Scope %q is not empty", a.name), e,
			"Delete its pools and accounts first. What this configuration manages is deleted in time when it references the scope (scope = cloudpam_scope.NAME.name) instead of repeating its name; where it repeats the name, run Terraform again, a destroy with -refresh=false.")
	case cloudpam.ErrDeletionProtected:
		a.add(diags, path.Root("deletion_protection"), "Pool is protected", e,
			"Set deletion_protection = false, apply that, and then remove the pool.")
	case cloudpam.ErrHoldLost:
		a.add(diags, a.at("cidr"), "Planned CIDR is no longer available", e,
			"Nothing was changed for this resource. Run terraform plan again to get a fresh CIDR, then apply that plan.")
	case cloudpam.ErrHoldConflict:
		planner := ""
		if a.holder != "" {
			planner = fmt.Sprintf("The holder of this plan is %q. ", a.holder)
		}
		a.add(diags, path.Root("name"), "Name is held by another plan", e,
			planner+"Two configurations, or two workspaces of one, plan the same name: rename one of them, for example with ${terraform.workspace} in the name; let the other plan be applied; or release its hold (under Holds in the browser). "+
				"If both are this one, planned in one place and applied in another, set the same holder in the provider block for both, and plan again.")
	case cloudpam.ErrPlanAgain:
		a.add(diags, a.at("cidr"), "Two blocks of this plan were in each other's way", e,
			"Run terraform plan again; it happens once, and only where Terraform asks for one after the other. Nothing was changed.")
	case cloudpam.ErrReleasePending:
		a.add(diags, a.at("cidr"), "Block is not released yet", e, held(e)+
			"The same plan releases it, but that did not happen while this waited. With -parallelism=1 nothing else goes on meanwhile. Nothing was changed for this resource: run terraform apply again.")
	case cloudpam.ErrObservationTooOld:
		a.add(diags, path.Root(a.poolAttr), "Nobody has looked at the clouds lately", e,
			"A cloud may use what would be handed out. Once the account has been looked at, run Terraform again. Nothing was changed for this resource.")
	case cloudpam.ErrQuotaExceeded:
		a.add(diags, path.Root(a.poolAttr), "Plans hold too many blocks", e,
			"Nothing is held for this resource. The page Holds in the browser says whose holds there are, and releases all of a holder. Applying a plan turns its holds into allocations, which do not count.")
	case cloudpam.ErrPolicyViolation:
		a.fields(diags, "Pool's policy does not allow this", e, "Ask for what the pool allows, use another pool, or change the pool's settings.")
	case cloudpam.ErrApprovalRequired:
		a.add(diags, path.Empty(), fmt.Sprintf("%s needs approval", capital(a.object())), e, "Nothing was changed for this resource. Run terraform apply again once it is approved.")
	case cloudpam.ErrApprovalRefused:
		a.add(diags, path.Empty(), fmt.Sprintf("%s was refused approval", capital(a.object())), e,
			"Nothing was changed for this resource. Change it as the reason says, a smaller block or what it is for, and apply that: it is a new request.")
	case cloudpam.ErrPreconditionFailed:
		a.add(diags, path.Empty(), fmt.Sprintf("%s was changed by somebody else", capital(a.object())), e,
			"Nothing was changed by Terraform. Run it again: the next plan is made from what stands now.")
	case cloudpam.ErrInvalid:
		a.fields(diags, "CloudPAM refuses a value", e, "Correct the value and run Terraform again.")
	case cloudpam.ErrUnexpected, cloudpam.ErrMethodNotAllowed:
		a.add(diags, path.Empty(), "This is not the CloudPAM API", e, "Check the provider's endpoint; it is the server's URL without a path.")
	case cloudpam.ErrUnavailable:
		a.add(diags, path.Empty(), "CloudPAM is not available", e,
			"Its database does not answer, or it is shutting down. Run Terraform again once it is ready (GET /readyz). What it carried out before shows in the next plan.")
	case cloudpam.ErrOverloaded:
		a.add(diags, path.Empty(), "CloudPAM is too busy", e, "Run Terraform again later, with a smaller -parallelism, or raise max_retries in the provider block.")
	default:
		a.add(diags, path.Empty(), fmt.Sprintf("CloudPAM cannot %s %s", a.verb, a.object()), e,
			"If it happens again, send the server's administrator the request id.")
	}
}

// add appends one diagnostic: what happened in the server's words, what to do next in ours, the request id.
func (a attempt) add(diags *diag.Diagnostics, at path.Path, summary string, e *cloudpam.Error, next string) {
	detail := sentence(e.Detail) + "\n\n" + next
	if e.RequestID != "" {
		detail += "\n\nRequest id: " + e.RequestID
	}
	if at.Equal(path.Empty()) {
		diags.AddError(summary, detail)
		return
	}
	diags.AddAttributeError(at, summary, detail)
}

// fields appends one diagnostic for each field that the server names, or one for all when it names none of ours.
func (a attempt) fields(diags *diag.Diagnostics, summary string, e *cloudpam.Error, next string) {
	said := false
	for _, f := range e.Errors {
		// A pointer such as /labels/team belongs to the attribute labels, and so does that of what a hold is meant for.
		pointer := strings.TrimPrefix(strings.TrimPrefix(f.Pointer, "/rules"), "/meant_for")
		name, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
		if !strings.HasPrefix(f.Pointer, "/") || !attributes[name] {
			continue
		}
		one := *e
		one.Detail = f.Detail
		a.add(diags, a.at(name), summary, &one, next)
		said = true
	}
	if !said {
		a.add(diags, path.Empty(), summary, e, next)
	}
}

// attributes are the fields of the API that are attributes of the resources under the same name.
var attributes = map[string]bool{
	"name": true, "scope": true, "pool": true, "parent": true, "cidr": true, "prefix_length": true, "strategy": true,
	"min_prefix_length": true, "max_prefix_length": true, "default_prefix_length": true, "description": true, "owner": true,
	"purpose": true, "account": true, "region": true, "environment": true, "labels": true, "deletion_protection": true,
	"reason": true, "expires_at": true, "encloses": true, "cloud": true, "external_id": true, "platform": true, "tier": true, "regions": true, "mode": true,
	"role_arn": true, "workload_identity": true, "members": true, "bundle": true, "exclude": true, "parent_strategy": true, "hosts": true, "target": true, "pool_selector": true, "adopt": true, "renamed": true,
	"pool_min_prefix_length": true, "pool_max_prefix_length": true, "accounts": true, "environments": true, "required_labels": true, "name_pattern": true, "exclude_sets": true,
	"expression": true, "expression_message": true,
}

func (a attempt) notFound(e *cloudpam.Error, diags *diag.Diagnostics) {
	if slices.ContainsFunc(e.Errors, func(f cloudpam.FieldError) bool { return f.Pointer == "/pool_selector" }) {
		a.add(diags, path.Root("pool_selector"), "No pool has these labels", e,
			"Correct the selector, or label a pool. If this configuration labels it, name it in depends_on (depends_on = [cloudpam_pool.NAME]), so that Terraform plans it first.")
		return
	}
	if (a.verb == "create" || a.verb == "plan" || a.verb == "move") && a.pool != "" {
		a.add(diags, path.Root(a.poolAttr), "Pool does not exist", e,
			fmt.Sprintf("Create it, or correct its id. If this configuration creates it, reference it (%s = cloudpam_pool.NAME.id), so that Terraform creates it first.", a.poolAttr))
		return
	}
	next := "Run Terraform again: the next plan is made from what stands now."
	if a.verb == "import" {
		next = "Correct the import id. " + map[string]string{"scope": scopeIDHelp, "pool": poolIDHelp, "allocation": allocationIDHelp, "allocation set": setIDHelp, "reservation": reservationIDHelp, "account": accountIDHelp, "webhook": webhookIDHelp, "policy": policyIDHelp}[a.kind]
	}
	a.add(diags, path.Empty(), fmt.Sprintf("%s does not exist", capital(a.object())), e, next)
}

func (a attempt) exhausted(e *cloudpam.Error, diags *diag.Diagnostics) {
	// The server's sentence says already how large the largest free block is.
	grow, other := "grow the pool", "use another pool"
	if a.pool != "" { // a selector names none
		grow = fmt.Sprintf("grow pool %q", a.pool)
	}
	if e.NearestPool != "" {
		other = fmt.Sprintf("use pool %q", e.NearestPool)
	}
	next := fmt.Sprintf("%s, ask for a smaller block (a larger prefix_length), %s, or release what is no longer needed.", capital(other), grow)
	if len(e.Holders) > 0 {
		next = "Plans hold (the largest first):\n" + listed(e) + next +
			" What a plan holds that will not be applied is released under Holds in the browser, or with DELETE /api/v1/holds/ID and /api/v1/pool-drafts/ID."
	}
	a.add(diags, a.at("prefix_length"), "Pool is exhausted", e, next)
}

func (a attempt) taken(e *cloudpam.Error, diags *diag.Diagnostics) {
	others := ""
	if len(e.Holders) > 1 { // the server's sentence names the first
		others = held(e)
	}
	switch {
	case a.kind == "allocation" && (a.verb == "update" || a.verb == "resize"):
		a.add(diags, a.at("cidr"), fmt.Sprintf("Allocation %q cannot grow any more", a.name), e, others+
			"Its plan was to grow where it is. Nothing was changed for this resource. Run terraform plan again: it says whether there is room now, and replaces the allocation where there is none. "+
			"With plan_mode = \"off\", which does not look, replace it with -replace.")
		return
	case a.verb == "update":
		a.add(diags, a.at("cidr"), fmt.Sprintf("Pool %q cannot be resized", a.name), e, others+
			"Growing needs the space beside the pool to be free, shrinking needs the space that it gives up to be empty. "+
			"Release or move what is in the way, or choose another size.")
		return
	case a.kind == "reservation" && len(e.Holders) > 0 && !slices.ContainsFunc(e.Holders, func(h cloudpam.Holder) bool { return h.Kind != cloudpam.PrefixKindHold }):
		a.add(diags, a.at("cidr"), "CIDR is promised to a plan", e, others+
			"If that is an allocation of this configuration, let it depend on the reservation (depends_on), so that it is planned elsewhere, and release its hold: "+
			"under Holds in the browser, or with DELETE /api/v1/holds/"+e.Holders[0].ID+". Otherwise wait for that plan, or choose another CIDR.")
		return
	case a.kind == "pool" && strings.Contains(e.Detail, "encloses = true"):
		a.add(diags, a.at("cidr"), "CIDR is taken", e, others+
			"Pools of one level never overlap. To put this one above those, set encloses = true, and parent = cloudpam_pool.NAME.id in them, with the address of this one: they keep their CIDRs. "+
			"Otherwise choose another CIDR, or give this one a scope of its own.")
		return
	case a.kind == "pool" && strings.Contains(e.Detail, "cannot enclose"):
		a.add(diags, a.at("encloses"), "Pool cannot enclose all that is in its CIDR", e, others+
			"Choose a CIDR without that, or release or move it and apply that first. What another plan holds is released under Holds in the browser.")
		return
	case a.kind == "pool" && a.pool == "" && a.poolAttr != "pool_selector":
		a.add(diags, a.at("cidr"), "CIDR is taken", e, others+
			"Root pools of one scope never overlap. Choose another CIDR, put the smaller pool into the larger one (parent), or give this one a scope of its own.")
		return
	}
	if a.kind == "allocation set" {
		a.add(diags, a.at("cidr"), "CIDR is taken", e, others+
			"Choose another CIDR for the member, or give it a size in subnets, so that CloudPAM chooses a free block.")
		return
	}
	a.add(diags, a.at("cidr"), "CIDR is taken", e, others+
		"Choose another CIDR, or leave cidr out and set prefix_length, so that CloudPAM chooses a free one.")
}

func (a attempt) notEmpty(e *cloudpam.Error, diags *diag.Diagnostics) {
	if a.verb == "move" {
		a.add(diags, path.Root("parent"), fmt.Sprintf("Pool %q is not empty, so it stays in its parent", a.name), e, held(e)+
			"What is in a pool has addresses of its parent. Release or move it and apply that, then change the parent; or create a pool under another name. "+
			"If another pool was put between the two, name that as the parent.")
		return
	}
	a.add(diags, path.Empty(), fmt.Sprintf("Pool %q is not empty", a.name), e, held(e)+
		"Release or move them first. What this configuration manages is destroyed in time when it references the pool (pool = cloudpam_pool.NAME.id, or parent) instead of repeating its id; "+
		"where it repeats the id, run Terraform again, a destroy with -refresh=false.")
}

// held lists what is in the way, one a line.
func held(e *cloudpam.Error) string {
	if len(e.Holders) == 0 {
		return ""
	}
	return "In the way (the first of them):\n" + listed(e)
}

func listed(e *cloudpam.Error) string {
	var b strings.Builder
	for _, h := range e.Holders {
		fmt.Fprintf(&b, "  - %s %q (%s), id %s\n", h.Kind, h.Name, h.CIDR, h.ID)
	}
	b.WriteString("\n")
	return b.String()
}

// importBlock is ready to paste: only the resource's own address is the reader's to fill in.
func (a attempt) importBlock() string {
	id := a.name
	if a.poolAttr == "pool" {
		id = a.pool + "/" + a.name
	}
	return fmt.Sprintf("  import {\n    to = cloudpam_%s.NAME\n    id = %q\n  }", strings.ReplaceAll(a.kind, " ", "_"), id)
}

// sentence makes a message of the server end like one.
func sentence(s string) string {
	if s = strings.TrimSpace(s); s == "" || strings.ContainsAny(s[len(s)-1:], ".?!") {
		return capital(s)
	}
	return capital(s) + "."
}

// capital begins a sentence with a capital letter, unless it begins with an attribute's name or an address.
func capital(s string) string {
	if first, _, _ := strings.Cut(s, " "); s == "" || strings.Contains(first, "_") || strings.Contains(first, "://") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
