package issuer

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Door is an issuer where people log in.
type Door struct{ Name, Label string }

// Doors are the issuers where people log in, as the settings list them.
func (t *Trust) Doors() (all []Door) {
	for _, i := range t.issuers {
		if i.Login != nil {
			all = append(all, Door{i.Name, i.Login.Label})
		}
	}
	return all
}

// Flow is a login that somebody has begun. His browser keeps it, and must not be able to read or change it.
type Flow struct {
	Issuer, State, Nonce, Verifier string
	Until                          time.Time
}

// flowTime is how long somebody may take at the issuer.
const flowTime = 10 * time.Minute

func (t *Trust) door(name string) (*issuer, error) {
	for _, i := range t.issuers {
		if i.Name == name && i.Login != nil {
			return i, nil
		}
	}
	return nil, ipam.NoSuch("login", name)
}

func (i *issuer) config(d *document, redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: i.Login.ClientID, ClientSecret: i.Login.ClientSecret, Endpoint: d.endpoint, RedirectURL: redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, i.Login.Scopes...),
	}
}

// Begin answers where to send a browser that logs in, to come back to an address of ours. Errors: CodeNotFound, CodeUnavailable.
func (t *Trust) Begin(ctx context.Context, name, redirect string) (address string, f Flow, err error) {
	i, err := t.door(name)
	if err != nil {
		return "", f, err
	}
	d, err := i.source.document(ctx, func(*document) bool { return true })
	if err != nil {
		return "", f, i.silent(err)
	}
	f = Flow{Issuer: i.Name, State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Until: t.now().Add(flowTime)}
	return i.config(d, redirect).AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), f, nil
}

// Return is what a browser brings back from an issuer.
type Return struct{ State, Code, Issuer, Error string }

// Finish ends a login. Errors: CodeUnauthenticated where what came back is not of this login or of this issuer, CodeForbidden where no
// rule is about who it is, CodeUnavailable.
func (t *Trust) Finish(ctx context.Context, f Flow, back Return, redirect string) (Identity, error) {
	i, err := t.door(f.Issuer)
	switch {
	case err != nil:
		return Identity{}, err
	case !t.now().Before(f.Until):
		return Identity{}, refuseLogin("it took longer than %s", flowTime)
	case back.State == "" || subtle.ConstantTimeCompare([]byte(back.State), []byte(f.State)) != 1:
		return Identity{}, refuseLogin("what came back is not of the login that this browser began")
	case back.Issuer != "" && back.Issuer != i.URL:
		return Identity{}, refuseLogin("another issuer than %s answered", i.Name)
	case back.Error != "":
		return Identity{}, refuseLogin("%s refused it", i.Name)
	case back.Code == "":
		return Identity{}, refuseLogin("%s sent no code", i.Name)
	}
	d, err := i.source.document(ctx, func(*document) bool { return true })
	if err != nil {
		return Identity{}, i.silent(err)
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, i.source.client), 2*askTimeout)
	defer cancel()
	got, err := i.config(d, redirect).Exchange(ctx, back.Code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		if _, refused := errors.AsType[*oauth2.RetrieveError](err); refused { // it says why, with the code, which is nobody's business
			return Identity{}, refuseLogin("%s does not take its code back; see client_id and client_secret, or log in again", i.Name)
		}
		return Identity{}, i.silent(err)
	}
	raw, _ := got.Extra("id_token").(string)
	token, err := read(raw)
	if err != nil {
		return Identity{}, refuseLogin("the ID token of %s is not accepted: %v", i.Name, err)
	}
	if token.claims.text("iss") != i.URL {
		return Identity{}, refuseLogin("the ID token is not of %s", i.Name)
	}
	claims, err := i.verify(ctx, raw, token, []string{i.Login.ClientID}, t.now())
	if err != nil {
		return Identity{}, err
	}
	if subtle.ConstantTimeCompare([]byte(claims.text("nonce")), []byte(f.Nonce)) != 1 {
		return Identity{}, refuseLogin("the ID token of %s is of another login", i.Name)
	}
	if azp := claims.text("azp"); azp != "" && azp != i.Login.ClientID {
		return Identity{}, refuseLogin("the ID token of %s is for another client", i.Name)
	}
	return i.identity(claims)
}

func (i *issuer) silent(err error) error {
	silent := ipam.Errorf(ipam.CodeUnavailable, "%s does not answer, so nobody can log in by it now: try again, or sign in with a token", i.Name)
	silent.Cause = err
	return silent
}

func refuseLogin(format string, args ...any) error {
	return ipam.Errorf(ipam.CodeUnauthenticated, "the login is not accepted: %s", fmt.Sprintf(format, args...))
}
