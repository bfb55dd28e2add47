package trace

import (
	"context"
	"iter"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

const scope = "github.com/cloudpam/cloudpam/server"

// Span is a step of a trace. The zero one is none, and takes everything. What is said of one is read by whoever reads traces: sizes, codes
// and engines, never a value of a query or a secret.
type Span struct{ span trace.Span }

// Start begins a step of what a context is a step of. Where that is nothing that anybody collects, it does nothing.
func Start(ctx context.Context, name string) (context.Context, Span) {
	above := trace.SpanFromContext(ctx)
	if !above.IsRecording() {
		return ctx, Span{}
	}
	ctx, s := above.TracerProvider().Tracer(scope).Start(ctx, name)
	return ctx, Span{s}
}

// StartShared begins a step that several have in common, such as a commit of the writes of many requests. It is a step of the first
// of them that anybody collects, and linked with the others to and fro.
func StartShared(ctx context.Context, name string, all iter.Seq[context.Context]) (context.Context, Span) {
	var shared trace.Span
	for of := range all {
		above := trace.SpanFromContext(of)
		switch {
		case !above.IsRecording():
		case shared == nil:
			ctx, shared = above.TracerProvider().Tracer(scope).Start(trace.ContextWithSpan(ctx, above), name)
		case above.SpanContext().TraceID() != shared.SpanContext().TraceID():
			shared.AddLink(trace.Link{SpanContext: above.SpanContext()})
			above.AddLink(trace.Link{SpanContext: shared.SpanContext()})
		}
	}
	return ctx, Span{shared}
}

// Say notes something about a step, under a name that OpenTelemetry knows or one that begins with cloudpam.
func (s Span) Say(key, value string) {
	if s.span != nil {
		s.span.SetAttributes(attribute.String(key, value))
	}
}

// Count notes how many there are of something.
func (s Span) Count(key string, n int) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int(key, n))
	}
}

// End ends a step, and says by which code it failed where it did. Its text may name what is nobody's business.
func (s Span) End(err error) {
	switch code := string(ipam.CodeOf(err)); {
	case err == nil:
		s.EndAs("")
	case code == "":
		s.EndAs("internal")
	default:
		s.EndAs(code)
	}
}

// EndAs is End by a code; "" is none.
func (s Span) EndAs(code string) {
	if s.span == nil {
		return
	}
	if code != "" {
		s.span.SetAttributes(attribute.String("error.type", code))
		s.span.SetStatus(codes.Error, code)
	}
	s.span.End()
}

// Served names the span of a request, once it is known what it was: its route, who sent it, and by which id the log has it.
func Served(ctx context.Context, method, route, client, request string) {
	s := trace.SpanFromContext(ctx)
	if !s.IsRecording() {
		return
	}
	s.SetName(method + " " + route)
	s.SetAttributes(attribute.String("http.route", route), attribute.String("client.address", client), attribute.String("cloudpam.request_id", request))
}

// ID is the trace that a context is in, as logs and problems name it; "" where it is in none.
func ID(ctx context.Context) string {
	if s := trace.SpanContextFromContext(ctx); s.IsValid() {
		return s.TraceID().String()
	}
	return ""
}
