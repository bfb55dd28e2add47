package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	collect "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/cloudpam/cloudpam/server/internal/app"
	"github.com/cloudpam/cloudpam/server/internal/job"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// collector is what OpenTelemetry's own would be: it takes spans over HTTP.
type collector struct {
	mu    sync.Mutex
	spans []*otlp.Span
	about string
}

func openCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var all collect.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &all)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, of := range all.ResourceSpans {
			c.about = protojson.Format(of.Resource)
			for _, in := range of.ScopeSpans {
				c.spans = append(c.spans, in.Spans...)
			}
		}
	}))
	t.Cleanup(s.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", s.URL)
	return c
}

// named are the spans of a name in a trace, or in all of them.
func (c *collector) named(name, trace string) (all []*otlp.Span) {
	for _, s := range c.spans {
		if s.Name == name && (trace == "" || hexOf(s.TraceId) == trace) {
			all = append(all, s)
		}
	}
	return all
}

func hexOf(id []byte) string {
	const digits = "0123456789abcdef"
	var text strings.Builder
	for _, b := range id {
		text.WriteByte(digits[b>>4])
		text.WriteByte(digits[b&15])
	}
	return text.String()
}

func attribute(s *otlp.Span, key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

const (
	traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	spanID  = "00f067aa0ba902b7"
)

// whileServing runs a server and sends requests to it until the body ends; then it stops, and all that it had to say of them is said.
func whileServing(t *testing.T, url string, log io.Writer, body func(send func(method, path, body string) (int, string))) {
	t.Helper()
	a, err := app.New(t.Context(), serve(url), "1.2.3", slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	body(func(method, path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+a.Addr()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.Repeat("s", 32))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Forwarded-For", "203.0.113.9") // nobody trusts who says so
		req.Header.Set("traceparent", "00-"+traceID+"-"+spanID+"-01")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(answer)
	})
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestARequestIsOneTraceDownToTheDatabase(t *testing.T) {
	for engine, url := range storetest.Empty(t) {
		t.Run(engine, func(t *testing.T) {
			c := openCollector(t)
			whileServing(t, url(t), io.Discard, func(send func(string, string, string) (int, string)) {
				if status, answer := send("POST", "/api/v1/pools", `{"name":"secret-plan","cidr":"10.99.0.0/16"}`); status != http.StatusCreated {
					t.Fatalf("%d %s", status, answer)
				}
				send("GET", "/api/v1/pools?q=secret-plan", "")
				send("GET", "/readyz", "")
			})
			system := map[string]string{"sqlite": "sqlite", "postgres": "postgresql"}[engine]
			// Each step, and the one that it is a step of.
			above := map[string]string{"POST /api/v1/pools": "", "glance": "POST /api/v1/pools", "change": "POST /api/v1/pools", "write": "change"}
			root := c.named("POST /api/v1/pools", traceID)
			if len(root) != 1 || hexOf(root[0].ParentSpanId) != spanID || attribute(root[0], "http.route") != "/api/v1/pools" || root[0].Kind != otlp.Span_SPAN_KIND_SERVER {
				t.Fatalf("the request is not the next step of its caller's: %v", root)
			}
			for name, of := range above {
				if of == "" {
					continue
				}
				steps := slices.DeleteFunc(c.named(name, traceID), func(s *otlp.Span) bool {
					return !slices.ContainsFunc(c.named(of, traceID), func(p *otlp.Span) bool { return bytes.Equal(p.SpanId, s.ParentSpanId) })
				})
				if len(steps) != 1 {
					t.Errorf("%d times %s below %s", len(steps), name, of)
				} else if got := attribute(steps[0], "db.system.name"); name != "change" && got != system {
					t.Errorf("%s says that the engine is %q", name, got)
				}
			}
			if got := attribute(root[0], "client.address"); got != "127.0.0.1" {
				t.Errorf("the client is %s", got)
			}
			if len(c.named("GET /api/v1/pools", traceID)) != 1 || len(c.named("read", traceID)) == 0 {
				t.Error("a question is not traced")
			}
			for _, s := range c.spans {
				if strings.Contains(s.Name, "readyz") {
					t.Error("a probe is traced")
				}
				for _, private := range []string{"secret-plan", "10.99.0.0", strings.Repeat("s", 32), "SELECT"} {
					if text := protojson.Format(s); strings.Contains(text, private) {
						t.Errorf("%q stands in %s", private, text)
					}
				}
			}
			if !strings.Contains(c.about, `"cloudpam"`) || !strings.Contains(c.about, `"1.2.3"`) {
				t.Errorf("nobody knows whose spans these are: %s", c.about)
			}
		})
	}
}

func TestProblemsAndTheLogNameTheTraceWhereThereIsOne(t *testing.T) {
	ask := func(t *testing.T) (problem map[string]any, served string) {
		var log bytes.Buffer
		whileServing(t, "sqlite://"+filepath.Join(t.TempDir(), "x.db"), &log, func(send func(string, string, string) (int, string)) {
			_, answer := send("GET", "/api/v1/pools/nothing", "")
			if err := json.Unmarshal([]byte(answer), &problem); err != nil {
				t.Fatalf("%v: %s", err, answer)
			}
		})
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, `"served"`) {
				served = line
			}
		}
		return problem, served
	}
	t.Run("traced", func(t *testing.T) {
		openCollector(t)
		if p, line := ask(t); p["trace_id"] != traceID || !strings.Contains(line, `"trace_id":"`+traceID+`"`) {
			t.Errorf("the problem says %v, the log %s", p["trace_id"], line)
		}
	})
	t.Run("not traced", func(t *testing.T) {
		if p, line := ask(t); p["trace_id"] != nil || line == "" || strings.Contains(line, "trace_id") {
			t.Errorf("the problem says %v, the log %s", p["trace_id"], line)
		}
	})
}

func TestACollectorThatIsAwayIsToldOfOnceAndKeepsNobodyWaiting(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	never := make(chan struct{})
	mute := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-never:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(mute.Close)
	t.Cleanup(func() { close(never) })
	for name, url := range map[string]string{"nobody listens": "http://" + gone.Addr().String(), "it never answers": mute.URL} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
			t.Setenv("OTEL_BSP_EXPORT_TIMEOUT", "100") // milliseconds
			t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
			t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
			t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
			var log lockedLog
			whileServing(t, "sqlite://"+filepath.Join(t.TempDir(), "x.db"), &log, func(send func(string, string, string) (int, string)) {
				for range 50 {
					if status, answer := send("GET", "/api/v1/pools", ""); status != http.StatusOK {
						t.Fatalf("%d %s", status, answer)
					}
				}
			})
			if n := strings.Count(log.String(), "traces cannot be sent"); n != 1 {
				t.Errorf("it is told of %d times:\n%s", n, log.String())
			}
		})
	}
}

func TestALookAtACloudIsATraceWithItsCalls(t *testing.T) {
	c := openCollector(t)
	eachLooking(t, func(t *testing.T, l looker) {
		l.network("eu-west-1", "10.0.0.0/16", "main", "10.0.0.0/24")
		i := slices.IndexFunc(l.Jobs(), func(j job.Job) bool { return j.Name == "look at clouds" })
		if _, err := l.Jobs()[i].Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		job := c.named("look at clouds", "")
		if len(job) != 1 {
			t.Fatalf("%d traces of the job", len(job))
		}
		trace := hexOf(job[0].TraceId)
		look := c.named("look", trace)
		calls := c.named("EC2.DescribeSubnets", trace)
		if len(look) != 1 || len(calls) == 0 || !bytes.Equal(calls[0].ParentSpanId, look[0].SpanId) || attribute(calls[0], "cloud.provider") != "aws" || attribute(calls[0], "cloud.account.id") != number {
			t.Errorf("looks: %v, calls: %v", look, calls)
		}
		c.mu.Lock()
		c.spans = nil // of this engine
		c.mu.Unlock()
	})
}
