package store

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// standingAtOnce is how many blocks one question names: most of those around the blocks of a network are the same ones.
const standingAtOnce = 1024

// Told tells of observations what is not in their rows: what is desired there, and when they were seen last.
func (tx *Tx) Told(observed []ipam.Observation) ([]ipam.Shown, error) {
	standing, err := tx.standing(observed)
	if err != nil {
		return nil, err
	}
	states := map[string][]ipam.SyncState{} // by account
	all := make([]ipam.Shown, len(observed))
	for i, o := range observed {
		if _, known := states[o.Account]; !known {
			a, err := tx.Account(ipam.Everything, o.Account)
			if err != nil {
				return nil, err
			}
			if states[o.Account], err = tx.SyncStates(a.UID); err != nil {
				return nil, err
			}
		}
		all[i] = ipam.Shown{Observation: o, Standing: standing[o.UID], LastSeen: lastSeen(o, states[o.Account])}
	}
	return all, nil
}

// lastSeen is when the last complete view of a region began, where that has shown what was observed there.
func lastSeen(o ipam.Observation, states []ipam.SyncState) time.Time {
	for _, s := range states {
		if o.Misses == 0 && s.Kind == o.LookKind() && s.Region == o.Region {
			return s.Seen[0]
		}
	}
	return time.Time{}
}

// standing says what is desired where things are observed, by the keys of the observations. What is in no scope is not there.
func (tx *Tx) standing(observed []ipam.Observation) (map[ipam.UID]ipam.Standing, error) {
	var scopes []ipam.UID
	var blocks []netip.Prefix
	asked := map[netip.Prefix]bool{}
	for _, o := range observed {
		if o.ScopeUID == "" {
			continue
		}
		if !slices.Contains(scopes, o.ScopeUID) {
			scopes = append(scopes, o.ScopeUID)
		}
		for p := o.CIDR; !asked[p]; p = netip.PrefixFrom(p.Addr(), p.Bits()-1).Masked() {
			asked[p] = true
			blocks = append(blocks, p)
			if p.Bits() == 0 {
				break
			}
		}
	}
	there := map[netip.Prefix][]ipam.Prefix{}
	for some := range slices.Chunk(blocks, standingAtOnce) {
		found, err := tx.prefixesOf(scopes, some)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			if !slices.ContainsFunc(there[p.CIDR], func(q ipam.Prefix) bool { return q.Owner == p.Owner }) {
				there[p.CIDR] = append(there[p.CIDR], p)
			}
		}
	}
	all := map[ipam.UID]ipam.Standing{}
	for _, o := range observed {
		if o.ScopeUID != "" {
			all[o.UID] = standingAt(o, there)
		}
	}
	return all, nil
}

// standingAt looks from the observed block outwards, so that the first that it meets is the innermost.
func standingAt(o ipam.Observation, there map[netip.Prefix][]ipam.Prefix) (s ipam.Standing) {
	for p := o.CIDR; ; p = netip.PrefixFrom(p.Addr(), p.Bits()-1).Masked() {
		var pools []ipam.Prefix
		for _, q := range there[p] {
			switch {
			case q.ScopeUID != o.ScopeUID:
			case q.Kind == ipam.KindPool:
				pools = append(pools, q)
			default:
				return ipam.Standing{By: &q, Pool: q.Pool}
			}
		}
		if len(pools) > 0 && s.By == nil && s.Pool == "" {
			inner := innermost(pools)
			if o.Kind == ipam.ObservedNetwork && p == o.CIDR {
				s = ipam.Standing{By: &inner, Pool: inner.Pool}
			} else {
				s.Pool = inner.OwnerID()
			}
		}
		if len(pools) > 0 || p.Bits() == 0 {
			return s // an allocation is never around a pool
		}
	}
}

// innermost is the one of pools with the same block that none of the others is in.
func innermost(pools []ipam.Prefix) ipam.Prefix {
	for _, p := range pools {
		if !slices.ContainsFunc(pools, func(q ipam.Prefix) bool { return string(q.PoolUID) == p.Owner }) {
			return p
		}
	}
	return pools[0]
}

// prefixesOf are the pools and allocations of scopes that are some blocks exactly; drafts are none.
func (tx *Tx) prefixesOf(scopes []ipam.UID, blocks []netip.Prefix) ([]ipam.Prefix, error) {
	s := tx.from("named_prefixes", prefixColumns)
	var rows []string
	address := map[Engine]string{SQLite: "%s", Postgres: "CAST(%s AS BYTEA)"}[s.engine]
	row := func(p netip.Prefix) {
		rows = append(rows, fmt.Sprintf("(CAST(%s AS BIGINT), "+address+", CAST(%s AS BIGINT))", s.arg(ipam.Family(p)), s.arg(firstIP(p)), s.arg(p.Bits())))
	}
	for _, p := range blocks {
		row(p)
	}
	for n := len(blocks); n&(n-1) != 0; n++ { // as many texts as powers of two
		row(blocks[0])
	}
	s.with = "WITH at (at_family, at_ip, at_length) AS (VALUES " + strings.Join(rows, ", ") + ") "
	s.join = "at CROSS JOIN "
	s.and("family = at_family AND first_ip = at_ip AND length = at_length")
	s.text.WriteString(" AND scope_id + 0 IN " + s.oneOfUIDs(scopes)) // as written, no engine reads all of a scope for it
	s.text.WriteString(" AND (kind = 'allocation' OR kind = 'pool' AND status <> 'held')")
	return list(tx, s, prefixFields, prefix)
}
