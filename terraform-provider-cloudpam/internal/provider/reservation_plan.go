package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// ValidateConfig refuses, without a server, what no server would accept.
func (r *reservationResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m reservationModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if m.CIDR.IsNull() && m.PrefixLength.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("cidr"), "Reservation names no block",
			"Set cidr to the block to keep, or prefix_length to have CloudPAM choose a free one of that size.")
	}
	if name := m.Name.ValueString(); strings.Contains(name, "/") {
		if _, err := netip.ParsePrefix(name); err == nil {
			resp.Diagnostics.AddAttributeError(path.Root("name"), "Name is a CIDR", fmt.Sprintf("%q is a block and no name. Set cidr to keep it, and name to what people call it, if anything.", name))
		}
	}
	agree(m.CIDR, m.PrefixLength, &resp.Diagnostics)
	r.session.validated(m.configured())
}

// ModifyPlan computes while planning what follows from the configuration. A configured CIDR is held, so that no other block of the
// same plan is placed there, and one that CloudPAM is to choose is promised to the reservation's name.
func (r *reservationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() { // a destroy
		var state reservationModel
		if resp.Diagnostics.Append(req.State.Get(ctx, &state)...); !resp.Diagnostics.HasError() && prefixOf(state.CIDR).IsValid() {
			r.session.releases(ctx, req, state.Pool.ValueString(), state.ID.ValueString(), prefixOf(state.CIDR))
		}
		return
	}
	var config, plan, state reservationModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	creates := req.State.Raw.IsNull()
	if !creates {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if r.session != nil && (!creates || selfOf(ctx, req.Private) == "") {
		r.session.claims.planning(config.configured())
	}
	if !creates {
		r.session.inPool(req, resp, config.Pool, state.Pool, plan.Pool, func() (string, error) {
			reservation, err := r.session.client.GetReservation(ctx, state.ID.ValueString())
			return reservation.Pool, err
		})
	}
	plan.place(config)
	resp.Diagnostics.Append(r.session.label(plan.Labels, &plan.LabelsAll)...)
	if creates || !plan.ExpiresAt.Equal(state.ExpiresAt) {
		resp.Diagnostics.Append(plan.over(time.Now())...)
	}
	if creates && r.session != nil && !r.session.planning.off {
		resp.Diagnostics.Append(config.nameless()...)
	}
	switch {
	case resp.Diagnostics.HasError():
		return
	case creates:
		resp.Diagnostics.Append(r.hold(ctx, req, config, &plan)...)
	default:
		resp.Diagnostics.Append(r.claim(plan, plan.ID.ValueString(), "")...)
	}
	if !creates && len(resp.RequiresReplace) == 0 {
		resp.Diagnostics.Append(r.session.keeps(ctx, plan.ID.ValueString(), prefixOf(plan.CIDR), path.Root("cidr"))...)
	}
	plan.Scope = scopeOfPool(plan.Pool)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// place settles how much of the block is known. What the state holds stays, unless the configuration asks for another size.
func (m *reservationModel) place(config reservationModel) {
	size := config.PrefixLength
	if p := prefixOf(m.CIDR); config.CIDR.IsNull() && p.IsValid() && (size.IsUnknown() || !size.IsNull() && size.ValueInt64() != int64(p.Bits())) {
		m.CIDR = unknownCIDR()
	}
	switch p := prefixOf(m.CIDR); {
	case p.IsValid():
		m.PrefixLength = types.Int64Value(int64(p.Bits()))
	case size.IsNull():
		m.PrefixLength = types.Int64Unknown()
	}
}

// over refuses a reservation that would have ended before it began. Terraform cannot tell one that was swept from one that
// was never made, so the text covers both.
func (m reservationModel) over(now time.Time) diag.Diagnostics {
	var diags diag.Diagnostics
	if end := timeOf(m.ExpiresAt); end != nil && !now.Before(*end) {
		diags.AddAttributeError(path.Root("expires_at"), "Reservation has ended", fmt.Sprintf(
			"expires_at %s has passed, so the block is free: there is nothing to keep.\n\n"+
				"Remove the resource from the configuration, set a later expires_at to keep the block again, or remove expires_at to keep it until it is released. "+
				"To destroy everything, run terraform destroy -refresh=false: a destroy plans first.", m.ExpiresAt.ValueString()))
	}
	return diags
}

// nameless refuses a new reservation whose block CloudPAM is to choose and that has no name. There would be nothing that a plan and
// its apply both know it by: the block would be promised to nobody, and what the same plan puts elsewhere could leave none.
func (m reservationModel) nameless() diag.Diagnostics {
	var diags diag.Diagnostics
	if m.Name.IsNull() && m.CIDR.IsNull() {
		diags.AddAttributeError(path.Root("prefix_length"), "Reservation has no name", "The plan shows which block CloudPAM chooses, and keeps it for the apply by the reservation's name. "+
			"Set name, to what people call it, such as \"merger\"; or set cidr to choose the block yourself.")
	}
	return diags
}

// hold has the server keep the block of a new reservation free of everything else that is planned, and choose it where the
// configuration does not.
func (r *reservationResource) hold(ctx context.Context, req resource.ModifyPlanRequest, config reservationModel, plan *reservationModel) diag.Diagnostics {
	var diags diag.Diagnostics
	named := !config.Name.IsNull()
	if config.Pool.IsUnknown() || config.Name.IsUnknown() || config.CIDR.IsUnknown() || config.PrefixLength.IsUnknown() {
		return diags
	}
	if !r.session.canPlan(&diags) || !r.session.claims.canPromiseIn(plan.Pool.ValueString()) {
		return diags
	}
	self := selfOf(ctx, req.Private)
	r.session.leaves(self, self)
	if diags.Append(r.claim(*plan, created, self)...); diags.HasError() {
		return diags
	}
	ask := r.session.planning.hold(r.session.planning.phase(req))
	ask.Pool, ask.Name = r.session.renames.askPool(plan.Pool.ValueString()), plan.holdName()
	if plan.CIDR.known() {
		ask.CIDR = new(prefixOf(plan.CIDR).String())
	} else {
		ask.PrefixLength = optionalLength(plan.PrefixLength)
	}
	if self != "" && named {
		ask.Replaces = &self
	}
	hold, err := r.session.gather.hold(ctx, ask)
	// One that this run has refreshed and that now arrives as a new one is tainted: it replaces itself.
	if holder := r.session.nameOf(err); holder != "" {
		ask.Replaces = &holder
		hold, err = r.session.gather.hold(ctx, ask)
	}
	if r.session.makeRoom(ctx, req, ask.Pool, err) {
		hold, err = r.session.gather.hold(ctx, ask)
	}
	if err == nil {
		diags.Append(r.session.standsOn(ctx, hold.Hold, self)...)
	}
	w := wish{by: "a reservation in pool " + strconv.Quote(plan.Pool.ValueString()), cidr: prefixOf(plan.CIDR)}
	switch {
	case err != nil && plan.CIDR.known() && errors.Is(err, cloudpam.ErrForbidden), r.session.claims.inOwnWay(err, w), r.session.claims.yetToGrow(plan.Pool.ValueString(), err):
	case err != nil:
		diags.Append(r.session.planning.unplanned(plan.attempt(r.session.planning.verb(req)), err)...)
	case !plan.CIDR.known(): // what is configured keeps its spelling
		diags.Append(plan.attempt("create").older(path.Root("cidr"), hold.CIDR, hold.ShownBefore)...)
		plan.CIDR = newCIDR(hold.CIDR)
	}
	return diags
}

// holdName is the name that the server gives the hold of a reservation to be.
func (m reservationModel) holdName() string {
	return reservationHold + cmp.Or(m.Name.ValueString(), prefixOf(m.CIDR).String())
}

const reservationHold = "reservation:"

// configured is the key under which the configuration names the reservation, or "" while it is not known.
func (m reservationModel) configured() string {
	if m.Pool.IsUnknown() || m.Name.IsUnknown() || m.Name.IsNull() && !m.CIDR.known() {
		return ""
	}
	return m.Pool.ValueString() + "/" + m.holdName()
}

// claim takes the name of a reservation for it and its block, as far as it has them, and refuses what has one of them already.
func (r *reservationResource) claim(m reservationModel, id, replaces string) diag.Diagnostics {
	var diags diag.Diagnostics
	name, block := m.Name.ValueString(), prefixOf(m.CIDR)
	in := m.Pool.ValueString() + "/" + reservationHold
	switch {
	case r.session == nil || m.Pool.IsUnknown():
	case name != "" && !r.session.claims.claim(in+name, id, replaces):
		diags.AddAttributeError(path.Root("name"), "Duplicate reservation", fmt.Sprintf(
			"Another reservation of this configuration is named %q in pool %q too. A name identifies one reservation of its pool: choose another, for example with the key of for_each in it.",
			name, m.Pool.ValueString()))
	case block.IsValid() && !r.session.claims.claim(in+block.String(), id, replaces):
		diags.AddAttributeError(path.Root("cidr"), "Duplicate reservation", fmt.Sprintf(
			"Another reservation of this configuration keeps %s in pool %q too. Remove one of them.", m.CIDR.ValueString(), m.Pool.ValueString()))
	}
	return diags
}
