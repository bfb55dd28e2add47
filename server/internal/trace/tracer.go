// Package trace tells a collector of OpenTelemetry what the server did for whom and how long it took. The OTEL_* variables say where and
// how; where they ask for nothing, nothing is done. All else that this package offers works on the span that a context is in: without one
// it costs a look at the context.
package trace

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// Tracer sends spans to a collector. One that is nil sends none.
type Tracer struct {
	provider *sdk.TracerProvider
	log      *slog.Logger
}

// Open makes the Tracer that the environment asks for, nil where it asks for none. Nobody is connected yet, and a collector that cannot be
// reached later is told of in the log.
func Open(ctx context.Context, version string, log *slog.Logger) (*Tracer, error) {
	if !wanted() {
		return nil, nil
	}
	if err := Check(); err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "cloudpam"), attribute.String("service.version", version)),
		resource.WithFromEnv()) // the last word
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("the OTEL_EXPORTER_OTLP_* variables: %w", err)
	}
	// What else the library has to say, it would say on standard error, between our lines.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.WarnContext(ctx, "the library of traces complains", "error", err) }))
	return &Tracer{provider: sdk.NewTracerProvider(sdk.WithResource(about), sdk.WithBatcher(&teller{SpanExporter: exporter, log: log})), log: log}, nil
}

// Close sends what is left, for as long as a collector may keep a server that stops, and ends.
func (t *Tracer) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.log.WarnContext(ctx, "the last traces were not sent", "error", err)
	}
}

// Handler gives each request that want takes a span, below the one that its traceparent names.
func (t *Tracer) Handler(next http.Handler, want func(*http.Request) bool) http.Handler {
	if t == nil {
		return next
	}
	return otelhttp.NewHandler(next, "", otelhttp.WithTracerProvider(t.provider), otelhttp.WithPropagators(propagation.TraceContext{}), otelhttp.WithFilter(want),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method })) // until Served says which route it is
}

// Work begins a span of what nobody asked for, with nothing above it.
func (t *Tracer) Work(ctx context.Context, name string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, s := t.provider.Tracer(scope).Start(ctx, name)
	return ctx, Span{s}
}

// teller sends spans, and says in the log when that begins to fail and when it works again, instead of each time. Nobody waits for it:
// spans that are too many to be kept meanwhile are dropped.
type teller struct {
	sdk.SpanExporter
	log     *slog.Logger
	failing atomic.Bool
}

func (t *teller) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	switch err := t.SpanExporter.ExportSpans(ctx, spans); {
	case err == nil:
		if t.failing.Swap(false) {
			t.log.InfoContext(ctx, "traces are sent again")
		}
	case !t.failing.Swap(true):
		t.log.WarnContext(ctx, "traces cannot be sent; they are lost until they can, and nothing waits for that: look at OTEL_EXPORTER_OTLP_ENDPOINT and the collector", "error", err)
	}
	return nil
}
