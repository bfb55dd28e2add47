package storetest

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Pair is a primary and a standby that streams from it, both of the test's own.
type Pair struct {
	primary, standby *instance
}

// NewPair starts them.
func NewPair(t testing.TB) *Pair {
	t.Helper()
	p := &Pair{}
	for _, i := range []**instance{&p.primary, &p.standby} {
		made, err := newInstance()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(made.stop)
		*i = made
	}
	err := errors.Join(p.primary.initialize(), p.primary.start())
	if err == nil {
		err = p.standby.run("pg_basebackup", "-h", p.primary.dir, "-U", "cloudpam", "-D", p.standby.data(), "-R", "-X", "stream", "-c", "fast", "--no-sync")
	}
	if err == nil {
		err = errors.Join(os.Chmod(p.standby.data(), 0o700), p.standby.start())
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Primary and Standby are the URLs of a database of the two.
func (p *Pair) Primary() string { return p.primary.url("postgres") }

// Standby is that of the standby, which refuses writes until Promote.
func (p *Pair) Standby() string { return p.standby.url("postgres") }

// Promote makes a primary of the standby, once that has all that the primary has.
func (p *Pair) Promote(t testing.TB) {
	t.Helper()
	db, err := sql.Open("pgx", p.Primary())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	limit := time.Now().Add(time.Minute)
	for behind := true; behind; {
		if err := db.QueryRow("SELECT NOT EXISTS (SELECT 1 FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn())").Scan(&behind); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(limit) {
			log, _ := os.ReadFile(filepath.Join(p.standby.dir, "log"))
			t.Fatalf("the standby does not follow:\n%s", log)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := p.standby.run("pg_ctl", "-D", p.standby.data(), "-w", "-t", "60", "promote"); err != nil {
		t.Fatal(err)
	}
}
