package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var (
	_ resource.ResourceWithConfigure      = (*setResource)(nil)
	_ resource.ResourceWithIdentity       = (*setResource)(nil)
	_ resource.ResourceWithImportState    = (*setResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*setResource)(nil)
	_ resource.ResourceWithValidateConfig = (*setResource)(nil)
)

type setResource struct{ session *session }

func newSetResource() resource.Resource { return &setResource{} }

// Metadata names the resource.
func (r *setResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "cloudpam_allocation_set"
}

// Configure takes the client.
func (r *setResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Create hands out all blocks or none.
func (r *setResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan setModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	request, diags := plan.request(ctx)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	set, err := onceAllowed(ctx, r.session, func() (cloudpam.AllocationSet, error) { return r.session.client.CreateAllocationSet(ctx, request) })
	if err != nil {
		resp.Diagnostics.Append(plan.attempt("create").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "created allocation set", map[string]any{"id": set.ID, "pool": set.Pool, "members": len(set.Members)})
	resp.Diagnostics.Append(plan.from(ctx, set, r.session.defaults)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, plan.ID)...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, selfKey, selfValue(plan.ID.ValueString()))...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Read refreshes the state; a set that is gone leaves it, to be created again.
func (r *setResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state setModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.refreshes(&resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, state.ID)...) // also of what turns out to be gone
	set, err := r.session.sets.read(ctx, state.ID.ValueString(), state.Pool.ValueString())
	switch {
	case errors.Is(err, cloudpam.ErrNotFound):
		tflog.Info(ctx, "allocation set is gone", map[string]any{"id": state.ID.ValueString()})
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		resp.Diagnostics.Append(state.attempt("read").diagnose(err)...)
		return
	}
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, selfKey, selfValue(set.ID))...)
	resp.Diagnostics.Append(state.from(ctx, set, r.session.defaults)...)
	r.session.claims.refreshedSet(state.claim(), set)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

// Update describes the set, and adds, removes and resizes members.
func (r *setResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state setModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	patch, diags := plan.patch(ctx, state)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	r.session.sets.forget(state.ID.ValueString())
	set, err := onceAllowed(ctx, r.session, func() (cloudpam.AllocationSet, error) {
		return updated(ctx, state.ID.ValueString(), patch, r.session.client.GetAllocationSet, r.session.client.UpdateAllocationSet)
	})
	if err != nil {
		resp.Diagnostics.Append(plan.attempt("update").diagnose(err)...)
		return
	}
	r.session.claims.handedOver(state.claim())
	tflog.Debug(ctx, "updated allocation set", map[string]any{"id": set.ID, "name": set.Name, "members": len(set.Members)})
	planned := plan
	resp.Diagnostics.Append(plan.from(ctx, set, r.session.defaults)...)
	if !planned.PoolSelector.IsNull() { // chosen once; a rename of this run shows after the next refresh
		plan.Pool, plan.Scope = planned.Pool, planned.Scope
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, plan.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Delete releases all blocks. A set that is gone already is as wanted.
func (r *setResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state setModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	r.session.sets.forget(state.ID.ValueString())
	err := r.session.deletes.run(func() error {
		return r.session.givenUp(ctx, func() error { return r.session.client.ReleaseAllocationSet(ctx, state.ID.ValueString()) })
	})
	if err != nil && !errors.Is(err, cloudpam.ErrNotFound) {
		resp.Diagnostics.Append(state.attempt("delete").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "released allocation set", map[string]any{"id": state.ID.ValueString()})
}

const setIDHelp = "Name the set in one of two ways:\n" +
	"  - <id>           as the server gave it\n" +
	"  - <pool>/<name>  such as prod-euw1/payments"

// ImportState finds the set by id, or by pool and name; Read fills in the rest.
func (r *setResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := importID(ctx, req)
	if resp.Diagnostics.Append(diags...); diags.HasError() || !r.session.ready(&resp.Diagnostics) {
		return
	}
	if pool, name, byName := strings.Cut(id, "/"); byName {
		if !poolIDForm.MatchString(pool) || !allocationForm.MatchString(name) {
			resp.Diagnostics.AddError("Import id names no allocation set", fmt.Sprintf("%q is neither an id nor a pool and a name.\n\n%s", id, setIDHelp))
			return
		}
		set, diags := findSet(ctx, r.session.client, pool, name)
		if resp.Diagnostics.Append(diags...); diags.HasError() {
			return
		}
		id = set.ID
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, types.StringValue(id))...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
}
