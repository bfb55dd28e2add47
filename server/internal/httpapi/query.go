package httpapi

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// checkQuery refuses query parameters that the operation does not have, or has once and is given twice, or that are empty: a
// filter that is misspelt, or whose value is missing, would answer more than was asked for if it were ignored. It also refuses what is not text, which PostgreSQL cannot store.
func checkQuery() (echo.MiddlewareFunc, error) {
	spec, err := api.Spec()
	if err != nil {
		return nil, err
	}
	known := map[string]map[string]*openapi3.Parameter{} // by method and route
	for path, item := range spec.Paths.Map() {
		route := echoRoute(path)
		for method, op := range item.Operations() {
			takes := map[string]*openapi3.Parameter{}
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				if p.Value.In == openapi3.ParameterInQuery {
					takes[p.Value.Name] = p.Value
				}
			}
			known[method+" "+route] = takes
		}
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if !isText(r.URL.Path) {
				return ipam.Invalid("path:", "the path is not UTF-8 text")
			}
			if !isText(r.Header.Get("Idempotency-Key")) {
				return ipam.Invalid("header:Idempotency-Key", "the key is not UTF-8 text")
			}
			takes, found := known[r.Method+" "+c.Path()]
			if !found {
				return next(c) // the validator says what is wrong
			}
			query, err := url.ParseQuery(r.URL.RawQuery)
			if err != nil {
				return ipam.Invalid("query:", "the query is malformed: %v", err)
			}
			for _, name := range slices.Sorted(maps.Keys(query)) {
				p := takes[name]
				switch {
				case p == nil && len(takes) == 0:
					return ipam.Invalid("query:"+name, "this operation takes no query parameters")
				case p == nil:
					return ipam.Invalid("query:"+name, "not a parameter of this operation; it takes %s", strings.Join(slices.Sorted(maps.Keys(takes)), ", "))
				case len(query[name]) > 1 && !p.Schema.Value.Type.Is("array"):
					return ipam.Invalid("query:"+name, "given %d times; give it once", len(query[name]))
				case slices.Contains(query[name], ""):
					return ipam.Invalid("query:"+name, "given without a value; give it one, or leave it out")
				case !isText(strings.Join(query[name], "")):
					return ipam.Invalid("query:"+name, "not UTF-8 text")
				}
			}
			return next(c)
		}
	}, nil
}

// isText reports whether both engines can store and compare it.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
