package app

import (
	"context"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/adopt"
	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/cloud/aws"
	"github.com/cloudpam/cloudpam/server/internal/cloud/custom"
	"github.com/cloudpam/cloudpam/server/internal/cloud/gcp"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/observe"
	"github.com/cloudpam/cloudpam/server/internal/reconcile"
	"github.com/cloudpam/cloudpam/server/internal/trace"
)

// openClouds opens the clouds that the configuration names. None is asked before an account is.
func (a *App) openClouds(ctx context.Context, o *observe.Observer) (*reconcile.Reconciler, error) {
	var all []cloud.Provider
	for _, name := range a.config.Clouds {
		switch ipam.Cloud(name) {
		case ipam.AWS:
			c, err := aws.Open(ctx, aws.Options{ExternalID: a.config.AWSExternalID, Called: a.called(ipam.AWS), Retried: a.retried(ipam.AWS)})
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		case ipam.GCP:
			all = append(all, gcp.New(gcp.Options{Called: a.called(ipam.GCP), Retried: a.retried(ipam.GCP)}))
		case ipam.Custom:
			all = append(all, custom.New(a.config.CustomDir))
		}
	}
	r := reconcile.New(a.kernel, o, a.log, all...)
	r.Looked = a.figures.Looked
	return r, nil
}

// called counts a call to a cloud, and is a step of the trace of the look that it is made for.
func (a *App) called(c ipam.Cloud) func(context.Context, string, string) func(error) {
	return func(ctx context.Context, account, operation string) func(error) {
		a.figures.Called(c)
		_, span := trace.Start(ctx, operation)
		span.Say("cloud.provider", string(c))
		span.Say("cloud.account.id", account)
		return func(err error) { span.EndAs(string(cloud.CodeOf(err))) }
	}
}

func (a *App) retried(c ipam.Cloud) func(string, error) {
	return func(_ string, err error) { a.figures.Retried(c, string(cloud.CodeOf(err))) }
}

// answerDrifts records which differences there are, and adopts those that the rules adopt.
func (a *App) answerDrifts(ctx context.Context) (int64, error) {
	todo, kinds, err := a.observer.Record(ctx)
	if err != nil {
		return 0, err
	}
	a.figures.Drifts(kinds)
	var done int64
	for scope, drifts := range todo {
		for some := range slices.Chunk(drifts, adopt.Most) {
			var ids []string
			for _, d := range some {
				ids = append(ids, d.Observed+"@"+d.CIDR.String())
			}
			items, err := a.adopter.Adopt(ctx, ipam.System("drift-rules"), adopt.Ask{IDs: ids})
			if err != nil {
				return done, err
			}
			for _, i := range items {
				if i.Verdict == adopt.Adopted {
					done++
				} else if i.Problem != nil {
					a.log.WarnContext(ctx, "what the rules adopt was refused", "scope", scope, "id", i.ID, "error", i.Problem)
				}
			}
		}
	}
	return done, nil
}
