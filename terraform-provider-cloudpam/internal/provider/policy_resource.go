package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var (
	_ resource.ResourceWithConfigure   = (*policyResource)(nil)
	_ resource.ResourceWithIdentity    = (*policyResource)(nil)
	_ resource.ResourceWithImportState = (*policyResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*policyResource)(nil)
)

type policyResource struct{ session *session }

func newPolicyResource() resource.Resource { return &policyResource{} }

// Metadata names the resource.
func (r *policyResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "cloudpam_policy"
}

// Configure takes the client.
func (r *policyResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = configured(req.ProviderData, &resp.Diagnostics)
}

// ModifyPlan replaces the policy where its pool is another, and not where that has another name.
func (r *policyResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || req.State.Raw.IsNull() {
		return
	}
	var config, plan, state policyModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	r.session.inPool(req, resp, config.Pool, state.Pool, plan.Pool, func() (string, error) {
		policy, err := r.session.client.GetPolicy(ctx, state.ID.ValueString())
		return policy.Pool, err
	})
	if len(resp.RequiresReplace) > 0 {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("id"), types.StringUnknown())...)
	}
}

// Create gives the pool the policy. One that it has already is left alone.
func (r *policyResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan policyModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	request, diags := plan.request(ctx)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	policy, err := r.session.client.SetPolicy(ctx, plan.Pool.ValueString(), request)
	if errors.Is(err, cloudpam.ErrPreconditionRequired) {
		resp.Diagnostics.AddAttributeError(path.Root("pool"), "Pool has a policy already", fmt.Sprintf(
			"Pool %q has a policy, and a pool has one. Adopt it with an import block, or merge both into the resource that manages it:\n\n%s", plan.Pool.ValueString(), attempt{kind: "policy", name: plan.Pool.ValueString()}.importBlock()))
		return
	}
	if err != nil {
		resp.Diagnostics.Append(plan.attempt("create").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "set policy", map[string]any{"pool": policy.Pool})
	resp.Diagnostics.Append(plan.from(ctx, policy)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, plan.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Read refreshes the state; a policy that is gone, with its pool or without, leaves it.
func (r *policyResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state policyModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.refreshes(&resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, state.ID)...) // also of what turns out to be gone
	policy, err := r.session.client.GetPolicy(ctx, state.ID.ValueString())
	switch {
	case errors.Is(err, cloudpam.ErrNotFound):
		tflog.Info(ctx, "policy is gone", map[string]any{"pool": state.ID.ValueString()})
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		resp.Diagnostics.Append(state.attempt("read").diagnose(err)...)
		return
	}
	resp.Diagnostics.Append(state.from(ctx, policy)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

// Update replaces the policy that stands.
func (r *policyResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan policyModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	request, diags := plan.request(ctx)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	var etag string
	policy, err := r.session.client.GetPolicy(ctx, plan.ID.ValueString(), cloudpam.ReadETag(&etag))
	if err == nil {
		policy, err = r.session.client.SetPolicy(ctx, plan.ID.ValueString(), request, cloudpam.WithIfMatch(etag))
	}
	if err != nil {
		resp.Diagnostics.Append(plan.attempt("update").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "set policy", map[string]any{"pool": policy.Pool})
	resp.Diagnostics.Append(plan.from(ctx, policy)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, plan.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Delete takes the policy away. One that is gone already is as wanted.
func (r *policyResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state policyModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	err := r.session.client.DeletePolicy(ctx, state.ID.ValueString())
	if err != nil && !errors.Is(err, cloudpam.ErrNotFound) {
		resp.Diagnostics.Append(state.attempt("delete").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "deleted policy", map[string]any{"pool": state.ID.ValueString()})
}

const policyIDHelp = "Name the policy by its pool: by the pool's id, or by its key, pool_…."

// ImportState finds the policy by its pool; Read fills in the rest.
func (r *policyResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := importID(ctx, req)
	if resp.Diagnostics.Append(diags...); diags.HasError() || !r.session.ready(&resp.Diagnostics) {
		return
	}
	policy, err := r.session.client.GetPolicy(ctx, id)
	if err != nil {
		resp.Diagnostics.Append(attempt{verb: "import", kind: "policy", name: id}.diagnose(err)...)
		return
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, types.StringValue(policy.PoolUID))...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), policy.PoolUID)...)
}
