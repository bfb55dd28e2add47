package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/trace"
)

// statuses is the only place that knows the HTTP status of a code, and its title.
var statuses = map[ipam.Code]struct {
	status int
	title  string
}{
	ipam.CodeInvalid:              {http.StatusBadRequest, "Invalid request"},
	ipam.CodeUnauthenticated:      {http.StatusUnauthorized, "Not authenticated"},
	ipam.CodeTooManyFailures:      {http.StatusTooManyRequests, "Too many wrong tokens"},
	ipam.CodeForbidden:            {http.StatusForbidden, "Not allowed"},
	ipam.CodeNotFound:             {http.StatusNotFound, "Not found"},
	ipam.CodeNameTaken:            {http.StatusConflict, "Name taken"},
	ipam.CodeCIDRTaken:            {http.StatusConflict, "CIDR taken"},
	ipam.CodePoolExhausted:        {http.StatusConflict, "Pool exhausted"},
	ipam.CodePoolNotEmpty:         {http.StatusConflict, "Pool not empty"},
	ipam.CodeScopeNotEmpty:        {http.StatusConflict, "Scope not empty"},
	ipam.CodeDeletionProtected:    {http.StatusConflict, "Deletion protected"},
	ipam.CodeHoldLost:             {http.StatusConflict, "Promised CIDR lost"},
	ipam.CodeHoldConflict:         {http.StatusConflict, "Held by someone else"},
	ipam.CodePlanAgain:            {http.StatusConflict, "Plan again"},
	ipam.CodeReleasePending:       {http.StatusConflict, "Not released yet"},
	ipam.CodeQuotaExceeded:        {http.StatusConflict, "Too many holds"},
	ipam.CodePolicyViolation:      {http.StatusConflict, "Against the pool's policy"},
	ipam.CodeApprovalRequired:     {http.StatusConflict, "Needs approval"},
	ipam.CodeApprovalRefused:      {http.StatusConflict, "Approval refused"},
	ipam.CodeOutsidePool:          {http.StatusBadRequest, "Outside the pool"},
	ipam.CodePreconditionFailed:   {http.StatusPreconditionFailed, "Changed since you read it"},
	ipam.CodePreconditionRequired: {http.StatusPreconditionRequired, "Version required"},
	ipam.CodeIdempotencyMismatch:  {http.StatusUnprocessableEntity, "Idempotency-Key used before"},
	ipam.CodeOverloaded:           {http.StatusServiceUnavailable, "Overloaded"},
	ipam.CodeUnavailable:          {http.StatusServiceUnavailable, "Unavailable"},
	ipam.CodeObservationTooOld:    {http.StatusConflict, "Clouds not seen lately"},
	codeMethod:                    {http.StatusMethodNotAllowed, "Method not allowed"},
	codeMediaType:                 {http.StatusUnsupportedMediaType, "Unsupported media type"},
	codeBodyTooLarge:              {http.StatusRequestEntityTooLarge, "Body too large"},
	codeInternal:                  {http.StatusInternalServerError, "Internal error"},
}

// Codes that only HTTP has.
const (
	codeMethod       ipam.Code = "method_not_allowed"
	codeMediaType    ipam.Code = "unsupported_media_type"
	codeBodyTooLarge ipam.Code = "body_too_large"
	codeInternal     ipam.Code = "internal"
)

// problems renders every error as a problem, once, counts it, and logs those that are ours.
func problems(log *slog.Logger, m *Metrics) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		p := problem(c.Request().Context(), log, err)
		m.refusals.WithLabelValues(p.Code).Inc()
		writeProblem(c.Response(), p)
	}
}

// problem turns an error into what a user may see of it. What is not an ipam.Error is logged here and never shown.
func problem(ctx context.Context, log *slog.Logger, err error) api.Problem {
	e, ok := errors.AsType[*ipam.Error](err)
	if !ok {
		e = fromHTTP(err)
	}
	known, ok := statuses[e.Code]
	if !ok {
		known = statuses[codeInternal]
	}
	if known.status >= http.StatusInternalServerError {
		log.ErrorContext(ctx, "failed", "request_id", requestID(ctx), "actor", caller(ctx).String(), "code", string(e.Code), "error", err)
	}
	p := api.Problem{
		Type: "/problems/" + strings.ReplaceAll(string(e.Code), "_", "-"), Title: known.title, Status: known.status, Code: string(e.Code),
		Detail: e.Detail, RequestID: requestID(ctx), LargestFreePrefixLength: e.LargestFree,
	}
	for _, f := range e.Fields {
		p.Errors = append(p.Errors, api.FieldError{Pointer: f.Pointer, Detail: f.Detail})
	}
	for _, h := range e.Holders {
		p.Holders = append(p.Holders, api.Holder{Kind: api.PrefixKind(h.Kind), ID: h.ID, Name: h.Name, CIDR: h.CIDR.String()})
	}
	for _, v := range e.Violations {
		p.Violations = append(p.Violations, violation(v))
	}
	if e.Approval != nil && e.Approval.ID != "" {
		p.Approval = new(approvalOf(*e.Approval))
	}
	if id := trace.ID(ctx); id != "" {
		p.TraceID = &id
	}
	if e.NearestPool != "" {
		p.NearestPool = &e.NearestPool
	}
	return p
}

func fromHTTP(err error) *ipam.Error {
	if h, ok := errors.AsType[*echo.HTTPError](err); ok {
		switch h.Code {
		case http.StatusNotFound:
			return ipam.Errorf(ipam.CodeNotFound, "there is nothing at this path")
		case http.StatusMethodNotAllowed:
			return ipam.Errorf(codeMethod, "this path does not take this method")
		case http.StatusRequestEntityTooLarge:
			return ipam.Errorf(codeBodyTooLarge, "the body is larger than 1 MiB")
		case http.StatusUnsupportedMediaType:
			return ipam.Errorf(codeMediaType, "send Content-Type: application/json")
		case http.StatusBadRequest:
			return ipam.Errorf(ipam.CodeInvalid, "%v", h.Message)
		}
	}
	return ipam.Errorf(codeInternal, "something went wrong on our side; the log has it under this request_id")
}
