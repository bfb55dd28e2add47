package httpapi

import (
	"context"
	"errors"

	"github.com/cloudpam/cloudpam/server/api"
)

func (s *Server) ListAccounts(context.Context, api.ListAccountsRequestObject) (api.ListAccountsResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) CreateAccount(context.Context, api.CreateAccountRequestObject) (api.CreateAccountResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) GetAccount(context.Context, api.GetAccountRequestObject) (api.GetAccountResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) UpdateAccount(context.Context, api.UpdateAccountRequestObject) (api.UpdateAccountResponseObject, error) {
	return nil, errors.ErrUnsupported
}

func (s *Server) DeleteAccount(context.Context, api.DeleteAccountRequestObject) (api.DeleteAccountResponseObject, error) {
	return nil, errors.ErrUnsupported
}
