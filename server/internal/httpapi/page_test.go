package httpapi_test

import (
	"errors"
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

var actor = ipam.System("test")

func TestPagesBesideTheAPI(t *testing.T) {
	s := serve(t, storetest.SQLite(t))
	for _, c := range []struct {
		path, kind, says string
	}{
		{"/openapi.yaml", "application/yaml", "openapi: 3.1.0"},
		{"/docs", "text/html; charset=UTF-8", "Hand out a block"},
		{"/docs/reference.css", "text/css; charset=utf-8", "{"},
		{"/healthz", "text/plain; charset=UTF-8", "ok"},
		{"/readyz", "text/plain; charset=UTF-8", "ready"},
		{"/metrics", "text/plain", "cloudpam_store_writes_total 7"},
		{"/metrics", "text/plain", "cloudpam_clock_difference_seconds 60"},
		{"/metrics", "text/plain", "cloudpam_ready 1"},
		{"/metrics", "text/plain", `cloudpam_build_info{engine="`},
		{"/metrics", "text/plain", `cloudpam_refusals_total{code="pool_exhausted"} 0`},
		{"/metrics", "text/plain", "cloudpam_clock_behind_seconds 1"},
		{"/metrics", "text/plain", "cloudpam_clock_doubted_seconds 3600"},
	} {
		a := s.send(t, "GET", c.path, "", "Authorization:")
		if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), c.kind) || !strings.Contains(a.body, c.says) {
			t.Errorf("%s: %d %s %.200s", c.path, a.status, a.header.Get("Content-Type"), a.body)
		}
	}
	t.Run("the contract is served as it was written", func(t *testing.T) {
		if a := s.send(t, "GET", "/openapi.yaml", ""); a.body != string(api.Contract) {
			t.Error("it differs")
		}
	})
	t.Run("the reference page names every operation and runs no script", func(t *testing.T) {
		a := s.send(t, "GET", "/docs", "")
		for _, item := range contract(t).Paths.Map() {
			for _, op := range item.Operations() {
				if !strings.Contains(html.UnescapeString(a.body), op.Summary) {
					t.Errorf("it does not show %q", op.Summary)
				}
			}
		}
		if strings.Contains(a.body, "<script") || !strings.HasPrefix(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Error("scripts may run")
		}
	})
	t.Run("unready is said and says why", func(t *testing.T) {
		*s.unready = errors.New("shutting down")
		if a := s.send(t, "GET", "/metrics", ""); !strings.Contains(a.body, "cloudpam_ready 0") {
			t.Errorf("the metrics say otherwise: %s", a.body)
		}
		if a := s.send(t, "GET", "/readyz", ""); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "shutting down") {
			t.Errorf("%d %s", a.status, a.body)
		}
		if a := s.send(t, "GET", "/healthz", ""); a.status != http.StatusOK {
			t.Errorf("healthz: %d", a.status)
		}
	})
}

func TestEveryProblemHasItsPlaceInTheReference(t *testing.T) {
	s := serve(t, storetest.SQLite(t))
	s.http.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	page := s.send(t, "GET", "/docs", "").body
	description := contract(t).Components.Schemas["Problem"].Value.Properties["code"].Value.Description
	_, list, _ := strings.Cut(description, "One of ")
	for _, code := range strings.Split(strings.TrimSuffix(strings.TrimSpace(list), "."), ", ") {
		slug := strings.ReplaceAll(code, "_", "-")
		a := s.send(t, "GET", "/problems/"+slug, "")
		if a.status != http.StatusSeeOther || a.header.Get("Location") != "/docs#problem-"+slug || !strings.Contains(page, `id="problem-`+slug+`"`) {
			t.Errorf("%s: %d to %q", code, a.status, a.header.Get("Location"))
		}
	}
	if a := s.send(t, "GET", "/problems/nonsense", ""); a.status != http.StatusNotFound {
		t.Errorf("nonsense: %d", a.status)
	}
}

func TestMetricsDoNotGrowWithWhatCallersChoose(t *testing.T) {
	s := serve(t, storetest.SQLite(t))
	for _, path := range []string{"/api/v1/pools/one", "/api/v1/nothing/at/all", "/random"} {
		s.send(t, "GET", path, "")
		s.send(t, "BREW", path, "")
	}
	metrics := s.send(t, "GET", "/metrics", "").body
	if !strings.Contains(metrics, `cloudpam_http_request_duration_seconds_count{method="GET",route="/api/v1/pools/:pool",status="404"} 1`) {
		t.Error("the route is not counted")
	}
	if strings.Contains(metrics, `cloudpam_refusals_total{code="not_found"} 0`) {
		t.Error("what was refused is not counted")
	}
	for _, chosen := range []string{"BREW", "/one", "/at/all", "random"} {
		if strings.Contains(metrics, chosen) {
			t.Errorf("%q became a label", chosen)
		}
	}
}
