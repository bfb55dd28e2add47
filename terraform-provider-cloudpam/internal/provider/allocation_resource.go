package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var (
	_ resource.ResourceWithConfigure      = (*allocationResource)(nil)
	_ resource.ResourceWithIdentity       = (*allocationResource)(nil)
	_ resource.ResourceWithImportState    = (*allocationResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*allocationResource)(nil)
	_ resource.ResourceWithValidateConfig = (*allocationResource)(nil)
)

type allocationResource struct{ session *session }

func newAllocationResource() resource.Resource { return &allocationResource{} }

// Metadata names the resource.
func (r *allocationResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "cloudpam_allocation"
}

// Configure takes the client.
func (r *allocationResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Create hands out the block. A lost answer is asked for again under the same idempotency key, so there is never a second block.
func (r *allocationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan allocationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	request, diags := plan.request(ctx)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	allocation, err := onceAllowed(ctx, r.session, func() (cloudpam.Allocation, error) { return r.session.client.CreateAllocation(ctx, request) })
	if err != nil {
		resp.Diagnostics.Append(plan.attempt("create").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "created allocation", map[string]any{"id": allocation.ID, "pool": allocation.Pool, "cidr": allocation.CIDR})
	resp.Diagnostics.Append(plan.from(allocation, r.session.defaults)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, plan.ID)...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, selfKey, selfValue(plan.ID.ValueString()))...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Read refreshes the state; an allocation that is gone leaves it, to be created again.
func (r *allocationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state allocationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.refreshes(&resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, state.ID)...) // also of what turns out to be gone
	allocation, err := r.session.allocations.read(ctx, state.ID.ValueString(), state.Pool.ValueString())
	switch {
	case errors.Is(err, cloudpam.ErrNotFound):
		tflog.Info(ctx, "allocation is gone", map[string]any{"id": state.ID.ValueString()})
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		resp.Diagnostics.Append(state.attempt("read").diagnose(err)...)
		return
	}
	r.session.claims.refreshedAt(allocation.Pool, allocation.ID, allocation.CIDR)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, selfKey, selfValue(allocation.ID))...)
	resp.Diagnostics.Append(state.from(allocation, r.session.defaults)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

// Update renames, describes and resizes in place.
func (r *allocationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state allocationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	patch, diags := plan.patch(ctx, state)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	r.session.allocations.forget(state.ID.ValueString())
	allocation, err := onceAllowed(ctx, r.session, func() (cloudpam.Allocation, error) {
		return updated(ctx, state.ID.ValueString(), patch, r.session.client.GetAllocation, r.session.client.UpdateAllocation)
	})
	if err != nil {
		resp.Diagnostics.Append(plan.attempt("update").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "updated allocation", map[string]any{"id": allocation.ID, "name": allocation.Name})
	planned := plan
	resp.Diagnostics.Append(plan.from(allocation, r.session.defaults)...)
	if !planned.PoolSelector.IsNull() { // chosen once; a rename of this run shows after the next refresh
		plan.Pool, plan.Scope = planned.Pool, planned.Scope
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, plan.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Delete releases the block. One that is gone already is as wanted.
func (r *allocationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state allocationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	r.session.allocations.forget(state.ID.ValueString())
	err := r.session.deletes.run(func() error {
		return r.session.givenUp(ctx, func() error { return r.session.client.ReleaseAllocation(ctx, state.ID.ValueString()) })
	})
	if err != nil && !errors.Is(err, cloudpam.ErrNotFound) {
		resp.Diagnostics.Append(state.attempt("delete").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "released allocation", map[string]any{"id": state.ID.ValueString()})
}

// ImportState finds the allocation by id, by pool and name, or by pool and CIDR, or adopts what a cloud has; Read fills in the rest.
func (r *allocationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := importID(ctx, req)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	if cloudIDForm.MatchString(id) {
		if !r.session.ready(&resp.Diagnostics) {
			return
		}
		item, diags := r.session.adopted(ctx, id, "allocation")
		if resp.Diagnostics.Append(diags...); diags.HasError() {
			return
		}
		r.session.allocations.forget(*item.Object)
		id = *item.Object
	}
	key, err := parseAllocationKey(id)
	if err != nil {
		resp.Diagnostics.AddError("Import id names no allocation", sentence(err.Error())+"\n\n"+allocationIDHelp)
		return
	}
	if !r.session.ready(&resp.Diagnostics) {
		return
	}
	allocation, listed := r.session.allocations.find(ctx, key.pool, key.names)
	if !listed {
		if allocation, diags = key.find(ctx, r.session.client, "import"); diags.HasError() {
			resp.Diagnostics.Append(diags...)
			return
		}
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, types.StringValue(allocation.ID))...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), allocation.ID)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("pool"), allocation.Pool)...)
}
