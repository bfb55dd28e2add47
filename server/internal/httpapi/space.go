package httpapi

import (
	"context"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// GetPoolTree shows a scope's pools as a tree.
func (s *Server) GetPoolTree(ctx context.Context, req api.GetPoolTreeRequestObject) (api.GetPoolTreeResponseObject, error) {
	scope := ipam.DefaultScope
	if req.Params.Scope != nil {
		scope = *req.Params.Scope
	}
	nodes, truncated, err := s.insight.Tree(ctx, caller(ctx).Sees(), scope)
	if err != nil {
		return nil, err
	}
	return api.GetPoolTree200JSONResponse{Truncated: truncated, Items: each(nodes, treeNode)}, nil
}

// ListPoolSpace lists a pool's blocks, free ones included.
func (s *Server) ListPoolSpace(ctx context.Context, req api.ListPoolSpaceRequestObject) (api.ListPoolSpaceResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	items, err := s.insight.Space(ctx, caller(ctx).Sees(), req.Pool, p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(b ipam.Block) ipam.Cursor { return ipam.Cursor{Prefix: b.CIDR} })
	return api.ListPoolSpace200JSONResponse{Items: each(items, spaceBlock), NextPageToken: next}, nil
}

// GetPoolUtilization tells how full a pool is.
func (s *Server) GetPoolUtilization(ctx context.Context, req api.GetPoolUtilizationRequestObject) (api.GetPoolUtilizationResponseObject, error) {
	p, u, err := s.insight.Utilization(ctx, caller(ctx).Sees(), req.Pool)
	if err != nil {
		return nil, err
	}
	return api.GetPoolUtilization200JSONResponse(utilization(p, u)), nil
}

// ListFreeBlocks tells what is free in each size.
func (s *Server) ListFreeBlocks(ctx context.Context, req api.ListFreeBlocksRequestObject) (api.ListFreeBlocksResponseObject, error) {
	sizes, err := s.insight.FreeSizes(ctx, caller(ctx).Sees(), req.Pool)
	if err != nil {
		return nil, err
	}
	return api.ListFreeBlocks200JSONResponse{Items: each(sizes, func(f ipam.FreeSize) api.FreeBlock {
		return api.FreeBlock{PrefixLength: f.Length, Count: f.Blocks, First: f.First.String(), Fits: f.Fits.String()}
	})}, nil
}

// ListPrefixes lists a page of what occupies space.
func (s *Server) ListPrefixes(ctx context.Context, req api.ListPrefixesRequestObject) (api.ListPrefixesResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	f := ipam.PrefixFilter{
		Scope: value(req.Params.Scope), Pool: value(req.Params.Pool), Status: ipam.Status(value(req.Params.Status)),
		Kind: ipam.Kind(value(req.Params.Kind)), Family: familyNumber(req.Params.Family),
	}
	if f.Around, err = around(req.Params.Within, req.Params.Contains); err != nil {
		return nil, err
	}
	items, err := s.insight.Prefixes(ctx, caller(ctx).Sees(), f, p)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(x ipam.Prefix) ipam.Cursor { return ipam.Cursor{ID: x.Owner, Prefix: x.CIDR} })
	return api.ListPrefixes200JSONResponse{Items: each(items, prefix), NextPageToken: next}, nil
}

func treeNode(n ipam.TreeNode) api.PoolTreeNode {
	return api.PoolTreeNode{
		Pool: pool(n.Pool), Depth: n.Depth, Utilization: utilization(n.Pool, n.Utilization),
		SpaceBar: each(n.Bar, func(s ipam.Segment) api.Segment {
			return api.Segment{Start: s.Start, End: s.End, Kind: api.PrefixKind(s.Kind)}
		}),
	}
}

func utilization(p ipam.Pool, u ipam.Utilization) api.Utilization {
	return api.Utilization{
		Used: u.Used.String(), Free: u.Free.String(), Total: u.Total.String(), Quarantined: u.Quarantined.String(), UsedRatio: u.UsedRatio(), LargestFreePrefixLength: u.LargestFree,
		Fragmentation: u.Fragmentation(ipam.Family(p.CIDR)), Children: u.Children, Allocations: u.Allocations,
	}
}

func spaceBlock(b ipam.Block) api.SpaceBlock {
	if b.Prefix == nil {
		if b.Guard != nil {
			out := api.SpaceBlock{CIDR: b.CIDR.String(), Status: api.SpaceBlockStatusGuarded}
			if b.Guard.UID != "" {
				out.OwnerID, out.Name = new(b.Guard.ID()), &b.Guard.Name
			}
			return out
		}
		return api.SpaceBlock{CIDR: b.CIDR.String(), Status: api.SpaceBlockStatusFree}
	}
	kind := api.PrefixKind(b.Prefix.Kind)
	return api.SpaceBlock{CIDR: b.CIDR.String(), Status: api.SpaceBlockStatus(b.Prefix.Status), Kind: &kind, OwnerID: new(b.Prefix.OwnerID()), Name: &b.Prefix.Name}
}

func prefix(p ipam.Prefix) api.Prefix {
	return api.Prefix{
		Scope: p.Scope, Pool: optional(p.Pool), CIDR: p.CIDR.String(), Family: familyName(p.CIDR), Status: api.PrefixStatus(p.Status),
		Kind: api.PrefixKind(p.Kind), OwnerID: p.OwnerID(), Name: p.Name, CreatedAt: p.CreatedAt,
	}
}
