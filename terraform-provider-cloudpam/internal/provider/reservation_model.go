package provider

import (
	"cmp"
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/oapi-codegen/nullable"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// reservationModel is a reservation in configuration, plan and state.
type reservationModel struct {
	ID           types.String `tfsdk:"id"`
	Scope        types.String `tfsdk:"scope"`
	Pool         types.String `tfsdk:"pool"`
	Name         types.String `tfsdk:"name"`
	CIDR         cidrValue    `tfsdk:"cidr"`
	PrefixLength types.Int64  `tfsdk:"prefix_length"`
	Reason       types.String `tfsdk:"reason"`
	ExpiresAt    momentValue  `tfsdk:"expires_at"`
	Owner        types.String `tfsdk:"owner"`
	Labels       types.Map    `tfsdk:"labels"`
	LabelsAll    types.Map    `tfsdk:"labels_all"`
}

// from fills the model with what the server says, and tells the resource's own labels from the provider's defaults.
func (m *reservationModel) from(v cloudpam.Reservation, defaults defaultLabels) {
	m.ID, m.Scope, m.Pool = types.StringValue(v.ID), types.StringValue(v.Scope), types.StringValue(v.Pool)
	m.Name = fromText(m.Name, valueOf(v.Name))
	m.CIDR, m.PrefixLength = newCIDR(v.CIDR), types.Int64Value(int64(v.PrefixLength))
	m.Reason, m.ExpiresAt = types.StringValue(v.Reason), fromMoment(v.ExpiresAt)
	m.Owner = fromText(m.Owner, v.Owner)
	m.Labels, m.LabelsAll = defaults.split(m.Labels, m.LabelsAll, v.Labels)
}

// request is what makes the reservation of the plan.
func (m reservationModel) request(ctx context.Context) (cloudpam.NewReservation, diag.Diagnostics) {
	labels, diags := optionalLabels(ctx, m.LabelsAll)
	reservation := cloudpam.NewReservation{
		Pool: m.Pool.ValueString(), Name: optionalText(m.Name), Reason: m.Reason.ValueString(), Owner: optionalText(m.Owner), Labels: labels, ExpiresAt: timeOf(m.ExpiresAt),
	}
	if m.CIDR.known() {
		reservation.CIDR = new(prefixOf(m.CIDR).String()) // the server takes the canonical spelling only
	} else {
		reservation.PrefixLength = optionalLength(m.PrefixLength)
	}
	return reservation, diags
}

// patch is what turns the reservation of the state into that of the plan.
func (m reservationModel) patch(ctx context.Context, state reservationModel) (cloudpam.ReservationPatch, diag.Diagnostics) {
	patch := cloudpam.ReservationPatch{Name: changedText(state.Name, m.Name), Reason: changedText(state.Reason, m.Reason), Owner: changedText(state.Owner, m.Owner)}
	if !m.ExpiresAt.Equal(state.ExpiresAt) {
		patch.ExpiresAt = nullable.NewNullNullable[time.Time]()
		if at := timeOf(m.ExpiresAt); at != nil {
			patch.ExpiresAt = nullable.NewNullableWithValue(*at)
		}
	}
	if m.LabelsAll.Equal(state.LabelsAll) {
		return patch, nil
	}
	labels, diags := toLabels(ctx, m.LabelsAll)
	patch.Labels = &labels
	return patch, diags
}

// attempt describes what is done to the reservation, for diagnostics. Where it has no name, its reason tells people which it is.
func (m reservationModel) attempt(verb string) attempt {
	name := cmp.Or(m.Name.ValueString(), m.Reason.ValueString())
	return attempt{verb: verb, kind: "reservation", name: name, pool: m.Pool.ValueString(), poolAttr: "pool"}
}
