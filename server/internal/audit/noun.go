package audit

import (
	"encoding/json"
	"maps"
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// said is what an event says of an object: what its row must be, and its prefix. Names of other objects are left out: those may
// have changed since.
type said struct {
	row     store.Row
	prefix  store.Row // nil: it has none
	version int64     // 0: it counts none
}

// noun is a kind of object that has rows and events.
type noun struct {
	kind  string // as events call it
	what  string // as its keys are called
	table string
	some  int    // how many are compared at a time
	space string // the column of the pool that it is in; "" where it is in none
	owns  bool   // a prefix
	count func(*Report) *int
	say   func(after []byte) (said, error)
}

var (
	scopes       = noun{"scope", "scope", "scopes", 1000, "", false, func(r *Report) *int { return &r.Scopes }, sayAs(scopeSaid)}
	accounts     = noun{"account", "account", "accounts", 1000, "", false, func(r *Report) *int { return &r.Accounts }, sayAs(accountSaid)}
	pools        = noun{"pool", "pool", "pools", 1000, "parent_id", true, func(r *Report) *int { return &r.Pools }, sayAs(poolSaid)}
	sets         = noun{"allocation_set", "set", "allocation_sets", 200, "pool_id", false, func(r *Report) *int { return &r.Sets }, sayAs(setSaid)}
	allocations  = noun{"allocation", "alloc", "allocations", 1000, "pool_id", true, func(r *Report) *int { return &r.Allocations }, sayAs(allocationSaid)}
	reservations = noun{"reservation", "rsv", "reservations", 1000, "pool_id", true, func(r *Report) *int { return &r.Reservations }, sayAs(reservationSaid)}
	quarantines  = noun{"quarantine", "quarantine", "quarantines", 1000, "", true, func(r *Report) *int { return &r.Quarantines }, sayAs(quarantineSaid)}
	webhooks     = noun{"webhook", "webhook", "webhooks", 100, "", false, func(r *Report) *int { return &r.Webhooks }, sayAs(webhookSaid)}
	policies     = noun{"policy", "policy", "policies", 200, "pool_id", false, func(r *Report) *int { return &r.Policies }, sayAs(policySaid)}
	bindings     = noun{"binding", "binding", "bindings", 1000, "", false, func(r *Report) *int { return &r.Bindings }, sayAs(bindingSaid)}
	principals   = noun{"principal", "principal", "principals", 1000, "", false, func(r *Report) *int { return &r.Principals }, sayAs(vouchedSaid)}
	sessions     = noun{"session", "session", "sessions", 1000, "", false, func(r *Report) *int { return &r.Sessions }, sayAs(sessionSaid)}
	approvals    = noun{"approval", "approval", "approvals", 500, "", false, func(r *Report) *int { return &r.Approvals }, sayAs(approvalSaid)}
	imports      = noun{"import", "import", "imports", 1000, "", false, func(r *Report) *int { return &r.Imports }, sayAs(importSaid)}
	ignores      = noun{"drift_ignore", "ignore", "drift_ignores", 1000, "", false, func(r *Report) *int { return &r.DriftIgnores }, sayAs(ignoreSaid)}
	rules        = noun{"drift_rules", "rules", "drift_rules", 10, "", false, func(r *Report) *int { return &r.DriftRules }, sayAs(rulesSaid)}
	holds        = noun{"hold", "hold", "holds", 1000, "pool_id", true, func(r *Report) *int { return &r.Holds }, sayAs(holdSaid)}
)

// tokens have rows, and events of their own kind: a row is not what its last event says.
var tokens = noun{kind: "token", what: "token", table: "tokens"}

// nouns are what events tell of, by kind.
var nouns = func() map[string]noun {
	byKind := map[string]noun{}
	for _, n := range []noun{scopes, accounts, pools, sets, allocations, reservations, quarantines, holds, webhooks, policies, tokens, bindings, principals, sessions, approvals, imports, ignores, rules} {
		byKind[n.kind] = n
	}
	return byKind
}()

func sayAs[T any](of func(T) said) func([]byte) (said, error) {
	return func(after []byte) (said, error) {
		var noun T
		if err := json.Unmarshal(after, &noun); err != nil {
			return said{}, err
		}
		return of(noun), nil
	}
}

func scopeSaid(s ipam.Scope) said {
	return said{version: s.Version, row: with(store.Row{
		"id": s.UID.Key(), "name": s.ID, "description": s.Description, "draft_until": optional(s.DraftUntil),
	}, labelled(s.Labels), versioned(s.Version, s.CreatedAt, s.UpdatedAt))}
}

func accountSaid(a ipam.Account) said {
	return said{version: a.Version, row: with(store.Row{
		"id": a.UID.Key(), "scope_id": a.ScopeUID.Key(), "cloud": string(a.Cloud), "external_id": a.ExternalID, "name": a.Name, "description": a.Description,
		"owner": a.Owner, "platform": a.Platform, "tier": a.Tier, "environment": a.Environment, "regions": text(a.Regions), "mode": a.Mode,
		"role_arn": a.RoleARN, "workload_identity": a.WorkloadIdentity,
	}, labelled(a.Labels), versioned(a.Version, a.CreatedAt, a.UpdatedAt))}
}

func webhookSaid(w ipam.Webhook) said {
	return said{version: w.Version, row: with(store.Row{
		"id": w.ID.Key(), "name": w.Name, "description": w.Description, "url": w.URL, "scope_id": key(w.ScopeUID), "actions": text(w.Actions), "format": w.Format, "enabled": w.Enabled,
	}, versioned(w.Version, w.CreatedAt, w.UpdatedAt))}
}

func policySaid(p ipam.Policy) said {
	return said{version: p.Version, row: with(store.Row{
		"id": p.UID.Key(), "scope_id": p.ScopeUID.Key(), "pool_id": p.PoolUID.Key(), "description": p.Description, "rules": text(p.Rules),
	}, versioned(p.Version, p.CreatedAt, p.UpdatedAt))}
}

func ignoreSaid(i ipam.DriftIgnore) said {
	return said{row: store.Row{
		"id": i.UID.Key(), "scope_id": i.ScopeUID.Key(), "drift": i.Drift, "facts": i.Facts, "reason": i.Reason, "actor": i.By, "created_at": i.CreatedAt.UnixMicro(),
	}}
}

func rulesSaid(r ipam.DriftRules) said {
	return said{version: r.Version, row: with(store.Row{"id": r.UID.Key(), "rules": string(r.Rules)}, versioned(r.Version, r.CreatedAt, r.UpdatedAt))}
}

func poolSaid(p ipam.Pool) said {
	status := ipam.StatusAllocated
	if p.DraftUntil != nil {
		status = ipam.StatusHeld
	}
	row := with(store.Row{
		"id": p.UID.Key(), "scope_id": p.ScopeUID.Key(), "name": p.Name, "parent_id": key(p.ParentUID), "strategy": string(p.Strategy),
		"min_length": length(p.Sizes.Min), "max_length": length(p.Sizes.Max), "default_length": length(p.Sizes.Default),
		"description": p.Description, "owner": p.Owner, "account": p.Account, "region": p.Region, "environment": p.Environment,
		"deletion_protection": p.DeletionProtection, "draft_until": optional(p.DraftUntil), "draft_principal_id": key(p.DraftPrincipal), "draft_holder": p.DraftHolder, "draft_encloses": p.DraftEncloses, "grows_id": key(p.DraftGrows), "quarantine_seconds": number(p.Quarantine), "max_observed_age_seconds": number(p.MaxObservedAge),
	}, block(p.CIDR), labelled(p.Labels), versioned(p.Version, p.CreatedAt, p.UpdatedAt))
	if p.DraftEncloses { // the pools in it have its block until it is created
		return said{row: row, version: p.Version}
	}
	return said{row, prefixOf(row, p.Space(), p.CIDR, status, ipam.KindPool, p.Name), p.Version}
}

func setSaid(s ipam.AllocationSet) said {
	return said{version: s.Version, row: with(store.Row{
		"id": ipam.UID(s.ID).Key(), "scope_id": s.ScopeUID.Key(), "pool_id": s.PoolUID.Key(), "name": s.Name, "description": s.Description,
		"owner": s.Owner, "purpose": s.Purpose, "account": s.Account, "region": s.Region, "environment": s.Environment,
	}, labelled(s.Labels), versioned(s.Version, s.CreatedAt, s.UpdatedAt))}
}

func allocationSaid(a ipam.Allocation) said {
	row := with(store.Row{
		"id": ipam.UID(a.ID).Key(), "scope_id": a.ScopeUID.Key(), "pool_id": a.PoolUID.Key(), "name": a.Name, "set_id": key(ipam.UID(a.Set)), "set_key": a.SetKey,
		"description": a.Description, "owner": a.Owner, "purpose": a.Purpose, "account": a.Account, "region": a.Region, "environment": a.Environment, "superseded": a.Superseded, "expires_at": optional(a.ExpiresAt),
	}, block(a.CIDR), labelled(a.Labels), versioned(a.Version, a.CreatedAt, a.UpdatedAt))
	if a.Superseded {
		return said{row: row, version: a.Version}
	}
	return said{row, prefixOf(row, a.PoolUID, a.CIDR, ipam.StatusAllocated, ipam.KindAllocation, a.Name), a.Version}
}

func reservationSaid(r ipam.Reservation) said {
	row := with(store.Row{
		"id": ipam.UID(r.ID).Key(), "scope_id": r.ScopeUID.Key(), "pool_id": r.PoolUID.Key(), "name": r.Name, "reason": r.Reason, "owner": r.Owner, "expires_at": optional(r.ExpiresAt),
	}, block(r.CIDR), labelled(r.Labels), versioned(r.Version, r.CreatedAt, r.UpdatedAt))
	return said{row, prefixOf(row, r.PoolUID, r.CIDR, ipam.StatusReserved, ipam.KindReservation, r.Reason), r.Version}
}

func holdSaid(h ipam.Hold) said {
	row := with(store.Row{
		"id": ipam.UID(h.ID).Key(), "scope_id": h.ScopeUID.Key(), "pool_id": h.PoolUID.Key(), "name": h.Name, "principal_id": h.Principal.Key(), "holder": h.Holder,
		"replaces": h.Replaces, "inherits": h.Inherits, "kept": h.Kept, "approval_id": key(h.Approval), "created_at": h.CreatedAt.UnixMicro(),
	}, block(h.CIDR))
	if !h.HasPrefix() {
		return said{row: row}
	}
	return said{row: row, prefix: prefixOf(row, h.PoolUID, h.CIDR, ipam.StatusHeld, ipam.KindHold, h.Name)}
}

func quarantineSaid(q ipam.Quarantine) said {
	was := ""
	if q.Was != nil {
		was = text(q.Was)
	}
	row := with(store.Row{
		"id": ipam.UID(q.ID).Key(), "scope_id": q.ScopeUID.Key(), "space_id": q.Space().Key(), "pool_id": q.Origin.Key(), "allocation_id": ipam.UID(q.Allocation).Key(), "name": q.Name,
		"owner": q.Owner, "cause": string(q.Cause), "allocation": was, "until": q.Until.UnixMicro(), "created_at": q.CreatedAt.UnixMicro(),
	}, block(q.CIDR))
	return said{row: row, prefix: prefixOf(row, q.Space(), q.CIDR, ipam.StatusQuarantined, ipam.KindQuarantine, q.Name)}
}

func bindingSaid(b ipam.Binding) said {
	return said{row: with(store.Row{
		"id": ipam.UID(b.ID).Key(), "principal_id": b.Principal.Key(), "role": string(b.Role), "scope_id": key(b.ScopeUID), "pool_id": key(b.PoolUID),
		"largest": int64(b.Largest), "created_at": b.CreatedAt.UnixMicro(),
	}, labelled(b.Labels))}
}

func approvalSaid(a ipam.Approval) said {
	return said{version: a.Version, row: with(store.Row{
		"id": a.ID.Key(), "scope_id": a.ScopeUID.Key(), "pool_id": a.PoolUID.Key(), "requester_id": a.Requester.Key(), "action": a.Action, "target": a.Target, "digest": a.Digest,
		"blocks": text(a.Blocks), "reason": a.Reason, "source": a.Source, "status": string(a.Status), "decider_id": key(a.Decider), "decided_at": optional(a.DecidedAt),
		"comment": a.Comment, "emergency": a.Emergency, "until": a.Until.UnixMicro(),
	}, versioned(a.Version, a.CreatedAt, a.UpdatedAt))}
}

func vouchedSaid(p ipam.Vouched) said {
	return said{row: store.Row{
		"id": p.UID.Key(), "kind": p.Kind, "name": p.Name, "issuer": p.Issuer, "subject": p.Subject, "created_at": p.CreatedAt.UnixMicro(),
	}}
}

func sessionSaid(s ipam.Session) said {
	return said{row: store.Row{
		"id": s.ID.Key(), "principal_id": s.Principal.UID.Key(), "token_id": key(s.Token), "created_at": s.CreatedAt.UnixMicro(), "ends_at": s.EndsAt.UnixMicro(),
	}}
}

func importSaid(i ipam.Import) said {
	return said{row: store.Row{
		"id": i.ID.Key(), "principal_id": i.Principal.UID.Key(), "kind": string(i.Kind), "digest": i.Digest, "created": int64(i.Created), "updated": int64(i.Updated),
		"unchanged": int64(i.Unchanged), "reason": i.Reason, "created_at": i.CreatedAt.UnixMicro(), "undone_at": optional(i.UndoneAt), "undone_by": key(i.UndoneBy),
	}}
}

// ofMigration reports whether a binding is one that a token from before there were bindings got: with a key below all that are made.
func ofMigration(row store.Row) bool {
	return row.Key() < 1<<22 && same(row["role"], string(ipam.Admin)) && row["scope_id"] == nil
}

func prefixOf(owner store.Row, space ipam.UID, cidr netip.Prefix, status ipam.Status, kind ipam.Kind, name string) store.Row {
	return with(store.Row{
		"id": owner["id"], "scope_id": owner["scope_id"], "space_id": space.Key(), "kind": string(kind), "status": string(status), "name": name,
		"cidr": cidr.String(), "last_ip": bytesOf(ipam.LastIP(cidr)), "created_at": owner["created_at"],
	}, block(cidr))
}

func block(cidr netip.Prefix) store.Row {
	return store.Row{"family": int64(ipam.Family(cidr)), "first_ip": bytesOf(cidr.Addr()), "length": int64(cidr.Bits())}
}

func labelled(l ipam.Labels) store.Row {
	if len(l) == 0 {
		l = ipam.Labels{}
	}
	return store.Row{"labels": text(l)}
}

func versioned(version int64, created, updated time.Time) store.Row {
	return store.Row{"version": version, "created_at": created.UnixMicro(), "updated_at": updated.UnixMicro()}
}

// with adds to a row what others have.
func with(row store.Row, others ...store.Row) store.Row {
	for _, o := range others {
		maps.Copy(row, o)
	}
	return row
}

func bytesOf(a netip.Addr) []byte {
	b := a.As16()
	return b[:]
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts always marshal
	}
	return string(b)
}

func key(u ipam.UID) any {
	if u == "" {
		return nil
	}
	return u.Key()
}

func length(n *int) any {
	if n == nil {
		return nil
	}
	return int64(*n)
}

func number(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}

func optional(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMicro()
}
