package access

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/issuer"
)

// login is what a browser keeps while its user is at an issuer: sealed, so that any replica can read it, and nobody else.
type login struct {
	issuer.Flow
	Next string
}

// Doors are the issuers where people log in.
func (g *Gate) Doors() []issuer.Door { return g.trust.Doors() }

// BeginLogin answers where to send a browser that logs in, and what it must bring back. Errors: CodeNotFound, CodeUnavailable.
func (g *Gate) BeginLogin(ctx context.Context, door, redirect, next string) (address, sealed string, err error) {
	address, flow, err := g.trust.Begin(ctx, door, redirect)
	if err != nil {
		return "", "", err
	}
	text, err := json.Marshal(login{flow, next})
	if err != nil {
		return "", "", err
	}
	seal, err := g.sealer(ctx)
	if err != nil {
		return "", "", err
	}
	return address, base64.RawURLEncoding.EncodeToString(seal.Seal(nil, nil, text, nil)), nil //nolint:gosec // it makes its own nonce
}

// FinishLogin signs in who comes back from an issuer, and answers where he wanted to go. Errors: CodeUnauthenticated, CodeForbidden,
// CodeUnavailable.
func (g *Gate) FinishLogin(ctx context.Context, by ipam.Caller, sealed string, back issuer.Return, redirect string) (s ipam.Session, secret, next string, err error) {
	begun := ipam.Errorf(ipam.CodeUnauthenticated, "the login is not accepted: this browser has begun none, or long ago; sign in again")
	box, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || sealed == "" {
		return s, "", "", begun
	}
	seal, err := g.sealer(ctx)
	if err != nil {
		return s, "", "", err
	}
	text, err := seal.Open(nil, nil, box, nil)
	if err != nil {
		return s, "", "", begun
	}
	var l login
	if err := json.Unmarshal(text, &l); err != nil {
		return s, "", "", begun
	}
	id, err := g.trust.Finish(ctx, l.Flow, back, redirect)
	if err != nil {
		return s, "", "", err
	}
	s, secret, err = g.SignIn(ctx, by, id)
	return s, secret, l.Next, err
}

// sealer seals what browsers keep, by a key that all replicas have.
func (g *Gate) sealer(ctx context.Context) (cipher.AEAD, error) {
	key, err := change.Glance(ctx, g.k, g.keyOfTokens)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("login of a browser"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
