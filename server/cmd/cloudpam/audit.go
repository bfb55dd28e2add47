package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/audit"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/config"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

type auditCommand struct {
	Verify auditVerify `cmd:"" help:"Check an export of events, without the server: hashes, signatures, that nothing is missing."`
}

type auditVerify struct {
	File string `arg:"" help:"What GET /api/v1/events/export has written as NDJSON; - is standard input."`
	Key  string `help:"The public key, in hex, that must have signed the seals; the log of the server says it."`
}

func (c *auditVerify) Run(context.Context) error {
	in := io.Reader(os.Stdin)
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	found, err := audit.CheckExport(in, c.Key)
	if err != nil {
		return err
	}
	fmt.Printf("checked: events %d, chains %d, seals %d, signed by %s\n", found.Events, found.Chains, found.Seals, cmp.Or(found.Key, "nobody"))
	if found.Unlinked > 0 {
		fmt.Printf("%d events follow others that the export left out, and are linked to none\n", found.Unlinked)
	}
	for _, f := range found.Findings {
		fmt.Println(f)
	}
	if found.Omitted > 0 {
		fmt.Printf("and %d more\n", found.Omitted)
	}
	if len(found.Findings) > 0 {
		return errPending
	}
	fmt.Println("no differences")
	return nil
}

type evidenceCommand struct {
	config.Database `embed:""`
	Period          string `required:"" help:"A year, a quarter or a month: 2026, 2026-Q3, 2026-09."`
}

// evidence is what an auditor asks for, as one document.
type evidence struct {
	Period struct {
		Name     string    `json:"name"`
		Begin    time.Time `json:"begin"`
		End      time.Time `json:"end"` // the first moment behind it
		Events   int       `json:"events"`
		ByActor  counts    `json:"events_by_actor"`
		ByAction counts    `json:"events_by_action"`
	} `json:"period"`
	MadeAt  time.Time     `json:"made_at"`
	Version string        `json:"version"`
	Access  []accessEntry `json:"access"` // who can act now, and who could
	Seals   []ipam.Seal   `json:"seals"`  // of the period
	Verify  struct {
		Checked audit.Report `json:"checked"`
		Passed  bool         `json:"passed"`
	} `json:"verify"`
}

type counts map[string]int

type accessEntry struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Bindings  []ipam.Binding `json:"bindings"`
	CreatedAt time.Time      `json:"created_at"`
	ExpiresAt *time.Time     `json:"expires_at,omitempty"`
	RevokedAt *time.Time     `json:"revoked_at,omitempty"`
}

// periodOf reads 2026, 2026-Q3 or 2026-09, in UTC.
func periodOf(text string) (begin, end time.Time, err error) {
	var year, part int
	if n, _ := fmt.Sscanf(text, "%4d-Q%1d", &year, &part); n == 2 && len(text) == 7 && part >= 1 && part <= 4 {
		begin = time.Date(year, time.Month(3*part-2), 1, 0, 0, 0, 0, time.UTC)
		return begin, begin.AddDate(0, 3, 0), nil
	}
	if begin, err = time.Parse("2006-01", text); err == nil {
		return begin, begin.AddDate(0, 1, 0), nil
	}
	if begin, err = time.Parse("2006", text); err == nil {
		return begin, begin.AddDate(1, 0, 0), nil
	}
	return begin, end, fmt.Errorf("%w: --period is %q; write a year, a quarter or a month: 2026, 2026-Q3, 2026-09", errUsage, text)
}

func (c *evidenceCommand) Run(ctx context.Context) error {
	begin, end, err := periodOf(c.Period)
	if err != nil {
		return err
	}
	return withDB(ctx, c.DatabaseURL, store.Options{ReadOnly: true}, func(db *store.DB) error {
		if err := db.Start(ctx); err != nil {
			return err
		}
		k := change.New(db, time.Now)
		book := audit.New(k)
		e := evidence{MadeAt: time.Now().UTC(), Version: version}
		e.Period.Name, e.Period.Begin, e.Period.End, e.Period.ByActor, e.Period.ByAction = c.Period, begin, end, counts{}, counts{}
		gate := access.New(k)
		err = change.EachPage(func(p ipam.Page) ([]access.Token, error) { return gate.Tokens(ctx, ipam.Everything, nil, p) },
			func(t access.Token) string { return t.ID }, func(t access.Token) error {
				e.Access = append(e.Access, accessEntry{ID: t.ID, Name: t.Name, Bindings: t.Bindings, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, RevokedAt: t.RevokedAt})
				return nil
			})
		if err != nil {
			return err
		}
		err = book.EachEvent(ctx, ipam.Everything, ipam.EventFilter{Since: begin, Until: end}, func(v ipam.Event) error {
			e.Period.Events++
			e.Period.ByActor[v.Actor]++
			e.Period.ByAction[v.Action]++
			return nil
		})
		if err != nil {
			return err
		}
		err = book.EachSeal(ctx, ipam.Everything, func(s ipam.Seal) error {
			if !s.At.Before(begin) && s.At.Before(end) {
				e.Seals = append(e.Seals, s)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if e.Verify.Checked, err = book.Verify(ctx); err != nil {
			return err
		}
		e.Verify.Passed = len(e.Verify.Checked.Findings) == 0
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		if err := out.Encode(e); err != nil {
			return err
		}
		if !e.Verify.Passed {
			return errPending
		}
		return nil
	})
}
