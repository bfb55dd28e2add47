package audit

import (
	"encoding/json"
	"fmt"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// tokens compares tokens and their principals with their events: one of its creation, and one of its end when it was revoked. It
// looks for the rows that every installation has, too.
func (v *verifier) tokens() error {
	err := v.slice(func(tx *store.Tx) error {
		principals, err := byKey(tx.RowsWhere("principals", "id", []int64{ipam.SystemPrincipalUID.Key()}))
		system := store.Row{"kind": ipam.SystemPrincipal.Kind, "name": ipam.SystemPrincipal.Name, "created_at": int64(0), "issuer": "", "subject": ""}
		for _, w := range differences("principals", principals[ipam.SystemPrincipalUID.Key()], system, "every installation says") {
			v.find(ipam.SystemPrincipalUID, "%s", w)
		}
		if err != nil {
			return err
		}
		token, err := tx.RowsAfter("tokens", 0, 1)
		if err != nil || len(token) == 0 {
			return err
		}
		if _, err = tx.TokenKey(); ipam.CodeOf(err) == ipam.CodeNotFound {
			v.find("instance", "there are tokens, but not the key of their hashes")
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.rows("tokens", 200, func(tx *store.Tx, rows []store.Row) error {
		v.Tokens += len(rows)
		principals, err := byKey(tx.RowsWhere("principals", "id", keysOf(rows)))
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := v.token(tx, row, principals[row.Key()]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v *verifier) token(tx *store.Tx, row, principal store.Row) error {
	id := ipam.KeyUID("token", row.Key())
	events, err := tx.EventsOf(row.Key(), -1, change.PageSize)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		v.find(id, "has a row, but no event")
		return nil
	}
	var t ipam.Token
	token := store.Row{"revoked_at": nil}
	for _, e := range events {
		switch e.Action {
		case "token.created":
			if err := json.Unmarshal(e.After, &t); err != nil {
				v.find(id, "its event (%s) cannot be read: %v", e.ID, err)
				return nil
			}
			token["created_at"], token["expires_at"], token["scope_id"] = t.CreatedAt.UnixMicro(), optional(t.ExpiresAt), key(t.ScopeUID)
		case "token.revoked":
			token["revoked_at"] = e.At.UnixMicro()
		default:
			v.find(id, "has an event %s (%s), which tokens do not have", e.Action, e.ID)
		}
	}
	if principal == nil {
		v.find(id, "has no principal")
		principal = store.Row{}
	}
	wrong := differences("tokens", row, token, "its events say")
	wrong = append(wrong, differences("principals", principal, store.Row{"kind": "token", "name": t.Name, "created_at": t.CreatedAt.UnixMicro(), "issuer": "", "subject": ""}, "its events say")...)
	for _, w := range wrong {
		v.find(id, "%s", w)
	}
	return nil
}

// vouched compares principals whom issuers vouch for with their events. Those of tokens are compared with theirs.
func (v *verifier) vouched() error {
	return v.rows(principals.table, principals.some, func(tx *store.Tx, rows []store.Row) error {
		histories, err := tx.Histories(keysOf(rows))
		if err != nil {
			return err
		}
		for _, row := range rows {
			h := histories[row.Key()]
			if same(row["issuer"], "") && h.Last.ObjectKind != principals.kind {
				continue
			}
			v.Principals++
			if err := principals.compare(tx, v, row, h, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// members compares the allocations that name a set with the members that its last event lists.
func (v *verifier) members() error {
	return v.rows(sets.table, 50, func(tx *store.Tx, rows []store.Row) error {
		keys := keysOf(rows)
		histories, err := tx.Histories(keys)
		if err != nil {
			return err
		}
		inside, err := tx.RowsWhere(allocations.table, "set_id", keys)
		if err != nil {
			return err
		}
		have := map[int64]map[string]store.Row{}
		for _, a := range inside {
			set, key := a.Int("set_id"), fmt.Sprint(a["set_key"])
			if have[set] == nil {
				have[set] = map[string]store.Row{}
			}
			have[set][key] = a
		}
		for _, row := range rows {
			if err := v.set(tx, row, histories[row.Key()].Last, have[row.Key()]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v *verifier) set(tx *store.Tx, row store.Row, last ipam.Event, have map[string]store.Row) error {
	id := sets.id(row)
	for key, a := range have {
		if want := ipam.MemberName(fmt.Sprint(row["name"]), key); !same(a["name"], want) || !same(a["pool_id"], row["pool_id"]) {
			v.find(allocations.id(a), "is the member %q of allocation set %s (%v in pool %v), but is named %v in pool %v", key, id, row["name"], row["pool_id"], shown(a["name"]), a["pool_id"])
		}
	}
	wrong := memberships(last, have)
	if len(wrong) > 0 {
		last, err := sets.last(tx, row.Key())
		if err != nil {
			return err
		}
		wrong = memberships(last, have)
	}
	for _, w := range wrong {
		v.find(id, "%s", w)
	}
	return nil
}

func memberships(last ipam.Event, have map[string]store.Row) (wrong []string) {
	var set ipam.AllocationSet
	if last.After == nil || json.Unmarshal(last.After, &set) != nil {
		return nil // said by the check of sets
	}
	for _, m := range set.Members {
		a, there := have[m.Key]
		switch from, _, ok := bounds(a.Int("family"), bytesIn(a, "first_ip"), a.Int("length")); {
		case !there:
			wrong = append(wrong, fmt.Sprintf("its last event (%s) lists a member %q, which no allocation is", last.ID, m.Key))
		case string(allocations.id(a)) != m.Allocation || !ok || from != m.CIDR.Addr() || a.Int("length") != int64(m.CIDR.Bits()):
			wrong = append(wrong, fmt.Sprintf("its last event (%s) lists %s at %s as its member %q, but that is %s", last.ID, m.Allocation, m.CIDR, m.Key, allocations.id(a)))
		}
	}
	if len(have) > len(set.Members) {
		wrong = append(wrong, fmt.Sprintf("%d allocations name it, but its last event (%s) lists %d members", len(have), last.ID, len(set.Members)))
	}
	return wrong
}

// formerNames compares names that were left with the event by which their object left them.
func (v *verifier) formerNames() error {
	var after store.FormerName
	for more := true; more; {
		err := v.slice(func(tx *store.Tx) error {
			names, err := tx.FormerNamesAfter(after, change.PageSize)
			for _, f := range names {
				if err == nil {
					err = v.formerName(tx, f)
				}
				if f == after {
					return errStuck
				}
				after = f
			}
			more = len(names) == change.PageSize
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) formerName(tx *store.Tx, f store.FormerName) error {
	id := ipam.KeyUID(f.Kind, f.Object)
	for e, err := range eventsOf(tx, f.Object) {
		if err != nil {
			return err
		}
		if left, scope := leaves(e); !told(e, f.LeftAt) || e.ObjectKind != f.Kind || left != f.Name {
			continue
		} else if f.Scope == scope {
			return nil
		} else if f.Kind != pools.kind {
			continue
		} else if heir, err := inherits(tx, f.Scope, scope); heir || err != nil {
			return err
		}
	}
	v.find(id, "is said to have left the name %q of %s in scope %d at %d, and no event says so", f.Name, f.Kind, f.Scope, f.LeftAt)
	return nil
}

// leaves is the name that an object had before an event, and the scope that it had it in, which is 0 but for pools.
func leaves(e ipam.Event) (name string, scope int64) {
	var before struct{ ID, Name string }
	_ = json.Unmarshal(e.Before, &before)
	if e.ObjectKind != pools.kind {
		return before.ID, 0
	}
	return before.Name, e.ScopeUID.Key()
}

// inherits reports whether a scope has the names that were left in another: that has ended, and it was made anew under its name.
func inherits(tx *store.Tx, heir, of int64) (bool, error) {
	present, err := tx.Present(scopes.table, []int64{heir, of})
	if err != nil || present[of] {
		return false, err
	}
	if present[heir] {
		return true, nil
	}
	events, err := tx.EventsOf(heir, -1, 1) // it has ended too
	return len(events) == 1 && events[0].ObjectKind == scopes.kind, err
}
