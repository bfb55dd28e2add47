package httpapi

import (
	"context"

	"github.com/oapi-codegen/nullable"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListPools lists a page of pools.
func (s *Server) ListPools(ctx context.Context, req api.ListPoolsRequestObject) (api.ListPoolsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	p.Order = ipam.Order(value(req.Params.Sort))
	f := ipam.PoolFilter{
		Scope: value(req.Params.Scope), Parent: value(req.Params.Parent), Family: familyNumber(req.Params.Family), Text: value(req.Params.Q),
		Account: value(req.Params.Account), Owner: value(req.Params.Owner), Environment: value(req.Params.Environment), Region: value(req.Params.Region),
		Of: accountKind(req.Params.Cloud, req.Params.Platform, req.Params.Tier),
	}
	if f.Around, err = around(req.Params.Within, req.Params.Contains); err != nil {
		return nil, err
	}
	if f.Labels, err = labelFilter(req.Params.Label); err != nil {
		return nil, err
	}
	items, err := s.insight.Pools(ctx, caller(ctx).Sees(), f, p)
	if err != nil {
		return nil, err
	}
	total, err := counted(req.Params.Count, func() (int64, error) { return s.insight.PoolTotal(ctx, caller(ctx).Sees(), f) })
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(p ipam.Pool) ipam.Cursor { return ipam.Cursor{ID: string(p.UID), Prefix: p.CIDR} })
	return api.ListPools200JSONResponse{Items: each(items, pool), NextPageToken: next, Total: total}, nil
}

// CreatePool creates a root pool or a child pool.
func (s *Server) CreatePool(ctx context.Context, req api.CreatePoolRequestObject) (api.CreatePoolResponseObject, error) {
	asked, err := newPool(*req.Body)
	if err != nil {
		return nil, err
	}
	created, err := s.registry.CreatePool(ctx, caller(ctx), asked)
	if err != nil {
		return nil, err
	}
	return api.CreatePool201JSONResponse{Body: pool(created), Headers: api.CreatePool201ResponseHeaders{ETag: etag(created.ETag())}}, nil
}

func newPool(b api.NewPool) (ipam.NewPool, error) {
	cidr, err := prefixAt("/cidr", b.CIDR)
	if err != nil {
		return ipam.NewPool{}, err
	}
	how, err := placing(b.ParentStrategy, b.Exclude)
	return ipam.NewPool{
		Scope: value(b.Scope), Name: b.Name, Parent: value(b.Parent), Selector: poolSelector(b.PoolSelector), CIDR: cidr, Length: b.PrefixLength, Placing: how, Strategy: alloc.Strategy(value(b.Strategy)),
		Sizes: ipam.Sizes{Min: b.MinPrefixLength, Max: b.MaxPrefixLength, Default: b.DefaultPrefixLength},
		Details: ipam.Details{
			Description: value(b.Description), Owner: value(b.Owner), Account: value(b.Account), Region: value(b.Region), Environment: value(b.Environment), Labels: ipam.Labels(value(b.Labels)),
		},
		DeletionProtection: value(b.DeletionProtection), Quarantine: b.QuarantineSeconds, MaxObservedAge: b.MaxObservedAgeSeconds, Encloses: value(b.Encloses),
	}, err
}

// GetPool reads a pool.
func (s *Server) GetPool(ctx context.Context, req api.GetPoolRequestObject) (api.GetPoolResponseObject, error) {
	found, err := s.insight.Pool(ctx, caller(ctx).Sees(), req.Pool)
	if err != nil {
		return nil, err
	}
	return api.GetPool200JSONResponse{Body: pool(found), Headers: api.GetPool200ResponseHeaders{ETag: etag(found.ETag())}}, nil
}

// UpdatePool changes a pool's settings or resizes it.
func (s *Server) UpdatePool(ctx context.Context, req api.UpdatePoolRequestObject) (api.UpdatePoolResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	patch, err := poolPatch(*req.Body)
	if err != nil {
		return nil, err
	}
	changed, err := s.registry.UpdatePool(ctx, caller(ctx), req.Pool, version, patch)
	if err != nil {
		return nil, err
	}
	return api.UpdatePool200JSONResponse{Body: pool(changed), Headers: api.UpdatePool200ResponseHeaders{ETag: etag(changed.ETag())}}, nil
}

// PlanPool says what UpdatePool would answer, and keeps the space for it.
func (s *Server) PlanPool(ctx context.Context, req api.PlanPoolRequestObject) (api.PlanPoolResponseObject, error) {
	b := req.Body
	patch, err := poolPatch(b.Change)
	if err != nil {
		return nil, err
	}
	would, err := s.registry.PlanPool(ctx, caller(ctx), req.Pool, patch, plan(b.TTLSeconds, b.Holder, b.Run, b.Applying, b.PlanID))
	if err != nil {
		return nil, err
	}
	return api.PlanPool200JSONResponse(pool(would)), nil
}

// PreviewPool says what UpdatePool would answer.
func (s *Server) PreviewPool(ctx context.Context, req api.PreviewPoolRequestObject) (api.PreviewPoolResponseObject, error) {
	patch, err := poolPatch(*req.Body)
	if err != nil {
		return nil, err
	}
	would, err := s.registry.PreviewPool(ctx, caller(ctx), req.Pool, patch, planOf(req.Params.Holder, req.Params.Run, req.Params.Applying))
	if err != nil {
		return nil, err
	}
	return api.PreviewPool200JSONResponse(pool(would)), nil
}

func poolPatch(b api.PoolPatch) (ipam.PoolPatch, error) {
	cidr, err := prefixPatch(b.CIDR)
	return ipam.PoolPatch{
		Name:   b.Name,
		Parent: parent(b.Parent), CIDR: cidr, Length: b.PrefixLength, Strategy: (*alloc.Strategy)(b.Strategy), Min: size(b.MinPrefixLength), Max: size(b.MaxPrefixLength),
		Default: size(b.DefaultPrefixLength),
		DetailsPatch: ipam.DetailsPatch{
			Description: b.Description, Owner: b.Owner, Account: b.Account, Region: b.Region, Environment: b.Environment, Labels: labelsPatch(b.Labels),
		},
		DeletionProtection: b.DeletionProtection, Quarantine: size(b.QuarantineSeconds), MaxObservedAge: size(b.MaxObservedAgeSeconds),
	}, err
}

// DeletePool deletes an empty pool, or one with pools only, which stay.
func (s *Server) DeletePool(ctx context.Context, req api.DeletePoolRequestObject) (api.DeletePoolResponseObject, error) {
	version, err := ifMatch(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	end := s.registry.DeletePool
	if value(req.Params.KeepChildren) {
		end = s.registry.DissolvePool
	}
	if err := end(ctx, caller(ctx), req.Pool, version); err != nil {
		return nil, err
	}
	return api.DeletePool204Response{}, nil
}

// parent tells "absent" (nil) from "none" (a pointer to "").
func parent(n nullable.Nullable[string]) *string {
	if !n.IsSpecified() {
		return nil
	}
	var id string
	if !n.IsNull() {
		id = n.MustGet()
	}
	return &id
}

// size tells "absent" (nil) from "cleared" (a pointer to nil) and "set".
func size[T any](n nullable.Nullable[T]) **T {
	switch {
	case !n.IsSpecified():
		return nil
	case n.IsNull():
		var cleared *T
		return &cleared
	default:
		length := n.MustGet()
		set := &length
		return &set
	}
}

func pool(p ipam.Pool) api.Pool {
	return api.Pool{
		ID: p.ID, UID: string(p.UID), Scope: p.Scope, Name: p.Name, Parent: optional(p.Parent), CIDR: p.CIDR.String(), PrefixLength: p.CIDR.Bits(), Family: familyName(p.CIDR),
		Strategy: api.Strategy(p.Strategy), MinPrefixLength: p.Sizes.Min, MaxPrefixLength: p.Sizes.Max, DefaultPrefixLength: p.Sizes.Default,
		Description: p.Description, Owner: p.Owner, Account: p.Account, Region: p.Region, Environment: p.Environment, Labels: labels(p.Labels),
		DeletionProtection: p.DeletionProtection, QuarantineSeconds: p.Quarantine, MaxObservedAgeSeconds: p.MaxObservedAge, Enclosed: p.Enclosed, ShownBefore: shownBefore(p.DraftBefore), Version: p.Version, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
}
