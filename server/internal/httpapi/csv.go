package httpapi

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// csvPage is how many items of a list that is written as CSV are in memory at a time.
const csvPage = 1000

// firstColumns are those that people look for, in their order; the others follow by name.
var firstColumns = []string{
	"kind", "id", "scope", "pool", "parent", "name", "set", "set_key", "cidr", "prefix_length", "family", "status", "cloud", "external_id", "reason",
	"description", "owner", "purpose", "account", "platform", "tier", "environment", "region", "regions", "labels", "expires_at",
}

// asCSV answers a list as CSV where a request asks for that: page after page of the same handler, so that filters, and what is visible,
// are those of the list, and no more than a page is in memory.
func asCSV(log *slog.Logger) api.StrictMiddlewareFunc {
	return func(f api.StrictHandlerFunc, operation string) api.StrictHandlerFunc {
		return func(c echo.Context, request any) (any, error) {
			asked := reflect.New(reflect.TypeOf(request)).Elem()
			asked.Set(reflect.ValueOf(request))
			params := asked.FieldByName("Params")
			if !params.IsValid() || !params.FieldByName("Format").IsValid() || !params.FieldByName("PageToken").IsValid() || !wantsCSV(c) {
				return f(c, request)
			}
			if !params.FieldByName("PageToken").IsNil() {
				return nil, ipam.Invalid("query:page_token", "CSV has all that matches; leave this out, or ask for JSON")
			}
			params.FieldByName("Limit").Set(reflect.ValueOf(new(csvPage))) // whatever was asked for
			return nil, writeCSV(c, log, strings.TrimPrefix(strings.ToLower(operation), "list"), func(token *string) (any, error) {
				params.FieldByName("PageToken").Set(reflect.ValueOf(token))
				return f(c, asked.Interface())
			})
		}
	}
}

func wantsCSV(c echo.Context) bool {
	if format := c.QueryParam("format"); format != "" {
		return format == "csv"
	}
	accept, _, _ := strings.Cut(c.Request().Header.Get("Accept"), ";")
	return strings.TrimSpace(accept) == "text/csv"
}

// writeCSV writes pages until there are no more. What fails after the first has gone breaks the connection off: the reader must not take
// what it has for all there is.
func writeCSV(c echo.Context, log *slog.Logger, name string, next func(*string) (any, error)) error {
	page, err := next(nil)
	if err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set("Content-Type", "text/csv; charset=utf-8")
	header.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name+".csv"))
	c.Response().WriteHeader(http.StatusOK)
	out := csv.NewWriter(&exportWriter{c.Response(), http.NewResponseController(c.Response()), false})
	items := reflect.ValueOf(page).FieldByName("Items")
	columns := columnsOf(items.Type().Elem())
	_ = out.Write(each(columns, func(c column) string { return c.name }))
	for {
		for i := range items.Len() {
			if err = out.Write(each(columns, func(c column) string { return plainCell(cell(items.Index(i).Field(c.field))) })); err != nil {
				break
			}
		}
		out.Flush()
		token, _ := reflect.ValueOf(page).FieldByName("NextPageToken").Interface().(*string)
		if err = out.Error(); err == nil && token == nil {
			return nil
		}
		if err == nil {
			page, err = next(token)
		}
		if err != nil {
			log.WarnContext(c.Request().Context(), "a list as CSV ended early", "error", err, "request_id", requestID(c.Request().Context()))
			panic(http.ErrAbortHandler)
		}
		items = reflect.ValueOf(page).FieldByName("Items")
	}
}

type column struct {
	name  string
	field int
}

// columnsOf are the columns of an item: its properties.
func columnsOf(item reflect.Type) []column {
	var all []column
	for i := range item.NumField() {
		name, _, _ := strings.Cut(item.Field(i).Tag.Get("json"), ",")
		if name != "" && name != "-" {
			all = append(all, column{name, i})
		}
	}
	rank := func(c column) int {
		if at := slices.Index(firstColumns, c.name); at >= 0 {
			return at
		}
		return len(firstColumns)
	}
	slices.SortFunc(all, func(a, b column) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a.name, b.name)
	})
	return all
}

// cell is a value as text: what is absent is empty, labels are key=value;key=value with %3B, %3D and %25 for ; = and %, a list of texts is
// a;b, anything else that has parts is JSON.
func cell(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano)
	case api.Labels:
		var pairs []string
		for key, value := range x {
			pairs = append(pairs, escapePart(key)+"="+escapePart(value))
		}
		slices.Sort(pairs)
		return strings.Join(pairs, ";")
	case []string:
		return strings.Join(each(x, escapePart), ";")
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Map, reflect.Slice:
		if v.Len() == 0 {
			return ""
		}
	}
	text, err := json.Marshal(v.Interface())
	if err != nil {
		panic(err) // it is an answer of the contract
	}
	return string(text)
}

var partEscapes = strings.NewReplacer("%", "%25", ";", "%3B", "=", "%3D")

func escapePart(text string) string { return partEscapes.Replace(text) }

// plainCell is a cell that no spreadsheet takes for a formula (OWASP: CSV injection): an apostrophe stands before what might be one, and
// before an apostrophe, so that taking away the first gives back the value.
func plainCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n'", rune(text[0])) {
		return "'" + text
	}
	return text
}
