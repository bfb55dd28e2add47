package store

import (
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// EachFreeBlock visits the free blocks of all pools of a scope, pool by pool and in address order.
func (tx *Tx) EachFreeBlock(scope ipam.UID, visit func(pool ipam.UID, free netip.Prefix)) error {
	return tx.eachBlock(scope, visit, "SELECT p.id, p.family, f.first_ip, f.length FROM pools p CROSS JOIN free_blocks f"+
		" WHERE p.scope_id = $1 AND p.draft_until IS NULL AND f.pool_id = p.id ORDER BY p.id, f.first_ip")
}

// EachReserved visits the blocks of all reservations of a scope, and EachHeld those of holds, in no order.
func (tx *Tx) EachReserved(scope ipam.UID, visit func(pool ipam.UID, block netip.Prefix)) error {
	return tx.eachBlock(scope, visit, "SELECT pool_id, family, first_ip, length FROM reservations WHERE scope_id = $1")
}

// EachQuarantined visits the blocks of all pools of a scope that are in quarantine, in no order.
func (tx *Tx) EachQuarantined(scope ipam.UID, visit func(pool ipam.UID, block netip.Prefix)) error {
	return tx.eachBlock(scope, visit, "SELECT space_id, family, first_ip, length FROM quarantines WHERE scope_id = $1 AND space_id <> scope_id")
}

// EachHeld visits the blocks of a scope that plans hold, drafts too.
func (tx *Tx) EachHeld(scope ipam.UID, visit func(pool ipam.UID, block netip.Prefix)) error {
	return tx.eachBlock(scope, visit, "SELECT pool_id, family, first_ip, length FROM holds WHERE scope_id = $1 AND kept = TRUE"+
		" UNION ALL SELECT parent_id, family, first_ip, length FROM pools WHERE scope_id = $1 AND draft_until IS NOT NULL AND draft_encloses = FALSE AND parent_id IS NOT NULL")
}

func (tx *Tx) eachBlock(scope ipam.UID, visit func(ipam.UID, netip.Prefix), text string) error {
	rows, err := tx.conn.QueryContext(tx.ctx, text, scope.Key())
	if err != nil {
		return err
	}
	defer rows.Close()
	var last int64
	var pool ipam.UID
	for rows.Next() {
		var key, fam, length int64
		var first []byte
		if err := rows.Scan(&key, &fam, &first, &length); err != nil {
			return err
		}
		at, err := block(first, int(fam), length)
		if err != nil {
			return err
		}
		if key != last {
			last, pool = key, uid(poolKey, key)
		}
		visit(pool, at)
	}
	return rows.Err()
}

// CountAllocations counts the allocations of each pool of a scope that has any.
func (tx *Tx) CountAllocations(scope ipam.UID) (map[ipam.UID]int64, error) {
	rows, err := tx.conn.QueryContext(tx.ctx, "SELECT p.id, (SELECT count(*) FROM allocations a WHERE a.pool_id = p.id) FROM pools p WHERE p.scope_id = $1", scope.Key())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	counts := map[ipam.UID]int64{}
	for rows.Next() {
		var key, n int64
		if err := rows.Scan(&key, &n); err != nil {
			return nil, err
		}
		if n > 0 {
			counts[uid(poolKey, key)] = n
		}
	}
	return counts, rows.Err()
}
