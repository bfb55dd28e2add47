package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// planner is a database full of rows, whose plans are asked for as the server asks for answers.
type planner struct {
	*sql.DB
	engine string
	state  string // of its statistics
	db     *store.DB
}

// Every query that sqlc generates and every list with its filters, with what the planner knows of the tables in each state that
// a database may be in: whatever it believes, it takes an index that is made for the query, and sorts no more than a page.
func TestEveryHotQueryHasItsIndex(t *testing.T) {
	for engine, url := range storetest.Engines(t) {
		for _, statistics := range []string{"none", "stale", "fresh", "vacuumed"} {
			if engine == "sqlite" && statistics == "vacuumed" {
				continue // it is "fresh": SQLite knows of no pages that all can see
			}
			t.Run(engine+" "+statistics, func(t *testing.T) {
				at := url(t)
				p := planner{handle(t, at), engine, statistics, storetest.Open(t, at)}
				p.SetMaxOpenConns(1) // settings are of a connection
				p.leaveAlone(t)
				p.fill(t, 1, 100)
				if statistics == "stale" {
					p.run(t, "ANALYZE")
				}
				p.fill(t, 101, 10_000)
				switch statistics {
				case "fresh":
					p.run(t, "ANALYZE")
				case "vacuumed":
					p.run(t, "VACUUM ANALYZE")
				}
				if engine == "sqlite" {
					p.run(t, "ANALYZE sqlite_schema") // reads what there is
				} else {
					p.run(t, "SET plan_cache_mode = force_generic_plan")
				}
				p.generated(t)
				p.listed(t)
			})
		}
	}
}

func (p planner) run(t *testing.T, statement string) {
	t.Helper()
	if _, err := p.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// leaveAlone keeps autovacuum, which comes when it likes, from the tables.
func (p planner) leaveAlone(t *testing.T) {
	t.Helper()
	if p.engine == "postgres" {
		p.run(t, `DO $$ DECLARE name text; BEGIN
			FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
				EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = false)', name);
			END LOOP; END $$`)
	}
}

// fill adds rows of each table, numbered, in a hundred scopes and pools.
func (p planner) fill(t *testing.T, from, to int) {
	t.Helper()
	address := "unhex(printf('%032x', i * 256))"
	if p.engine == "postgres" {
		address = "decode(lpad(to_hex(i * 256), 32, '0'), 'hex')"
	}
	const cidr = "'10.' || (i / 65536) || '.' || (i / 256 % 256) || '.' || (i % 256) || '/32'"
	rows := func(table, columns, values string) {
		t.Helper()
		values = strings.NewReplacer("ADDRESS", address, "SCOPE", "(1 + i % 100)", "POOL", "(1 + i % 100)", "NAME", "'n' || i").Replace(values)
		p.run(t, fmt.Sprintf("INSERT INTO %s (%s) WITH RECURSIVE n (i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT %s FROM n", table, columns, from, to, values))
	}
	const who, told = "owner, account, region, environment, labels", "'o', '', '', 'prd', '{\"team\":\"a\"}'"
	rows("principals", "id, kind, name, created_at, issuer, subject", "i + 1, 'token', NAME, i, CASE WHEN i % 2 = 0 THEN 'https://issuer' ELSE '' END, NAME")
	rows("tokens", "id, hash, created_at", "i + 1, ADDRESS, i")
	rows("sessions", "id, principal_id, token_id, hash, claims, created_at, ends_at, used_at", "i, i + 1, i + 1, ADDRESS, '{}', i, i, i")
	rows("scopes", "id, name, description, labels, version, space_revision, draft_until, created_at, updated_at", "i, NAME, '', '{}', 1, 1, CASE WHEN i % 7 = 0 THEN i END, 1, 1")
	rows("pools", "id, scope_id, name, parent_id, family, first_ip, length, strategy, description, "+who+", deletion_protection, version, space_revision, draft_until, draft_principal_id, draft_holder, draft_run, draft_named, draft_encloses, grows_id, created_at, updated_at",
		"i, SCOPE, NAME, CASE WHEN i > 1 THEN POOL END, 4, ADDRESS, 24, 'best_fit', '', "+told+", FALSE, 1, 1, CASE WHEN i % 7 = 0 THEN i END, CASE WHEN i % 7 = 0 THEN 2 END, '', '', FALSE, FALSE, CASE WHEN i % 70 = 0 THEN POOL END, 1, 1")
	rows("prefixes", "id, scope_id, space_id, kind, status, name, cidr, family, first_ip, last_ip, length, created_at", "i, SCOPE, POOL, 'allocation', 'allocated', NAME, "+cidr+", 4, ADDRESS, ADDRESS, 32, 1")
	rows("free_blocks", "pool_id, first_ip, length", "POOL, ADDRESS, 20 + i % 9")
	rows("allocation_sets", "id, scope_id, pool_id, name, description, purpose, "+who+", version, created_at, updated_at", "i, SCOPE, POOL, NAME, '', '', "+told+", 1, 1, 1")
	rows("allocations", "id, scope_id, pool_id, name, set_id, set_key, family, first_ip, length, description, purpose, "+who+", superseded, version, created_at, updated_at",
		"i, SCOPE, POOL, NAME, CASE WHEN i % 3 = 0 THEN i END, 'k', 4, ADDRESS, 28, '', '', "+told+", FALSE, 1, 1, 1")
	rows("reservations", "id, scope_id, pool_id, name, family, first_ip, length, reason, owner, labels, expires_at, version, created_at, updated_at", "i, SCOPE, POOL, CASE WHEN i % 2 = 0 THEN NAME ELSE '' END, 4, ADDRESS, 28, NAME, '', '{}', CASE WHEN i % 2 = 0 THEN i END, 1, 1, 1")
	rows("holds", "id, scope_id, pool_id, name, family, first_ip, length, principal_id, holder, run, named, replaces, inherits, kept, expires_at, created_at, renewed_at", "i, SCOPE, POOL, NAME, 4, ADDRESS, 28, 2, '', '1', FALSE, NAME, FALSE, TRUE, i, 1, 1")
	rows("quarantines", "id, scope_id, space_id, pool_id, allocation_id, name, owner, cause, allocation, family, first_ip, length, until, created_at", "i, SCOPE, POOL, POOL, i, NAME, '', 'released', '', 4, ADDRESS, 28, i, 1")
	rows("former_names", "kind, scope_id, name, object_id, left_at", "'pool', SCOPE, NAME, i, i")
	rows("last_blocks", "space_id, kind, name, length, first_ip, left_at", "POOL, 'allocation', NAME, 28, ADDRESS, i")
	rows("promises", "space_id, kind, name, length, plan_id, first_ip, promised_at", "POOL, 'hold', NAME, 28, 'p', ADDRESS, i")
	rows("accounts", "id, scope_id, cloud, external_id, name, description, owner, platform, tier, environment, regions, labels, mode, role_arn, workload_identity, version, created_at, updated_at",
		"i, SCOPE, 'aws', NAME, '', '', '', '', '', 'prd', '[]', '{}', 'observe', '', '', 1, 1, 1")
	rows("observations", "id, account_id, scope_id, kind, cloud_id, part, network, region, zone, name, owner, standard, family, first_ip, length, mark_instance, mark_allocation, mark_epoch, labels, misses, first_seen, changed_at",
		"i, 1 + i % 100, CASE WHEN i % 5 > 0 THEN SCOPE END, 'subnet', NAME, '', 'vpc' || (i % 1000), 'east', '', '', '', FALSE, 4, ADDRESS, 24, '', '', 0, '{}', 0, 1, 1")
	rows("drift_records", "id, scope_id, drift, kind, account, region, cidr, desired, observed, detail, facts, first_seen, last_seen, ended_at", "i, SCOPE, NAME, 'unmanaged', '', '', '', '', '', '', '', 1, 1, CASE WHEN i % 2 = 0 THEN i END")
	rows("drift_ignores", "id, scope_id, drift, facts, reason, actor, created_at", "i, SCOPE, NAME, '', '', '', 1")
	rows("looks", "account_id, tried_at, seen_at", "i, 1, 1")
	rows("sync_states", "id, account_id, kind, region, tried_at, seen_at, second_at, third_at, code, detail, fix", "i, 1 + i % 100, 'subnets', NAME, 1, 1, NULL, NULL, '', '', ''")
	rows("chains", "id, scope_id, length, hash, at", "i, SCOPE, 1, ADDRESS, 1")
	rows("events", "id, chain_id, seq, scope_id, scope, at, principal_id, actor, action, object_kind, object_id, request_id, before, after, hash", "i, POOL, i, SCOPE, NAME, i, 2, 'token:a', 'pool.created', 'pool', i, '', '', '', ADDRESS")
	rows("idempotency_keys", "id, digest, fingerprint, event_id, answer, refused, created_at", "i, ADDRESS, ADDRESS, i, '', FALSE, i")
	rows("webhooks", "id, name, description, url, scope_id, actions, format, enabled, secret, former_secret, failures, last_error, version, created_at, updated_at", "i, NAME, '', '', SCOPE, '[]', 'slack', TRUE, '', '', 0, '', 1, 1, 1")
	rows("webhook_feed", "chain_id, seq", "i, 1")
	rows("deliveries", "id, webhook_id, event_id, object_id, action, state, attempts, status, error, retry_at, created_at, ended_at",
		"i, POOL, i, i, 'pool.created', CASE WHEN i % 3 = 0 THEN 'waiting' WHEN i % 3 = 1 THEN 'delivered' ELSE 'dead' END, 0, 0, '', i, i, CASE WHEN i % 3 > 0 THEN i END")
	rows("bindings", "id, principal_id, role, scope_id, pool_id, largest, labels, created_at", "i, i + 1, 'viewer', SCOPE, NULL, 0, '{}', 1")
	rows("approvals", "id, scope_id, pool_id, requester_id, action, target, digest, blocks, reason, source, status, decider_id, comment, emergency, until, version, created_at, updated_at",
		"i, SCOPE, POOL, 2, 'allocation.created', NAME, '', '[]', '', '', CASE WHEN i % 50 = 0 THEN 'pending' ELSE 'used' END, NULL, '', FALSE, i, 1, 1, 1")
	rows("policies", "id, scope_id, pool_id, description, rules, share_revision, version, created_at, updated_at", "i, SCOPE, i, '', '{}', 0, 1, 1, 1")
	rows("seals", "id, at, heads, hash, signature, public_key", "i, i, '[]', ADDRESS, ADDRESS, ADDRESS")
	rows("imports", "id, principal_id, kind, digest, created, updated, unchanged, reason, created_at", "i, 1 + i % 100, 'pools', '', 1, 0, 0, '', 1")
	rows("import_rows", "id, import_id, number", "i, 1 + i % 100, i")
	rows("leases", "name, holder, epoch, until", "NAME, '', 1, i")
}

var (
	generatedQuery = regexp.MustCompile("(?s)= `-- name: (\\w+) :\\w+\n(.*?)`")
	lookByHand     = regexp.MustCompile("(?s)\t(\\w+) = `((?:SELECT|UPDATE|DELETE).*?)`")
	argument       = regexp.MustCompile(`\$\d+`)
)

// generated asks for the plans of what sqlc wrote.
func (p planner) generated(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob("query/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	known := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range append(generatedQuery.FindAllStringSubmatch(string(text), -1), lookByHand.FindAllStringSubmatch(string(text), -1)...) {
			name, query := m[1], m[2]
			known[name] = true
			if insert := strings.HasPrefix(query, "INSERT") && !strings.Contains(query, "SELECT"); !insert && cold[name] == "" {
				p.check(t, name, query, sample[name])
			}
		}
	}
	for name, query := range store.Ahead {
		if known[name] = true; p.engine == "postgres" {
			p.check(t, name, query, nil)
		}
	}
	for name := range plans {
		if !known[name] && !strings.Contains(name, " ") {
			t.Errorf("there is no query %s any more", name)
		}
	}
	for name := range cold {
		if !known[name] {
			t.Errorf("there is no cold query %s any more", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func third[T, U any](_ T, _ U, err error) error { return err }

// check compares a plan with what is expected of it.
func (p planner) check(t *testing.T, name, query string, args []any) {
	t.Helper()
	lines := p.explain(t, name, query, args)
	used, faults := p.read(lines)
	expected, known := plans[name]
	if !known {
		t.Errorf("the query %s has no expectation: give it one, or say why it is cold. It uses %q\n%s", name, strings.Join(used, " "), strings.Join(lines, "\n"))
		return
	}
	allowed := expected.on(p.engine, p.state)
	for _, index := range used {
		if !slices.Contains(allowed, index) {
			faults = append(faults, "uses "+index)
		}
	}
	if len(faults) > 0 {
		t.Errorf("%s: %s\n%s", name, strings.Join(faults, ", "), strings.Join(lines, "\n"))
	}
}

func (p planner) explain(t *testing.T, name, query string, args []any) (lines []string) {
	t.Helper()
	var rows *sql.Rows
	var err error
	most := 0
	for _, a := range argument.FindAllString(query, -1) {
		n, _ := strconv.Atoi(a[1:])
		most = max(most, n)
	}
	switch {
	case p.engine == "sqlite" && args == nil:
		rows, err = p.Query("EXPLAIN QUERY PLAN "+query, make([]any, most)...)
	case p.engine == "sqlite":
		rows, err = p.Query("EXPLAIN QUERY PLAN "+query, args...)
	case args == nil: // for any values
		p.run(t, "PREPARE asked AS "+query)
		defer p.run(t, "DEALLOCATE asked")
		nulls := strings.TrimSuffix(strings.Repeat("NULL, ", most), ", ")
		rows, err = p.Query(strings.TrimSuffix("EXPLAIN EXECUTE asked("+nulls+")", "()"))
	default:
		rows, err = p.Query("EXPLAIN "+query, args...)
	}
	if err != nil {
		t.Errorf("explain %s: %v", name, err)
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		var into []any
		if p.engine == "sqlite" {
			var id, parent, unused int
			into = []any{&id, &parent, &unused}
		}
		if err := rows.Scan(append(into, &line)...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Errorf("explain %s: %v", name, err)
	}
	return lines
}
