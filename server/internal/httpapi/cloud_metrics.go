package httpapi

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cloudpam/cloudpam/server/internal/drift"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// CloudMetrics are figures of the looks at clouds.
type CloudMetrics struct {
	calls   *prometheus.CounterVec
	retries *prometheus.CounterVec
	looks   *prometheus.HistogramVec
	drifts  *prometheus.GaugeVec
	age     *prometheus.Desc
	seen    *prometheus.Desc
	ages    func(context.Context) ([]ipam.Unseen, error)
}

// Clouds adds figures of clouds to the metrics. Ages lists the accounts that are looked at, with when each was seen completely last.
func (m *Metrics) Clouds(ages func(context.Context) ([]ipam.Unseen, error)) *CloudMetrics {
	c := &CloudMetrics{
		calls:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cloudpam_cloud_calls_total", Help: "Calls to clouds, tries again among them."}, []string{"cloud"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cloudpam_cloud_retries_total", Help: "Calls to clouds that are made again, by why: throttled, unavailable."}, []string{"cloud", "code"}),
		looks: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cloudpam_cloud_look_duration_seconds", Help: "Looks at accounts, by whether all of the account was seen.", Buckets: []float64{.1, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600},
		}, []string{"cloud", "complete"}),
		drifts: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "cloudpam_drifts", Help: "Differences that nobody ignores, by kind, as this server recorded them last."}, []string{"kind"}),
		age:    prometheus.NewDesc("cloudpam_cloud_view_age_seconds", "How long ago the last complete view of an account began.", []string{"account"}, nil),
		seen:   prometheus.NewDesc("cloudpam_cloud_last_complete_view_timestamp_seconds", "When the last complete view of an account began; 0: there was none.", []string{"account"}, nil),
		ages:   ages,
	}
	m.registry.MustRegister(c.calls, c.retries, c.looks, c.drifts, c)
	return c
}

// Called counts a call to a cloud.
func (c *CloudMetrics) Called(cloud ipam.Cloud) { c.calls.WithLabelValues(string(cloud)).Inc() }

// Retried counts a call that is made again.
func (c *CloudMetrics) Retried(cloud ipam.Cloud, code string) {
	c.retries.WithLabelValues(string(cloud), code).Inc()
}

// Looked counts a look at an account.
func (c *CloudMetrics) Looked(cloud ipam.Cloud, took time.Duration, complete bool) {
	c.looks.WithLabelValues(string(cloud), map[bool]string{true: "true", false: "false"}[complete]).Observe(took.Seconds())
}

// Drifts says how many differences there are by kind.
func (c *CloudMetrics) Drifts(kinds map[drift.Kind]int) {
	for _, k := range []drift.Kind{drift.Unmanaged, drift.Missing, drift.Mismatched, drift.Conflicting, drift.Misplaced} {
		c.drifts.WithLabelValues(string(k)).Set(float64(kinds[k]))
	}
}

// Describe is for Prometheus.
func (c *CloudMetrics) Describe(to chan<- *prometheus.Desc) { to <- c.age; to <- c.seen }

// Collect reads how old the views are when somebody asks.
func (c *CloudMetrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, err := c.ages(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(c.age, err)
		return
	}
	for _, u := range all {
		at := 0.0
		if !u.SeenAt.IsZero() {
			at = float64(u.SeenAt.UnixMilli()) / 1000
			to <- prometheus.MustNewConstMetric(c.age, prometheus.GaugeValue, time.Since(u.SeenAt).Seconds(), u.Account.ID)
		}
		to <- prometheus.MustNewConstMetric(c.seen, prometheus.GaugeValue, at, u.Account.ID)
	}
}
