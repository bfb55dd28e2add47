package main

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/posener/complete"
	"github.com/willabides/kongplete"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/server/internal/remote"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

var (
	//go:embed completion/cloudpam.bash
	bashScript string
	//go:embed completion/_cloudpam
	zshScript string
	//go:embed completion/cloudpam.fish
	fishScript string
)

// Run writes what makes the shell ask this program, by COMP_LINE, what may stand where the cursor is.
func (c *completionCommand) Run() error {
	fmt.Print(map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[c.Shell])
	return nil
}

const (
	quick = time.Second // how long somebody waits who has pressed a key
	most  = 1000        // names that a list is asked for at most
)

// completeLine answers a shell with what may stand at the end of the line. Names are those of the server of the login, or of the
// environment; where it does not answer at once there are none.
func completeLine(ctx context.Context, parser *kong.Kong) {
	kongplete.Complete(parser, kongplete.WithExitFunc(func(int) {}), kongplete.WithPredictors(map[string]complete.Predictor{
		"pool": names(ctx, func(ctx context.Context, s *cloudpam.Client, _ string) ([]string, error) {
			page, err := s.ListPools(ctx, cloudpam.ListPoolsParams{Limit: new(most)})
			return each(page.Items, func(p cloudpam.Pool) string { return p.ID }), err
		}),
		"allocation": names(ctx, func(ctx context.Context, s *cloudpam.Client, word string) ([]string, error) {
			ask := cloudpam.ListAllocationsParams{Limit: new(most)}
			if pool, _, named := strings.Cut(word, "/"); named {
				ask.Pool = &pool
			}
			page, err := s.ListAllocations(ctx, ask)
			return each(page.Items, func(a cloudpam.Allocation) string { return a.Pool + "/" + a.Name }), err
		}),
		"hold": names(ctx, func(ctx context.Context, s *cloudpam.Client, _ string) ([]string, error) {
			page, err := s.ListHolds(ctx, cloudpam.ListHoldsParams{Limit: new(most), Kept: new(true)})
			return each(page.Items, func(h cloudpam.Hold) string { return h.ID }), err
		}),
		"approval": names(ctx, func(ctx context.Context, s *cloudpam.Client, _ string) ([]string, error) {
			page, err := s.ListApprovals(ctx, cloudpam.ListApprovalsParams{Limit: new(most), Status: new(cloudpam.ApprovalStatusPending)})
			return each(page.Items, func(a cloudpam.Approval) string { return a.ID }), err
		}),
		"account": names(ctx, func(ctx context.Context, s *cloudpam.Client, _ string) ([]string, error) {
			page, err := s.ListAccounts(ctx, cloudpam.ListAccountsParams{Limit: new(most)})
			return each(page.Items, func(a cloudpam.Account) string { return a.ID }), err
		}),
		"scope": names(ctx, func(ctx context.Context, s *cloudpam.Client, _ string) ([]string, error) {
			page, err := s.ListScopes(ctx, cloudpam.ListScopesParams{Limit: new(most)})
			return each(page.Items, func(v cloudpam.Scope) string { return v.ID }), err
		}),
	}))
}

// names asks the server for names, and has none where it does not answer.
func names(ctx context.Context, ask func(context.Context, *cloudpam.Client, string) ([]string, error)) complete.Predictor {
	return complete.PredictFunc(func(line complete.Args) []string {
		var server struct{ remote.Config }
		parser, err := kong.New(&server)
		if err != nil {
			return nil
		}
		if _, err := parser.Parse(nil); err != nil { // reads the environment
			return nil
		}
		s, err := server.Open(cloudpam.WithRetries(0))
		if err != nil {
			return nil
		}
		ctx, cancel := context.WithTimeout(ctx, quick)
		defer cancel()
		found, err := ask(ctx, s, line.Last)
		if err != nil {
			return nil
		}
		return found
	})
}

func each[T any](all []T, name func(T) string) (names []string) {
	for _, one := range all {
		names = append(names, name(one))
	}
	return names
}
