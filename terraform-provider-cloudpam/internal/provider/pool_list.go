package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var _ list.ListResourceWithConfigure = (*poolList)(nil)

type poolList struct{ poolResource }

func newPoolList() list.ListResource { return &poolList{} }

// ListResourceConfigSchema describes the list block.
func (*poolList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listSchema("Lists pools. Filters narrow the list together.", poolFilters())
}

// List lists pools by id.
func (l *poolList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var query poolQuery
	diags := req.Config.Get(ctx, &query)
	filter, more := query.params(ctx)
	if diags.Append(more...); diags.HasError() || !l.session.ready(&diags) {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	stream.Results = results(ctx, req, "pools", l.session.client.Pools(ctx, filter), func(p cloudpam.Pool) (string, string, any, diag.Diagnostics) {
		m := poolModel{PoolSelector: noSelector(), Exclude: noExclude()}
		diags := m.from(p, l.session.defaults)
		return p.UID, fmt.Sprintf("%s (%s)", p.ID, p.CIDR), &m, diags
	})
}
