package web_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The markup of this package is written by hand and regular: every attribute value stands in double quotes. That is why
// expressions are enough to read it, and why a page that breaks the rule fails here.
var (
	templateAction = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	tag            = regexp.MustCompile(`<([a-zA-Z][\w-]*)((?:[^"<>]|"[^"]*")*)>`)
	attribute      = regexp.MustCompile(`([@:\w][\w:.@-]*)="([^"]*)"`)
	svgBlock       = regexp.MustCompile(`(?s)<svg.*?</svg>`)
	textLiteral    = regexp.MustCompile(`'(?:[^'\\]|\\.)*'`)
	word           = regexp.MustCompile(`[.\w$]+`)
)

// refused are the tokens that the CSP build of Alpine cannot parse, or refuses to evaluate.
var refused = []string{"?.", "??", "=>", "`", "...", "+=", "-=", "*=", "/=", "**", "<<", ">>", "&&=", "||="}

// refusedWords are statements and globals: the build evaluates one expression over the component's own data.
var refusedWords = []string{
	"typeof", "new", "delete", "void", "in", "instanceof", "function", "return", "if", "for", "let", "const", "var", "await", "async",
	"window", "document", "location", "localStorage", "sessionStorage", "navigator", "console", "history", "fetch", "alert",
	"Math", "Object", "Array", "JSON", "Date", "Number", "String", "Boolean", "parseInt", "encodeURIComponent", "setTimeout",
}

// faults reads one page and returns what would not run under our policy or in the CSP build of Alpine.
func faults(html string) []string {
	html = templateAction.ReplaceAllString(html, "")
	var found []string
	for _, svg := range svgBlock.FindAllString(html, -1) {
		if strings.Contains(svg, "<template") {
			found = append(found, "a template inside <svg> renders nothing: draw it in a method called by x-effect")
		}
	}
	for _, t := range tag.FindAllStringSubmatch(html, -1) {
		name, attributes := strings.ToLower(t[1]), t[2]
		if name == "style" || name == "script" && !strings.Contains(attributes, "src=") {
			found = append(found, "<"+name+"> inline is blocked by the policy")
		}
		for _, a := range attribute.FindAllStringSubmatch(attributes, -1) {
			found = append(found, faultsOf(a[1], a[2])...)
		}
		if rest := attribute.ReplaceAllString(attributes, ""); strings.Contains(rest, "=") {
			found = append(found, fmt.Sprintf("<%s>: an attribute without double quotes: %q", name, strings.TrimSpace(rest)))
		}
	}
	return found
}

func faultsOf(name, value string) []string {
	switch {
	case name == "x-html":
		return []string{"x-html writes markup"}
	case name == "style" || strings.HasPrefix(name, "on"):
		return []string{name + " inline is blocked by the policy"}
	case strings.Contains(value, "://"):
		return []string{name + " names a foreign origin: " + value}
	case !strings.HasPrefix(name, "x-") && !strings.HasPrefix(name, "@") && !strings.HasPrefix(name, ":"):
		return nil
	case name == "x-for":
		_, list, ok := strings.Cut(value, " in ")
		if !ok {
			return []string{"x-for without in: " + value}
		}
		value = list
	case name == "x-data" || name == "x-ref" || strings.HasPrefix(name, "x-transition"):
		return nil
	}
	var found []string
	code := textLiteral.ReplaceAllString(value, "''")
	for _, token := range refused {
		if strings.Contains(code, token) {
			found = append(found, fmt.Sprintf("%s uses %s: %s", name, token, value))
		}
	}
	for _, w := range word.FindAllString(code, -1) {
		if first, _, _ := strings.Cut(w, "."); slices.Contains(refusedWords, first) {
			found = append(found, fmt.Sprintf("%s uses %s: %s", name, first, value))
		}
	}
	if before, after, several := strings.Cut(code, ";"); several && strings.TrimSpace(before) != "" && strings.TrimSpace(after) != "" {
		found = append(found, name+" holds more than one statement: "+value)
	}
	return found
}

func TestMarkup(t *testing.T) {
	t.Run("pages hold only what the CSP build evaluates and the policy allows", func(t *testing.T) {
		pages, err := filepath.Glob("page/*.html")
		if err != nil || len(pages) == 0 {
			t.Fatalf("no pages found (%v)", err)
		}
		for _, page := range append(pages, "index.html") {
			for _, fault := range faults(read(t, page)) {
				t.Errorf("%s: %s", page, fault)
			}
		}
	})

	t.Run("the reader finds what it is for", func(t *testing.T) {
		for _, bad := range []string{
			`<p x-text="a?.b"></p>`, `<p x-text="a ?? b"></p>`, `<p @click="() => go()"></p>`, "<p :title=\"`a`\"></p>", `<p x-html="a"></p>`,
			`<p x-text="typeof a"></p>`, `<p x-text="Math.max(1, 2)"></p>`, `<p @click="a = 1; b = 2"></p>`, `<p @click="n += 1"></p>`,
			`<p :class="[...a]"></p>`, `<p onclick="go()"></p>`, `<p style="color: red"></p>`, `<style>p{}</style>`, `<script>go()</script>`,
			`<svg><template x-for="a in b"></template></svg>`, `<template x-for="a in Object.keys(b)"></template>`, `<img src="https://example.org/x">`,
			`<p x-text='a'></p>`,
		} {
			if len(faults(bad)) == 0 {
				t.Errorf("not found: %s", bad)
			}
		}
		for _, good := range []string{
			`<p x-text="a ? 'x?.y' : b.c(1, 'd;e')" :class="{on: a && !b}"></p>`, `<p @click="n++"></p>`, `<script src="/x.js"></script>`, `<svg x-effect="bar($el, row.node)"></svg>`,
		} {
			if found := faults(good); len(found) > 0 {
				t.Errorf("%s: %v", good, found)
			}
		}
	})

	t.Run("scripts import only files that exist and never write markup", func(t *testing.T) {
		scripts, err := filepath.Glob("js/*.js")
		if err != nil || len(scripts) == 0 {
			t.Fatalf("no scripts found (%v)", err)
		}
		imports := regexp.MustCompile(`(?m)^(?:import|export) .*?'([^']+)';$`)
		sinks := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\bfetch\(`)
		for _, script := range scripts {
			code := read(t, script)
			if n := strings.Count(code, "\n"); n >= 200 {
				t.Errorf("%s has %d lines: split it by what it is about", script, n)
			}
			for _, found := range imports.FindAllStringSubmatch(code, -1) {
				if _, err := os.Stat(path.Join("js", found[1])); err != nil {
					t.Errorf("%s: %v", script, err)
				}
			}
			for _, sink := range sinks.FindAllString(code, -1) {
				if sink != "fetch(" || script != "js/api.js" {
					t.Errorf("%s uses %s", script, sink)
				}
			}
		}
	})
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
