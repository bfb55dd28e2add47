package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/cloudpam/cloudpam/server/api"
)

func load(t *testing.T) *openapi3.T {
	t.Helper()
	spec, err := openapi3.NewLoader().LoadFromData(api.Contract)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func eachOperation(t *testing.T, check func(t *testing.T, method, path string, op *openapi3.Operation)) {
	t.Helper()
	seen := 0
	for path, item := range load(t).Paths.Map() {
		for method, op := range item.Operations() {
			seen++
			t.Run(method+" "+path, func(t *testing.T) { check(t, method, path, op) })
		}
	}
	if seen < 20 {
		t.Errorf("only %d operations were looked at", seen)
	}
}

// writes reports whether an operation changes anything. A preview is a question, asked by POST for the sake of its body.
// writes reports whether an operation may leave something behind: not a question whose terms are too long for an address.
func writes(method, path string) bool {
	return method != "GET" && !strings.HasSuffix(path, "/preview") && path != "/state-joins"
}

func TestEveryOperationSaysWhatItIs(t *testing.T) {
	ids := map[string]string{}
	tags := map[string]bool{}
	for _, tag := range load(t).Tags {
		tags[tag.Name] = true
	}
	eachOperation(t, func(t *testing.T, method, path string, op *openapi3.Operation) {
		if op.OperationID == "" || ids[op.OperationID] != "" {
			t.Errorf("operationId %q is empty or that of %s", op.OperationID, ids[op.OperationID])
		}
		ids[op.OperationID] = method + " " + path
		if op.Summary == "" || strings.HasSuffix(op.Summary, ".") {
			t.Errorf("summary = %q", op.Summary)
		}
		if len(op.Tags) != 1 || !tags[op.Tags[0]] {
			t.Errorf("tags = %v", op.Tags)
		}
		permission, _ := op.Extensions["x-permission"].(string)
		noun, verb, found := strings.Cut(permission, ":")
		if permission != "none" && (!found || noun == "" || verb != "read" && verb != "write") {
			t.Errorf("x-permission = %q", permission)
		}
		if open := op.Security != nil && len(*op.Security) == 0; open != (permission == "none") {
			t.Errorf("x-permission = %q, but open to everyone = %v", permission, open)
		}
		if verb == "write" != writes(method, path) {
			t.Errorf("%s with x-permission %s", method, permission)
		}
	})
}

func TestEveryOperationAnswersProblems(t *testing.T) {
	eachOperation(t, func(t *testing.T, _, _ string, op *openapi3.Operation) {
		if other := op.Responses.Default(); other == nil || other.Ref != "#/components/responses/Problem" {
			t.Errorf("default = %+v", other)
		}
		if op.Responses.Len() < 2 {
			t.Error("there is no answer for success")
		}
	})
}

func TestEveryWriteTakesAnIdempotencyKeyAndEveryChangeAnIfMatch(t *testing.T) {
	eachOperation(t, func(t *testing.T, method, path string, op *openapi3.Operation) {
		var refs []string
		for _, p := range op.Parameters {
			refs = append(refs, strings.TrimPrefix(p.Ref, "#/components/parameters/"))
		}
		// These leave nothing behind that a second time could double.
		repeatable := []string{"/webhooks/{webhook}/tests", "/accounts/{account}/sync", "/accounts/{account}/check"}
		if got := slices.Contains(refs, "IdempotencyKey"); got != (writes(method, path) && !slices.Contains(repeatable, path)) {
			t.Errorf("Idempotency-Key: %v", got)
		}
		versioned := method == "PATCH" || method == "PUT" || method == "DELETE" && !strings.HasPrefix(path, "/holds")
		if got := slices.Contains(refs, "IfMatch"); got != versioned && method != "DELETE" {
			t.Errorf("If-Match: %v", got)
		}
	})
}

func TestEveryListIsAPage(t *testing.T) {
	eachOperation(t, func(t *testing.T, method, _ string, op *openapi3.Operation) {
		ok := op.Responses.Value("200")
		if method != "GET" || ok == nil || ok.Value.Content["application/json"] == nil || !strings.HasSuffix(ok.Value.Content["application/json"].Schema.Ref, "Page") {
			return
		}
		var refs []string
		for _, p := range op.Parameters {
			refs = append(refs, p.Ref)
		}
		if !slices.Contains(refs, "#/components/parameters/Limit") || !slices.Contains(refs, "#/components/parameters/PageToken") {
			t.Errorf("parameters = %v", refs)
		}
	})
}

func TestEveryRequestBodyIsClosedAndHasAnExample(t *testing.T) {
	eachOperation(t, func(t *testing.T, _, _ string, op *openapi3.Operation) {
		if op.RequestBody == nil {
			return
		}
		body := op.RequestBody.Value
		schema := body.Content["application/json"].Schema
		if !body.Required || schema.Ref == "" {
			t.Errorf("required = %v, schema = %q", body.Required, schema.Ref)
		}
		if extra := schema.Value.AdditionalProperties.Has; extra == nil || *extra {
			t.Errorf("%s takes any field", schema.Ref)
		}
		example, ok := schema.Value.Example.(map[string]any)
		if !ok {
			t.Fatalf("%s has no example", schema.Ref)
		}
		if err := schema.Value.VisitJSON(example, openapi3.VisitAsRequest()); err != nil {
			t.Errorf("the example of %s: %v", schema.Ref, err)
		}
	})
}

// The server reads the contract as OpenAPI 3.0.3, which is 25 times faster: so it keeps to what both dialects mean alike.
func TestTheContractKeepsToWhatBothDialectsShare(t *testing.T) {
	text, err := load(t).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	banned := []string{
		"const", "if", "then", "else", "prefixItems", "patternProperties", "$defs", "$dynamicRef", "unevaluatedProperties", "unevaluatedItems", "contains",
		"dependentSchemas", "dependentRequired", "propertyNames", "contentEncoding", "contentMediaType", "examples", "nullable",
	}
	seen := 0
	var visit func(at string, node any)
	visit = func(at string, node any) {
		switch node := node.(type) {
		case map[string]any:
			names := strings.HasSuffix(at, "/properties") || strings.HasSuffix(at, "/schemas") || strings.HasSuffix(at, "/parameters") || strings.HasSuffix(at, "/example")
			for key, value := range node {
				seen++
				if !names && slices.Contains(banned, key) {
					t.Errorf("%s/%s is not the same in both dialects", at, key)
				}
				if _, isBool := value.(bool); !names && strings.HasPrefix(key, "exclusiveM") && !isBool {
					t.Errorf("%s/%s is a number", at, key)
				}
				if types, isList := value.([]any); !names && key == "type" && isList && (len(types) != 2 || types[1] != "null") {
					t.Errorf("%s/type = %v; only [T, null] means the same", at, types)
				}
				visit(at+"/"+key, value)
			}
		case []any:
			for i, value := range node {
				visit(fmt.Sprintf("%s/%d", at, i), value)
			}
		}
	}
	visit("", document)
	if seen < 1000 {
		t.Errorf("only %d keys were looked at", seen)
	}
}
