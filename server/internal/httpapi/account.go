package httpapi

import (
	"context"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListAccounts lists a page of accounts.
func (s *Server) ListAccounts(ctx context.Context, req api.ListAccountsRequestObject) (api.ListAccountsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	f := ipam.AccountFilter{
		Scope: value(req.Params.Scope), Cloud: ipam.Cloud(value(req.Params.Cloud)), Platform: value(req.Params.Platform), Tier: string(value(req.Params.Tier)), Owner: value(req.Params.Owner),
		Region: value(req.Params.Region), Environment: value(req.Params.Environment), Text: value(req.Params.Q),
	}
	if f.Labels, err = labelFilter(req.Params.Label); err != nil {
		return nil, err
	}
	items, err := s.accounts.Accounts(ctx, caller(ctx).Sees(), f, p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(a ipam.Account) ipam.Cursor { return ipam.Cursor{ID: string(a.UID)} })
	return api.ListAccounts200JSONResponse{Items: each(items, account), NextPageToken: next}, nil
}

// CreateAccount registers an account.
func (s *Server) CreateAccount(ctx context.Context, req api.CreateAccountRequestObject) (api.CreateAccountResponseObject, error) {
	created, err := s.accounts.CreateAccount(ctx, caller(ctx), newAccount(*req.Body))
	if err != nil {
		return nil, err
	}
	return api.CreateAccount201JSONResponse{Body: account(created), Headers: api.CreateAccount201ResponseHeaders{ETag: etag(created.ETag())}}, nil
}

func newAccount(b api.NewAccount) ipam.Account {
	return ipam.Account{
		Scope: value(b.Scope), Cloud: ipam.Cloud(b.Cloud), ExternalID: b.ExternalID, Name: b.Name, Description: value(b.Description), Owner: value(b.Owner),
		Platform: value(b.Platform), Tier: string(value(b.Tier)), Environment: value(b.Environment), Regions: value(b.Regions), Labels: ipam.Labels(value(b.Labels)),
		Mode: string(value(b.Mode)), RoleARN: value(b.RoleArn), WorkloadIdentity: value(b.WorkloadIdentity),
	}
}

// GetAccount reads an account.
func (s *Server) GetAccount(ctx context.Context, req api.GetAccountRequestObject) (api.GetAccountResponseObject, error) {
	found, err := s.accounts.Account(ctx, caller(ctx).Sees(), req.Account)
	if err != nil {
		return nil, err
	}
	return api.GetAccount200JSONResponse{Body: account(found), Headers: api.GetAccount200ResponseHeaders{ETag: etag(found.ETag())}}, nil
}

// UpdateAccount changes what is known of an account.
func (s *Server) UpdateAccount(ctx context.Context, req api.UpdateAccountRequestObject) (api.UpdateAccountResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	changed, err := s.accounts.UpdateAccount(ctx, caller(ctx), req.Account, version, accountPatch(*req.Body))
	if err != nil {
		return nil, err
	}
	return api.UpdateAccount200JSONResponse{Body: account(changed), Headers: api.UpdateAccount200ResponseHeaders{ETag: etag(changed.ETag())}}, nil
}

func accountPatch(b api.AccountPatch) ipam.AccountPatch {
	patch := ipam.AccountPatch{
		Scope: b.Scope, Name: b.Name, Description: b.Description, Owner: b.Owner, Platform: b.Platform, Environment: b.Environment,
		Mode: (*string)(b.Mode), RoleARN: b.RoleArn, WorkloadIdentity: b.WorkloadIdentity, Regions: b.Regions, Labels: labelsPatch(b.Labels),
	}
	if b.Tier.IsSpecified() {
		tier, _ := b.Tier.Get() // null takes it away
		patch.Tier = new(string(tier))
	}
	return patch
}

// DeleteAccount forgets an account.
func (s *Server) DeleteAccount(ctx context.Context, req api.DeleteAccountRequestObject) (api.DeleteAccountResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := s.accounts.DeleteAccount(ctx, caller(ctx), req.Account, version); err != nil {
		return nil, err
	}
	return api.DeleteAccount204Response{}, nil
}

func account(a ipam.Account) api.Account {
	return api.Account{
		ID: a.ID, UID: string(a.UID), Scope: a.Scope, Cloud: api.Cloud(a.Cloud), ExternalID: a.ExternalID, Name: a.Name, Description: a.Description, Owner: a.Owner, Platform: a.Platform,
		Tier: (*api.Tier)(optional(a.Tier)), Environment: a.Environment, Regions: a.Regions, Labels: labels(a.Labels), Mode: api.Mode(a.Mode), RoleArn: a.RoleARN,
		WorkloadIdentity: a.WorkloadIdentity, Version: a.Version, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
}
