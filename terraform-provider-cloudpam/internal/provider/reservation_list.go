package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var _ list.ListResourceWithConfigure = (*reservationList)(nil)

type reservationList struct{ reservationResource }

func newReservationList() list.ListResource { return &reservationList{} }

// ListResourceConfigSchema describes the list block.
func (*reservationList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	filters := filterAttributes(map[string]schema.Attribute{
		"pool":   filterByPool("Only the pool with this id, without the pools in it."),
		"owner":  filterByWord("Only this owner.", 255),
		"search": filterByWord("Only what has this text in its name, reason or owner, in any case.", 256),
	})
	resp.Schema = listSchema("Lists reservations. Filters narrow the list together.", filters)
}

// List lists reservations, the oldest first.
func (l *reservationList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var query struct {
		listFilter
		Pool  types.String `tfsdk:"pool"`
		Owner types.String `tfsdk:"owner"`
	}
	diags := req.Config.Get(ctx, &query)
	labels, more := query.labels(ctx)
	if diags.Append(more...); diags.HasError() || !l.session.ready(&diags) {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	reservations := l.session.client.Reservations(ctx, cloudpam.ListReservationsParams{
		Scope: optionalText(query.Scope), Pool: optionalText(query.Pool), Owner: optionalText(query.Owner), Family: query.family(), Label: labels,
		Q: optionalText(query.Search), Within: query.within(), Contains: query.contains(), Limit: new(pageSize),
	})
	stream.Results = results(ctx, req, "reservations", reservations, func(v cloudpam.Reservation) (string, string, any, diag.Diagnostics) {
		var m reservationModel
		m.from(v, l.session.defaults)
		return v.ID, fmt.Sprintf("%s@%s (%s)", v.Pool, v.CIDR, v.Reason), &m, nil
	})
}
