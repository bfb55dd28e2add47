package provider

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// How an allocation changes its size:
//
//	plan    ModifyPlan → PreviewAllocation   it fits: an update in place, and what it gains is held for it
//	                                         it does not: a replacement, with a warning that says who is in the way
//	apply   ModifyPlan → PreviewAllocation   an update in place is never turned into a replacement any more: where nobody knows
//	                                         whether this is an apply, what was held and lost is told before it is
//	        Update     → UpdateAllocation(cidr)
//
// The block follows from the state and the configuration alone, so both calls of ModifyPlan plan the same one. An apply of a
// replacement comes here no more: to it the successor is a new allocation.

// wanted is the block that the configuration makes of the present one; false when it is not known yet.
func (m allocationModel) wanted(from netip.Prefix) (netip.Prefix, bool) {
	switch {
	case !m.CIDR.IsNull():
		to := prefixOf(m.CIDR)
		return to, to.IsValid()
	case m.PrefixLength.IsUnknown() || m.Hosts.IsUnknown() || m.Target.IsUnknown():
		return from, false
	case !m.Hosts.IsNull():
		return netip.PrefixFrom(from.Addr(), lengthFor(m.Hosts.ValueInt64(), m.Target.ValueString(), ipVersion(from))).Masked(), true
	case m.PrefixLength.IsNull():
		return from, true
	}
	return netip.PrefixFrom(from.Addr(), int(m.PrefixLength.ValueInt64())).Masked(), true
}

// targets are what a block may become: how many addresses the cloud takes of an IPv4 block, and the smallest that it accepts. A
// test compares them with the server's.
var targets = map[string]struct {
	taken    int64
	smallest int
}{
	"aws_subnet":     {5, 28},
	"gcp_subnetwork": {4, 29},
	"azure_subnet":   {5, 29},
}

// lengthFor is the prefix length of so many hosts in a target, as the server has it: so the block of an allocation follows
// from its configuration alone. What no block of the target has room for, the server refuses.
func lengthFor(hosts int64, target string, version int64) int {
	if version == 6 {
		return 64
	}
	limit := targets[target]
	return max(min(32-bits.Len64(uint64(hosts+limit.taken-1)), limit.smallest), 0)
}

// resize plans the block of an allocation that exists.
func (r *allocationResource) resize(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, config, state allocationModel, plan *allocationModel) diag.Diagnostics {
	var diags diag.Diagnostics
	from := prefixOf(state.CIDR)
	to, known := config.wanted(from)
	if !known {
		plan.CIDR = unknownCIDR() // Update finds out; nothing is destroyed on a guess
		return diags
	}
	if to == from {
		return diags
	}
	if !r.session.names().samePool(state.Pool, plan.Pool) {
		plan.replace(config, state, resp)
		return diags
	}
	applying := r.session != nil && r.session.planning.applies(req)
	switch {
	case !to.IsValid():
		diags.AddAttributeError(path.Root("prefix_length"), "Prefix length is longer than the address",
			fmt.Sprintf("An IPv%d address has %d bits. Use 0 to %d.", ipVersion(from), from.Addr().BitLen(), from.Addr().BitLen()))
		return diags
	case !to.Overlaps(from):
		if applying {
			diags.Append(plan.cannotMove(from, to))
			return diags
		}
		plan.replace(config, state, resp)
		return diags
	case config.CIDR.IsNull(): // what is configured keeps its spelling
		plan.CIDR = newCIDR(to.String())
	}
	if !r.session.canPlan(&diags) {
		return diags
	}
	err := r.preview(ctx, req, state, from, to, *plan)
	if r.session.makeRoom(ctx, req, r.session.renames.askPool(state.Pool.ValueString()), err) {
		err = r.preview(ctx, req, state, from, to, *plan)
	}
	refusal, _ := errors.AsType[*cloudpam.Error](err)
	switch {
	case errors.Is(err, cloudpam.ErrCIDRTaken) && !r.lostGrowth(ctx, req, state, from, to, refusal.Holders) && !applying:
		diags.Append(state.mustReplace(from, to, err))
		plan.replace(config, state, resp)
	case errors.Is(err, cloudpam.ErrForbidden):
		// A token that may not ask still plans; whether there is room shows in the apply.
	case err != nil:
		diags.Append(state.attempt("resize").previewed(err)...)
	default:
		diags.Append(r.session.willChange(ctx, state.attempt("resize"), req, state.Pool.ValueString(), border{from, to})...)
	}
	return diags
}

// preview asks whether an allocation can become a block where it stands, and holds for it what it would gain.
func (r *allocationResource) preview(ctx context.Context, req resource.ModifyPlanRequest, state allocationModel, from, to netip.Prefix, plan allocationModel) error {
	patch := cloudpam.AllocationPatch{CIDR: new(to.String()), Hosts: plan.Hosts.ValueInt64Pointer(), Target: plan.target()}
	_, err := r.session.client.PreviewAllocation(ctx, state.ID.ValueString(), patch, r.session.planning.asks(req))
	if errors.Is(err, cloudpam.ErrReleasePending) {
		err = nil // once this run has released it
	}
	if err != nil || r.session.planning.applies(req) {
		return err
	}
	for _, beside := range gained(from, to) {
		err := r.holdGrowth(ctx, req, state, beside)
		switch {
		case errors.Is(err, cloudpam.ErrForbidden), errors.Is(err, cloudpam.ErrPolicyViolation):
			return nil // the plan stands, only nobody keeps the space for it
		case err != nil:
			return err
		}
	}
	return nil
}

// lostGrowth reports whether a plan was promised what others now have of the room to grow, and may be being applied. Asking
// also notes that the loss is told, so that the next plan is a fresh one.
func (r *allocationResource) lostGrowth(ctx context.Context, req resource.ModifyPlanRequest, state allocationModel, from, to netip.Prefix, others []cloudpam.Holder) bool {
	lost := false
	for _, beside := range gained(from, to) {
		taken := slices.ContainsFunc(others, func(h cloudpam.Holder) bool {
			other, err := netip.ParsePrefix(h.CIDR)
			return err == nil && other.Overlaps(beside)
		})
		if taken && errors.Is(r.holdGrowth(ctx, req, state, beside), cloudpam.ErrHoldLost) {
			lost = true
		}
	}
	return lost
}

// holdGrowth has a block kept for an allocation: not under its name, which is held for a successor only.
func (r *allocationResource) holdGrowth(ctx context.Context, req resource.ModifyPlanRequest, state allocationModel, block netip.Prefix) error {
	ask := r.session.planning.hold(r.session.planning.phase(req))
	id := state.ID.ValueString()
	ask.Pool, ask.Name, ask.CIDR, ask.Replaces = r.session.renames.askPool(state.Pool.ValueString()), "growth:"+id, new(block.String()), &id
	_, err := r.session.gather.hold(ctx, ask)
	return err
}

// gained are the blocks that one gains when it becomes another around it.
func gained(from, to netip.Prefix) (blocks []netip.Prefix) {
	for bits := from.Bits(); bits > to.Bits(); bits-- {
		parent := netip.PrefixFrom(from.Addr(), bits-1).Masked()
		half := netip.PrefixFrom(parent.Addr(), bits)
		if half.Contains(from.Addr()) {
			half = netip.PrefixFrom(lastAddress(parent), bits).Masked()
		}
		blocks = append(blocks, half)
	}
	return blocks
}

// replace plans another block elsewhere; the next call of ModifyPlan, which sees no state, is promised it.
func (m *allocationModel) replace(config, state allocationModel, resp *resource.ModifyPlanResponse) {
	if config.CIDR.IsNull() {
		m.CIDR = unknownCIDR()
	}
	resp.RequiresReplace.Append(path.Root("cidr"))
	if !config.PrefixLength.IsNull() && !config.PrefixLength.Equal(state.PrefixLength) {
		resp.RequiresReplace.Append(path.Root("prefix_length"))
	}
}

// mustReplace says why an allocation is replaced though only its size changes.
func (m allocationFacts) mustReplace(from, to netip.Prefix, err error) diag.Diagnostic {
	reason, others := sentence(err.Error()), ""
	if refusal, ok := errors.AsType[*cloudpam.Error](err); ok {
		reason, others = sentence(refusal.Detail), held(refusal)
	}
	return diag.NewAttributeWarningDiagnostic(path.Root("cidr"), fmt.Sprintf("Allocation %q cannot become a /%d where it is, so it is replaced", m.Name.ValueString(), to.Bits()), fmt.Sprintf(
		"%s\n\n%sThe plan gives it another block and releases %s. To keep it where it is, release what is in the way first, or choose another size.", reason, others, from))
}

func (m allocationFacts) cannotMove(from, to netip.Prefix) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("cidr"), fmt.Sprintf("Allocation %q cannot move", m.Name.ValueString()), fmt.Sprintf(
		"It is %s, and its cidr turned out to be %s while applying, which neither contains that nor lies in it. "+
			"Nothing was changed for this resource. Run terraform plan again: the next plan knows the cidr and replaces the allocation.", from, to))
}
