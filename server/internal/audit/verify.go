package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Finding is one difference that Verify found.
type Finding struct {
	Object string // the pool, scope, allocation or chain
	Detail string
}

// Report is what Verify counted and found.
type Report struct {
	Scopes, Accounts, Pools, Prefixes, Allocations, Sets, Reservations, Holds, Events int

	Findings []Finding
}

func (r *Report) find(object, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{Object: object, Detail: fmt.Sprintf(format, args...)})
}

// Verify recomputes on one snapshot what must always be true, from the prefixes up: nothing overlaps, everything lies in
// its pool, free space is exactly the rest, whatever occupies space owns one prefix that says where and as what, every change
// has its event, and every chain of events is unbroken. It shares no code with placing but alloc.Cover, which has a test of its own.
func (a *Auditor) Verify(ctx context.Context) (Report, error) {
	return change.Read(ctx, a.k, func(tx *store.Tx) (report Report, err error) {
		owners := owners{}
		ledger := ledger{}
		if err = change.EachPage(func(p ipam.Page) ([]ipam.Scope, error) { return tx.Scopes(true, p) }, func(s ipam.Scope) string { return string(s.UID) }, func(s ipam.Scope) error {
			report.Scopes++
			ledger[string(s.UID)] -= s.Version
			return verifySpace(tx, &report, owners, s.ID, s.UID, netip.Prefix{})
		}); err != nil {
			return report, err
		}
		if err = change.EachPage(func(p ipam.Page) ([]ipam.Pool, error) { return tx.Pools(ipam.PoolFilter{Drafts: true}, p) }, func(p ipam.Pool) string { return string(p.UID) }, func(p ipam.Pool) error {
			report.Pools++
			status := ipam.StatusAllocated
			if p.DraftUntil != nil {
				status = ipam.StatusHeld
			}
			owners.row(&report, string(p.UID), stand{p.Space(), p.CIDR, status, ipam.KindPool, p.Name})
			ledger[string(p.UID)] -= p.Version
			return errors.Join(verifySpace(tx, &report, owners, p.ID, p.UID, p.CIDR), verifyFree(tx, &report, p))
		}); err != nil {
			return report, err
		}
		if err = change.EachPage(func(p ipam.Page) ([]ipam.Allocation, error) { return tx.Allocations(ipam.AllocationFilter{}, p) }, func(a ipam.Allocation) string { return a.ID }, func(a ipam.Allocation) error {
			report.Allocations++
			owners.row(&report, a.ID, stand{a.PoolUID, a.CIDR, ipam.StatusAllocated, ipam.KindAllocation, a.Name})
			ledger[a.ID] -= a.Version
			return nil
		}); err != nil {
			return report, err
		}
		if err = change.EachPage(func(p ipam.Page) ([]ipam.AllocationSet, error) {
			return tx.AllocationSets(ipam.AllocationSetFilter{}, p)
		}, func(s ipam.AllocationSet) string { return s.ID }, func(s ipam.AllocationSet) error {
			report.Sets++
			ledger[s.ID] -= s.Version
			return verifySet(tx, &report, s)
		}); err != nil {
			return report, err
		}
		if err = change.EachPage(func(p ipam.Page) ([]ipam.Reservation, error) { return tx.Reservations(ipam.ReservationFilter{}, p) }, func(v ipam.Reservation) string { return v.ID }, func(v ipam.Reservation) error {
			report.Reservations++
			owners.row(&report, v.ID, stand{v.PoolUID, v.CIDR, ipam.StatusReserved, ipam.KindReservation, v.Reason})
			ledger[v.ID] -= v.Version
			return nil
		}); err != nil {
			return report, err
		}
		if err = change.EachPage(func(p ipam.Page) ([]ipam.Account, error) { return tx.Accounts(ipam.AccountFilter{}, p) }, func(a ipam.Account) string { return string(a.UID) }, func(a ipam.Account) error {
			report.Accounts++
			ledger[string(a.UID)] -= a.Version
			return nil
		}); err != nil {
			return report, err
		}
		if err = change.EachPage(func(p ipam.Page) ([]ipam.Hold, error) { return tx.Holds(ipam.HoldFilter{}, p) }, func(h ipam.Hold) string { return h.ID }, func(h ipam.Hold) error {
			report.Holds++
			if h.Kept {
				owners.row(&report, h.ID, stand{h.PoolUID, h.CIDR, ipam.StatusHeld, ipam.KindHold, h.Name})
			}
			return nil
		}); err != nil {
			return report, err
		}
		owners.balance(&report)
		orphans, err := tx.Orphans(change.PageSize)
		if err != nil {
			return report, err
		}
		for _, space := range orphans {
			report.find(string(space), "is neither a pool nor a scope, but has prefixes or free blocks")
		}
		if err = verifyChains(tx, &report, ledger); err != nil {
			return report, err
		}
		for id, balance := range ledger {
			if balance != 0 {
				report.find(id, "has %+d events more than changes", balance)
			}
		}
		slices.SortFunc(report.Findings, func(a, b Finding) int { return strings.Compare(a.Object, b.Object) })
		return report, nil
	})
}

// verifySet compares the names of a set's members with its own.
func verifySet(tx *store.Tx, report *Report, s ipam.AllocationSet) error {
	members, err := tx.MembersOfSet(s.ID)
	for _, a := range members {
		if a.PoolUID != s.PoolUID || a.Name != ipam.MemberName(s.Name, a.SetKey) {
			report.find(a.ID, "is the member %q of allocation set %s (%s in %s), but is named %q in %s", a.SetKey, s.ID, s.Name, s.Pool, a.Name, a.Pool)
		}
	}
	return err
}

// owners weighs prefixes against what owns them: one each, which say the same.
type owners map[string]ownership

type ownership struct {
	prefixes int // more than there are rows
	stand    stand
}

// stand is where and as what an owner occupies space.
type stand struct {
	space  ipam.UID
	cidr   netip.Prefix
	status ipam.Status
	kind   ipam.Kind
	name   string
}

func (s stand) String() string {
	return fmt.Sprintf("%s %s %q at %s in %s", s.status, s.kind, s.name, s.cidr, s.space)
}

func (o owners) prefix(report *Report, p ipam.Prefix) {
	o.weigh(report, p.Owner, 1, stand{p.Space(), p.CIDR, p.Status, p.Kind, p.Name})
}

func (o owners) row(report *Report, id string, s stand) { o.weigh(report, id, -1, s) }

// weigh forgets what comes out even, so that only what has not met its counterpart yet takes memory.
func (o owners) weigh(report *Report, id string, one int, s stand) {
	known := o[id]
	if known.prefixes+one != 0 {
		o[id] = ownership{known.prefixes + one, s}
		return
	}
	delete(o, id)
	prefixed, said := s, known.stand
	if one < 0 {
		prefixed, said = said, prefixed
	}
	if prefixed != said {
		report.find(id, "is %s, but its prefix %s", said, prefixed)
	}
}

func (o owners) balance(report *Report) {
	for id, at := range o {
		report.find(id, "has %+d prefixes more than owners", at.prefixes)
	}
}

// verifySpace walks the prefixes of a space in address order and counts their owners.
func verifySpace(tx *store.Tx, report *Report, owners owners, name string, space ipam.UID, bounds netip.Prefix) error {
	var last netip.Prefix
	return eachPrefix(tx, space, func(p ipam.Prefix) error {
		report.Prefixes++
		owners.prefix(report, p)
		if last.IsValid() && last.Overlaps(p.CIDR) {
			report.find(name, "%s and %s overlap", last, p.CIDR)
		}
		if bounds.IsValid() && (!bounds.Contains(p.CIDR.Addr()) || p.CIDR.Bits() < bounds.Bits()) {
			report.find(name, "%s lies outside %s", p.CIDR, bounds)
		}
		last = p.CIDR
		return nil
	})
}

func eachPrefix(tx *store.Tx, space ipam.UID, visit func(ipam.Prefix) error) error {
	for _, family := range []int{4, 6} {
		for after, more := (netip.Addr{}), true; more; {
			prefixes, err := tx.PrefixesAfter(space, family, after, change.PageSize)
			if err != nil {
				return err
			}
			for _, p := range prefixes {
				if err := visit(p); err != nil {
					return err
				}
				if !after.Less(p.CIDR.Addr()) {
					return fmt.Errorf("%s of space %s is stored under another address; the walk would never end", p.CIDR, space)
				}
				after = p.CIDR.Addr()
			}
			more = len(prefixes) == change.PageSize
		}
	}
	return nil
}

// verifyFree compares the free blocks with the canonical cover of what the prefixes leave.
func verifyFree(tx *store.Tx, report *Report, pool ipam.Pool) error {
	var taken []netip.Prefix
	if err := eachPrefix(tx, pool.UID, func(p ipam.Prefix) error { taken = append(taken, p.CIDR); return nil }); err != nil {
		return err
	}
	want, err := alloc.Cover(pool.CIDR, taken)
	if err != nil {
		report.find(pool.ID, "its prefixes do not fit it: %v", err)
		return nil
	}
	var have []netip.Prefix
	var after netip.Addr
	for {
		leaves, err := tx.Leaves(pool).After(after, change.PageSize)
		if err != nil {
			return err
		}
		have = append(have, leaves...)
		if len(leaves) < change.PageSize {
			break
		}
		after = leaves[len(leaves)-1].Addr()
	}
	if !slices.Equal(want, have) {
		report.find(pool.ID, "its free blocks are not what its prefixes leave: %d stored, %d expected", len(have), len(want))
	}
	return nil
}

// ledger weighs events against versions: creating and each update of an object add one, its end takes away the version it
// had, and so does being there. An object whose every change has its event comes out even.
type ledger map[string]int64

func (l ledger) enter(e ipam.Event) error {
	switch e.ObjectKind {
	case "scope", "account", "pool", "allocation", "allocation_set", "reservation":
	default:
		return nil // tokens and holds have no version
	}
	if e.Action == "account.moved_out" {
		return nil // told again where it came to
	}
	if e.After != nil {
		l[e.ObjectID]++
		return nil
	}
	var last struct{ Version int64 }
	if err := json.Unmarshal(e.Before, &last); err != nil {
		return fmt.Errorf("read event %s: %w", e.ID, err)
	}
	l[e.ObjectID] -= last.Version
	return nil
}

// verifyChains recomputes the hashes of every chain, up to the head that is kept apart from it: so that a tail which was cut off
// is seen.
func verifyChains(tx *store.Tx, report *Report, ledger ledger) error {
	headless, err := tx.HeadlessChains(change.PageSize)
	if err != nil {
		return err
	}
	for _, chain := range headless {
		report.find(string(chain), "has events, but no head")
	}
	for after, more := ipam.UID(""), true; more; {
		chains, err := tx.Chains(after, change.PageSize)
		if err != nil {
			return err
		}
		for _, chain := range chains {
			if err := verifyChain(tx, report, ledger, chain); err != nil {
				return err
			}
			after = chain.UID
		}
		more = len(chains) == change.PageSize
	}
	return nil
}

func verifyChain(tx *store.Tx, report *Report, ledger ledger, head store.Chain) error {
	chain := string(head.UID)
	var seq int64
	var previous []byte
	for more := true; more; {
		events, err := tx.EventsOfChain(head.UID, seq, change.PageSize)
		if err != nil {
			return err
		}
		for _, e := range events {
			report.Events++
			if err := ledger.enter(e); err != nil {
				return err
			}
			if e.Seq != seq+1 {
				report.find(chain, "event %d is missing", seq+1)
			} else if !bytes.Equal(e.Link(previous), e.Hash) {
				report.find(chain, "event %d (%s) does not match its hash", e.Seq, e.ID)
			}
			seq, previous = e.Seq, e.Hash
		}
		more = len(events) == change.PageSize
	}
	switch {
	case seq < head.Length:
		report.find(chain, "its last %d events are missing: it ends with event %d, and its head is %d", head.Length-seq, seq, head.Length)
	case seq > head.Length:
		report.find(chain, "has %d events behind its head, which is %d", seq-head.Length, head.Length)
	case !bytes.Equal(previous, head.Hash):
		report.find(chain, "its head does not match its last event")
	}
	return nil
}
