package httpapi

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/terraform"
)

// GetTerraformModules writes the Terraform of what was adopted.
func (s *Server) GetTerraformModules(ctx context.Context, req api.GetTerraformModulesRequestObject) (api.GetTerraformModulesResponseObject, error) {
	q := req.Params
	files, left, err := s.modules.Modules(ctx, caller(ctx).Sees(), terraform.Ask{
		Account: q.Account, Network: value(q.Network), ByNetwork: value(q.Per) == api.GetTerraformModulesParamsPerNetwork, Half: value(q.Half) == api.GetTerraformModulesParamsHalfCloudpam,
	})
	if err != nil {
		return nil, err
	}
	if value(q.Format) == api.GetTerraformModulesParamsFormatTar {
		archive, err := tarOf(files)
		return api.GetTerraformModules200ApplicationXTarResponse{Body: archive, ContentLength: int64(archive.Len())}, err
	}
	return api.GetTerraformModules200JSONResponse{
		Files:   each(files, func(f terraform.File) api.TerraformFile { return api.TerraformFile{Path: f.Path, Content: f.Content} }),
		LeftOut: each(left, func(l terraform.Left) api.LeftOut { return api.LeftOut{ID: l.ID, CIDR: l.CIDR, Why: l.Why} }),
	}, nil
}

func tarOf(files []terraform.File) (*bytes.Buffer, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.Path, Mode: 0o644, Size: int64(len(f.Content))}); err != nil {
			return &archive, fmt.Errorf("write %s: %w", f.Path, err)
		}
		if _, err := w.Write([]byte(f.Content)); err != nil {
			return &archive, fmt.Errorf("write %s: %w", f.Path, err)
		}
	}
	return &archive, w.Close()
}

// JoinStates says which Terraform state manages what clouds showed.
func (s *Server) JoinStates(ctx context.Context, req api.JoinStatesRequestObject) (api.JoinStatesResponseObject, error) {
	b := req.Body
	states := each(b.States, func(t api.TerraformState) terraform.State {
		return terraform.State{Name: t.Name, Lineage: value(t.Lineage), Serial: value(t.Serial), Resources: each(t.Resources, func(r api.StateResource) terraform.Resource {
			return terraform.Resource{Address: r.Address, ID: r.ID}
		})}
	})
	all, gone, err := s.modules.Join(ctx, caller(ctx).Sees(), value(b.Account), value(b.Scope), states)
	if err != nil {
		return nil, err
	}
	return api.JoinStates200JSONResponse{Gone: each(gone, statePlace), Items: each(all, func(j terraform.Joined) api.JoinedSubnet {
		managed := api.JoinedSubnetManagedTwice
		if n := len(j.By); n < 2 {
			managed = []api.JoinedSubnetManaged{api.JoinedSubnetManagedNo, api.JoinedSubnetManagedOnce}[n]
		}
		return api.JoinedSubnet{ID: j.ID(), CIDR: j.CIDR.String(), Account: j.Account, Region: j.Region, Name: j.Name, Managed: managed, By: each(j.By, statePlace)}
	})}, nil
}

func statePlace(p terraform.Place) api.StatePlace {
	return api.StatePlace{ID: p.ID, State: p.State, Address: p.Address, Lineage: optional(p.Lineage), Serial: optional(p.Serial)}
}
