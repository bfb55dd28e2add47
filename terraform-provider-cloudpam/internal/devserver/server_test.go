package devserver

import (
	"net"
	"strings"
	"testing"
)

// Ensures that a server starts next to whatever already listens on the wanted port.
func TestAddress(t *testing.T) {
	t.Run("keeps a free address", func(t *testing.T) {
		wanted := freeAddress(t)
		listen, url, err := Address(wanted)
		if err != nil {
			t.Fatal(err)
		}
		if listen != wanted || url != "http://"+wanted {
			t.Errorf("Address(%q) = %q, %q", wanted, listen, url)
		}
	})

	t.Run("leaves a busy one", func(t *testing.T) {
		busy, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer busy.Close()
		listen, _, err := Address(busy.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if listen == busy.Addr().String() {
			t.Errorf("Address answered with the busy %s", listen)
		}
	})

	t.Run("is reached on loopback where it listens everywhere", func(t *testing.T) {
		_, url, err := Address("0.0.0.0:0")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(url, "http://127.0.0.1:") {
			t.Errorf("url = %q", url)
		}
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	return probe.Addr().String()
}
