package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var _ list.ListResourceWithConfigure = (*accountList)(nil)

type accountList struct{ accountResource }

func newAccountList() list.ListResource { return &accountList{} }

// ListResourceConfigSchema describes the list block.
func (*accountList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listSchema("Lists accounts. Filters narrow the list together.", accountFilters())
}

// List lists accounts by id.
func (l *accountList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var query accountQuery
	diags := req.Config.Get(ctx, &query)
	filter, more := query.params(ctx)
	if diags.Append(more...); diags.HasError() || !l.session.ready(&diags) {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	stream.Results = results(ctx, req, "accounts", l.session.client.Accounts(ctx, filter), func(a cloudpam.Account) (string, string, any, diag.Diagnostics) {
		var m accountModel
		diags := m.from(a, l.session.defaults)
		return a.ID, fmt.Sprintf("%s (%s)", a.ID, a.Name), &m, diags
	})
}
