package httpapi

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/access"
	accounts "github.com/cloudpam/cloudpam/server/internal/account"
	"github.com/cloudpam/cloudpam/server/internal/adopt"
	"github.com/cloudpam/cloudpam/server/internal/approval"
	"github.com/cloudpam/cloudpam/server/internal/audit"
	"github.com/cloudpam/cloudpam/server/internal/bulk"
	"github.com/cloudpam/cloudpam/server/internal/govern"
	"github.com/cloudpam/cloudpam/server/internal/insight"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	observers "github.com/cloudpam/cloudpam/server/internal/observe"
	quarantines "github.com/cloudpam/cloudpam/server/internal/quarantine"
	"github.com/cloudpam/cloudpam/server/internal/reconcile"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	scopes "github.com/cloudpam/cloudpam/server/internal/scope"
	seals "github.com/cloudpam/cloudpam/server/internal/seal"
	"github.com/cloudpam/cloudpam/server/internal/terraform"
	"github.com/cloudpam/cloudpam/server/internal/trace"
	webhooks "github.com/cloudpam/cloudpam/server/internal/webhook"
)

// Options are what the server needs besides the use cases.
type Options struct {
	Log     *slog.Logger
	Version api.Version
	Web     http.Handler // the browser interface, for every path that is not the API's
	Metrics *Metrics
	Tracer  *trace.Tracer // nil: nobody collects traces
	// URL is the server as browsers know it, https://cloudpam.example.com; people log in by issuers only where it is set.
	URL string
	// TrustedProxies are the networks of the proxies that say for whom they ask.
	TrustedProxies []netip.Prefix
	// Ready says why the server should not get traffic, or nil.
	Ready func(r *http.Request) error
	// Stopping is closed when the server stops, which ends what would not end by itself; nil where nothing does.
	Stopping <-chan struct{}
}

// Services are the use cases that the server carries, by room.
type Services struct {
	Registry *registry.Registry
	Scopes   *scopes.Book
	Accounts *accounts.Book
	Access   *access.Gate
	Audit    *audit.Auditor
	Insight  *insight.Viewer
	Ward     *quarantines.Ward
	Webhooks *webhooks.Book
	Policies *govern.Book
	// Approvals keeps the requests that wait for a second person.
	Approvals *approval.Desk
	Observer  *observers.Observer
	Clouds    *reconcile.Reconciler
	Adopter   *adopt.Adopter
	Modules   *terraform.Writer
	Sealer    *seals.Sealer
	Imports   *bulk.Importer
}

// Server implements api.StrictServerInterface, one file for each noun.
type Server struct {
	registry  *registry.Registry
	scopes    *scopes.Book
	accounts  *accounts.Book
	audit     *audit.Auditor
	insight   *insight.Viewer
	ward      *quarantines.Ward
	webhooks  *webhooks.Book
	policies  *govern.Book
	approvals *approval.Desk
	access    *access.Gate
	observer  *observers.Observer
	clouds    *reconcile.Reconciler
	adopter   *adopt.Adopter
	modules   *terraform.Writer
	sealer    *seals.Sealer
	imports   *bulk.Importer
	sheets    sheets
	streams   *streams
	version   api.Version
	log       *slog.Logger
}

var _ api.StrictServerInterface = (*Server)(nil)

// New makes the handler of the whole server.
func New(services Services, o Options) (http.Handler, error) {
	validate, err := validator(o.Log, o.Metrics)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	query, err := checkQuery()
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	needs, err := rolesNeeded()
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	// echo believes X-Forwarded-For by default, so that anyone could write any address into the log.
	e.IPExtractor = addressBehind(o.TrustedProxies)
	e.HTTPErrorHandler = problems(o.Log, o.Metrics)
	e.Use(identify, observe(o.Log, o.Metrics), middleware.RecoverWithConfig(middleware.RecoverConfig{DisableErrorHandler: true, LogErrorFunc: logPanic(o.Log)}))

	s := &Server{registry: services.Registry, scopes: services.Scopes, accounts: services.Accounts, audit: services.Audit, insight: services.Insight, ward: services.Ward, access: services.Access, webhooks: services.Webhooks, policies: services.Policies, approvals: services.Approvals, sealer: services.Sealer, observer: services.Observer, clouds: services.Clouds, adopter: services.Adopter, modules: services.Modules, imports: services.Imports, streams: &streams{stopping: o.Stopping, open: map[ipam.UID]int{}}, version: o.Version, log: o.Log}
	if s.sheets, err = readSheets(); err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	d, err := newDesk(services.Access, o.Log, o.URL)
	if err != nil {
		return nil, err
	}
	v1 := e.Group("/api/v1", explain, authenticate(services.Access, d, needs, o.Log), tryable, readBody, query, validate)
	api.RegisterHandlers(v1, api.NewStrictHandler(s, []api.StrictMiddlewareFunc{asCSV(o.Log)}))
	v1.Any("/*", func(echo.Context) error { return echo.ErrNotFound }) // so that the validator says what is wrong

	d.routes(e)
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", func(c echo.Context) error {
		if err := o.Ready(c.Request()); err != nil {
			return c.String(http.StatusServiceUnavailable, err.Error()+"\n")
		}
		return c.String(http.StatusOK, "ready\n")
	})
	o.Metrics.describe(o.Version, o.Ready)
	o.Metrics.streaming(s.streams.count)
	e.GET("/metrics", echo.WrapHandler(o.Metrics.Handler()))
	e.GET("/openapi.yaml", serveContract)
	if err := serveReference(e); err != nil {
		return nil, err
	}
	if o.Web != nil {
		// Checks of uptime and of links ask with HEAD.
		e.Match([]string{http.MethodGet, http.MethodHead}, "/*", echo.WrapHandler(o.Web))
	}
	return o.Tracer.Handler(e, traced), nil
}

// traced reports whether a request is worth a trace: one of the API, and no stream, which would be one for as long as it stands open.
func traced(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") && r.URL.Path != streamRoute
}

// addressBehind finds out the address of a caller: that of the connection, or what the proxies that are trusted say in X-Forwarded-For.
func addressBehind(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range trusted {
		options = append(options, echo.TrustIPRange(&net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

func logPanic(log *slog.Logger) middleware.LogErrorFunc {
	return func(c echo.Context, err error, stack []byte) error {
		log.ErrorContext(c.Request().Context(), "panicked", "error", err, "stack", string(stack), "request_id", requestID(c.Request().Context()))
		return err
	}
}
