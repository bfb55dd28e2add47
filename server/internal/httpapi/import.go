package httpapi

import (
	"context"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/bulk"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListImports lists a page of imports.
func (s *Server) ListImports(ctx context.Context, req api.ListImportsRequestObject) (api.ListImportsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	p.Order = ipam.Order(value(req.Params.Sort))
	items, err := s.imports.Imports(ctx, caller(ctx), p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(i ipam.Import) ipam.Cursor { return ipam.Cursor{ID: string(i.ID)} })
	return api.ListImports200JSONResponse{Items: each(items, imported), NextPageToken: next}, nil
}

// CreateImport does what the rows of a file say, or says what it would.
func (s *Server) CreateImport(ctx context.Context, req api.CreateImportRequestObject) (api.CreateImportResponseObject, error) {
	b := req.Body
	file, err := s.sheets.read(ipam.ImportKind(b.Kind), b.CSV, b.Columns)
	if err != nil {
		return nil, err
	}
	file.Digest = value(b.Digest)
	out, err := s.imports.Import(ctx, caller(ctx), file)
	if err != nil {
		return nil, err
	}
	return api.CreateImport201JSONResponse(s.importOutcome(ctx, out)), nil
}

// GetImport reads an import.
func (s *Server) GetImport(ctx context.Context, req api.GetImportRequestObject) (api.GetImportResponseObject, error) {
	found, err := s.imports.Get(ctx, caller(ctx), req.Import)
	if err != nil {
		return nil, err
	}
	return api.GetImport200JSONResponse(s.importOutcome(ctx, found)), nil
}

// UndoImport takes back what an import did.
func (s *Server) UndoImport(ctx context.Context, req api.UndoImportRequestObject) (api.UndoImportResponseObject, error) {
	out, err := s.imports.Undo(ctx, caller(ctx), req.Import)
	if err != nil {
		return nil, err
	}
	return api.UndoImport200JSONResponse(s.importOutcome(ctx, out)), nil
}

func imported(i ipam.Import) api.Import {
	return api.Import{
		ID: string(i.ID), Kind: api.ImportKind(i.Kind), Digest: i.Digest, Created: i.Created, Updated: i.Updated, Unchanged: i.Unchanged,
		Actor: i.Actor, Reason: i.Reason, CreatedAt: i.CreatedAt, UndoneAt: i.UndoneAt, UndoneBy: optional(i.Undoer),
	}
}

func (s *Server) importOutcome(ctx context.Context, o bulk.Outcome) api.Import {
	out := imported(o.Import)
	out.Refused, out.NeedsApproval = o.Refused, optional(o.Needs)
	out.Rows = each(o.Items, func(i bulk.Item) api.ImportRow {
		row := api.ImportRow{Row: i.Number, Verdict: api.ImportRowVerdict(i.Verdict), Object: optional(i.Object), Name: optional(i.Name), Pool: optional(i.Pool), CIDR: optional(i.CIDR), Changed: i.Changed}
		if i.Problem != nil {
			row.Problem = new(problem(ctx, s.log, i.Problem))
		}
		return row
	})
	return out
}
