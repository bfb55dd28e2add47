package provider

import (
	"context"
	"fmt"
	"iter"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// What `terraform query` of Terraform 1.14 lists, to import it: each list resource is its resource with a List beside it,
// and takes the same filters as the data source of that list.
var (
	_ list.ListResourceWithConfigure = (*scopeList)(nil)
	_ list.ListResourceWithConfigure = (*poolList)(nil)
	_ list.ListResourceWithConfigure = (*allocationList)(nil)
	_ list.ListResourceWithConfigure = (*reservationList)(nil)
	_ list.ListResourceWithConfigure = (*accountList)(nil)
)

type (
	scopeList       struct{ scopeResource }
	poolList        struct{ poolResource }
	allocationList  struct{ allocationResource }
	reservationList struct{ reservationResource }
	accountList     struct{ accountResource }
)

func newScopeList() list.ListResource       { return &scopeList{} }
func newPoolList() list.ListResource        { return &poolList{} }
func newAllocationList() list.ListResource  { return &allocationList{} }
func newReservationList() list.ListResource { return &reservationList{} }
func newAccountList() list.ListResource     { return &accountList{} }

// ListResourceConfigSchema describes the list block.
func (*scopeList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listSchema("Lists all scopes.", nil)
}

// ListResourceConfigSchema describes the list block.
func (*poolList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listSchema("Lists pools. Filters narrow the list together.", poolFilters())
}

// ListResourceConfigSchema describes the list block.
func (*allocationList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listSchema("Lists allocations. Filters narrow the list together.", allocationFilters())
}

// ListResourceConfigSchema describes the list block.
func (*reservationList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	filters := filterAttributes(map[string]schema.Attribute{
		"pool":   filterByPool("Only the pool with this id, without the pools in it."),
		"owner":  filterByWord("Only this owner.", 255),
		"search": filterByWord("Only what has this text in its reason or owner, in any case.", 256),
	})
	resp.Schema = listSchema("Lists reservations. Filters narrow the list together.", filters)
}

// ListResourceConfigSchema describes the list block.
func (*accountList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listSchema("Lists accounts. Filters narrow the list together.", accountFilters())
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
		var m poolModel
		diags := m.from(p, l.session.defaults)
		return p.UID, fmt.Sprintf("%s (%s)", p.ID, p.CIDR), &m, diags
	})
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
		m := allocationModel{PoolSelector: noSelector()}
		diags := m.from(a, l.session.defaults)
		return a.ID, fmt.Sprintf("%s (%s)", m.key(), a.CIDR), &m, diags
	})
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

// results streams objects as Terraform reads them, page after page: read says what identifies an object, its display name and its state.
func results[T any](
	ctx context.Context, req list.ListRequest, kind string, objects iter.Seq2[T, error],
	read func(T) (id, display string, state any, diags diag.Diagnostics),
) iter.Seq[list.ListResult] {
	return func(push func(list.ListResult) bool) {
		var n int64
		for object, err := range objects {
			if err != nil {
				push(list.ListResult{Diagnostics: attempt{verb: "list", kind: kind}.diagnose(err)})
				return
			}
			result := req.NewListResult(ctx)
			id, display, state, diags := read(object)
			result.DisplayName, result.Diagnostics = display, diags
			for key := range result.Identity.Schema.GetAttributes() { // id, or uid
				result.Diagnostics.Append(result.Identity.SetAttribute(ctx, path.Root(key), id)...)
			}
			if req.IncludeResource {
				result.Diagnostics.Append(result.Resource.Set(ctx, state)...)
			}
			if n++; !push(result) || n == req.Limit {
				return
			}
		}
	}
}

// listSchema turns the filters of a data source into those of a list block.
func listSchema(description string, filters map[string]schema.Attribute) listschema.Schema {
	attributes := map[string]listschema.Attribute{}
	for name, filter := range filters {
		switch f := filter.(type) {
		case schema.StringAttribute:
			attributes[name] = listschema.StringAttribute{Optional: true, CustomType: f.CustomType, Validators: f.Validators, MarkdownDescription: f.MarkdownDescription}
		case schema.Int64Attribute:
			attributes[name] = listschema.Int64Attribute{Optional: true, Validators: f.Validators, MarkdownDescription: f.MarkdownDescription}
		case schema.MapAttribute:
			attributes[name] = listschema.MapAttribute{Optional: true, ElementType: f.ElementType, Validators: f.Validators, MarkdownDescription: f.MarkdownDescription}
		}
	}
	return listschema.Schema{MarkdownDescription: description, Attributes: attributes}
}
