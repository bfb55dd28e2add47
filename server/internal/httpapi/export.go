package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// exportStep is how long a reader of an export may take for one page of it.
const exportStep = time.Minute

// ExportEvents writes events as they are read, a page at a time.
func (s *Server) ExportEvents(ctx context.Context, req api.ExportEventsRequestObject) (api.ExportEventsResponseObject, error) {
	touched, err := prefixAt("query:within", req.Params.Within)
	if err != nil {
		return nil, err
	}
	return eventExport{s, ctx, value(req.Params.Format) == api.ExportEventsParamsFormatCsv, ipam.EventFilter{
		Scope: value(req.Params.Scope), Object: value(req.Params.Object), Actor: value(req.Params.Actor), Action: value(req.Params.Action),
		Since: value(req.Params.Since), Until: value(req.Params.Until), Within: touched,
	}}, nil
}

type eventExport struct {
	s      *Server
	ctx    context.Context //nolint:containedctx // an answer is written where no context is handed on
	csv    bool
	filter ipam.EventFilter
}

// VisitExportEventsResponse writes the answer. What fails in the middle breaks the connection off: the reader must not take what it has for
// all there is.
func (e eventExport) VisitExportEventsResponse(w http.ResponseWriter) error {
	write, kind := e.s.audit.WriteNDJSON, "application/x-ndjson"
	if e.csv {
		write, kind = e.s.audit.WriteCSV, "text/csv; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", "attachment")
	out := &exportWriter{w, http.NewResponseController(w), false}
	err := write(e.ctx, caller(e.ctx).Sees(), out, e.filter)
	switch {
	case err == nil:
		return nil
	case !out.begun:
		return err
	}
	e.s.log.WarnContext(e.ctx, "an export ended early", "error", err, "request_id", requestID(e.ctx))
	panic(http.ErrAbortHandler)
}

// exportWriter gives each page of an export its own time.
type exportWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

func (w *exportWriter) Write(p []byte) (int, error) {
	w.begun = true
	if err := w.control.SetWriteDeadline(time.Now().Add(exportStep)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return w.ResponseWriter.Write(p)
}
