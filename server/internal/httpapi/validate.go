package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/labstack/echo/v4"
	nethttpmiddleware "github.com/oapi-codegen/nethttp-middleware"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// validator checks requests against the contract. What follows it, which is nearly everything, is seen by a shorter way than
// the library's: the route is known, and the body was parsed. Anything else the library looks at as a whole, and says why.
func validator(log *slog.Logger, m *Metrics) (echo.MiddlewareFunc, error) {
	shared, err := api.Spec()
	if err != nil {
		return nil, err
	}
	own := *shared // from which the library takes the servers
	spec := &own
	openapi3.DefineStringFormatValidator("date-time", openapi3.NewCallbackValidator(checkMoment))
	whole := echo.WrapMiddleware(nethttpmiddleware.OapiRequestValidatorWithOptions(spec, &nethttpmiddleware.Options{
		SilenceServersWarning: true,
		DoNotValidateServers:  true,
		Prefix:                "/api/v1",
		Options:               openapi3filter.Options{MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
		ErrorHandlerWithOpts: func(ctx context.Context, err error, w http.ResponseWriter, r *http.Request, _ nethttpmiddleware.ErrorHandlerOpts) {
			p := problem(r.Context(), log, broken(err))
			m.refusals.WithLabelValues(p.Code).Inc()
			writeProblem(w, p)
		},
	}))
	routes := map[string]*routers.Route{} // by method and what echo calls the route
	for path, item := range spec.Paths.Map() {
		for method, op := range item.Operations() {
			routes[method+" "+echoRoute(path)] = &routers.Route{Spec: spec, Path: path, PathItem: item, Method: method, Operation: op}
		}
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		wholly := whole(next)
		return func(c echo.Context) error {
			if route := routes[c.Request().Method+" "+c.Path()]; route != nil && follows(c, route) {
				return next(c)
			}
			return wholly(c)
		}
	}, nil
}

// echoRoute is what echo calls a path of the contract.
func echoRoute(path string) string {
	return "/api/v1" + strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// follows reports whether a request surely follows the contract.
func follows(c echo.Context, route *routers.Route) bool {
	r := c.Request()
	if r.URL.RawPath != "" { // echo and the library read that differently
		return false
	}
	input := &openapi3filter.RequestValidationInput{Request: r, Route: route, Options: &openapi3filter.Options{}, PathParams: map[string]string{}}
	for _, name := range c.ParamNames() {
		input.PathParams[name] = c.Param(name)
	}
	for _, p := range slices.Concat(route.PathItem.Parameters, route.Operation.Parameters) {
		if openapi3filter.ValidateParameter(r.Context(), input, p.Value) != nil {
			return false
		}
	}
	if route.Operation.RequestBody == nil {
		return true
	}
	body, _ := r.Body.(parsedBody)
	takes := route.Operation.RequestBody.Value.Content.Get(r.Header.Get("Content-Type"))
	if body.value == nil || takes == nil || takes.Schema == nil {
		return false
	}
	completed := false
	err := takes.Schema.Value.VisitJSON(body.value, openapi3.VisitAsRequest(), openapi3.DefaultsSet(func() { completed = true }))
	return err == nil && !completed
}

// checkMoment refuses what time.Time does not read, before its decoder says so without a pointer, and what it does not write: years
// of more than four digits.
func checkMoment(text string) error {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return err
	}
	if year := at.UTC().Year(); year < 0 || year > 9999 {
		return fmt.Errorf("the year %d", year)
	}
	return nil
}

// broken turns what the validator found into one error with a pointer for each field.
func broken(err error) *ipam.Error {
	switch {
	case errors.Is(err, routers.ErrMethodNotAllowed):
		return ipam.Errorf(codeMethod, "this path does not take this method; see /docs")
	case errors.Is(err, routers.ErrPathNotFound):
		return ipam.Errorf(ipam.CodeNotFound, "there is nothing at this path; see /docs")
	}
	var fields []ipam.FieldError
	mediaType := false
	walk(err, "", &fields, &mediaType)
	if mediaType {
		return ipam.Errorf(codeMediaType, "send Content-Type: application/json")
	}
	if len(fields) == 0 {
		return ipam.Errorf(ipam.CodeInvalid, "the request does not follow the contract; see /docs")
	}
	slices.SortFunc(fields, func(a, b ipam.FieldError) int { return strings.Compare(a.Pointer, b.Pointer) })
	fields = slices.Compact(fields)
	e := ipam.Errorf(ipam.CodeInvalid, "%s: %s", strings.TrimPrefix(fields[0].Pointer, "/"), fields[0].Detail)
	if len(fields) > 1 {
		e.Detail += "; and more, see errors"
	}
	e.Fields = fields
	return e
}

func walk(err error, at string, fields *[]ipam.FieldError, mediaType *bool) {
	switch e := err.(type) { //nolint:errorlint // each layer is looked at in turn
	case openapi3.MultiError:
		for _, one := range e {
			walk(one, at, fields, mediaType)
		}
	case *openapi3filter.RequestError:
		if e.Parameter != nil {
			at = e.Parameter.In + ":" + e.Parameter.Name
		} else if strings.HasPrefix(e.Reason, "header Content-Type") {
			*mediaType = true
			return
		}
		if e.Err == nil {
			*fields = append(*fields, ipam.FieldError{Pointer: at, Detail: e.Reason})
			return
		}
		walk(e.Err, at, fields, mediaType)
	case *openapi3.SchemaError:
		if e.Origin != nil {
			if _, ok := e.Origin.(openapi3.MultiError); ok { //nolint:errorlint // as above
				walk(e.Origin, at, fields, mediaType)
				return
			}
		}
		pointer := at
		for _, part := range e.JSONPointer() {
			pointer += "/" + escapePointer(part)
		}
		if name, found := unknownField(e); found {
			*fields = append(*fields, ipam.FieldError{Pointer: pointer + "/" + escapePointer(name), Detail: "not a field of this request; see /docs"})
			return
		}
		*fields = append(*fields, ipam.FieldError{Pointer: pointer, Detail: expectation(e)})
	default:
		if inner := errors.Unwrap(err); inner != nil {
			walk(inner, at, fields, mediaType)
			return
		}
		*fields = append(*fields, ipam.FieldError{Pointer: at, Detail: err.Error()})
	}
}

// unknownField finds the name of a field that the schema does not have; the library has it in its text only.
func unknownField(e *openapi3.SchemaError) (string, bool) {
	if e.SchemaField != "properties" {
		return "", false
	}
	name, found := strings.CutPrefix(e.Reason, `property "`)
	name, unsupported := strings.CutSuffix(name, `" is unsupported`)
	return name, found && unsupported
}

// expectation says what would be right, where the library only says what is wrong.
func expectation(e *openapi3.SchemaError) string {
	switch e.SchemaField {
	case "pattern":
		if e.Schema.Description != "" {
			return "not allowed here; use: " + e.Schema.Description
		}
	case "enum":
		values := make([]string, 0, len(e.Schema.Enum))
		for _, v := range e.Schema.Enum {
			if text, ok := v.(string); ok {
				values = append(values, text)
			}
		}
		return "not one of " + strings.Join(values, ", ")
	case "format":
		if e.Schema.Format == "date-time" {
			return "not a time; one looks like " + time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC).Format(time.RFC3339)
		}
	}
	return e.Reason
}

func writeProblem(w http.ResponseWriter, p api.Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	switch p.Status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "60")
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may have gone; nobody is left to tell
}
