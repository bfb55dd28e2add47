package app

import (
	"context"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/cloud/aws"
	"github.com/cloudpam/cloudpam/server/internal/cloud/custom"
	"github.com/cloudpam/cloudpam/server/internal/cloud/gcp"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/observe"
	"github.com/cloudpam/cloudpam/server/internal/reconcile"
)

// openClouds opens the clouds that the configuration names. None is asked before an account is.
func (a *App) openClouds(ctx context.Context, o *observe.Observer) (*reconcile.Reconciler, error) {
	var all []cloud.Provider
	for _, name := range a.config.Clouds {
		switch ipam.Cloud(name) {
		case ipam.AWS:
			c, err := aws.Open(ctx, aws.Options{ExternalID: a.config.AWSExternalID})
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		case ipam.GCP:
			all = append(all, gcp.New(gcp.Options{}))
		case ipam.Custom:
			all = append(all, custom.New(a.config.CustomDir))
		}
	}
	return reconcile.New(a.kernel, o, a.log, all...), nil
}
