// Package issuer knows the issuers that a server trusts: it reads their tokens, and the rules that say what whom they vouch for may do.
package issuer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Settings are what is known of an issuer before it is asked.
type Settings struct {
	Name       string   `json:"name"`       // for people, and in addresses: a slug
	URL        string   `json:"issuer"`     // what its tokens say as iss, to the letter
	Audience   Texts    `json:"audience"`   // of tokens that let machines in, one of which they must be for; none: no token of it is taken as a bearer
	Algorithms []string `json:"algorithms"` // of signatures; RS256 where absent
	Kind       string   `json:"kind"`       // of principals: machine, user or agent; machine where absent, and user where people log in
	NameClaim  string   `json:"name_claim"` // what a principal is called; sub where absent
	Rules      []Rule   `json:"rules"`
	Login      *Login   `json:"login"` // nil: nobody logs in with a browser
}

// Login is what it takes to send people with a browser to an issuer.
type Login struct {
	Label            string   `json:"label"` // of the button; the name of the issuer where absent
	ClientID         string   `json:"client_id"`
	ClientSecret     string   `json:"client_secret"` // none: a public client, which PKCE alone protects
	ClientSecretFile string   `json:"client_secret_file"`
	Scopes           []string `json:"scopes"` // besides openid; profile and email where absent
}

// Rule lets in whoever has some claims, and gives a role: none where Role is absent, for those to whom bindings give theirs.
type Rule struct {
	Name    string           `json:"name"`
	When    map[string]Texts `json:"when"` // all of it, by name of a claim, or by JSON pointer
	Role    ipam.Role        `json:"role"`
	Scope   string           `json:"scope"`
	Pool    string           `json:"pool"`
	Largest *int             `json:"largest_prefix_length"`
	Labels  ipam.Labels      `json:"labels"`

	when map[string][]*regexp.Regexp // of When
}

// Texts is a text or a list of them.
type Texts []string

// UnmarshalJSON takes "a" as ["a"].
func (t *Texts) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte(`"`)) {
		*t = Texts{""}
		return json.Unmarshal(text, &(*t)[0])
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// algorithms are those of signatures that need no shared secret.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

const maxIssuers, maxRules = 50, 500

// Parse reads a JSON list of issuers, fills in what is absent, and returns every mistake, each with what would be right. Client secrets
// in files are read by readFile.
func Parse(text []byte, readFile func(string) ([]byte, error)) ([]Settings, error) {
	var all []Settings
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("it is a JSON list of issuers, [{\"name\": …, \"issuer\": …}], and cannot be read: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the list of issuers; leave one list")
	}
	if len(all) > maxIssuers {
		return nil, fmt.Errorf("it has %d issuers; the most is %d", len(all), maxIssuers)
	}
	var errs []error
	names, urls := map[string]bool{}, map[string]bool{}
	for i := range all {
		s := &all[i]
		fail := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("issuer %s: %w", s.named(i), fmt.Errorf(format, args...)))
		}
		s.complete()
		if names[s.Name] {
			fail("another has the name %q; choose one for each", s.Name)
		}
		if urls[s.URL] {
			fail("another has the issuer %q; put the audiences and rules of both into one", s.URL)
		}
		names[s.Name], urls[s.URL] = true, true
		s.check(fail)
		if s.Login != nil {
			s.Login.check(fail, readFile)
		}
	}
	return all, errors.Join(errs...)
}

func (s *Settings) named(i int) string {
	if s.Name != "" {
		return fmt.Sprintf("%q", s.Name)
	}
	return fmt.Sprint(i + 1)
}

func (s *Settings) complete() {
	if len(s.Algorithms) == 0 {
		s.Algorithms = []string{"RS256"}
	}
	if s.Kind == "" {
		s.Kind = "machine"
		if s.Login != nil {
			s.Kind = "user"
		}
	}
	if s.NameClaim == "" {
		s.NameClaim = "sub"
	}
	for i := range s.Rules {
		s.Rules[i].compile()
	}
	if l := s.Login; l != nil {
		if l.Label == "" {
			l.Label = s.Name
		}
		if l.Scopes == nil {
			l.Scopes = []string{"profile", "email"}
		}
	}
}

func (s *Settings) check(fail func(string, ...any)) {
	if ipam.CheckSlug("/name", s.Name) != nil {
		fail("the name %q is none; use small letters, digits and dashes, like github", s.Name)
	}
	if err := checkURL(s.URL); err != nil {
		fail("%w", err)
	}
	if len(s.Audience) == 0 && s.Login == nil {
		fail("it has neither an audience, which tokens of machines name, nor a login for people; give one of them")
	}
	if slices.Contains(s.Audience, "") {
		fail("an audience is empty; write what its tokens have as aud, like https://cloudpam.example.com")
	}
	for _, a := range s.Algorithms {
		if !slices.Contains(algorithms, a) {
			fail("%q is not an algorithm that can be trusted; use some of %s", a, strings.Join(algorithms, ", "))
		}
	}
	if !slices.Contains([]string{"machine", "user", "agent"}, s.Kind) {
		fail("the kind %q is none; use machine, user or agent", s.Kind)
	}
	if len(s.Rules) == 0 || len(s.Rules) > maxRules {
		fail("it has %d rules; 1 to %d say whom it lets in", len(s.Rules), maxRules)
	}
	names := map[string]bool{}
	for i, r := range s.Rules {
		if ipam.CheckSlug("/name", r.Name) != nil || names[r.Name] {
			fail("rule %d has the name %q; give each a name of its own, of small letters, digits and dashes", i+1, r.Name)
		}
		names[r.Name] = true
		for _, err := range r.check(s.URL) {
			fail("rule %q: %w", r.Name, err)
		}
	}
}

func (l *Login) check(fail func(string, ...any), readFile func(string) ([]byte, error)) {
	if l.ClientID == "" {
		fail("its login has no client_id; it is what the issuer calls this server")
	}
	if l.ClientSecretFile == "" {
		return
	}
	if l.ClientSecret != "" {
		fail("its login has both a client_secret and a client_secret_file; leave one out")
		return
	}
	secret, err := readFile(l.ClientSecretFile)
	if err != nil {
		fail("client_secret_file: %w", err)
		return
	}
	l.ClientSecret = strings.TrimSpace(string(secret))
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	safe := err == nil && (u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()))
	if !safe || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("the issuer %q is no https:// address; write what its tokens have as iss, to the letter", text)
	}
	return nil
}

// loopback reports whether a host is this machine, to which no one listens on the way.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func (r Rule) check(issuer string) (errs []error) {
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(r.When) == 0 {
		fail("it says nothing under \"when\" and would let in whomever the issuer knows; name claims, or {\"sub\": \"**\"} if you mean that")
	}
	for claim, values := range r.When {
		if claim == "" || len(values) == 0 || slices.Contains(values, "") {
			fail("the claim %q has no value; write one, or a list of those that will do", claim)
		}
	}
	if r.Role == "" {
		if r.Scope != "" || r.Pool != "" || r.Largest != nil || len(r.Labels) > 0 {
			fail("it has a place, but no role; use viewer, planner, operator or admin")
		}
	} else if err := r.gives().Check(); err != nil {
		fail("%w", err)
	}
	for _, p := range public {
		if p.url == strings.TrimSuffix(issuer, "/") && !p.bound(r) {
			fail("%s vouches for anybody in the world; say under \"when\" whose it must be: %s", issuer, p.example)
		}
	}
	return errs
}

// public are issuers with which anybody can have an account: a rule must say whose tokens it means.
var public = []open{
	{"https://token.actions.githubusercontent.com", `"repository": "acme/network" or "repository_owner": "acme"`, map[string]*regexp.Regexp{
		"repository": inOwner, "repository_owner": whole, "repository_id": whole, "repository_owner_id": whole, "enterprise": whole, "enterprise_id": whole, "sub": regexp.MustCompile(`^repo:[^*/]+/`),
	}},
	{"https://gitlab.com", `"project_path": "acme/network" or "namespace_path": "acme"`, map[string]*regexp.Regexp{
		"project_path": inOwner, "namespace_path": inOwnerOrWhole, "project_id": whole, "namespace_id": whole, "sub": regexp.MustCompile(`^project_path:[^*/]+/`),
	}},
	{"https://app.terraform.io", `"terraform_organization_name": "acme"`, map[string]*regexp.Regexp{
		"terraform_organization_name": whole, "terraform_organization_id": whole, "terraform_workspace_id": whole, "sub": regexp.MustCompile(`^organization:[^*:]+:`),
	}},
	{"https://accounts.google.com", `"hd": "example.com"`, map[string]*regexp.Regexp{"hd": whole, "sub": whole, "email": regexp.MustCompile(`^[^*]+@[^*]+$`)}},
}

var (
	whole          = regexp.MustCompile(`^[^*]+$`)
	inOwner        = regexp.MustCompile(`^[^*/]+/`)
	inOwnerOrWhole = regexp.MustCompile(`^[^*/]+(/|$)`)
)

// open is an issuer that knows anybody in the world.
type open struct {
	url, example string
	owner        map[string]*regexp.Regexp // claims that say whose a token is, and the patterns that do
}

// bound reports whether a rule says whose tokens it means.
func (o open) bound(r Rule) bool {
	for claim, pattern := range o.owner {
		if values := r.When[claim]; len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool { return !pattern.MatchString(strings.TrimPrefix(v, "/")) }) {
			return true
		}
	}
	return false
}
