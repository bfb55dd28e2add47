package trace_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/trace"
)

// What nobody collects costs no memory: not where a server sends no traces, nor in a request whose trace is left out.
func TestWithoutATraceNothingIsAllocated(t *testing.T) {
	type key struct{}
	ctx, failed := context.WithValue(t.Context(), key{}, 1), errors.New("failed")
	all := []context.Context{ctx, ctx}
	allocated := testing.AllocsPerRun(100, func() {
		inner, span := trace.Start(ctx, "read")
		span.Say("db.system.name", "sqlite")
		span.Count("cloudpam.writes", 2)
		trace.Served(inner, "GET", "/api/v1/pools", "127.0.0.1", "id")
		if trace.ID(inner) != "" {
			t.Error("there is a trace")
		}
		span.End(failed)
		_, shared := trace.StartShared(ctx, "write", func(yield func(context.Context) bool) {
			for _, of := range all {
				if !yield(of) {
					return
				}
			}
		})
		shared.End(nil)
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

func TestTheEnvironmentSaysWhetherAndHow(t *testing.T) {
	for name, c := range map[string]struct {
		env   map[string]string
		on    bool
		wrong string // part of what is said of a mistake
	}{
		"nothing":               {},
		"where":                 {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, on: true},
		"where traces go":       {env: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://collector/v1/traces"}, on: true},
		"an exporter":           {env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, on: true},
		"none":                  {env: map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}},
		"disabled":              {env: map[string]string{"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}},
		"disabled and wrong":    {env: map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "zipkin"}},
		"another exporter":      {env: map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, wrong: `OTEL_TRACES_EXPORTER is "zipkin"; use otlp`},
		"gRPC":                  {env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, wrong: "port 4318"},
		"gRPC that nobody uses": {env: map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}},
		"no URL":                {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, wrong: "write it like http://collector:4318"},
		"an unknown sampler":    {env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "sometimes"}, wrong: "parentbased_traceidratio"},
		"attributes":            {env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_RESOURCE_ATTRIBUTES": "rubbish"}, wrong: "OTEL_RESOURCE_ATTRIBUTES"},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range c.env {
				t.Setenv(variable, value)
			}
			tracer, err := trace.Open(t.Context(), "1.2.3", slog.New(slog.DiscardHandler))
			tracer.Close()
			if (tracer != nil) != c.on {
				t.Errorf("on is %v", tracer != nil)
			}
			if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("it says: %v", err)
			}
		})
	}
}
