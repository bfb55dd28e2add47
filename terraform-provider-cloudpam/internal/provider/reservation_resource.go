package provider

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var (
	_ resource.ResourceWithConfigure      = (*reservationResource)(nil)
	_ resource.ResourceWithIdentity       = (*reservationResource)(nil)
	_ resource.ResourceWithImportState    = (*reservationResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*reservationResource)(nil)
	_ resource.ResourceWithValidateConfig = (*reservationResource)(nil)
)

type reservationResource struct{ session *session }

func newReservationResource() resource.Resource { return &reservationResource{} }

// Metadata names the resource.
func (r *reservationResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "cloudpam_reservation"
}

// Configure takes the client.
func (r *reservationResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Create keeps the block. A lost answer is asked for again under the same idempotency key, so there is never a second block.
func (r *reservationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan reservationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	request, diags := plan.request(ctx)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	reservation, err := onceReleased(ctx, r.session, func() (cloudpam.Reservation, error) { return r.session.client.CreateReservation(ctx, request) })
	if err != nil {
		resp.Diagnostics.Append(plan.attempt("create").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "created reservation", map[string]any{"id": reservation.ID, "pool": reservation.Pool, "cidr": reservation.CIDR})
	plan.from(reservation, r.session.defaults)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, plan.ID)...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, selfKey, selfValue(plan.ID.ValueString()))...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Read refreshes the state; a reservation that was released or has ended leaves it.
func (r *reservationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state reservationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.refreshes(&resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, state.ID)...) // also of what turns out to be gone
	reservation, err := r.session.reservations.read(ctx, state.ID.ValueString(), state.Pool.ValueString())
	switch {
	case errors.Is(err, cloudpam.ErrNotFound):
		tflog.Info(ctx, "reservation is gone", map[string]any{"id": state.ID.ValueString()})
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		resp.Diagnostics.Append(state.attempt("read").diagnose(err)...)
		return
	}
	r.session.claims.refreshedAt(reservation.Pool, reservation.ID, reservation.CIDR)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, selfKey, selfValue(reservation.ID))...)
	state.from(reservation, r.session.defaults)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

// Update changes why, for whom and until when the block is kept.
func (r *reservationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state reservationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	patch, diags := plan.patch(ctx, state)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	r.session.reservations.forget(state.ID.ValueString())
	reservation, err := updated(ctx, state.ID.ValueString(), patch, r.session.client.GetReservation, r.session.client.UpdateReservation)
	if err != nil {
		resp.Diagnostics.Append(plan.attempt("update").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "updated reservation", map[string]any{"id": reservation.ID})
	plan.from(reservation, r.session.defaults)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, plan.ID)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Delete releases the block. One that is gone already is as wanted.
func (r *reservationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state reservationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.session.changes(&resp.Diagnostics) {
		return
	}
	r.session.reservations.forget(state.ID.ValueString())
	err := r.session.deletes.run(func() error { return r.session.client.ReleaseReservation(ctx, state.ID.ValueString()) })
	if err != nil && !errors.Is(err, cloudpam.ErrNotFound) {
		resp.Diagnostics.Append(state.attempt("delete").diagnose(err)...)
		return
	}
	tflog.Debug(ctx, "released reservation", map[string]any{"id": state.ID.ValueString()})
}

// ImportState finds the reservation by id, or by pool and CIDR; Read fills in the rest.
func (r *reservationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := importID(ctx, req)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	find, err := reservationFinder(id)
	if err != nil {
		resp.Diagnostics.AddError("Import id names no reservation", sentence(err.Error())+"\n\n"+reservationIDHelp)
		return
	}
	if !r.session.ready(&resp.Diagnostics) {
		return
	}
	reservation, diags := find(ctx, r.session.client)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, types.StringValue(reservation.ID))...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), reservation.ID)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("pool"), reservation.Pool)...)
}

var reservationIDForm = regexp.MustCompile(`^rsv_[A-Za-z0-9]+$`)

const reservationIDHelp = "Name the reservation in one of two ways:\n" +
	"  - <id>           such as rsv_06f2k1m9v8q3t7r5w4x0c1b2n\n" +
	"  - <pool>@<cidr>  such as corp@10.64.0.0/12"

type findReservation func(context.Context, *cloudpam.Client) (cloudpam.Reservation, diag.Diagnostics)

// reservationFinder tells the forms of an import id apart.
func reservationFinder(id string) (findReservation, error) {
	pool, text, found := strings.Cut(id, "@")
	if !found {
		if !reservationIDForm.MatchString(id) {
			return nil, fmt.Errorf("%q is not the id of a reservation", id)
		}
		return func(ctx context.Context, c *cloudpam.Client) (cloudpam.Reservation, diag.Diagnostics) {
			reservation, err := c.GetReservation(ctx, id)
			if err != nil {
				return reservation, attempt{verb: "import", kind: "reservation", name: id}.diagnose(err)
			}
			return reservation, nil
		}, nil
	}
	cidr, err := parseCIDR(text)
	if err != nil {
		return nil, err
	}
	if !poolIDForm.MatchString(pool) {
		return nil, fmt.Errorf("%q is not the id of a pool", pool)
	}
	return func(ctx context.Context, c *cloudpam.Client) (cloudpam.Reservation, diag.Diagnostics) {
		var diags diag.Diagnostics
		for reservation, err := range c.Reservations(ctx, cloudpam.ListReservationsParams{Pool: &pool, Within: new(cidr.String()), Limit: new(pageSize)}) {
			if err != nil {
				return reservation, attempt{verb: "import", kind: "reservation", name: id}.diagnose(err)
			}
			if (cidrSpelling{}).same(reservation.CIDR, cidr.String()) {
				return reservation, nil
			}
		}
		diags.AddError("Reservation does not exist", fmt.Sprintf("There is no reservation of %s in pool %q. It may have ended or been released, or lie in another pool.", cidr, pool))
		return cloudpam.Reservation{}, diags
	}, nil
}
