package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cloudpam/cloudpam/server/api"
)

// Metrics are the server's own figures, in a registry of their own.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	refusals *prometheus.CounterVec
	changes  *prometheus.CounterVec
}

// NewMetrics makes the metrics of one server. Stats tells how many writes its database committed, in how many transactions,
// and how many wait now; clock how far its clock is ahead of the database's, and the time behind one that was told or ahead of
// what is believed.
func NewMetrics(stats func() (writes, commits uint64, waiting int), clock func() (differs, behind, doubted time.Duration)) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cloudpam_http_request_duration_seconds", Help: "Requests by route, method and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method", "status"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cloudpam_refusals_total", Help: "Problems answered, by code."}, []string{"code"}),
		changes:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cloudpam_changes_total", Help: "Changes made through this server, by the action of their event."}, []string{"action"}),
	}
	for _, action := range []string{"allocation.created", "allocation.released", "hold.placed", "pool.created"} {
		m.changes.WithLabelValues(action)
	}
	for code := range statuses {
		m.refusals.WithLabelValues(string(code)) // 0 from the start: an increase that nobody has seen begin is none to Prometheus
	}
	m.registry.MustRegister(
		m.requests, m.refusals, m.changes, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "cloudpam_store_writes_total", Help: "Writes committed."},
			func() float64 { writes, _, _ := stats(); return float64(writes) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "cloudpam_store_commits_total", Help: "Transactions, each flushed once, that the writes shared."},
			func() float64 { _, commits, _ := stats(); return float64(commits) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "cloudpam_store_writes_waiting", Help: "Writes waiting for their transaction."},
			func() float64 { _, _, waiting := stats(); return float64(waiting) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "cloudpam_clock_difference_seconds", Help: "How far this server's clock is ahead of PostgreSQL's; 0 on SQLite."},
			func() float64 { differs, _, _ := clock(); return differs.Seconds() }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "cloudpam_clock_behind_seconds", Help: "How far the time is behind one that was written already."},
			func() float64 { _, behind, _ := clock(); return behind.Seconds() }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "cloudpam_clock_doubted_seconds", Help: "How far the time has jumped ahead; until it is believed nothing that has expired is collected or given away."},
			func() float64 { _, _, doubted := clock(); return doubted.Seconds() }),
	)
	return m
}

// Changed counts a change by the action of its event. There are as many as there are kinds of events.
func (m *Metrics) Changed(action string) { m.changes.WithLabelValues(action).Inc() }

// describe tells what runs here, and whether it is ready when Prometheus asks.
func (m *Metrics) describe(v api.Version, ready func(*http.Request) error) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cloudpam_build_info", Help: "1, with what runs here.",
			ConstLabels: prometheus.Labels{"version": v.Version, "engine": string(v.Engine), "schema": strconv.FormatInt(v.SchemaVersion, 10)},
		}, func() float64 { return 1 }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "cloudpam_ready", Help: "1 where the server should get traffic, as /readyz says."}, func() float64 {
			if ready(new(http.Request)) != nil {
				return 0
			}
			return 1
		}),
	)
}

// Waiting registers how many requests wait for approval, asked each time that somebody reads the figures.
func (m *Metrics) Waiting(count func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "cloudpam_approvals_waiting", Help: "Requests that wait for somebody to approve or refuse them."}, count))
}

// streaming registers how many streams of events are open.
func (m *Metrics) streaming(count func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "cloudpam_event_streams", Help: "Streams of events that are open."}, count))
}

// request counts one. A stream is none: it takes as long as its reader likes. The route is the pattern, never the path, and a method is one that HTTP knows: what whoever calls may
// choose freely would fill the memory.
func (m *Metrics) request(method, route string, status int, took time.Duration) {
	switch {
	case route == "":
		route = "none"
	case route == streamRoute && status == http.StatusOK:
		return
	}
	m.requests.WithLabelValues(route, plainMethod(method), strconv.Itoa(status)).Observe(took.Seconds())
}

func plainMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// Handler shows the figures to Prometheus.
func (m *Metrics) Handler() http.Handler {
	// What cannot be read for want of the database takes no other figure with it: those are what tells of that.
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}
