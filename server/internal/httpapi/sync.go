package httpapi

import (
	"context"
	"errors"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/reconcile"
)

// patience is how long a request waits for a cloud: less than the server's limit for an answer.
const patience = 45 * time.Second

// GetAccountSync says how well an account has been seen.
func (s *Server) GetAccountSync(ctx context.Context, req api.GetAccountSyncRequestObject) (api.GetAccountSyncResponseObject, error) {
	states, err := s.observer.States(ctx, caller(ctx).Sees(), req.Account)
	if err != nil {
		return nil, err
	}
	return api.GetAccountSync200JSONResponse{Account: req.Account, Views: each(states, view)}, nil
}

// SyncAccount looks at an account now.
func (s *Server) SyncAccount(ctx context.Context, req api.SyncAccountRequestObject) (api.SyncAccountResponseObject, error) {
	out, err := s.clouds.Sync(ctx, caller(ctx), req.Account, reconcile.Ask{Believe: value(req.Body.AcceptVanished), Patience: patience})
	switch {
	case errors.Is(err, reconcile.ErrBusy):
		return nil, ipam.Errorf(ipam.CodeOverloaded, "account %q is being looked at already; ask how well it has been seen in a moment", req.Account)
	case err != nil:
		return nil, err
	}
	return api.SyncAccount200JSONResponse{
		Account: req.Account, Added: out.Added, Updated: out.Updated, Removed: out.Removed, Vanished: out.Vanished, Views: each(out.States, view),
	}, nil
}

// CheckAccount asks a cloud what CloudPAM may do in an account.
func (s *Server) CheckAccount(ctx context.Context, req api.CheckAccountRequestObject) (api.CheckAccountResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := s.clouds.Check(ctx, caller(ctx), req.Account)
	out := api.CheckAccount200JSONResponse{Account: req.Account, Ok: err == nil}
	var refused *cloud.Error
	switch {
	case errors.As(err, &refused):
		out.Code, out.Detail, out.Permission, out.Fix = string(refused.Code), refused.Detail, refused.Permission, refused.Fix
	case err != nil:
		return nil, err
	}
	return out, nil
}

// GetRestoration says whether the database was brought back from a backup.
func (s *Server) GetRestoration(ctx context.Context, _ api.GetRestorationRequestObject) (api.GetRestorationResponseObject, error) {
	at, waiting, err := s.observer.Restoration(ctx, caller(ctx).Sees())
	if err != nil {
		return nil, err
	}
	out := api.GetRestoration200JSONResponse{Waiting: each(waiting, func(u ipam.Unseen) api.AccountAge {
		return api.AccountAge{Account: u.Account.ID, SeenAt: optional(u.SeenAt)}
	}), RestoredAt: optional(at)}
	return out, nil
}

// EndRestoration lets pools hand out before all accounts have been seen.
func (s *Server) EndRestoration(ctx context.Context, _ api.EndRestorationRequestObject) (api.EndRestorationResponseObject, error) {
	if err := s.observer.EndRestoration(ctx, caller(ctx)); err != nil {
		return nil, err
	}
	return api.EndRestoration204Response{}, nil
}

func view(s ipam.SyncState) api.AccountView {
	v := api.AccountView{Kind: api.AccountViewKind(s.Kind), Region: s.Region, TriedAt: s.TriedAt, Code: s.Code, Detail: s.Detail, Fix: s.Fix}
	if !s.Seen[0].IsZero() {
		v.SeenAt = &s.Seen[0]
	}
	return v
}
