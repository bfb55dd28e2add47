package httpapi

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Estate is what there is, as far as figures tell it.
type Estate struct {
	Use        ipam.Use             // with the fullest pools alone, as many as may be named
	Webhooks   []ipam.WebhookHealth // of those that are enabled
	Size, Log  int64                // of the database, in bytes; Log is SQLite's
	OldestRead time.Duration
	BackedUp   time.Time // zero where nobody knows of a backup
	Now        time.Time // by which webhooks have failed since when they say
	SQLite     bool
}

// estateTime bounds one look, so that a scrape is answered in any case.
const estateTime = 5 * time.Second

// estate shows an Estate. A look at it reads every pool, so that a scrape shows the last one while that is young: a server spends at most
// a twentieth of its time on looks, however many ask.
type estate struct {
	look func(context.Context) (Estate, error)
	rest time.Duration // between two looks, at least

	mu   sync.Mutex
	last Estate
	err  error
	next time.Time

	blocks, pools, used, waiting, dead, failing, size, log, read, backup *prometheus.Desc
}

// Estate adds figures of what there is, which look finds out. Between two looks are rest or more.
func (m *Metrics) Estate(look func(context.Context) (Estate, error), rest time.Duration) {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("cloudpam_"+name, help, labels, nil)
	}
	m.registry.MustRegister(&estate{
		look: look, rest: rest,
		blocks:  desc("blocks", "Blocks there are, by what they are used for.", "family", "use"),
		pools:   desc("pool_used_ratio", "Which share of a pool, with all below it, is not free; of the fullest, as many as CLOUDPAM_METRICS_POOLS says.", "scope", "pool"),
		used:    desc("space_used_ratio", "Which share of all pools is not free.", "family"),
		waiting: desc("webhook_deliveries_waiting", "Events that wait to be delivered to webhooks."),
		dead:    desc("webhook_deliveries_dead", "Events that were given up."),
		failing: desc("webhook_failing_seconds", "For how long the webhook that has failed for longest has failed; 0: none does."),
		size:    desc("store_size_bytes", "Size of the database."),
		log:     desc("store_log_bytes", "Size of SQLite's write-ahead log."),
		read:    desc("store_oldest_read_seconds", "How long the oldest read of this server that is under way has lasted."),
		backup:  desc("backup_last_timestamp_seconds", "When \"cloudpam backup\" made a backup last; absent where it has made none."),
	})
}

// Describe is for Prometheus.
func (e *estate) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{e.blocks, e.pools, e.used, e.waiting, e.dead, e.failing, e.size, e.log, e.read, e.backup} {
		to <- d
	}
}

// now is what was seen last, or now.
func (e *estate) now() (Estate, error) {
	e.mu.Lock() // who asks meanwhile waits for the same look
	defer e.mu.Unlock()
	begin := time.Now()
	if begin.Before(e.next) {
		return e.last, e.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), estateTime)
	defer cancel()
	e.last, e.err = e.look(ctx)
	took := time.Since(begin)
	e.next = begin.Add(max(e.rest, 20*took))
	return e.last, e.err
}

// Collect is for Prometheus. A look that fails leaves these figures out and no others.
func (e *estate) Collect(to chan<- prometheus.Metric) {
	seen, err := e.now()
	if err != nil {
		to <- prometheus.NewInvalidMetric(e.size, err)
		return
	}
	say := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for family, all := range map[string]ipam.Split{"ipv4": seen.Use.IPv4, "ipv6": seen.Use.IPv6} {
		for use, blocks := range map[string]ipam.Blocks{"allocated": all.Allocated, "reserved": all.Reserved, "held": all.Held, "quarantined": all.Quarantined} {
			say(e.blocks, float64(blocks.Count), family, use)
		}
		say(e.used, all.Used(), family)
	}
	for _, p := range seen.Use.Pools {
		say(e.pools, p.Rolled.Used(), p.Scope, p.ID)
	}
	var waiting, dead int64
	var failing time.Duration
	for _, w := range seen.Webhooks {
		waiting, dead = waiting+w.Waiting, dead+w.Dead
		if w.FailingSince != nil {
			failing = max(failing, seen.Now.Sub(*w.FailingSince))
		}
	}
	say(e.waiting, float64(waiting))
	say(e.dead, float64(dead))
	say(e.failing, failing.Seconds())
	say(e.size, float64(seen.Size))
	say(e.read, seen.OldestRead.Seconds())
	if seen.SQLite {
		say(e.log, float64(seen.Log))
	}
	if !seen.BackedUp.IsZero() {
		say(e.backup, float64(seen.BackedUp.Unix()))
	}
}
