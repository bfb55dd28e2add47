package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var _ list.ListResourceWithConfigure = (*allocationList)(nil)

type allocationList struct{ allocationResource }

func newAllocationList() list.ListResource { return &allocationList{} }

// ListResourceConfigSchema describes the list block.
func (*allocationList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listSchema("Lists allocations. Filters narrow the list together.", allocationFilters())
}

// List lists allocations, the oldest first.
func (l *allocationList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var query allocationQuery
	diags := req.Config.Get(ctx, &query)
	filter, more := query.params(ctx)
	if diags.Append(more...); diags.HasError() || !l.session.ready(&diags) {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	stream.Results = results(ctx, req, "allocations", l.session.client.Allocations(ctx, filter), func(a cloudpam.Allocation) (string, string, any, diag.Diagnostics) {
		m := allocationModel{PoolSelector: noSelector(), Exclude: noExclude()}
		diags := m.from(a, l.session.defaults)
		return a.ID, fmt.Sprintf("%s (%s)", m.key(), a.CIDR), &m, diags
	})
}
