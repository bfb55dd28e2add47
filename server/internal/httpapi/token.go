package httpapi

import (
	"context"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// GetMe says who asks, and what he may do.
func (s *Server) GetMe(ctx context.Context, _ api.GetMeRequestObject) (api.GetMeResponseObject, error) {
	return api.GetMe200JSONResponse(me(caller(ctx))), nil
}

func me(who ipam.Caller) api.Me {
	me := api.Me{
		Principal: string(who.UID), Kind: who.Kind, Name: who.Name, Actor: who.String(), Issuer: optional(who.Issuer), Subject: optional(who.Subject),
		Session: optional(string(who.Session)), Bindings: []api.Binding{}, Rules: []api.RuleGrant{},
	}
	for _, b := range who.Bindings {
		if b.Rule == "" {
			me.Bindings = append(me.Bindings, binding(b))
			continue
		}
		kept := binding(b)
		me.Rules = append(me.Rules, api.RuleGrant{Rule: b.Rule, Role: kept.Role, Scope: kept.Scope, Pool: kept.Pool, LargestPrefixLength: kept.LargestPrefixLength, Labels: &kept.Labels})
	}
	return me
}

// ListTokens lists a page of tokens.
func (s *Server) ListTokens(ctx context.Context, req api.ListTokensRequestObject) (api.ListTokensResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	items, err := s.access.Tokens(ctx, caller(ctx).Reaches(), req.Params.Living, p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(t access.Token) ipam.Cursor { return ipam.Cursor{ID: t.ID} })
	return api.ListTokens200JSONResponse{Items: each(items, token), NextPageToken: next}, nil
}

// CreateToken makes a token.
func (s *Server) CreateToken(ctx context.Context, req api.CreateTokenRequestObject) (api.CreateTokenResponseObject, error) {
	in := ipam.NewToken{Name: req.Body.Name, ExpiresAt: req.Body.ExpiresAt}
	for _, b := range req.Body.Bindings {
		in.Bindings = append(in.Bindings, ipam.NewBinding{
			Role: ipam.Role(b.Role), Scope: value(b.Scope), Pool: value(b.Pool), Largest: b.LargestPrefixLength, Labels: ipam.Labels(value(b.Labels)),
		})
	}
	made, secret, err := s.access.CreateToken(ctx, caller(ctx), in)
	if err != nil {
		return nil, err
	}
	return api.CreateToken201JSONResponse{Token: token(made), Secret: optional(secret)}, nil
}

// RevokeToken ends a token.
func (s *Server) RevokeToken(ctx context.Context, req api.RevokeTokenRequestObject) (api.RevokeTokenResponseObject, error) {
	if err := s.access.RevokeToken(ctx, caller(ctx), req.Token); err != nil {
		return nil, err
	}
	return api.RevokeToken204Response{}, nil
}

func token(t access.Token) api.Token {
	return api.Token{
		ID: t.ID, Principal: string(t.Principal().UID), Name: t.Name, Bindings: each(t.Bindings, binding), CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt,
		RevokedAt: t.RevokedAt, LastUsedAt: t.UsedAt,
	}
}
