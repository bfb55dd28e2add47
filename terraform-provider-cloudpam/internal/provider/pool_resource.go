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
	_ resource.ResourceWithConfigure       = (*poolResource)(nil)
	_ resource.ResourceWithIdentity        = (*poolResource)(nil)
	_ resource.ResourceWithImportState     = (*poolResource)(nil)
	_ resource.ResourceWithModifyPlan      = (*poolResource)(nil)
	_ resource.ResourceWithUpgradeIdentity = (*poolResource)(nil)
	_ resource.ResourceWithValidateConfig  = (*poolResource)(nil)
)

type poolResource struct{ session *session }

func newPoolResource() resource.Resource { return &poolResource{} }

// Metadata names the resource.
func (r *poolResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "cloudpam_pool"
}

// Configure takes the client.
func (r *poolResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Create creates the pool. A lost answer is asked for again under the same idempotency key, so there is never a second pool.
func (r *poolResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan poolModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	request, diags := plan.request(ctx)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	pool, err := onceAllowed(ctx, r.session, func() (cloudpam.Pool, error) { return r.session.client.CreatePool(ctx, request) })
	if err != nil {
		resp.Diagnostics.Append(plan.attempt("create").diagnose(err)...)
		return
	}
	r.session.pools.forget(pool.UID)
	r.session.claims.isThere(pool.ID)
	tflog.Debug(ctx, "created pool", map[string]any{"id": pool.ID, "cidr": pool.CIDR})
	resp.Diagnostics.Append(plan.from(pool, r.session.defaults)...)
	resp.Diagnostics.Append(identifyByUID(ctx, resp.Identity, plan.UID, plan.ID)...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, selfKey, selfValue(plan.UID.ValueString()))...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Read refreshes the state; a pool that is gone leaves it, to be created again.
func (r *poolResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state poolModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.refreshes(&resp.Diagnostics) {
		return
	}
	pool, err := r.session.pools.read(ctx, state.key(), scopeOfPool(state.ID).ValueString())
	switch {
	case errors.Is(err, cloudpam.ErrNotFound):
		tflog.Info(ctx, "pool is gone", map[string]any{"id": state.ID.ValueString()})
		resp.Diagnostics.Append(identifyByUID(ctx, resp.Identity, state.UID, state.ID)...)
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		resp.Diagnostics.Append(state.attempt("read").diagnose(err)...)
		return
	}
	r.session.claims.refreshedAt(valueOf(pool.Parent), pool.ID, pool.CIDR)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, selfKey, selfValue(pool.UID))...)
	resp.Diagnostics.Append(noteEnclosed(ctx, resp.Private, state, pool)...)
	resp.Diagnostics.Append(state.from(pool, r.session.defaults)...)
	resp.Diagnostics.Append(identifyByUID(ctx, resp.Identity, state.UID, state.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

// Update renames, changes settings, resizes and moves in place, in one request.
func (r *poolResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state poolModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	patch, diags := plan.patch(ctx, state, r.session.names())
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	r.session.pools.forget(state.key())
	pool, err := onceAllowed(ctx, r.session, func() (cloudpam.Pool, error) {
		return updated(ctx, state.key(), patch, r.session.client.GetPool, r.session.client.UpdatePool)
	})
	if err != nil {
		resp.Diagnostics.Append(plan.change(patch.Parent.IsSpecified()).diagnose(err)...)
		return
	}
	r.session.renames.poolDone(pool.ID)
	r.session.claims.handedOver(state.claim())
	tflog.Debug(ctx, "updated pool", map[string]any{"id": pool.ID, "cidr": pool.CIDR})
	if patch.Parent.IsSpecified() {
		resp.Diagnostics.Append(noteEnclosed(ctx, resp.Private, state, pool)...)
	}
	planned := plan
	resp.Diagnostics.Append(plan.from(pool, r.session.defaults)...)
	if !planned.PoolSelector.IsNull() { // chosen once; a rename of this run shows after the next refresh
		plan.Parent = planned.Parent
	}
	resp.Diagnostics.Append(identifyByUID(ctx, resp.Identity, plan.UID, plan.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Delete deletes the pool when it is empty, which it waits for; pools in one that encloses them stay where they are. A pool that is gone
// already is as wanted.
func (r *poolResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state poolModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	r.session.pools.forget(state.key())
	end := r.session.client.DeletePool
	if state.Encloses.ValueBool() {
		end = r.session.client.DissolvePool
	}
	err := r.session.givenUp(ctx, func() error {
		return r.session.deletes.whenEmpty(ctx, func() error { return end(ctx, state.key()) })
	})
	if err != nil && !errors.Is(err, cloudpam.ErrNotFound) {
		resp.Diagnostics.Append(state.attempt("delete").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "deleted pool", map[string]any{"id": state.ID.ValueString()})
}

// ImportState finds the pool by its id or its uid, or adopts a network of a cloud; Read fills in the rest.
func (r *poolResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := importUID(ctx, req)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	if cloudIDForm.MatchString(id) {
		if !r.session.ready(&resp.Diagnostics) {
			return
		}
		item, diags := r.session.adopted(ctx, id, "pool")
		if resp.Diagnostics.Append(diags...); diags.HasError() {
			return
		}
		id = *item.Object
		r.session.pools.forget(id)
	}
	if !poolIDForm.MatchString(id) {
		resp.Diagnostics.AddError("Import id names no pool", "\""+id+"\" is not the id of a pool.\n\n"+poolIDHelp)
		return
	}
	if !r.session.ready(&resp.Diagnostics) {
		return
	}
	pool, listed := r.session.pools.find(ctx, scopeOfPool(types.StringValue(id)).ValueString(), func(p cloudpam.Pool) bool { return p.ID == id || p.UID == id })
	if !listed {
		var err error
		if pool, err = r.session.client.GetPool(ctx, id); err != nil {
			resp.Diagnostics.Append(attempt{verb: "import", kind: "pool", name: id}.diagnose(err)...)
			return
		}
	}
	resp.Diagnostics.Append(identifyByUID(ctx, resp.Identity, types.StringValue(pool.UID), types.StringNull())...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), pool.ID)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("uid"), pool.UID)...)
}
