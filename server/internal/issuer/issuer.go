package issuer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Trust is the issuers that are trusted. It is safe for concurrent use.
type Trust struct {
	now     func() time.Time
	issuers []*issuer
}

type issuer struct {
	Settings
	source     *source
	algorithms []jose.SignatureAlgorithm
}

// New trusts issuers, by a clock. It asks none of them: each is asked when the first token of it comes.
func New(all []Settings, now func() time.Time) *Trust {
	t := &Trust{now: now}
	client := &http.Client{Transport: bounded{http.DefaultTransport}, Timeout: askTimeout}
	for _, s := range all {
		i := &issuer{Settings: s, source: &source{url: s.URL, client: client, now: now}}
		for _, a := range s.Algorithms {
			i.algorithms = append(i.algorithms, jose.SignatureAlgorithm(a))
		}
		t.issuers = append(t.issuers, i)
	}
	return t
}

// Identity is whom an issuer vouches for, and what its rules give.
type Identity struct {
	Issuer, Subject string // which are one principal for ever
	Kind, Name      string
	By              string // what the issuer is called
	Ends            time.Time
	Claims          Claims // those that rules look at
	Gives           []Give
}

// leeway is how far the clocks of an issuer and of the server may differ.
const leeway = time.Minute

// Looks reports whether a bearer token looks like a JWT, and not like a token of ours.
func Looks(secret string) bool {
	return !strings.HasPrefix(secret, "cpam") && strings.Count(secret, ".") >= 2
}

// Verify reads a bearer token. Errors: CodeUnauthenticated; CodeForbidden where it is genuine and no rule is about it; CodeUnavailable
// where the issuer does not answer.
func (t *Trust) Verify(ctx context.Context, raw string) (Identity, error) {
	read, err := read(raw)
	if err != nil {
		return Identity{}, refuse(err)
	}
	i := t.byURL(read.claims.text("iss"))
	if i == nil || len(i.Audience) == 0 {
		return Identity{}, refuse(errors.New("no issuer of this name is trusted here; see CLOUDPAM_ISSUERS"))
	}
	claims, err := i.verify(ctx, raw, read, i.Audience, t.now())
	if err != nil {
		return Identity{}, err
	}
	return i.identity(claims)
}

func refuse(err error) error {
	return ipam.Errorf(ipam.CodeUnauthenticated, "the JWT is not accepted: %v", err)
}

func (t *Trust) byURL(url string) *issuer {
	at := slices.IndexFunc(t.issuers, func(i *issuer) bool { return i.URL == url })
	if at < 0 {
		return nil
	}
	return t.issuers[at]
}

// Known is the address of an issuer by its name or its address, and the kind of principals that it vouches for. Errors: CodeNotFound.
func (t *Trust) Known(issuer string) (url, kind string, err error) {
	names := make([]string, len(t.issuers))
	for n, i := range t.issuers {
		if names[n] = i.Name; i.Name == issuer || i.URL == issuer {
			return i.URL, i.Kind, nil
		}
	}
	return "", "", ipam.Errorf(ipam.CodeNotFound, "no issuer %q is trusted here; CLOUDPAM_ISSUERS has %s", issuer, cmp.Or(strings.Join(names, ", "), "none"))
}

// NameOf is what a subject is called of whom no more is known.
func NameOf(subject string) string { return name("", subject) }

// verify answers the claims of a token for one of some audiences, which the issuer has signed.
func (i *issuer) verify(ctx context.Context, raw string, t token, audience []string, now time.Time) (Claims, error) {
	if !slices.Contains(i.Algorithms, t.alg) {
		return nil, refuse(fmt.Errorf("its algorithm is not one of %s, which are pinned for %s", strings.Join(i.Algorithms, ", "), i.Name))
	}
	if err := t.claims.current(audience, now); err != nil {
		return nil, refuse(err)
	}
	known, err := i.source.document(ctx, func(d *document) bool { return len(d.fits(t.alg, t.kid)) > 0 })
	if err != nil {
		if errors.Is(err, errSilent) {
			silent := ipam.Errorf(ipam.CodeUnavailable, "the issuer %s does not answer, so its tokens cannot be checked: try again, or use a token of this server", i.Name)
			silent.Cause = err
			return nil, silent
		}
		return nil, err
	}
	keys := known.fits(t.alg, t.kid)
	if len(keys) == 0 {
		return nil, refuse(fmt.Errorf("%s has no key of its kid; it was asked within the last %s", i.Name, keysFresh))
	}
	verifier := oidc.NewVerifier(i.URL, ring{keys, i.algorithms}, &oidc.Config{SkipClientIDCheck: true, SupportedSigningAlgs: i.Algorithms, Now: func() time.Time { return now }})
	if _, err := verifier.Verify(ctx, raw); err != nil {
		return nil, refuse(fmt.Errorf("it is not what a key of %s has signed", i.Name))
	}
	return t.claims, nil
}

// current refuses claims that are for others, or not of now.
func (c Claims) current(audience []string, now time.Time) error {
	if sub := c.text("sub"); sub == "" || len(sub) > 255 || !utf8.ValidString(sub) {
		return errors.New("it has no sub, or one of more than 255 bytes")
	}
	if !slices.ContainsFunc(c.audience(), func(a string) bool { return slices.Contains(audience, a) }) {
		return fmt.Errorf("it is for another audience; ask the issuer for one for %s", strings.Join(audience, " or "))
	}
	ends, there, err := c.moment("exp")
	switch {
	case err != nil:
		return err
	case !there:
		return errors.New("it has no exp, so it would never end")
	case !now.Before(ends):
		return fmt.Errorf("it expired at %s; it is %s now", ends.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	for _, name := range []string{"nbf", "iat"} {
		begins, _, err := c.moment(name)
		if err != nil {
			return err
		}
		if now.Add(leeway).Before(begins) {
			return fmt.Errorf("by its %s it is of %s; it is %s now", name, begins.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// identity applies the rules to claims. Errors: CodeForbidden where none is about them.
func (i *issuer) identity(claims Claims) (Identity, error) {
	ends, _, err := claims.moment("exp")
	if err != nil {
		return Identity{}, refuse(err)
	}
	id := Identity{Issuer: i.URL, Subject: claims.text("sub"), Kind: i.Kind, By: i.Name, Ends: ends, Claims: claims.only(i.Rules)}
	id.Name = name(claims.text(i.NameClaim), id.Subject)
	id.Gives, err = i.gives(claims, id.Subject)
	return id, err
}

func (i *issuer) gives(claims Claims, subject string) (all []Give, err error) {
	matched := false
	for _, r := range i.Rules {
		if !r.matches(claims) {
			continue
		}
		matched = true
		if r.Role != "" {
			all = append(all, Give{Rule: r.Name, NewBinding: r.gives()})
		}
	}
	if !matched {
		names := make([]string, len(i.Rules))
		for n, r := range i.Rules {
			names[n] = r.Name
		}
		return nil, ipam.Errorf(ipam.CodeForbidden, "%s vouches for %q, but none of its rules here is about that: %s; ask an admin to compare their \"when\" with the claims of the token",
			i.Name, subject, strings.Join(names, ", "))
	}
	return all, nil
}

// Gives are what the rules of an issuer give to who had some claims when he logged in. Errors: CodeUnauthenticated where the issuer is
// trusted no more, CodeForbidden where no rule is about him any more.
func (t *Trust) Gives(issuer, subject string, claims Claims) (by string, all []Give, err error) {
	i := t.byURL(issuer)
	if i == nil || i.Login == nil {
		return "", nil, ipam.Errorf(ipam.CodeUnauthenticated, "the issuer of this session is not trusted any more; log in again")
	}
	all, err = i.gives(claims, subject)
	return i.Name, all, err
}

// name is what a principal is called: at most 200 letters, on one line.
func name(wish, subject string) string {
	if wish == "" {
		wish = subject
	}
	wish = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return '_'
		}
		return r
	}, wish)
	if letters := []rune(wish); len(letters) > 200 {
		wish = string(letters[:200])
	}
	return wish
}
