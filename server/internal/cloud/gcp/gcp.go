// Package gcp speaks to Google Cloud through its client library. Credentials are the application's default ones (the environment,
// Workload Identity, the metadata server); an account that names a service account is entered by it.
package gcp

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/oauth2"
	"google.golang.org/api/cloudresourcemanager/v3"
	"google.golang.org/api/compute/v1"
	"google.golang.org/api/impersonate"
	"google.golang.org/api/networkconnectivity/v1"
	"google.golang.org/api/option"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Options are what an installation may say.
type Options struct {
	PageSize int64 // 1 to 500; 0: 500
	// HTTP carries all calls, with no credentials but those of accounts that name a service account; nil: the default ones.
	HTTP *http.Client
	// Retried, where there is one, is told of each failure that a new try hides.
	Retried func(project string, err error)
	// Called, where there is one, is told of each call, tries again among them, and what it returns of the end of it.
	Called func(ctx context.Context, project, operation string) func(error)
}

// Cloud is GCP.
type Cloud struct {
	o Options

	mu       sync.Mutex
	sessions map[string]*session
}

var _ cloud.Provider = (*Cloud)(nil)

// New makes a GCP. No credentials are asked yet.
func New(o Options) *Cloud {
	if o.PageSize == 0 {
		o.PageSize = 500
	}
	return &Cloud{o: o, sessions: map[string]*session{}}
}

// Name is gcp.
func (c *Cloud) Name() ipam.Cloud { return ipam.GCP }

// session is what we can ask as somebody.
type session struct {
	compute *compute.Service
	ranges  *networkconnectivity.Service
	tree    *cloudresourcemanager.Service
}

// session is one per service account.
func (c *Cloud) session(ctx context.Context, a ipam.Account) (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sessions[a.WorkloadIdentity]; s != nil {
		return s, nil
	}
	ctx = context.WithoutCancel(ctx) // what is made here outlives the call
	s := &session{}
	options, err := c.options(ctx, a)
	if err == nil {
		s.compute, err = compute.NewService(ctx, options...)
	}
	if err == nil {
		s.ranges, err = networkconnectivity.NewService(ctx, options...)
	}
	if err == nil {
		s.tree, err = cloudresourcemanager.NewService(ctx, options...)
	}
	if err != nil {
		e := cloud.Errorf(cloud.CodeDenied, "there are no credentials for GCP: %v", err)
		e.Fix = "Give CloudPAM application default credentials: GOOGLE_APPLICATION_CREDENTIALS, or the service account of its machine or pod."
		return nil, e
	}
	c.sessions[a.WorkloadIdentity] = s
	return s, nil
}

func (c *Cloud) options(ctx context.Context, a ipam.Account) ([]option.ClientOption, error) {
	if a.WorkloadIdentity == "" {
		if c.o.HTTP == nil {
			return nil, nil
		}
		return []option.ClientOption{option.WithHTTPClient(c.o.HTTP)}, nil
	}
	var base []option.ClientOption
	if c.o.HTTP != nil {
		base = append(base, option.WithHTTPClient(c.o.HTTP))
	}
	tokens, err := impersonate.CredentialsTokenSource(ctx, impersonate.CredentialsConfig{
		TargetPrincipal: a.WorkloadIdentity, Scopes: []string{"https://www.googleapis.com/auth/cloud-platform"},
	}, base...)
	if err != nil {
		return nil, err
	}
	if c.o.HTTP == nil {
		return []option.ClientOption{option.WithTokenSource(tokens)}, nil
	}
	return []option.ClientOption{option.WithHTTPClient(&http.Client{Transport: &oauth2.Transport{Source: tokens, Base: c.o.HTTP.Transport}})}, nil
}

// attempts are how often a call is made before its failure counts.
const attempts = 6

// try makes a call again while GCP says that it is asked too often or fails by itself: the library does not. What changes something
// carries a request id, so that it happens once.
func try[T any](ctx context.Context, c *Cloud, a ipam.Account, what string, call func() (T, error)) (out T, err error) {
	for n := range attempts {
		if n > 0 {
			if c.o.Retried != nil {
				c.o.Retried(a.ExternalID, err)
			}
			if err := cloud.Backoff(ctx, n); err != nil {
				return out, err
			}
		}
		done := func(error) {}
		if c.o.Called != nil {
			done = c.o.Called(ctx, a.ExternalID, what)
		}
		if out, err = call(); err != nil {
			err = explain(a, what, err)
		}
		done(err)
		if err == nil {
			return out, nil
		}
		if code := cloud.CodeOf(err); code != cloud.CodeThrottled && code != cloud.CodeUnavailable || ctx.Err() != nil {
			return out, err
		}
	}
	return out, err
}

// Accounts lists the projects below a folder or an organization, at any depth.
func (c *Cloud) Accounts(ctx context.Context, a ipam.Account, parent string) (all []cloud.Member, err error) {
	if !strings.HasPrefix(parent, "folders/") && !strings.HasPrefix(parent, "organizations/") {
		return nil, cloud.Errorf(cloud.CodeInvalid, "%q is no parent of projects; one looks like folders/123 or organizations/123", parent)
	}
	s, err := c.session(ctx, a)
	if err != nil {
		return nil, err
	}
	for below := []string{parent}; len(below) > 0; below = below[1:] {
		at := below[0]
		err := cloud.Pages(func(token string) (string, error) {
			out, err := try(ctx, c, a, "projects.list", func() (*cloudresourcemanager.ListProjectsResponse, error) {
				return s.tree.Projects.List().Parent(at).PageSize(c.o.PageSize).PageToken(token).Context(ctx).Do()
			})
			if err != nil {
				return "", err
			}
			for _, p := range out.Projects {
				all = append(all, cloud.Member{ID: p.ProjectId, Name: p.DisplayName, Parent: p.Parent, Active: p.State == "ACTIVE"})
			}
			return out.NextPageToken, nil
		})
		if err != nil {
			return all, err
		}
		err = cloud.Pages(func(token string) (string, error) {
			out, err := try(ctx, c, a, "folders.list", func() (*cloudresourcemanager.ListFoldersResponse, error) {
				return s.tree.Folders.List().Parent(at).PageSize(c.o.PageSize).PageToken(token).Context(ctx).Do()
			})
			if err != nil {
				return "", err
			}
			for _, f := range out.Folders {
				below = append(below, f.Name)
			}
			return out.NextPageToken, nil
		})
		if err != nil {
			return all, err
		}
	}
	return all, nil
}
