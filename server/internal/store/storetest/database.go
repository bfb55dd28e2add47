package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Migrations run once for each engine and test binary; each test gets a copy of what they made.
var (
	sqliteTemplate   template
	postgresTemplate template
	databases        atomic.Int64
)

type template struct {
	once   sync.Once
	at     string // the file's path or the database's name
	remove func()
	err    error
}

// made makes the template when it is first asked for.
func (x *template) made(t testing.TB, build func() (at string, remove func(), err error)) string {
	t.Helper()
	x.once.Do(func() { x.at, x.remove, x.err = build() })
	if x.err != nil {
		t.Fatalf("a migrated database: %v", x.err)
	}
	return x.at
}

func removeTemplates() {
	for _, x := range []*template{&sqliteTemplate, &postgresTemplate} {
		if x.remove != nil {
			x.remove()
		}
	}
}

func migrate(url string) error {
	ctx := context.Background()
	db, err := store.Open(ctx, url, store.Options{})
	if err != nil {
		return err
	}
	return errors.Join(db.Migrate(ctx, "test"), db.Close())
}

func emptySQLite(t testing.TB) string {
	return "sqlite://" + filepath.Join(t.TempDir(), "cloudpam.db")
}

// SQLite is the URL of a fresh and migrated file.
func SQLite(t testing.TB) string {
	t.Helper()
	file := sqliteTemplate.made(t, func() (string, func(), error) {
		dir, err := os.MkdirTemp("", "cloudpam-template-")
		if err != nil {
			return "", nil, err
		}
		path := filepath.Join(dir, "cloudpam.db")
		return path, func() { _ = os.RemoveAll(dir) }, migrate("sqlite://" + path)
	})
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cloudpam.db")
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite://" + path
}

func emptyPostgres(t testing.TB) string {
	t.Helper()
	return database(t, "template1")
}

// Postgres is the URL of a fresh and migrated database: in the cluster of CLOUDPAM_TEST_POSTGRES_URL, or in one of this
// process. Where CLOUDPAM_TEST_ENGINES leaves PostgreSQL out, it leaves the test out.
func Postgres(t testing.TB) string {
	t.Helper()
	NeedPostgres(t)
	return database(t, postgresTemplate.made(t, func() (string, func(), error) {
		name := fmt.Sprintf("cloudpam_template_%d", os.Getpid())
		if err := administer("CREATE DATABASE " + name); err != nil {
			return "", nil, err
		}
		remove := func() { _ = administer("DROP DATABASE " + name + " WITH (FORCE)") }
		at, err := located(name)
		if err != nil {
			return "", remove, err
		}
		return name, remove, migrate(at)
	}))
}

// database makes a copy of another one until the test ends.
func database(t testing.TB, of string) string {
	t.Helper()
	name := fmt.Sprintf("cloudpam_test_%d_%d", os.Getpid(), databases.Add(1))
	if err := administer("CREATE DATABASE " + name + " TEMPLATE " + of + " STRATEGY FILE_COPY"); err != nil {
		t.Fatalf("PostgreSQL for tests: %v\nInstall Debian's postgresql package, set CLOUDPAM_TEST_POSTGRES_URL, or leave it out with CLOUDPAM_TEST_ENGINES=sqlite.", err)
	}
	t.Cleanup(func() {
		if err := administer("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	at, err := located(name)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// located is the URL of a database in the cluster, for a machine so busy that nothing may depend on time.
func located(name string) (string, error) {
	address, err := cluster()
	if err != nil {
		return "", err
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	query := u.Query()
	query.Set("connect_timeout", "600")
	query.Set("statement_timeout", "600s")
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// administrator makes and drops databases, over connections of its own.
var administrator = sync.OnceValues(func() (*sql.DB, error) {
	address, err := cluster()
	if err != nil {
		return nil, err
	}
	return sql.Open("pgx", address)
})

// administer runs a statement about databases.
func administer(statement string) error {
	db, err := administrator()
	if err != nil {
		return err
	}
	if _, err := db.Exec(statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
