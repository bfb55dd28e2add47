package trace

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
)

// samplers are those that OpenTelemetry names and its library for Go has.
var samplers = []string{"always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"}

// wanted reports whether the environment asks for traces: by naming the exporter, or only where the collector is.
func wanted() bool {
	switch exporter := os.Getenv("OTEL_TRACES_EXPORTER"); {
	case strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true"), exporter == "none":
		return false
	default:
		return exporter != "" || ofTraces("ENDPOINT") != ""
	}
}

// ofTraces is a setting of the exporter: that of traces, or that of all signals.
func ofTraces(name string) string {
	if value := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_" + name); value != "" {
		return value
	}
	return os.Getenv("OTEL_EXPORTER_OTLP_" + name)
}

// Check returns every mistake in the OTEL_* variables that would leave somebody without traces, or with others than he asked for. It
// finds none where they ask for none.
func Check() error {
	if !wanted() {
		return nil
	}
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if exporter := os.Getenv("OTEL_TRACES_EXPORTER"); exporter != "" && exporter != "otlp" {
		fail("OTEL_TRACES_EXPORTER is %q; use otlp, or none to send no traces", exporter)
	}
	if protocol := ofTraces("PROTOCOL"); protocol != "" && !slices.Contains([]string{"http/protobuf", "http/json"}, protocol) {
		fail("OTEL_EXPORTER_OTLP_PROTOCOL is %q; use http/protobuf, which collectors take on port 4318, or http/json", protocol)
	}
	if endpoint := ofTraces("ENDPOINT"); endpoint != "" {
		if u, err := url.Parse(endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			fail("OTEL_EXPORTER_OTLP_ENDPOINT is no URL; write it like http://collector:4318") // not quoted: it may hold a password
		}
	}
	if sampler := os.Getenv("OTEL_TRACES_SAMPLER"); sampler != "" && !slices.Contains(samplers, sampler) {
		fail("OTEL_TRACES_SAMPLER is %q; use one of %s", sampler, strings.Join(samplers, ", "))
	}
	return errors.Join(errs...)
}
