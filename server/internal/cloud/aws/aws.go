// Package aws speaks to Amazon Web Services through its SDK. Credentials come from where the SDK looks for them: the environment, the
// machine, the pod (IRSA); an account that names a role is entered by it.
package aws

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Options are what an installation may say.
type Options struct {
	// ExternalID goes with every assumed role, for trust policies that insist on one.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
	ExternalID string
	PageSize   int32 // 5 to 1000; 0: 1000
	Width      int   // regions of an account at once; 0: 8
	// Retried, where there is one, is told of each failure that the SDK hides by trying again.
	Retried func(account string, err error)
	// Called, where there is one, is told of each call, tries again among them, and what it returns of the end of it.
	Called func(ctx context.Context, account, operation string) func(error)
}

// Cloud is AWS.
type Cloud struct {
	base aws.Config
	o    Options

	mu       sync.Mutex
	sessions map[session]*accountSession
}

var _ cloud.Provider = (*Cloud)(nil)

// Open finds credentials as the SDK does (AWS_* variables, shared files, IRSA, the metadata of ECS and EC2). None are asked yet.
func Open(ctx context.Context, o Options) (*Cloud, error) {
	base, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, cloud.Errorf(cloud.CodeInvalid, "the configuration of AWS cannot be read: %v", err)
	}
	return New(base, o), nil
}

// New makes an AWS of a configuration.
func New(base aws.Config, o Options) *Cloud {
	if base.Region == "" {
		base.Region = "us-east-1" // of STS and DescribeRegions only
	}
	if o.PageSize == 0 {
		o.PageSize = 1000
	}
	if o.Width == 0 {
		o.Width = 8
	}
	return &Cloud{base: base, o: o, sessions: map[session]*accountSession{}}
}

// Name is aws.
func (c *Cloud) Name() ipam.Cloud { return ipam.AWS }

// session is who we are in an account.
type session struct{ account, role string }

// accountSession is one account's clients. They share a retryer: throttles in one region slow the account down, not others.
type accountSession struct {
	config aws.Config

	mu      sync.Mutex
	checked bool
	regions map[string]*ec2.Client
}

// session enters an account, and makes sure that it is the account that was meant: what another one's credentials list must
// never be taken for it.
func (c *Cloud) session(ctx context.Context, a ipam.Account) (*accountSession, error) {
	key := session{a.ExternalID, a.RoleARN}
	c.mu.Lock()
	s := c.sessions[key]
	if s == nil {
		s = &accountSession{config: c.base.Copy(), regions: map[string]*ec2.Client{}}
		retryer := c.retryer(a.ExternalID)
		s.config.Retryer = func() aws.Retryer { return retryer }
		if a.RoleARN != "" {
			s.config.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(s.config), a.RoleARN, func(o *stscreds.AssumeRoleOptions) {
				o.RoleSessionName = "cloudpam"
				if c.o.ExternalID != "" {
					o.ExternalID = &c.o.ExternalID
				}
			}))
		}
		c.sessions[key] = s
	}
	c.mu.Unlock()

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.checked {
		return s, nil
	}
	if _, err := s.config.Credentials.Retrieve(ctx); err != nil {
		return nil, noCredentials(a, s.config.Region, err)
	}
	who, err := sts.NewFromConfig(s.config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, explain(a, s.config.Region, err)
	}
	if got := aws.ToString(who.Account); got != a.ExternalID {
		e := cloud.Errorf(cloud.CodeInvalid, "the credentials are of AWS account %s, not %s", got, a.ExternalID)
		e.Fix = "Set the account's role_arn to a role of account " + a.ExternalID + " that CloudPAM may assume."
		return nil, e
	}
	s.checked = true
	return s, nil
}

// in is the client of a region.
func (s *accountSession) in(region string) *ec2.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	client := s.regions[region]
	if client == nil {
		client = ec2.NewFromConfig(s.config, func(o *ec2.Options) { o.Region = region })
		s.regions[region] = client
	}
	return client
}

// attempts are how often a call is made before its failure counts.
const attempts = 6

// retryer is adaptive, which slows down by itself where it is throttled, and tells of what it hides.
func (c *Cloud) retryer(account string) aws.RetryerV2 {
	tell, called := func(error) {}, func(context.Context) func(error) { return func(error) {} }
	if c.o.Retried != nil {
		tell = func(err error) {
			c.o.Retried(account, explain(ipam.Account{Cloud: ipam.AWS, ExternalID: account}, "", err))
		}
	}
	if c.o.Called != nil {
		called = func(ctx context.Context) func(error) {
			done := c.o.Called(ctx, account, middleware.GetServiceID(ctx)+"."+middleware.GetOperationName(ctx))
			return func(err error) {
				if err != nil {
					err = explain(ipam.Account{Cloud: ipam.AWS, ExternalID: account}, "", err)
				}
				done(err)
			}
		}
	}
	return paced{retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
		o.FailOnNoAttemptTokens = true // paced waits, with jitter
		o.StandardOptions = append(o.StandardOptions, func(o *retry.StandardOptions) { o.MaxAttempts = attempts })
	}), tell, called}
}

type paced struct {
	*retry.AdaptiveMode
	tell   func(error)
	called func(context.Context) func(error)
}

// GetRetryToken is asked before each try but the first.
func (p paced) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	p.tell(err)
	return p.AdaptiveMode.GetRetryToken(ctx, err)
}

// GetAttemptToken waits until the account may be asked again.
func (p paced) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	for {
		release, err := p.AdaptiveMode.GetAttemptToken(ctx)
		if err == nil {
			done := p.called(ctx)
			return func(err error) error { done(err); return release(err) }, nil
		}
		if err := cloud.Backoff(ctx, 1); err != nil {
			return nil, err
		}
	}
}

// regionsOf are those that an account is looked at in: as it says, or all that are enabled.
func (c *Cloud) regionsOf(ctx context.Context, s *accountSession, a ipam.Account) ([]string, error) {
	if len(a.Regions) > 0 {
		return a.Regions, nil
	}
	out, err := s.in(s.config.Region).DescribeRegions(ctx, &ec2.DescribeRegionsInput{})
	if err != nil {
		return nil, explain(a, s.config.Region, err)
	}
	if len(out.Regions) == 0 {
		return nil, cloud.Errorf(cloud.CodeUnavailable, "EC2 answered DescribeRegions without a region")
	}
	all := make([]string, 0, len(out.Regions))
	for _, r := range out.Regions {
		all = append(all, aws.ToString(r.RegionName))
	}
	return all, nil
}

// Accounts lists the accounts of the organization that the account is of; it must be its management account or a delegated
// administrator.
func (c *Cloud) Accounts(ctx context.Context, a ipam.Account, parent string) ([]cloud.Member, error) {
	s, err := c.session(ctx, a)
	if err != nil {
		return nil, err
	}
	client := organizations.NewFromConfig(s.config)
	var all []cloud.Member
	err = cloud.Pages(func(token string) (string, error) {
		out, err := client.ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: some(token)})
		if err != nil {
			return "", explain(a, "", err)
		}
		if out.Accounts == nil {
			return "", noList("ListAccounts")
		}
		for _, m := range out.Accounts {
			all = append(all, cloud.Member{ID: aws.ToString(m.Id), Name: aws.ToString(m.Name), Parent: parent, Active: m.State == "ACTIVE"})
		}
		return aws.ToString(out.NextToken), nil
	})
	return all, err
}

// some is a text that is there; nil for none.
func some(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// noList is the failure of an answer in which the list itself is missing: a 200 with nothing in it, which the SDK takes for an
// empty one.
func noList(operation string) error {
	return cloud.Errorf(cloud.CodeUnavailable, "AWS answered %s without the list that was asked for", operation)
}
