// Package app wires the server and owns its life: New, Run, Close.
package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/account"
	"github.com/cloudpam/cloudpam/server/internal/adopt"
	"github.com/cloudpam/cloudpam/server/internal/approval"
	"github.com/cloudpam/cloudpam/server/internal/audit"
	"github.com/cloudpam/cloudpam/server/internal/bulk"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/config"
	"github.com/cloudpam/cloudpam/server/internal/govern"
	"github.com/cloudpam/cloudpam/server/internal/httpapi"
	"github.com/cloudpam/cloudpam/server/internal/insight"
	"github.com/cloudpam/cloudpam/server/internal/job"
	"github.com/cloudpam/cloudpam/server/internal/observe"
	"github.com/cloudpam/cloudpam/server/internal/quarantine"
	"github.com/cloudpam/cloudpam/server/internal/reconcile"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	"github.com/cloudpam/cloudpam/server/internal/scope"
	"github.com/cloudpam/cloudpam/server/internal/seal"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/terraform"
	"github.com/cloudpam/cloudpam/server/internal/trace"
	"github.com/cloudpam/cloudpam/server/internal/webhook"
	"github.com/cloudpam/cloudpam/web"
)

// App is a server that is ready to run.
type App struct {
	config   config.Serve
	log      *slog.Logger
	tracer   *trace.Tracer
	db       *store.DB
	kernel   *change.Kernel
	observer *observe.Observer
	clouds   *reconcile.Reconciler
	adopter  *adopt.Adopter
	figures  *httpapi.CloudMetrics
	registry *registry.Registry
	access   *access.Gate
	webhooks *webhook.Book
	desk     *approval.Desk
	sealer   *seal.Sealer
	listener net.Listener
	server   *http.Server
	draining atomic.Bool
	unready  atomic.Value // the reason that was logged last, "" when ready

	wrongClock atomic.Value // what was logged last of a clock, "" when all are right
	// FirstToken is the secret made at a first start, to be shown once; "" later.
	FirstToken string
	// FirstTokenFile is where FirstToken was written, readable by its owner only; "" when there was nowhere to write it.
	FirstTokenFile string
}

// New opens and migrates the database, sets a new installation up, and starts to listen. Close the App in any case where
// New succeeded.
func New(ctx context.Context, c config.Serve, version string, log *slog.Logger) (*App, error) {
	tracer, err := trace.Open(ctx, version, log)
	if err != nil {
		return nil, err
	}
	log = tracer.Log(log)
	db, err := store.Open(ctx, c.DatabaseURL, store.Options{
		Log:         log,
		Connections: store.Connections{Read: c.PostgresRead, Write: c.PostgresWrite, Auth: c.PostgresAuth},
	})
	if err != nil {
		tracer.Close()
		return nil, err
	}
	a := &App{config: c, log: log, tracer: tracer, db: db}
	if err := a.start(ctx, version); err != nil {
		defer tracer.Close()
		return nil, errors.Join(err, db.Close())
	}
	return a, nil
}

func (a *App) start(ctx context.Context, version string) error {
	if a.config.Migrate {
		if err := a.db.Migrate(ctx, version); err != nil {
			return err
		}
	}
	status, err := a.db.SchemaStatus(ctx)
	if err != nil {
		return err
	}
	if err := a.db.Start(ctx); err != nil {
		return err
	}
	a.kernel = change.New(a.db, time.Now)
	if err := a.kernel.ReadClock(ctx); err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	if err := a.kernel.EndLeases(ctx); err != nil {
		return fmt.Errorf("end the leases of the server before: %w", err)
	}
	issuers, err := a.config.Issuers()
	if err != nil {
		return err
	}
	a.registry, a.access = registry.New(a.kernel), access.New(a.kernel, issuers...)
	a.webhooks = webhook.New(a.kernel, webhook.Guard{Allow: a.config.WebhookNetworks()}, version)
	a.webhooks.URL = strings.TrimRight(a.config.URL, "/")
	a.adopter = adopt.New(a.kernel, a.registry)
	a.registry.HoldQuota = a.config.HoldQuota
	a.desk = approval.New(a.kernel, a.registry, a.log)
	a.desk.TTL, a.desk.Delay, a.desk.URL = a.config.ApprovalTTL, a.config.ApprovalDelay, strings.TrimRight(a.config.URL, "/")
	a.access.MaxFailures = a.config.LoginFailures
	a.access.SessionIdle, a.access.SessionLength = a.config.SessionIdle, a.config.SessionLength
	if a.sealer, err = seal.New(a.kernel, a.log, a.config.SealKeyFile); err != nil {
		return fmt.Errorf("CLOUDPAM_SEAL_KEY_FILE: %w", err)
	}
	if err := a.setUp(ctx); err != nil {
		return err
	}
	if _, err := a.watchClock(ctx); err != nil { // it comes again in a minute, and reads need no disk with room
		a.log.WarnContext(ctx, "the time could not be kept", "error", err)
	}
	proxies, err := a.config.Proxies()
	if err != nil {
		return err
	}
	a.observer = observe.New(a.kernel)
	metrics := httpapi.NewMetrics(a.stats, a.clock)
	a.figures = metrics.Clouds(a.observer.Looks)
	if a.clouds, err = a.openClouds(ctx, a.observer); err != nil {
		return err
	}
	if err := a.observer.Begin(ctx, a.clouds.Clouds()...); err != nil {
		return fmt.Errorf("look for a backup that was brought back: %w", err)
	}
	metrics.Waiting(a.waiting)
	a.kernel.Changed = metrics.Changed
	metrics.Estate(a.estate, restOfLooks)
	accounts := account.New(a.kernel)
	stopping := make(chan struct{})
	handler, err := httpapi.New(httpapi.Services{
		Registry: a.registry, Scopes: scope.New(a.kernel, a.registry.DropRootDrafts), Accounts: accounts, Imports: bulk.New(a.kernel, a.registry, accounts), Access: a.access, Audit: audit.New(a.kernel), Insight: insight.New(a.kernel), Ward: quarantine.New(a.kernel), Webhooks: a.webhooks, Policies: govern.New(a.kernel), Approvals: a.desk, Sealer: a.sealer,
		Observer: a.observer, Clouds: a.clouds, Adopter: a.adopter, Modules: terraform.New(a.kernel),
	}, httpapi.Options{
		Log:     a.log,
		Version: api.Version{Version: version, SchemaVersion: status.Current, Engine: api.VersionEngine(a.db.Engine())},
		Web:     web.Handler(version),
		Metrics: metrics,
		Tracer:  a.tracer,
		Ready:   a.ready,

		Stopping: stopping,

		TrustedProxies: proxies,
		URL:            a.config.URL,
	})
	if err != nil {
		return err
	}
	var secure *tls.Config
	if a.secure() {
		files, err := openCertificate(a.config.TLSCertFile, a.config.TLSKeyFile, a.log)
		if err != nil {
			return fmt.Errorf("CLOUDPAM_TLS_CERT_FILE and CLOUDPAM_TLS_KEY_FILE: %w", err)
		}
		secure = files.config()
	}
	if a.listener, err = net.Listen("tcp", a.config.Listen); err != nil {
		return fmt.Errorf("listen on %s: %w; set CLOUDPAM_LISTEN to another address", a.config.Listen, err)
	}
	a.server = &http.Server{
		TLSConfig: secure, Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	a.server.RegisterOnShutdown(sync.OnceFunc(func() { close(stopping) }))
	return nil
}

func (a *App) stats() (writes, commits uint64, waiting int) {
	s := a.db.Stats()
	return s.Writes, s.Commits, s.Waiting
}

// waiting counts the requests that wait for approval; the figure of nothing at all where the database does not answer.
func (a *App) waiting() float64 {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	n, err := a.desk.Waiting(ctx)
	if err != nil {
		return math.NaN()
	}
	return float64(n)
}

// setUp makes the first token. One that nobody chose is written next to a SQLite file, since a log line is easily lost.
func (a *App) setUp(ctx context.Context) error {
	secret, err := a.access.SetUp(ctx, a.config.BootstrapToken)
	if err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	if secret == "" || secret == a.config.BootstrapToken {
		return nil
	}
	a.FirstToken = secret
	if path, ok := strings.CutPrefix(a.config.DatabaseURL, "sqlite://"); ok {
		a.FirstTokenFile = filepath.Join(filepath.Dir(path), store.TokenFile)
		_ = os.Remove(a.FirstTokenFile) // an old one would keep its mode
		if err := os.WriteFile(a.FirstTokenFile, []byte(secret+"\n"), 0o600); err != nil {
			return fmt.Errorf("write the first token: %w", err)
		}
	}
	return nil
}

// Addr is where the server listens.
func (a *App) Addr() string { return a.listener.Addr().String() }

// secure reports whether it speaks TLS. The server's own TLSConfig does not tell: serving sets one in any case.
func (a *App) secure() bool { return a.config.TLSCertFile != "" }

// URL is how one reaches it there.
func (a *App) URL() string {
	if a.secure() {
		return "https://" + a.Addr()
	}
	return "http://" + a.Addr()
}

// ready returns why the server should get no traffic, or nil. Anybody may ask, so the answer names no place; the log does, once
// for each change and not for each question.
func (a *App) ready(r *http.Request) error {
	if a.draining.Load() {
		return errors.New("shutting down")
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	err := a.db.Ping(ctx)
	if r.Context().Err() != nil {
		return errors.New("nobody waits for the answer") // and it says nothing of the database
	}
	reason := ""
	if err != nil {
		if reason = a.db.Fault(); reason == "" {
			reason = "the database does not answer"
		}
	}
	if was, _ := a.unready.Swap(reason).(string); was != reason {
		if err == nil {
			a.log.InfoContext(ctx, "ready again")
			return nil
		}
		a.log.ErrorContext(ctx, "not ready", "error", err)
	}
	if err == nil {
		return nil
	}
	return errors.New(reason)
}

// Run serves until ctx ends, then lets requests under way finish.
func (a *App) Run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() {
		if a.secure() {
			failed <- a.server.ServeTLS(a.listener, "", "")
			return
		}
		failed <- a.server.Serve(a.listener)
	}()
	go job.Run(ctx, a.log, a.jobs()...)
	a.log.InfoContext(ctx, "listening", "address", a.Addr(), "url", a.URL(), "engine", string(a.db.Engine()))
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	a.draining.Store(true)
	a.log.InfoContext(ctx, "shutting down")
	if a.config.DrainDelay > 0 {
		time.Sleep(a.config.DrainDelay) // load balancers stop sending once /readyz fails
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return a.server.Shutdown(drain)
}

// jobs are what a server does by itself.
func (a *App) jobs() []job.Job {
	jobs := []job.Job{
		{Name: "watch the clock", Every: time.Minute, Run: a.watchClock},
		{Name: "note the use of tokens", Every: time.Minute, Run: a.access.NoteUse},
		{Name: "end sessions", Every: 10 * time.Minute, Mine: a.kernel.Lease, Run: a.access.EndSessions},
		{Name: "seal the events", Every: time.Hour, Mine: a.kernel.Lease, Run: a.sealer.Seal},
		{Name: "forget answers", Every: time.Hour, Mine: a.kernel.Lease, Run: a.kernel.ForgetAnswers},
		{Name: "end allocations", Every: 10 * time.Minute, Mine: a.kernel.Lease, Run: a.registry.EndAllocations},
		{Name: "end quarantines", Every: time.Hour, Mine: a.kernel.Lease, Run: a.registry.EndQuarantines},
		{Name: "expire approvals", Every: 10 * time.Minute, Mine: a.kernel.Lease, Run: a.desk.Expire},
		{Name: "end reservations", Every: time.Hour, Mine: a.kernel.Lease, Run: a.registry.EndReservations},
		{Name: "deliver webhooks", Every: time.Second, Run: a.webhooks.Deliver},
		{Name: "forget deliveries", Every: time.Hour, Mine: a.kernel.Lease, Run: a.webhooks.Forget},
		{Name: "forget plans", Every: time.Hour, Mine: a.kernel.Lease, Run: a.registry.ForgetPlans},
	}
	if len(a.config.Clouds) > 0 {
		jobs = append(jobs,
			job.Job{Name: "look at clouds", Every: a.config.SyncEvery, Run: a.traced("look at clouds", a.clouds.All)}, // each account under a lease of its own
			job.Job{Name: "answer drifts", Every: a.config.SyncEvery, Mine: a.kernel.Lease, Run: a.traced("answer drifts", a.answerDrifts)})
	}
	return jobs
}

// traced makes each run of a job a trace of its own.
func (a *App) traced(name string, run func(context.Context) (int64, error)) func(context.Context) (int64, error) {
	return func(ctx context.Context) (int64, error) {
		ctx, span := a.tracer.Work(ctx, name)
		n, err := run(ctx)
		span.End(err)
		return n, err
	}
}

// Close ends all connections and closes the database, after the writes under way.
func (a *App) Close() error {
	defer a.tracer.Close()
	return errors.Join(a.server.Close(), a.db.Close())
}
