package audit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Finding is one difference that Verify found.
type Finding struct {
	Object string // the key of an object or a chain, or what else it is about
	Detail string
}

// Report is what Verify counted and found.
type Report struct {
	Scopes, Accounts, Pools, Prefixes, Allocations, Sets, Reservations, Quarantines, Holds, Webhooks, Policies, Tokens, Bindings, Principals, Sessions, Approvals, Imports, DriftIgnores, DriftRules, Events int

	Findings []Finding
	Omitted  int // findings beyond maxFindings
}

// maxFindings bounds the memory of a report on a database in which nothing is right.
const maxFindings = 10_000

func (r *Report) find(object any, format string, args ...any) {
	if len(r.Findings) == maxFindings {
		r.Omitted++
		return
	}
	r.Findings = append(r.Findings, Finding{Object: fmt.Sprint(object), Detail: fmt.Sprintf(format, args...)})
}

// Verify compares all that is stored with the events and with each other: that the file is whole and the schema has what guards
// it; that each row is what its last event says, and has its prefix; that nothing overlaps and free space is exactly the rest;
// that every chain of events is unbroken. Unnoticed says what it does not see. It shares no code with placing.
//
// It reads in slices, each of some rows with all that they are compared with, on a snapshot of its own: a change is in it whole
// or not at all, and no snapshot is open for long, which would slow down the writes of a server. It keeps no more than a slice.
func (a *Auditor) Verify(ctx context.Context) (Report, error) {
	v := &verifier{ctx: ctx, k: a.k}
	for _, c := range checks {
		switch err := c.run(v); {
		case err == nil:
		case ctx.Err() != nil, busy(err) && a.k.DB.Fault() == "":
			return v.Report, err
		default: // what is stored cannot be read
			v.find(c.name, "could not be checked to the end: %v", err)
		}
	}
	slices.SortStableFunc(v.Findings, func(a, b Finding) int { return strings.Compare(a.Object, b.Object) })
	return v.Report, nil
}

// busy reports whether a database is only not to be had now. One that is damaged says so too, and a fault.
func busy(err error) bool {
	return ipam.CodeOf(err) == ipam.CodeUnavailable || ipam.CodeOf(err) == ipam.CodeOverloaded
}

// checks are what Verify does, in this order.
var checks = []struct {
	name string
	run  func(*verifier) error
}{
	{"file", (*verifier).file},
	{"schema", (*verifier).schema},
	{"scopes", scopes.check},
	{"accounts", accounts.check},
	{"pools", pools.check},
	{"allocation sets", sets.check},
	{"allocations", allocations.check},
	{"reservations", reservations.check},
	{"quarantines", quarantines.check},
	{"holds", holds.check},
	{"webhooks", webhooks.check},
	{"tokens", (*verifier).tokens},
	{"policies", policies.check},
	{"bindings", bindings.check},
	{"principals", (*verifier).vouched},
	{"sessions", sessions.check},
	{"approvals", approvals.check},
	{"imports", imports.check},
	{"drift ignores", ignores.check},
	{"drift rules", rules.check},
	{"members", (*verifier).members},
	{"prefixes", (*verifier).prefixes},
	{"spaces", (*verifier).spaces},
	{"free blocks", (*verifier).freeBlocks},
	{"former names", (*verifier).formerNames},
	{"observations", (*verifier).observations},
	{"looks", (*verifier).looks},
	{"lost objects", (*verifier).lost},
	{"chains", (*verifier).chains},
	{"chains without a head", (*verifier).headless},
	{"seals", (*verifier).seals},
}

type verifier struct {
	Report

	ctx context.Context
	k   *change.Kernel
}

// slice reads on a snapshot of its own.
func (v *verifier) slice(body func(*store.Tx) error) error { return v.k.DB.Read(v.ctx, body) }

// errStuck ends a walk that does not move forward, which only a damaged index brings about.
var errStuck = errors.New("the order of what is stored is damaged")

// byKey visits a list page by page, each in a slice of its own: visit answers the last key that it has seen, and whether there are
// more.
func (v *verifier) byKey(visit func(tx *store.Tx, after int64) (last int64, more bool, err error)) error {
	for after, more := int64(math.MinInt64), true; more; {
		last := after
		err := v.slice(func(tx *store.Tx) (err error) {
			last, more, err = visit(tx, after)
			return err
		})
		if err != nil {
			return err
		}
		if more && last <= after {
			return errStuck
		}
		after = last
	}
	return nil
}

// rows visits the rows of a table by key, some at a time.
func (v *verifier) rows(table string, some int, visit func(*store.Tx, []store.Row) error) error {
	return v.byKey(func(tx *store.Tx, after int64) (int64, bool, error) {
		rows, err := tx.RowsAfter(table, after, some)
		if err != nil || len(rows) == 0 {
			return after, false, err
		}
		return rows[len(rows)-1].Key(), len(rows) == some, visit(tx, rows)
	})
}

// file looks for faults of the SQLite file itself.
func (v *verifier) file() error {
	return v.slice(func(tx *store.Tx) error {
		faults, err := tx.FileFaults(100)
		for _, f := range faults {
			v.find("file", "%s", f)
		}
		return err
	})
}

// schema looks for what is missing of what the schema guards itself and finds rows with.
func (v *verifier) schema() error {
	missing, err := v.k.DB.MissingGuards(v.ctx)
	if err != nil {
		return err
	}
	for _, name := range missing {
		v.find("schema", "%s is missing, invalid or disabled, so the database does not refuse by itself what it should", name)
	}
	indexes, err := v.k.DB.MissingIndexes(v.ctx)
	for _, name := range indexes {
		v.find("schema", "the index %s is missing, invalid or not unique any more", name)
	}
	return err
}

// keysOf are the keys of rows.
func keysOf(rows []store.Row) []int64 {
	keys := make([]int64, len(rows))
	for i, r := range rows {
		keys[i] = r.Key()
	}
	return keys
}
