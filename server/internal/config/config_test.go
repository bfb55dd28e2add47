package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/config"
)

func good() config.Serve {
	return config.Serve{Database: config.Database{DatabaseURL: "sqlite://x.db"}, Listen: "127.0.0.1:8080", PostgresRead: 6, PostgresWrite: 8, PostgresAuth: 2, SessionIdle: time.Hour, SessionLength: 12 * time.Hour, ApprovalTTL: 24 * time.Hour, ApprovalDelay: 15 * time.Minute, LogLevel: "info", LogFormat: "json"}
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "zipkin")
	c := config.Serve{
		Database: config.Database{DatabaseURL: "mysql://root:hunter2@host"}, Listen: "8080", BootstrapToken: "short",
		PostgresRead: 6, PostgresWrite: -1, DrainDelay: time.Hour, LogLevel: "loud", LogFormat: "xml", Clouds: []string{"aws", "azure"},
		URL: "cloudpam.example.com/x", SessionIdle: time.Minute, TLSKeyFile: "tls.key", IssuersJSON: `[{"name":"x","issuer":"http://x.example"}]`,
	}
	err := c.Check()
	if err == nil {
		t.Fatal("all is well")
	}
	for _, says := range []string{
		"CLOUDPAM_DATABASE_URL starts with sqlite:// or postgres://", `CLOUDPAM_LISTEN is "8080"`, "the bootstrap token has 5 characters; it needs 32",
		"CLOUDPAM_POSTGRES_WRITE_CONNECTIONS is -1", "CLOUDPAM_POSTGRES_AUTH_CONNECTIONS is 0", "CLOUDPAM_DRAIN_DELAY is 1h0m0s", `CLOUDPAM_CLOUDS names "azure"`, "CLOUDPAM_SYNC_EVERY is 0s", `CLOUDPAM_LOG_LEVEL is "loud"`,
		`CLOUDPAM_URL is "cloudpam.example.com/x"`, "CLOUDPAM_SESSION_IDLE is 1m0s", `CLOUDPAM_ISSUERS: issuer "x": the issuer "http://x.example" is no https:// address`,
		`CLOUDPAM_LOG_FORMAT is "xml"`, `OTEL_TRACES_EXPORTER is "zipkin"`, "CLOUDPAM_TLS_CERT_FILE and CLOUDPAM_TLS_KEY_FILE go together",
	} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("it does not say %q:\n%v", says, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "short") {
		t.Errorf("it shows a secret:\n%v", err)
	}
}

func TestGoodConfigurationsPass(t *testing.T) {
	for _, url := range []string{"sqlite://x.db", "sqlite:///var/lib/x.db", "postgres://u@h/d", "postgresql://u@h/d"} {
		c := good()
		c.DatabaseURL = url
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestTheTokenFileIsRead(t *testing.T) {
	secret := strings.Repeat("s", 32)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("  "+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := good()
	c.BootstrapTokenFile = file
	if err := c.Check(); err != nil || c.BootstrapToken != secret {
		t.Errorf("token = %q, %v", c.BootstrapToken, err)
	}
	t.Run("a token and a file are one too many", func(t *testing.T) {
		c := good()
		c.BootstrapToken, c.BootstrapTokenFile = secret, file
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), "leave one out") {
			t.Error(err)
		}
	})
	t.Run("a file that is not there is named", func(t *testing.T) {
		c := good()
		c.BootstrapTokenFile = file + ".gone"
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), file+".gone") {
			t.Error(err)
		}
	})
}

func TestMisspeltVariablesAreFound(t *testing.T) {
	got := config.Unknown([]string{
		"CLOUDPAM_LISTEN=x", "CLOUDPAM_TOKEN=x", "CLOUDPAM_ENDPOINT=x", "PATH=/bin", "CLOUDPAM_LISTNE=x", "CLOUDPAM_DB=a=b", "cloudpam_listen=x", "XCLOUDPAM_Y=1",
	})
	if want := []string{"CLOUDPAM_DB", "CLOUDPAM_LISTNE"}; !slices.Equal(got, want) {
		t.Errorf("unknown = %v, want %v", got, want)
	}
}

func TestEveryVariableOfTheServerIsKnown(t *testing.T) {
	all := reflect.VisibleFields(reflect.TypeFor[config.Serve]())
	for _, f := range all {
		if env := f.Tag.Get("env"); env != "" && len(config.Unknown([]string{env + "=x"})) > 0 {
			t.Errorf("%s is read, and called a misspelling", env)
		}
	}
	if len(all) < 10 {
		t.Errorf("only %d fields", len(all))
	}
}
