package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrometheusAcceptsOurFiles has Prometheus's own tool read the configuration and
// the rules, and run the tests of the rules.
func TestPrometheusAcceptsOurFiles(t *testing.T) {
	t.Parallel()
	needPromtool(t)
	for _, args := range [][]string{
		{"check", "config", "prometheus/prometheus.yml"},
		{"check", "rules", alertRules},
		{"test", "rules", alertTests},
	} {
		t.Run(strings.Join(args[:2], " "), func(t *testing.T) {
			t.Parallel()
			promtool(t, args...)
		})
	}
}

// TestPrometheusAcceptsTheDashboard has the same tool read every query of the
// dashboard, as rules that record it.
func TestPrometheusAcceptsTheDashboard(t *testing.T) {
	t.Parallel()
	needPromtool(t)
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for i, expr := range dashboardQueries(t) {
		expr = strings.ReplaceAll(expr, "$__rate_interval", "1m")
		rules.WriteString("  - record: query:" + strings.Repeat("x", i+1) + "\n    expr: >\n      " + expr + "\n")
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}

// dashboardQueries returns the expressions of all panels.
func dashboardQueries(t *testing.T) []string {
	t.Helper()
	var queries []string
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			queries = append(queries, target.Expr)
		}
	}
	return queries
}

// needPromtool skips a test where promtool is missing, and fails it in CI.
func needPromtool(t *testing.T) {
	t.Helper()
	_, err := exec.LookPath("promtool")
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%v; scripts/tools.sh installs it", err)
	default:
		t.Skipf("%v; scripts/tools.sh installs it", err)
	}
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
