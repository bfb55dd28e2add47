package registry_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// Events are final by trigger; whoever has the database can take the trigger away, and Verify must still see it.
var unlock = map[string][]string{
	"sqlite":   {"DROP TRIGGER events_are_final_on_update", "DROP TRIGGER events_are_final_on_delete"},
	"postgres": {"DROP TRIGGER events_are_final ON events"},
}

// twin is a second row of an allocation under a name of its own.
const twin = `INSERT INTO allocations (id, scope_id, pool_id, name, set_key, family, first_ip, length, description, owner, purpose,
	account, region, environment, labels, superseded, version, created_at, updated_at)
	SELECT 77, scope_id, pool_id, 'x', '', family, first_ip, length, '', '', '', '', '', '', '{}', FALSE, 1, 0, 0`

func TestVerifyFindsDamage(t *testing.T) {
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			for name, c := range map[string]struct {
				damage  string // $pool and $a stand for the ids of a pool and of an allocation in it
				object  string
				because string
			}{
				"a free block is gone":                {"DELETE FROM free_blocks WHERE pool_id = $pool AND length = 25", "$key", "free blocks"},
				"a free block too many":               {"INSERT INTO free_blocks (pool_id, first_ip, length) SELECT pool_id, $ip, 28 FROM free_blocks WHERE pool_id = $pool AND length = 25", "$key", "free blocks"},
				"a free block of another size":        {"UPDATE free_blocks SET length = 26 WHERE pool_id = $pool AND length = 25", "$key", "free blocks"},
				"a prefix of an allocation is gone":   {"DELETE FROM prefixes WHERE id = $a", "$a", "has no prefix"},
				"a prefix of a pool is gone":          {"DELETE FROM prefixes WHERE id = $pool", "$key", "has no prefix"},
				"an allocation without its prefix":    {twin + " FROM allocations WHERE id = $a", "alloc_000000000002d", "has no prefix"},
				"a prefix without its allocation":     {"DELETE FROM allocations WHERE id = $a", "$a", "has a prefix, but no row"},
				"an allocation and its prefix differ": {"UPDATE allocations SET first_ip = $ip WHERE id = $a", "$a", "allocations.first_ip is 00000000000000000000ffff0a000010"},
				"a pool and its prefix differ":        {"UPDATE pools SET length = 23 WHERE id = $pool", "$key", "pools.length is 23"},
				"a prefix of another pool":            {"UPDATE allocations SET pool_id = $other WHERE id = $a", "$a", "allocations.pool_id is"},
				"a prefix of another name":            {"UPDATE prefixes SET name = 'x' WHERE id = $a", "$a", `prefixes.name is "x"`},
				"a draft that is none":                {"UPDATE pools SET draft_until = 1 WHERE id = $pool", "$key", "pools.draft_until is 1"},
				"free blocks of no pool":              {"INSERT INTO free_blocks (pool_id, first_ip, length) VALUES (77, $ip, 28)", "pool_000000000002d", "is not there, but has free blocks"},
				"a prefix in no pool":                 {"UPDATE prefixes SET space_id = 77 WHERE id = $a", "$a", "prefixes.space_id is 77"},
				"a change without its event":          {"UPDATE allocations SET version = version + 1 WHERE id = $a", "$a", "allocations.version is 2"},
				"a member named by another":           {"UPDATE allocations SET name = 'web/k' WHERE id = $member", "$member", "is the member"},
				"an event was edited":                 {"UPDATE events SET actor = 'nobody' WHERE object_id = $a", "$chain", "hash"},
				"an event's state was edited":         {"UPDATE events SET after = replace(after, '/28', '/27') WHERE object_id = $a", "$chain", "hash"},
				"an event is gone":                    {"DELETE FROM events WHERE object_id = $a", "$chain", "missing"},
				"the tail of a chain is gone":         {"DELETE FROM events WHERE chain_id = $pool AND seq = (SELECT max(seq) FROM events WHERE chain_id = $pool)", "$chain", "its last 1 events are missing"},
				"a whole chain is gone":               {"DELETE FROM events WHERE chain_id = $pool", "$chain", "events are missing"},
				"a head is gone":                      {"DELETE FROM chains WHERE id = $pool", "$chain", "no head"},
				"a head was set back":                 {"UPDATE chains SET length = length - 1 WHERE id = $pool", "$chain", "behind its head"},
				"a head is another's":                 {"UPDATE chains SET hash = $ip WHERE id = $pool", "$chain", "does not match its last event"},
			} {
				t.Run(name, func(t *testing.T) {
					r := open(t, url(t))
					pool := r.root(t, "10.0.0.0/24")
					a := r.take(t, pool, "a", "10.0.0.0/28")
					r.take(t, pool, "b", "10.0.0.32/28")
					member := r.member(t, r.set(t, pool, "net", "k /30"), "k").ID
					other := r.root(t, "10.0.0.0/24").UID
					r.wantSound(t)
					ip := map[string]string{"sqlite": "x'00000000000000000000ffff0a000010'", "postgres": `'\x00000000000000000000ffff0a000010'::bytea`}[engine]
					keys := strings.NewReplacer("$pool", key(pool.UID), "$other", key(other), "$a", key(a.ID), "$member", key(member), "$ip", ip).Replace
					fill := strings.NewReplacer("$pool", pool.ID, "$key", string(pool.UID), "$chain", string(ipam.ChainOf(pool.UID)), "$other", string(other), "$a", a.ID, "$member", member).Replace
					r.raw(t, append(unlock[engine], keys(c.damage))...)
					report, err := r.Verify(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					found := fmt.Sprint(report.Findings)
					if !strings.Contains(found, fill(c.object)) || !strings.Contains(found, fill(c.because)) {
						t.Errorf("findings = %s, want %s about %s", found, c.because, fill(c.object))
					}
				})
			}
		})
	}
}

// key is how SQL says a UID.
func key[T ~string](uid T) string { return fmt.Sprint(ipam.UID(uid).Key()) }

func TestVerifyCounts(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		pool := r.root(t, "10.0.0.0/24")
		r.take(t, pool, "a", "/28")
		report, err := r.Verify(t.Context())
		// Two scopes, and an event for each of the six objects: both scopes, the first token and its binding, the pool, the allocation.
		if err != nil || report.Scopes != 2 || report.Pools != 1 || report.Allocations != 1 || report.Prefixes != 2 || report.Bindings != 1 || report.Events != 6 {
			t.Errorf("report = %+v, %v", report, err)
		}
	})
}

// A prefix whose text says another address than its key, as the last of a page of the walk through a space.
func TestVerifyEndsWhateverTheTextsSay(t *testing.T) {
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := open(t, url(t))
			pool := r.root(t, "10.0.0.0/16")
			literal := map[string]string{"sqlite": "x'%x'", "postgres": `'\x%x'::bytea`}[engine]
			var rows []string
			for i := range 1002 {
				cidr := fmt.Sprintf("10.0.%d.%d/32", i/256, i%256)
				ip := r.cidr(cidr).Addr().As16()
				if i == 999 {
					cidr = "9.0.0.0/32"
				}
				at := fmt.Sprintf(literal, ip[:])
				rows = append(rows, fmt.Sprintf("(%d, %s, %s, 'allocation', 'allocated', 'x', '%s', 4, %s, %s, 32, 0)", i+1000, key(pool.ScopeUID), key(pool.UID), cidr, at, at))
			}
			r.raw(t, "INSERT INTO prefixes (id, scope_id, space_id, kind, status, name, cidr, family, first_ip, last_ip, length, created_at) VALUES "+strings.Join(rows, ", "))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			report, err := r.Verify(ctx)
			if err != nil || report.Prefixes != 1003 {
				t.Errorf("%d prefixes, %v", report.Prefixes, err)
			}
			if n := strings.Count(fmt.Sprint(report.Findings), "has a prefix, but no row"); n != 1002 {
				t.Errorf("%d prefixes without an owner are found, want 1002", n)
			}
		})
	}
}

func TestVerifyMissesItsIndexesAndTriggers(t *testing.T) {
	for engine, url := range storetest.Engines(t) {
		t.Run(engine, func(t *testing.T) {
			for name, harm := range map[string]string{
				"pools_by_name":         "DROP INDEX pools_by_name",
				"unique tokens_by_hash": "DROP INDEX tokens_by_hash; CREATE INDEX tokens_by_hash ON tokens (hash)",
				"prefixes_by_space":     "DROP INDEX prefixes_by_space",
				"events_are_final":      unlock[engine][0],
			} {
				r := open(t, url(t))
				r.raw(t, strings.Split(harm, "; ")...)
				report, err := r.Verify(t.Context())
				if err != nil || len(report.Findings) != 1 || report.Findings[0].Object != "schema" || !strings.Contains(report.Findings[0].Detail, name) {
					t.Errorf("%s: %v, %v", name, report.Findings, err)
				}
			}
		})
	}
}

func TestVerifyLooksAtTheFileItself(t *testing.T) {
	r := open(t, storetest.SQLite(t))
	a := r.take(t, r.root(t, "10.0.0.0/24"), "a", "/28")
	r.raw(t, "UPDATE allocations SET pool_id = 7 WHERE id = "+key(a.ID))
	report, err := r.Verify(t.Context())
	if found := fmt.Sprint(report.Findings); err != nil || !strings.Contains(found, "{file ") || !strings.Contains(found, "of allocations refers to a row of pools") {
		t.Errorf("%s, %v", found, err)
	}
}
