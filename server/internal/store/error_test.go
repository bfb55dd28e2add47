package store_test

import (
	"database/sql/driver"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// What is not a fault of ours is no 500: clients must know that they may try again.
func TestWhatPostgreSQLCannotDoNowMayBeTriedAgain(t *testing.T) {
	for code, want := range map[string]ipam.Code{
		"08000": ipam.CodeUnavailable, "08006": ipam.CodeUnavailable, "08P01": ipam.CodeUnavailable, "25006": ipam.CodeUnavailable,
		"25P03": ipam.CodeUnavailable, "26000": ipam.CodeUnavailable, "42P05": ipam.CodeUnavailable, "53100": ipam.CodeUnavailable,
		"53300": ipam.CodeUnavailable, "57P01": ipam.CodeUnavailable, "57P02": ipam.CodeUnavailable, "57P03": ipam.CodeUnavailable,
		"57P05": ipam.CodeUnavailable, "58030": ipam.CodeUnavailable, "55P03": ipam.CodeOverloaded, "57014": ipam.CodeOverloaded,
		"40001": ipam.CodeOverloaded, "40P01": ipam.CodeOverloaded, "42601": "", "22012": "",
	} {
		if got := ipam.CodeOf(store.Translate(&pgconn.PgError{Severity: "ERROR", Code: code})); got != want {
			t.Errorf("%s is told as %q, not as %q", code, got, want)
		}
	}
}

func TestAConnectionThatEndsInTheMiddleOfAnAnswerMayBeTriedAgain(t *testing.T) {
	for _, lost := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, driver.ErrBadConn} {
		if got := ipam.CodeOf(store.Translate(fmt.Errorf("receive message: %w", lost))); got != ipam.CodeUnavailable {
			t.Errorf("%v is told as %q", lost, got)
		}
	}
}

func TestALimitThatIsNoTimeIsRefused(t *testing.T) {
	for _, bad := range []string{"statement_timeout=soon", "lock_timeout=-1s", "idle_in_transaction_session_timeout=5parsecs"} {
		name, _, _ := strings.Cut(bad, "=")
		if _, err := store.Open(t.Context(), "postgres://nobody@127.0.0.1:1/nothing?"+bad, store.Options{}); err == nil || !strings.Contains(err.Error(), name+" is ") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
