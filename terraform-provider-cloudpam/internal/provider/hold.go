package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// How plan-time allocation works, and why ModifyPlan asks the server:
//
//	plan    ModifyPlan → PlaceHold       the CIDR is promised, and known in the plan
//	apply   ModifyPlan → PlaceHold       the same promise again: Terraform compares both answers
//	        Create     → CreateAllocation(cidr)   the hold becomes the allocation
//
// Terraform does not tell ModifyPlan what the plan said. So the server never moves a promise silently: one that is gone
// is an error of ours, never Terraform's "Provider produced inconsistent final plan".

// planning is how a session plans.
type planning struct {
	off      bool // plan_mode = "off": CIDRs are known after apply
	ttl      *int // seconds; nil: the server's own
	holder   string
	run      string // this command of Terraform: its plan and its apply, and none before it
	id       string // of the plan, the same while it is made and applied; "" when it has none
	applying *bool  // nil: told by the protocol, or by what is seen of the run
	seen     *seen

	releaseWait  time.Duration // that an apply waits for what it releases itself
	approvalWait time.Duration // that it waits for an approval; 0: not at all
}

const shortestHold, longestHold = time.Minute, 30 * 24 * time.Hour

// planning reads what the provider block and the environment say about holds; ValidateConfig has checked the block.
func (m providerModel) planning() (planning, error) {
	p := planning{run: thisRun(), holder: firstOf(m.Holder, "CLOUDPAM_HOLDER"), id: firstOf(m.PlanID, "CLOUDPAM_PLAN_ID"), seen: &seen{}, releaseWait: longestWait, approvalWait: approvalWait}
	if p.id == "" && !m.PlanID.IsUnknown() {
		p.id = cmp.Or(os.Getenv("TFC_RUN_ID"), spacelift(os.Getenv, "run_id"))
	}
	if p.holder == "" && !m.Holder.IsUnknown() {
		folder, host := workingFolder()
		p.holder = defaultHolder(os.Getenv, folder, host)
	}
	switch mode := firstOf(m.PlanMode, "CLOUDPAM_PLAN_MODE"); mode {
	case "", "hold":
	case "off":
		p.off = true
	default:
		return p, fmt.Errorf("CLOUDPAM_PLAN_MODE is %q; it must be hold or off", mode)
	}
	if text := firstOf(m.HoldTTL, "CLOUDPAM_HOLD_TTL"); text != "" {
		if !(durationValidator{shortestHold, longestHold}).accepts(text) {
			return p, fmt.Errorf("CLOUDPAM_HOLD_TTL is %q; it must be a duration from 1m to 720h, such as 90m or 24h", text)
		}
		ttl, _ := time.ParseDuration(text)
		p.ttl = new(int(ttl.Seconds()))
	}
	if text := firstOf(m.ApprovalTimeout, "CLOUDPAM_APPROVAL_TIMEOUT"); text != "" {
		wait, err := time.ParseDuration(text)
		if err != nil || wait < 0 || wait > longestApprovalWait {
			return p, fmt.Errorf("CLOUDPAM_APPROVAL_TIMEOUT is %q; it must be a duration from 0s to 24h, such as 0s or 45m", text)
		}
		p.approvalWait = wait
	}
	if text := os.Getenv("CLOUDPAM_RELEASE_WAIT"); text != "" {
		if !(durationValidator{}).accepts(text) {
			return p, fmt.Errorf("CLOUDPAM_RELEASE_WAIT is %q; it must be a duration such as 30s or 2m", text)
		}
		p.releaseWait, _ = time.ParseDuration(text)
	}
	if !m.Applying.IsNull() && !m.Applying.IsUnknown() {
		p.applying = m.Applying.ValueBoolPointer()
	} else if said, err := strconv.ParseBool(os.Getenv("CLOUDPAM_APPLYING")); err == nil {
		p.applying = &said
	}
	return p, nil
}

// hold is what every hold of this run says, with what is still to be said of the block.
func (p planning) hold(applying *bool) cloudpam.NewHold {
	return cloudpam.NewHold{
		TTLSeconds: p.ttl, Applying: applying, Holder: optionalText(types.StringValue(p.holder)), Run: &p.run, PlanID: optionalText(types.StringValue(p.id)),
	}
}

// asks is who asks what a change would come to.
func (p planning) asks(req resource.ModifyPlanRequest) cloudpam.PreviewAllocationParams {
	return cloudpam.PreviewAllocationParams{Holder: optionalText(types.StringValue(p.holder)), Run: &p.run, Applying: p.phase(req)}
}

// selfKey is where what can be replaced keeps its own id in Terraform's private state: the only thing that the second planning
// call of a replacement is told about what it replaces.
const selfKey = "self"

func selfOf(ctx context.Context, private interface {
	GetKey(context.Context, string) ([]byte, diag.Diagnostics)
},
) string {
	raw, _ := private.GetKey(ctx, selfKey)
	id, err := strconv.Unquote(string(raw))
	if err != nil {
		return ""
	}
	return id
}

func selfValue(id string) []byte { return []byte(strconv.Quote(id)) }

// canPlan reports whether blocks can be promised in this run, and warns when they cannot though they should be.
func (s *session) canPlan(diags *diag.Diagnostics) bool {
	switch {
	case s == nil || s.planning.off:
		return false
	case s.client == nil:
		diags.AddWarning("CIDR cannot be planned yet", fmt.Sprintf(
			"The provider's %s is known after apply, so CloudPAM cannot be asked for a CIDR while planning. "+
				"It is shown as (known after apply). Set the %s from a variable, or CLOUDPAM_%s, to see it in the plan.", s.unknown, s.unknown, strings.ToUpper(s.unknown)))
		return false
	}
	return true
}

// promise plans the CIDR of a new allocation.
func (r *allocationResource) promise(ctx context.Context, req resource.ModifyPlanRequest, config allocationModel, plan *allocationModel) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, input := range []attr.Value{config.Pool, config.PoolSelector, config.Name, config.PrefixLength, config.CIDR, config.Hosts, config.Target, config.Strategy, config.Exclude} {
		if !settled(ctx, input) {
			return diags
		}
	}
	if !r.session.canPlan(&diags) {
		return diags
	}
	if !r.session.claims.canPromiseIn(plan.Pool.ValueString()) {
		return diags
	}
	self := selfOf(ctx, req.Private)
	r.session.leaves(self, self)
	selects := !config.PoolSelector.IsNull()
	if !selects && !r.session.claims.claim(plan.key(), created, self) {
		diags.Append(r.duplicate(*plan))
		return diags
	}
	ask := r.session.planning.hold(r.session.planning.phase(req))
	ask.MeantFor = meant(ctx, plan.Owner, plan.Purpose, plan.Account, plan.Region, plan.Environment, plan.LabelsAll)
	ask.Pool, ask.Name, ask.Target = r.session.renames.askPool(plan.Pool.ValueString()), plan.Name.ValueString(), plan.target()
	if plan.CIDR.known() {
		ask.CIDR = new(prefixOf(plan.CIDR).String())
	} else {
		var more diag.Diagnostics
		ask.PrefixLength, ask.Hosts, ask.Strategy = optionalLength(plan.PrefixLength), plan.Hosts.ValueInt64Pointer(), chosenBy(plan.Strategy)
		if ask.Exclude, more = excluded(ctx, plan.Exclude); more.HasError() {
			return more
		}
	}
	if selects {
		var more diag.Diagnostics
		if ask.PoolSelector, more = poolSelector(ctx, config.PoolSelector); more.HasError() {
			return more
		}
		ask.Pool = ""
	}
	replaces := self
	if replaces != "" {
		ask.Replaces = &replaces
	}
	hold, err := r.session.gather.hold(ctx, ask)
	// An allocation that this run has refreshed and that now arrives as a new one is tainted: it replaces itself. One that is planned
	// too hands its name on.
	if holder := r.session.nameOf(err); holder != "" {
		r.session.settle(ctx)
		if !r.session.claims.planned(holder) {
			replaces, ask.Replaces = holder, &holder
		}
		hold, err = r.session.gather.hold(ctx, ask)
	}
	if err != nil && r.session.makeRoom(ctx, req, ask.Pool, err) {
		hold, err = r.session.gather.hold(ctx, ask)
	}
	if err != nil {
		if !r.session.claims.inOwnWay(err, wish{by: "allocation " + strconv.Quote(plan.Name.ValueString()), cidr: prefixOf(plan.CIDR)}) && !r.session.claims.yetToGrow(plan.Pool.ValueString(), err) {
			diags.Append(r.session.planning.unplanned(plan.attempt(r.session.planning.verb(req)), err)...)
		}
		return diags
	}
	diags.Append(r.session.standsOn(ctx, hold.Hold, self)...)
	if !plan.CIDR.known() {
		diags.Append(plan.attempt("create").older(path.Root("cidr"), hold.CIDR, hold.ShownBefore)...)
	}
	diags.Append(r.session.willWait(plan.attempt("plan"), req, hold.approval)...)
	if selects {
		plan.Pool = types.StringValue(r.session.renames.planned(hold.Pool))
	}
	if selects && !r.session.claims.claim(plan.key(), created, replaces) {
		diags.Append(r.duplicate(*plan))
		return diags
	}
	if !plan.CIDR.known() { // what is configured keeps its spelling
		plan.CIDR = newCIDR(hold.CIDR)
	}
	return diags
}

// draft plans a new pool, so that what stands in it can be planned too.
func (r *poolResource) draft(ctx context.Context, req resource.ModifyPlanRequest, config poolModel, plan *poolModel) diag.Diagnostics {
	var diags diag.Diagnostics
	drafted := false
	defer func() {
		if !drafted && r.session != nil {
			r.session.claims.leavesUnplanned(plan.ID.ValueString())
		}
	}()
	if r.session != nil {
		r.session.claims.changesPool(plan.ID.ValueString(), poolCreated)
	}
	for _, input := range []attr.Value{config.Name, config.Scope, config.Parent, config.PoolSelector, config.ParentStrategy, config.Exclude, config.Encloses, config.CIDR, config.PrefixLength, config.MinPrefixLength, config.MaxPrefixLength, config.DefaultPrefixLength} {
		if !settled(ctx, input) {
			return diags
		}
	}
	if !r.session.canPlan(&diags) {
		return diags
	}
	if !r.session.claims.canPromiseIn(plan.Parent.ValueString()) {
		return diags
	}
	pool, more := plan.request(ctx)
	if diags.Append(more...); more.HasError() {
		return diags
	}
	pool.Parent, pool.Scope = r.session.renames.ask(pool.Parent, pool.Scope)
	if pool.PoolSelector != nil {
		_, pool.PoolSelector.Scope = r.session.renames.ask(nil, pool.PoolSelector.Scope)
	}
	draft, err := r.session.gather.draft(ctx, cloudpam.NewDraft{
		Pool: pool, NewScope: new(r.session.claims.inNewScope(plan.Scope.ValueString())), TTLSeconds: r.session.planning.ttl, Holder: optionalText(types.StringValue(r.session.planning.holder)),
		Run: &r.session.planning.run, Applying: r.session.planning.phase(req), PlanID: optionalText(types.StringValue(r.session.planning.id)),
	})
	if errors.Is(err, cloudpam.ErrNameTaken) && r.session.knowsSoon(ctx, plan.ID.ValueString()) {
		return diags // it replaces itself, and its space is free only once it is destroyed; or what has the name says what is wrong
	}
	if r.session.planning.applies(req) && plan.CIDR.known() && (errors.Is(err, cloudpam.ErrCIDRTaken) || errors.Is(err, cloudpam.ErrNameTaken)) {
		return diags // perhaps by what this run destroys: Create waits for that
	}
	if err != nil {
		if !r.session.claims.inOwnWay(err, wish{by: "pool " + strconv.Quote(plan.ID.ValueString()), cidr: prefixOf(plan.CIDR)}) {
			refused := r.released(ctx, *plan, err)
			if refused == nil {
				refused = r.session.planning.unplanned(plan.attempt(r.session.planning.verb(req)), err)
			}
			diags.Append(refused...)
		}
		return diags
	}
	if plan.Parent.IsUnknown() && draft.Parent != nil {
		plan.Parent = types.StringValue(r.session.renames.planned(*draft.Parent))
	}
	drafted = true
	diags.Append(r.session.willWait(plan.attempt("plan"), req, draft.approval)...)
	r.session.claims.isThere(plan.ID.ValueString())
	if id := r.session.claims.encloses(plan.ID.ValueString(), draft.Enclosed); id != "" {
		diags.Append(astray(path.Root("encloses"), id, plan.ID.ValueString()))
		return diags
	}
	if !plan.CIDR.known() { // what is configured keeps its spelling
		diags.Append(plan.attempt("create").older(path.Root("cidr"), draft.CIDR, draft.ShownBefore)...)
		plan.CIDR = newCIDR(draft.CIDR)
	}
	return diags
}

// older warns of a block that an earlier plan was shown, where this apply may be of that: Terraform says of such a plan that the provider
// has a bug, and does not say to the provider what it was.
func (a attempt) older(at path.Path, now string, before *string) diag.Diagnostics {
	var diags diag.Diagnostics
	if before != nil {
		diags.AddAttributeWarning(at, "This plan may be older than the last one", fmt.Sprintf(
			"An earlier plan was shown %s for %s, and the last one %s, which is what there is for it. If Terraform says that the final plan is inconsistent, "+
				"this plan is the earlier one, and nothing was made for it: run terraform plan again, and apply that. "+
				"Plans that name themselves, with plan_id in the provider block, are told apart.", *before, a.object(), now))
	}
	return diags
}

// unplanned explains why a plan got no promise. A token that may only read still plans: the CIDR is then known after apply.
func (p planning) unplanned(a attempt, err error) diag.Diagnostics {
	var diags diag.Diagnostics
	a.holder = p.holder
	if errors.Is(err, cloudpam.ErrForbidden) {
		diags.AddWarning("CIDR cannot be planned with this token", fmt.Sprintf(
			"The token may not place holds, so the CIDR of %s is shown as (known after apply). Give it the permission holds:write to see it in the plan.", a.object()))
		return diags
	}
	return a.diagnose(err)
}

func (m allocationFacts) key() string { return m.Pool.ValueString() + "/" + m.Name.ValueString() }

func (r *allocationResource) duplicate(m allocationModel) diag.Diagnostic {
	name, pool := m.Name.ValueString(), m.Pool.ValueString()
	text := fmt.Sprintf("Another allocation of this configuration is named %q in pool %q too. A name identifies one allocation of its pool: "+
		"choose another, for example with the key of for_each in it.", name, pool)
	if at := strings.LastIndex(name, "/"); at >= 0 && r.session.claims.isMember(m.key()) {
		text = fmt.Sprintf("The set %q of this configuration has the member %q, which is the allocation %q of pool %q. "+
			"Choose another name for this one, or another key in the set.", name[:at], name[at+1:], name, pool)
	}
	return diag.NewAttributeErrorDiagnostic(path.Root("name"), "Duplicate allocation name", text)
}
