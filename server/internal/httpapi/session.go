package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/issuer"
)

// ListSessions lists a page of sessions.
func (s *Server) ListSessions(ctx context.Context, req api.ListSessionsRequestObject) (api.ListSessionsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	items, err := s.access.Sessions(ctx, caller(ctx), p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(x ipam.Session) ipam.Cursor { return ipam.Cursor{ID: string(x.ID)} })
	return api.ListSessions200JSONResponse{Items: each(items, browserSession), NextPageToken: next}, nil
}

// EndSession ends a session.
func (s *Server) EndSession(ctx context.Context, req api.EndSessionRequestObject) (api.EndSessionResponseObject, error) {
	if err := s.access.EndSession(ctx, caller(ctx), req.Session); err != nil {
		return nil, err
	}
	return api.EndSession204Response{}, nil
}

func browserSession(s ipam.Session) api.Session {
	return api.Session{
		ID: string(s.ID), Principal: string(s.Principal.UID), Actor: s.Principal.String(), Issuer: optional(s.Principal.Issuer),
		CreatedAt: s.CreatedAt, EndsAt: s.EndsAt, LastUsedAt: s.UsedAt,
	}
}

// desk signs browsers in and out: what only a browser does, beside the API.
type desk struct {
	gate *access.Gate
	log  *slog.Logger
	url  string // of the server as browsers know it; "" where nobody said
	csrf *http.CrossOriginProtection
}

func newDesk(gate *access.Gate, log *slog.Logger, url string) (*desk, error) {
	d := &desk{gate: gate, log: log, url: strings.TrimSuffix(url, "/"), csrf: http.NewCrossOriginProtection()}
	if url != "" {
		if err := d.csrf.AddTrustedOrigin(d.url); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *desk) routes(e *echo.Echo) {
	g := e.Group("/session", fromBrowser, d.sameOrigin)
	g.GET("", d.show)
	g.POST("", d.open)
	g.DELETE("", d.end)
	g.GET("/login/:issuer", d.begin)
	g.GET("/callback", d.finish)
}

// fromBrowser notes for the audit that people act here.
func fromBrowser(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Request().Context().Value(callKey{}).(*ipam.Caller).Source = ipam.SourceUI
		c.Response().Header().Set("Cache-Control", "no-store")
		return next(c)
	}
}

func (d *desk) sameOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := d.allow(c.Request()); err != nil {
			return err
		}
		return next(c)
	}
}

// allow refuses a change that another site makes a browser ask for. Browsers say from where a change comes; one that does not say is
// refused too.
func (d *desk) allow(r *http.Request) error {
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
	if safe {
		return nil
	}
	if d.csrf.Check(r) != nil || r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return ipam.Errorf(ipam.CodeForbidden, "this comes from another site, or from a browser that does not say from where; open CloudPAM itself, or send a token")
	}
	return nil
}

// secure reports whether the browser came over TLS, to this server or to what stands before it. Whoever claims it wrongly only keeps
// his own cookie from himself.
func (d *desk) secure(r *http.Request) bool {
	return r.TLS != nil || strings.HasPrefix(d.url, "https://") || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// Cookies of a browser that came over TLS have a prefix, so that no other host of the domain and nobody on the way can set them.
const (
	sessionCookie = "cloudpam"
	loginCookie   = "cloudpam-login"
)

func (d *desk) cookieName(r *http.Request, name string) string {
	if d.secure(r) {
		return "__Host-" + name
	}
	return name
}

func (d *desk) set(c echo.Context, name, value string, seconds int) {
	c.SetCookie(&http.Cookie{ //nolint:gosec // Secure where the browser came by TLS
		Name: d.cookieName(c.Request(), name), Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: d.secure(c.Request()), SameSite: http.SameSiteLaxMode,
	})
}

func (d *desk) cookie(r *http.Request, name string) string {
	found, err := r.Cookie(d.cookieName(r, name))
	if err != nil || len(found.Value) > 4096 {
		return ""
	}
	return found.Value
}

// signedIn tells whose session a browser shows.
func (d *desk) signedIn(c echo.Context) (ipam.Caller, error) {
	secret := d.cookie(c.Request(), sessionCookie)
	if secret == "" || len(secret) > 512 {
		return ipam.Caller{}, ipam.Errorf(ipam.CodeUnauthenticated, "send a token, Authorization: Bearer cpam_…, or a JWT of at most %d bytes", access.MaxSecret)
	}
	if c.Path() == streamRoute { // a page that stands open is no use of it
		return d.gate.SessionUnused(c.Request().Context(), remote(c), secret)
	}
	return d.gate.Session(c.Request().Context(), remote(c), secret)
}

// shown is what a page needs before anything else.
type shown struct {
	Me     *api.Me `json:"me"` // null: nobody is signed in
	Logins []door  `json:"logins"`
}

type door struct {
	Name  string `json:"name"`
	Label string `json:"label"`
}

// show says who is signed in, and by whom people can log in. It is no refusal that nobody is.
func (d *desk) show(c echo.Context) error {
	out := shown{Logins: []door{}}
	for _, i := range d.gate.Doors() {
		out.Logins = append(out.Logins, door{i.Name, i.Label})
	}
	if d.cookie(c.Request(), sessionCookie) != "" {
		who, err := d.signedIn(c)
		switch code := ipam.CodeOf(err); {
		case err == nil:
			m := me(who)
			out.Me = &m
		case code == ipam.CodeUnauthenticated || code == ipam.CodeForbidden:
			d.set(c, sessionCookie, "", -1)
		default:
			return err
		}
	}
	return c.JSON(http.StatusOK, out)
}

// open signs in with a token, which the browser then need not keep.
func (d *desk) open(c echo.Context) error {
	ctx := c.Request().Context()
	secret, err := bearerOf(c.Request())
	if err != nil {
		return err
	}
	who, err := d.gate.Authenticate(ctx, remote(c), secret)
	if err != nil {
		return err
	}
	s, secret, err := d.gate.OpenSession(ctx, d.by(ctx, who))
	if err != nil {
		return err
	}
	d.begun(c, s, secret)
	return c.NoContent(http.StatusNoContent)
}

// by is who acts, under this request.
func (d *desk) by(ctx context.Context, who ipam.Caller) ipam.Caller {
	by := caller(ctx)
	by.Principal, by.Rights, by.Session = who.Principal, who.Rights, who.Session
	return by
}

func (d *desk) begun(c echo.Context, s ipam.Session, secret string) {
	d.set(c, sessionCookie, secret, int(s.EndsAt.Sub(s.CreatedAt).Seconds()))
}

// end signs out. Whoever is not signed in is told the same.
func (d *desk) end(c echo.Context) error {
	ctx := c.Request().Context()
	if who, err := d.signedIn(c); err == nil {
		if err := d.gate.EndSession(ctx, d.by(ctx, who), string(who.Session)); err != nil && ipam.CodeOf(err) != ipam.CodeNotFound {
			return err
		}
	}
	d.set(c, sessionCookie, "", -1)
	return c.NoContent(http.StatusNoContent)
}

func (d *desk) callback() string { return d.url + "/session/callback" }

// begin sends a browser to an issuer.
func (d *desk) begin(c echo.Context) error {
	address, sealed, err := d.gate.BeginLogin(c.Request().Context(), c.Param("issuer"), d.callback(), destination(c.QueryParam("next")))
	if err != nil {
		return d.failed(c, err)
	}
	d.set(c, loginCookie, sealed, 600)
	return c.Redirect(http.StatusFound, address)
}

// finish signs in who comes back from an issuer. What he brings is good for once.
func (d *desk) finish(c echo.Context) error {
	ctx := c.Request().Context()
	sealed := d.cookie(c.Request(), loginCookie)
	d.set(c, loginCookie, "", -1)
	back := issuer.Return{State: c.QueryParam("state"), Code: c.QueryParam("code"), Issuer: c.QueryParam("iss"), Error: c.QueryParam("error")}
	s, secret, next, err := d.gate.FinishLogin(ctx, caller(ctx), sealed, back, d.callback())
	if err != nil {
		return d.failed(c, err)
	}
	d.begun(c, s, secret)
	return c.Redirect(http.StatusFound, destination(next))
}

// failed leads back to the login page, which says what happened in words of its own: an address says nothing that somebody else could
// have written into it.
func (d *desk) failed(c echo.Context, err error) error {
	why := map[ipam.Code]string{ipam.CodeUnauthenticated: "refused", ipam.CodeForbidden: "nobody", ipam.CodeUnavailable: "silent", ipam.CodeNotFound: "unknown"}[ipam.CodeOf(err)]
	if why == "" {
		return err
	}
	d.log.WarnContext(c.Request().Context(), "nobody is signed in", "request_id", requestID(c.Request().Context()), "reason", err.Error(), "remote", c.RealIP())
	return c.Redirect(http.StatusFound, "/login?problem="+why)
}

// destination is where a login leads: a page of this server, whatever somebody asked for.
func destination(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || !strings.HasPrefix(next, "/") || strings.ContainsFunc(next, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return "/"
	}
	clean := path.Clean(u.Path)
	if clean == "/login" || strings.HasPrefix(clean, "/session") || strings.HasPrefix(clean, "//") || strings.Contains(clean, "\\") {
		return "/"
	}
	to := url.URL{Path: clean, RawQuery: u.RawQuery}
	return to.String()
}
