package provider

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// resize plans the block and the parent of a pool that exists, both of which change in place. The server is asked whether
// they can: a pool is never replaced, for what is in it could not follow.
func (r *poolResource) resize(ctx context.Context, req resource.ModifyPlanRequest, config, state poolModel, plan *poolModel) diag.Diagnostics {
	var diags diag.Diagnostics
	moves := !r.session.stays(state.Parent, plan.Parent, func() (string, error) { return r.parentNow(ctx, state) })
	if !moves && !config.Parent.IsNull() && r.session != nil {
		if above := r.session.claims.staysIn(state.ID.ValueString()); above != "" && above != plan.Parent.ValueString() {
			diags.Append(astray(path.Root("parent"), state.ID.ValueString(), above))
			return diags
		}
	}
	if moves {
		plan.forgetBlock(config) // the new parent chooses one, which nobody promises
	} else {
		plan.border(config, state, &diags)
	}
	if diags.HasError() || !moves && plan.CIDR.Equal(state.CIDR) {
		return diags
	}
	if r.session != nil {
		r.session.claims.changesPool(plan.ID.ValueString(), map[bool]poolChange{true: poolMoved, false: poolResized}[moves])
	}
	if plan.Parent.IsUnknown() || config.CIDR.IsUnknown() || config.PrefixLength.IsUnknown() || !r.session.canPlan(&diags) {
		return diags
	}
	patch, more := plan.patch(ctx, state, r.session.names())
	if diags.Append(more...); more.HasError() {
		return diags
	}
	would, err := r.plan(ctx, req, state, patch)
	if err == nil && moves && prefixOf(newCIDR(would.CIDR)) == prefixOf(state.CIDR) { // enclosed: no other parent has its block
		plan.CIDR, plan.PrefixLength, plan.IPVersion = state.CIDR, state.PrefixLength, state.IPVersion
		if !config.CIDR.IsNull() {
			plan.CIDR = config.CIDR
		}
		r.session.claims.changesPool(plan.ID.ValueString(), "")
	}
	if err == nil && !moves {
		r.session.claims.resizes(plan.ID.ValueString(), prefixOf(state.CIDR), prefixOf(plan.CIDR))
	}
	if err == nil && !moves {
		diags.Append(r.session.willChange(ctx, plan.change(false), req, state.Parent.ValueString(), border{prefixOf(state.CIDR), prefixOf(plan.CIDR)})...)
	}
	switch {
	case err == nil, errors.Is(err, cloudpam.ErrForbidden):
		// A token that may not ask still plans; whether there is room shows in the apply.
	case refused(err) && r.session.claims.changing(plan.Parent.ValueString()) != "":
		// The parent is made, resized or moved first: by then there may be room.
	default:
		diags.Append(plan.change(moves).previewed(err)...)
	}
	return diags
}

// plan asks whether a pool can change, and has the space for that kept. A token that may not hold anything is told whether it can.
func (r *poolResource) plan(ctx context.Context, req resource.ModifyPlanRequest, state poolModel, patch cloudpam.PoolPatch) (cloudpam.Pool, error) {
	with := r.session.planning.hold(r.session.planning.phase(req))
	would, err := r.session.client.PlanPool(ctx, state.key(), cloudpam.NewPoolPlan{
		Change: patch, TTLSeconds: with.TTLSeconds, Holder: with.Holder, Run: with.Run, PlanID: with.PlanID, Applying: with.Applying,
	})
	if errors.Is(err, cloudpam.ErrForbidden) {
		would, err = r.session.client.PreviewPool(ctx, state.key(), patch, cloudpam.PreviewPoolParams(r.session.planning.asks(req)))
	}
	return would, err
}

// border plans the block of a pool that stays in its parent. Growing takes the block around the old one, shrinking keeps its
// start.
func (m *poolModel) border(config, state poolModel, diags *diag.Diagnostics) {
	old := prefixOf(state.CIDR)
	if !old.IsValid() || m.CIDR.IsUnknown() {
		return
	}
	length := config.PrefixLength
	if config.CIDR.IsNull() && !length.IsUnknown() && !length.IsNull() && length.ValueInt64() <= int64(old.Addr().BitLen()) {
		if int(length.ValueInt64()) != old.Bits() {
			m.CIDR = newCIDR(netip.PrefixFrom(old.Addr(), int(length.ValueInt64())).Masked().String())
		}
		return
	}
	if to := prefixOf(m.CIDR); to.IsValid() && !to.Overlaps(old) {
		diags.AddAttributeError(path.Root("cidr"), "A pool cannot move",
			fmt.Sprintf("Pool %q is %s. It can grow around that or shrink inside it, but not move to %s. "+
				"Create a pool under another name and move what this one holds.", m.ID.ValueString(), old, to))
	}
}

// forgetBlock plans a block that is chosen anew, unless the configuration names it.
func (m *poolModel) forgetBlock(config poolModel) {
	if !config.CIDR.IsNull() {
		return
	}
	m.CIDR, m.IPVersion = unknownCIDR(), types.Int64Unknown()
	if config.PrefixLength.IsNull() {
		m.PrefixLength = types.Int64Unknown()
	}
}

// change describes a resize or a move, for diagnostics.
func (m poolModel) change(moves bool) attempt {
	if moves {
		return m.attempt("move")
	}
	return m.attempt("update")
}

// refused reports whether the server answered and said no.
func refused(err error) bool {
	_, ok := errors.AsType[*cloudpam.Error](err)
	return ok
}
