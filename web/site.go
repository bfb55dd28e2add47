package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// contentSecurityPolicy allows what we ship and nothing else: no inline script or style, no eval, no foreign origin, and
// no string may reach a sink such as innerHTML.
const contentSecurityPolicy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; object-src 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// contentTypes names the only kinds of file that are served. It does not ask the operating system, whose table differs
// between machines and would break module scripts under nosniff.
var contentTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
}

// pages are the addresses a person can open, bookmark and reload, with their titles.
var pages = map[string]string{
	"login":        "Sign in",
	"dashboard":    "Dashboard",
	"analytics":    "Analytics",
	"pools":        "Pools",
	"pool-list":    "Pool list",
	"allocations":  "Allocations",
	"reservations": "Reservations",
	"holds":        "Holds",
	"sets":         "Allocation sets",
	"quarantine":   "Quarantine",
	"accounts":     "Accounts",
	"networks":     "Networks",
	"drift":        "Drift",
	"policies":     "Policies",
	"compare":      "Compare two dates",
	"approvals":    "Approvals",
	"imports":      "Imports",
	"audit":        "Audit log",
	"tokens":       "Tokens",
	"bindings":     "Role bindings",
	"webhooks":     "Webhooks",
	"find":         "Find space",
	"missing":      "Not found",
}

// site holds the finished pages and assets. It never changes after newSite.
type site struct {
	pages    map[string]file
	assets   map[string]file
	prefix   string // of every asset: /assets/<hash>/
	uncached bool
}

func newSite(files fs.FS, version string) (*site, error) {
	s := &site{pages: map[string]file{}, assets: map[string]file{}}
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isAsset(name) {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(content))
		sum.Write(content)
		s.assets[name] = newFile(content, contentTypes[path.Ext(name)])
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.prefix = "/assets/" + hex.EncodeToString(sum.Sum(nil))[:16] + "/"

	shell, err := template.New("").Funcs(template.FuncMap{"dict": dict}).ParseFS(files, "index.html", "page/*.html")
	if err != nil {
		return nil, err
	}
	for page, title := range pages {
		var html bytes.Buffer
		err := shell.ExecuteTemplate(&html, "index.html", map[string]any{
			"Page": page, "Title": title, "Assets": strings.TrimSuffix(s.prefix, "/"), "Version": version, "Chooses": page == "approvals" || page == "drift",
		})
		if err != nil {
			return nil, err
		}
		s.pages[page] = newFile(html.Bytes(), "text/html; charset=utf-8")
	}
	return s, nil
}

// dict hands several values to a template: its arguments are names, each followed by its value.
func dict(pairs ...string) map[string]string {
	values := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return values
}

// isAsset reports whether a file of the directory is for the browser. HandlerFromDir sees the Go sources too.
func isAsset(name string) bool {
	if contentTypes[path.Ext(name)] == "" {
		return false
	}
	dir, _, _ := strings.Cut(name, "/")
	return dir == "css" || dir == "js" || dir == "vendor" || name == "icon.svg"
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header(), r)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	switch name := strings.TrimPrefix(r.URL.Path, "/"); {
	case name == "":
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/dashboard", http.StatusFound)
	case strings.HasPrefix(name, "assets/"):
		s.serveAsset(w, r)
	case name != "missing" && pages[name] != "":
		w.Header().Set("Cache-Control", s.cacheControl("no-cache"))
		s.pages[name].serve(w, r, http.StatusOK)
	default:
		w.Header().Set("Cache-Control", "no-store")
		s.pages["missing"].serve(w, r, http.StatusNotFound)
	}
}

// serveAsset answers only below the current hash: another hash belongs to another release, whose page is asked for anew
// by every browser, so a wrong file under a name that says immutable would be the worse answer.
func (s *site) serveAsset(w http.ResponseWriter, r *http.Request) {
	name, current := strings.CutPrefix(r.URL.Path, s.prefix)
	asset, known := s.assets[name]
	if !current || !known {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "no such asset in this release", http.StatusNotFound)
		return
	}
	w.Header().Set("Cache-Control", s.cacheControl("public, max-age=31536000, immutable"))
	asset.serve(w, r, http.StatusOK)
}

func (s *site) cacheControl(policy string) string {
	if s.uncached {
		return "no-store"
	}
	return policy
}

func setSecurityHeaders(h http.Header, r *http.Request) {
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// file is what one address answers, with its compressed twin where that is smaller.
type file struct {
	content     []byte
	zipped      func() []byte // Nil where compressing gains little. Computed when first asked for, not at start-up.
	contentType string
	etag        string
}

func newFile(content []byte, contentType string) file {
	sum := sha256.Sum256(content)
	f := file{content: content, contentType: contentType, etag: hex.EncodeToString(sum[:])[:16]}
	if contentType != contentTypes[".woff2"] {
		f.zipped = sync.OnceValue(func() []byte { return compress(content) })
	}
	return f
}

func (f file) serve(w http.ResponseWriter, r *http.Request, status int) {
	w.Header().Set("Content-Type", f.contentType)
	content, etag := f.content, f.etag
	if f.zipped != nil {
		w.Header().Add("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			w.Header().Set("Content-Encoding", "gzip")
			content, etag = f.zipped(), f.etag+"-gz"
		}
	}
	if status != http.StatusOK {
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			w.Write(content) //nolint:errcheck // The reader went away; nothing is left to tell it.
		}
		return
	}
	w.Header().Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}
