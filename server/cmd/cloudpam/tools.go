package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/audit"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/config"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

type migrateCommand struct {
	Status migrateStatus `cmd:"" help:"Compare the database's schema with this build's; exit code 3 when something is pending."`
	Up     migrateUp     `cmd:"" help:"Bring the schema to this build's version."`
	Stamp  migrateStamp  `cmd:"" help:"Record a schema version without running anything."`
}

type migrateStatus struct {
	config.Database `embed:""`
}

func (c *migrateStatus) Run(ctx context.Context) error {
	return withDB(ctx, c.DatabaseURL, store.Options{ReadOnly: true}, func(db *store.DB) error {
		s, err := db.SchemaStatus(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("schema %d, this build knows %d\n", s.Current, s.Target)
		switch {
		case s.Newer():
			fmt.Println("The database is newer than this build: run a newer CloudPAM.")
			return errPending
		case len(s.Pending) > 0:
			for _, p := range s.Pending {
				fmt.Println("pending", p)
			}
			return errPending
		}
		return nil
	})
}

type migrateUp struct {
	config.Database `embed:""`
}

func (c *migrateUp) Run(ctx context.Context) error {
	return withDB(ctx, c.DatabaseURL, store.Options{}, func(db *store.DB) error {
		if err := db.Migrate(ctx, version); err != nil {
			return err
		}
		s, err := db.SchemaStatus(ctx)
		fmt.Printf("schema %d\n", s.Current)
		return err
	})
}

type migrateStamp struct {
	config.Database `embed:""`
	Schema          int64 `arg:"" help:"The version to record."`
}

func (c *migrateStamp) Run(ctx context.Context) error {
	return withDB(ctx, c.DatabaseURL, store.Options{Existing: true}, func(db *store.DB) error { return db.Stamp(ctx, c.Schema, version) })
}

type verifyCommand struct {
	config.Database `embed:""`
}

func (c *verifyCommand) Run(ctx context.Context) error {
	return withDB(ctx, c.DatabaseURL, store.Options{ReadOnly: true}, func(db *store.DB) error {
		if err := db.Start(ctx); err != nil {
			return err
		}
		report, err := audit.New(change.New(db, time.Now)).Verify(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("checked: scopes %d, accounts %d, pools %d, allocations %d, allocation sets %d, reservations %d, quarantines %d, holds %d, prefixes %d, webhooks %d, policies %d, tokens %d, bindings %d, approvals %d, events %d\n",
			report.Scopes, report.Accounts, report.Pools, report.Allocations, report.Sets, report.Reservations, report.Quarantines, report.Holds, report.Prefixes, report.Webhooks, report.Policies, report.Tokens, report.Bindings, report.Approvals, report.Events)
		for _, f := range report.Findings {
			fmt.Printf("%s: %s\n", f.Object, f.Detail)
		}
		if report.Omitted > 0 {
			fmt.Printf("and %d more\n", report.Omitted)
		}
		if len(report.Findings) > 0 {
			return errPending
		}
		fmt.Println("no differences")
		return nil
	})
}

type tokenCommand struct {
	Create tokenCreate `cmd:"" help:"Create a token and show its secret, once."`
	List   tokenList   `cmd:"" help:"List tokens."`
	Revoke tokenRevoke `cmd:"" help:"End a token."`
}

type tokenCreate struct {
	config.Database `embed:""`
	Name            string        `arg:"" help:"What the token is for; it names the actor in events."`
	TTL             time.Duration `help:"How long it lives; 0 is until it is revoked."`
	Role            string        `required:"" enum:"viewer,planner,operator,admin" help:"What it may do: viewer sees, planner holds for plans, operator allocates and releases, admin does all."`
	Scope           string        `xor:"place" help:"Only in this scope; everywhere without --scope and --pool."`
	Pool            string        `xor:"place" help:"Only in this pool and what is below it."`
}

func (c *tokenCreate) Run(ctx context.Context) error {
	return withKernel(ctx, c.DatabaseURL, store.Options{NoServerLock: true}, func(k *change.Kernel) error {
		var expires *time.Time
		if c.TTL > 0 {
			at := k.Now().Add(c.TTL)
			expires = &at
		}
		_, secret, err := access.New(k).CreateToken(ctx, operator, ipam.NewToken{
			Name: c.Name, ExpiresAt: expires, Bindings: []ipam.NewBinding{{Role: ipam.Role(c.Role), Scope: c.Scope, Pool: c.Pool}},
		})
		if err != nil {
			return err
		}
		fmt.Println(secret)
		return nil
	})
}

type tokenList struct {
	config.Database `embed:""`
}

func (c *tokenList) Run(ctx context.Context) error {
	return withKernel(ctx, c.DatabaseURL, store.Options{ReadOnly: true}, func(k *change.Kernel) error {
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(out, "ID\tNAME\tMAY\tCREATED\tLAST USED\tENDS")
		err := change.EachPage(func(p ipam.Page) ([]access.Token, error) {
			return access.New(k).Tokens(ctx, ipam.Everything, nil, p)
		}, func(t access.Token) string { return t.ID }, func(t access.Token) error {
			ends := "never"
			if t.ExpiresAt != nil {
				ends = t.ExpiresAt.Format(time.RFC3339)
			}
			if t.RevokedAt != nil {
				ends = "revoked " + t.RevokedAt.Format(time.RFC3339)
			}
			used := "never"
			if t.UsedAt != nil {
				used = t.UsedAt.Format(time.RFC3339)
			}
			var may []string
			for _, b := range t.Bindings {
				may = append(may, b.String())
			}
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, strings.Join(may, ", "), t.CreatedAt.Format(time.RFC3339), used, ends)
			return nil
		})
		return errors.Join(err, out.Flush())
	})
}

type tokenRevoke struct {
	config.Database `embed:""`
	ID              string `arg:"" help:"The token's id, from token list."`
}

func (c *tokenRevoke) Run(ctx context.Context) error {
	return withKernel(ctx, c.DatabaseURL, store.Options{NoServerLock: true}, func(k *change.Kernel) error { return access.New(k).RevokeToken(ctx, operator, c.ID) })
}

// operator is whoever runs a command on the database.
var operator = ipam.System("command")

func withDB(ctx context.Context, url string, o store.Options, body func(*store.DB) error) (err error) {
	db, err := store.Open(ctx, url, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return body(db)
}

// withKernel works next to a running server: a short transaction waits its turn on either engine.
func withKernel(ctx context.Context, url string, o store.Options, body func(*change.Kernel) error) error {
	return withDB(ctx, url, o, func(db *store.DB) error {
		if err := db.Start(ctx); err != nil {
			return err
		}
		k := change.New(db, time.Now)
		if err := k.ReadClock(ctx); err != nil {
			return err
		}
		return body(k)
	})
}
