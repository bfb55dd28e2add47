package httpapi

import (
	"context"
	"encoding/hex"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// ListSeals lists a page of signed heads.
func (s *Server) ListSeals(ctx context.Context, req api.ListSealsRequestObject) (api.ListSealsResponseObject, error) {
	p, err := page(req.Params.Limit, req.Params.PageToken)
	if err != nil {
		return nil, err
	}
	items, err := s.sealer.Seals(ctx, caller(ctx).Sees(), ipam.UID(p.After.ID).Key(), p.Limit)
	if err != nil {
		return nil, err
	}
	next := nextPage(p, items, func(v ipam.Seal) ipam.Cursor { return ipam.Cursor{ID: string(ipam.KeyUID("seal", v.Number))} })
	return api.ListSeals200JSONResponse{Items: each(items, sealed), NextPageToken: next}, nil
}

func sealed(v ipam.Seal) api.Seal {
	out := api.Seal{Number: v.Number, At: v.At, Hash: hex.EncodeToString(v.Hash), Signature: hex.EncodeToString(v.Signature), PublicKey: hex.EncodeToString(v.Key)}
	for _, h := range v.Heads {
		out.Heads = append(out.Heads, struct {
			Chain    string `json:"chain"`
			Hash     string `json:"hash"`
			Sequence int64  `json:"sequence"`
		}{string(h.Chain), hex.EncodeToString(h.Hash), h.Sequence})
	}
	return out
}
