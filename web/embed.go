// Package web is the browser interface of CloudPAM: plain HTML, ES modules and CSS that talk to the public REST API only.
//
// There is no build step. The pages are assembled from index.html and page/*.html when the handler is made, and every
// asset is served below a path that carries the hash of all assets, so that relative imports between modules keep
// working and a browser never mixes the files of two releases.
package web

import (
	"embed"
	"net/http"
	"os"
)

// The directory vendor holds what the browser runs but we did not write (see vendor.json). A module with a directory of
// that name builds only while it requires no other Go module, which is also a rule of this one.
//
//go:embed index.html icon.svg page css js vendor
var files embed.FS

// Handler serves the browser interface: index.html for pages, assets under content-hashed names with immutable caching,
// strict CSP and the other security headers. version is shown on the login page.
func Handler(version string) http.Handler {
	s, err := newSite(files, version)
	if err != nil {
		panic("web: the embedded files are broken, which the tests of this package exclude: " + err.Error())
	}
	return s
}

// HandlerFromDir serves the interface from a directory and reads it anew on every request, for work on the interface
// itself. Nothing is cached, and nothing outside dir can be reached.
func HandlerFromDir(dir, version string) (http.Handler, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if _, err := newSite(root.FS(), version); err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := newSite(root.FS(), version)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		s.uncached = true
		s.ServeHTTP(w, r)
	}), nil
}
