package httpapi

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/cloudpam/cloudpam/server/api"
)

//go:embed reference.html
var referencePage string

//go:embed reference.css
var referenceStyle []byte

// operation is one entry of the reference page.
type operation struct {
	ID, Method, Path, Summary, Description, Permission string
	Parameters                                         openapi3.Parameters
	Body, Answer                                       string
}

// serveContract serves the contract as it was written.
func serveContract(c echo.Context) error {
	return c.Blob(http.StatusOK, "application/yaml", api.Contract)
}

// reference is the contract as a page without scripts, rendered once for all, and the problems that it tells of.
var reference = sync.OnceValues(func() (rendered, error) {
	var all rendered
	spec, err := api.Spec()
	if err != nil {
		return all, err
	}
	page, err := template.New("reference").Funcs(template.FuncMap{"schema": schemaText, "text": richText, "paragraphs": paragraphs, "required": func(s *openapi3.Schema, f string) bool { return slices.Contains(s.Required, f) }}).Parse(referencePage)
	if err != nil {
		return all, fmt.Errorf("read the reference page: %w", err)
	}
	type section struct {
		Tag        *openapi3.Tag
		Operations []operation
	}
	var sections []section
	for _, tag := range spec.Tags {
		sections = append(sections, section{Tag: tag, Operations: operationsOf(spec, tag.Name)})
	}
	for code, s := range statuses {
		all.problems = append(all.problems, problemEntry{Slug: strings.ReplaceAll(string(code), "_", "-"), Code: string(code), Title: s.title, Status: s.status})
	}
	sort.Slice(all.problems, func(i, j int) bool { return all.problems[i].Code < all.problems[j].Code })
	err = page.Execute(&all.html, map[string]any{"Info": spec.Info, "Sections": sections, "Schemas": spec.Components.Schemas, "SchemaNames": slices.Sorted(maps.Keys(spec.Components.Schemas)), "Problems": all.problems})
	if err != nil {
		return all, fmt.Errorf("render the reference page: %w", err)
	}
	return all, nil
})

type rendered struct {
	html     bytes.Buffer
	problems []problemEntry
}

type problemEntry struct {
	Slug, Code, Title string
	Status            int
}

// serveReference serves the reference, and where each problem is told of.
func serveReference(e *echo.Echo) error {
	page, err := reference()
	if err != nil {
		return err
	}
	e.GET("/docs", func(c echo.Context) error {
		c.Response().Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'")
		c.Response().Header().Set("X-Content-Type-Options", "nosniff")
		return c.HTMLBlob(http.StatusOK, page.html.Bytes())
	})
	e.GET("/docs/reference.css", func(c echo.Context) error { return c.Blob(http.StatusOK, "text/css; charset=utf-8", referenceStyle) })
	e.GET("/problems/:code", func(c echo.Context) error {
		for _, p := range page.problems {
			if p.Slug == c.Param("code") {
				return c.Redirect(http.StatusSeeOther, "/docs#problem-"+p.Slug)
			}
		}
		return echo.ErrNotFound
	})
	return nil
}

func operationsOf(spec *openapi3.T, tag string) []operation {
	var out []operation
	for _, path := range spec.Paths.InMatchingOrder() {
		item := spec.Paths.Value(path)
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			op := item.Operations()[method]
			if op == nil || !slices.Contains(op.Tags, tag) {
				continue
			}
			o := operation{ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, Description: op.Description, Parameters: slices.Concat(item.Parameters, op.Parameters)}
			o.Permission, _ = op.Extensions["x-permission"].(string)
			if op.RequestBody != nil {
				o.Body = refName(op.RequestBody.Value.Content["application/json"])
			}
			for _, status := range []string{"200", "201"} {
				if answer := op.Responses.Value(status); answer != nil {
					o.Answer = refName(answer.Value.Content["application/json"])
				}
			}
			out = append(out, o)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}

func refName(content *openapi3.MediaType) string {
	if content == nil || content.Schema == nil {
		return ""
	}
	return strings.TrimPrefix(content.Schema.Ref, "#/components/schemas/")
}

var (
	code = regexp.MustCompile("`([^`]+)`")
	bold = regexp.MustCompile(`\*\*([^*]+)\*\*`)
)

// richText renders the two marks that the contract's texts use: code and bold.
func richText(text string) template.HTML {
	html := code.ReplaceAllString(template.HTMLEscapeString(text), "<code>$1</code>")
	return template.HTML(bold.ReplaceAllString(html, "<strong>$1</strong>")) //nolint:gosec // escaped above, and ours
}

func paragraphs(text string) []string { return strings.Split(strings.TrimSpace(text), "\n\n") }

// schemaText says a type in a few words.
func schemaText(s *openapi3.SchemaRef) string {
	if s == nil {
		return ""
	}
	if s.Ref != "" {
		return strings.TrimPrefix(s.Ref, "#/components/schemas/")
	}
	switch {
	case s.Value.Type.Is("array"):
		return "list of " + schemaText(s.Value.Items)
	case s.Value.Format != "" && s.Value.Type.Is("string"):
		return s.Value.Format
	case len(s.Value.Enum) > 0:
		return strings.Trim(strings.ReplaceAll(fmt.Sprint(s.Value.Enum), " ", " | "), "[]")
	default:
		return strings.Join(s.Value.Type.Slice(), " or ")
	}
}
