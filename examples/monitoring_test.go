package examples_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// What Prometheus says of its own files. Debian has promtool in the package prometheus.
func TestPrometheusTakesTheRulesAndTheyFireWhereTheyShould(t *testing.T) {
	run(t, "promtool", "check", "config", "--lint-fatal", "monitoring/prometheus.yaml")
	run(t, "promtool", "check", "rules", "--lint-fatal", "monitoring/rules.yaml")
	run(t, "promtool", "test", "rules", "monitoring/rules_test.yaml")
}

func readRules(t *testing.T) (all prometheusRule) {
	t.Helper()
	text, err := os.ReadFile("monitoring/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, &all.Spec); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryAlertHasItsRunbookAndItsTest(t *testing.T) {
	docs, err := os.ReadFile("../docs/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("monitoring/rules_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	alerts := readRules(t).Spec.Groups[0].Rules
	if len(alerts) < 5 {
		t.Fatalf("there are %d alerts", len(alerts))
	}
	for _, alert := range alerts {
		_, part, found := strings.Cut(string(docs), "\n### "+alert.Alert+"\n")
		part, _, _ = strings.Cut(part, "\n### ")
		for _, says := range []string{"**What happens.**", "**What you see.**", "**What to do.**"} {
			if !found || !strings.Contains(part, says) {
				t.Errorf("the runbook of %s does not say %s", alert.Alert, says)
			}
		}
		if want := "docs/monitoring.md#" + strings.ToLower(alert.Alert); !strings.HasSuffix(alert.Annotations["runbook_url"], want) {
			t.Errorf("%s names the runbook %q, want …%s", alert.Alert, alert.Annotations["runbook_url"], want)
		}
		if !strings.Contains(string(tests), "alertname: "+alert.Alert+"\n") {
			t.Errorf("no test has %s fire", alert.Alert)
		}
	}
}

// A panel or a rule about a metric that no server has says nothing, for ever.
func TestRulesAndDashboardAskForMetricsThatThereAre(t *testing.T) {
	docs, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	dashboard, err := os.ReadFile("monitoring/grafana/cloudpam.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title  string
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(dashboard, &board); err != nil || len(board.Panels) == 0 {
		t.Fatalf("the dashboard has %d panels: %v", len(board.Panels), err)
	}
	asked := map[string]string{}
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			asked[target.Expr] = "panel " + panel.Title
		}
	}
	for _, rule := range readRules(t).Spec.Groups[0].Rules {
		asked[rule.Expr] = "rule " + rule.Alert
	}
	metric := regexp.MustCompile(`cloudpam_[a-z_]+`)
	for expr, who := range asked {
		for _, name := range metric.FindAllString(expr, -1) {
			name = strings.TrimSuffix(strings.TrimSuffix(name, "_count"), "_bucket")
			if !strings.Contains(string(docs), "`"+name+"`") {
				t.Errorf("%s asks for %s, which docs/operations.md does not know", who, name)
			}
		}
	}
}
