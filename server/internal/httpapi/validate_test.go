package httpapi

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/routers"
	"github.com/labstack/echo/v4"

	"github.com/cloudpam/cloudpam/server/api"
)

// The library looks at what does not follow the contract, and says why; the short way only has to know the rest, and never more.
func TestTheShortWayKnowsWhatFollowsTheContract(t *testing.T) {
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	spec.OpenAPI = "3.0.3"
	item := spec.Paths.Find("/allocations")
	route := &routers.Route{Spec: spec, PathItem: item, Method: "POST", Operation: item.Post}
	for body, want := range map[string]bool{
		`{"pool":"p","name":"n","prefix_length":28}`:                    true,
		`{"pool":"p","name":"n","prefix_length":28,"labels":{"a":"b"}}`: true,
		`{"pool":"p","name":"n","prefix_length":28,"no":"field"}`:       false,
		`{"pool":"p","name":"n","prefix_length":"28"}`:                  false,
		`{"pool":"p","prefix_length":28}`:                               false,
		`{"pool":"p","name":"` + strings.Repeat("n", 1000) + `"}`:       false,
		`[]`:   false,
		`null`: false,
		``:     false,
	} {
		for header, fits := range map[string]bool{"application/json": true, "application/json; charset=utf-8": true, "text/plain": false} {
			value, err := parseJSON([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest("POST", "/api/v1/allocations", nil)
			r.Body = parsedBody{io.NopCloser(strings.NewReader(body)), value}
			r.Header.Set("Content-Type", header)
			if got := follows(echo.New().NewContext(r, httptest.NewRecorder()), route); got != (want && fits) {
				t.Errorf("%s as %s: %v", body, header, got)
			}
			r.Header.Set("Idempotency-Key", "short")
			if follows(echo.New().NewContext(r, httptest.NewRecorder()), route) {
				t.Errorf("%s as %s follows the contract with a key that is too short", body, header)
			}
		}
	}
}
