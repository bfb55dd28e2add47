package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

var _ list.ListResourceWithConfigure = (*scopeList)(nil)

type scopeList struct{ scopeResource }

func newScopeList() list.ListResource { return &scopeList{} }

// ListResourceConfigSchema describes the list block.
func (*scopeList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listSchema("Lists all scopes.", nil)
}

// List lists scopes by name.
func (l *scopeList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var diags diag.Diagnostics
	if !l.session.ready(&diags) {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	scopes := l.session.client.Scopes(ctx, cloudpam.ListScopesParams{Limit: new(pageSize)})
	stream.Results = results(ctx, req, "scopes", scopes, func(s cloudpam.Scope) (string, string, any, diag.Diagnostics) {
		var m scopeModel
		diags := m.from(s, l.session.defaults)
		return s.UID, s.ID, &m, diags
	})
}
