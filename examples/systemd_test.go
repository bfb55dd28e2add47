package examples_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What systemd says of the unit. 2.0 of 10 is what its own services that face the network reach; the higher, the more exposed.
func TestSystemdTakesTheUnitAndFindsLittleExposed(t *testing.T) {
	text, err := os.ReadFile("systemd/cloudpam.service")
	if err != nil {
		t.Fatal(err)
	}
	run(t, "make", "-C", "..", "build/server")
	binary, err := filepath.Abs("../bin/cloudpam")
	if err != nil {
		t.Fatal(err)
	}
	installed := strings.ReplaceAll(string(text), "/usr/bin/cloudpam", binary)
	if installed == string(text) {
		t.Fatal("the unit does not start /usr/bin/cloudpam")
	}
	unit := filepath.Join(t.TempDir(), "cloudpam.service")
	if err := os.WriteFile(unit, []byte(installed), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "systemd-analyze", "verify", "--man=no", unit)
	run(t, "systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
	settings := serverSettings(t)
	for line := range strings.SplitSeq(string(text), "\n") {
		if set, ok := strings.CutPrefix(line, "Environment="); ok {
			name, _, _ := strings.Cut(set, "=")
			if !slices.Contains(settings, name) {
				t.Errorf("%s is no setting of the server", name)
			}
		}
	}
}
