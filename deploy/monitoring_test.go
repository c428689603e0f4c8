package deploy_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const (
	alertRules    = "prometheus/rules/alerts.yml"
	alertTests    = "prometheus/tests/alerts.yml"
	dashboardFile = "grafana/dashboards/orders.json"
)

// alert is one rule.
type alert struct {
	Name        string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []alert `yaml:"rules"`
		} `yaml:"groups"`
	}
	decodeYAML(t, alertRules, &file)
	var all []alert
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("there are no alerts")
	}
	return all
}

// dashboard is what the checks need of a Grafana dashboard.
type dashboard struct {
	UID    string  `json:"uid"`
	Panels []panel `json:"panels"`
}

type panel struct {
	ID    int    `json:"id"`
	Type  string `json:"type"`
	Title string `json:"title"`
	Grid  struct {
		X, Y, W, H int
	} `json:"gridPos"`
	Source      source `json:"datasource"`
	Description string `json:"description"`
	Targets     []struct {
		Expr   string `json:"expr"`
		Source source `json:"datasource"`
	} `json:"targets"`
	Fields struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
}

type source struct {
	UID string `json:"uid" yaml:"uid"`
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	text, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("%s: %v", dashboardFile, err)
	}
	if len(d.Panels) == 0 {
		t.Fatal("the dashboard is empty")
	}
	return d
}

func decodeYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// TestAlertsSayWhatToDo holds that every alert has a severity and words.
func TestAlertsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for _, a := range alerts(t) {
		if !slices.Contains([]string{"critical", "warning"}, a.Labels["severity"]) {
			t.Errorf("%s has the severity %q", a.Name, a.Labels["severity"])
		}
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("%s does not say what it means and what to do", a.Name)
		}
	}
}

// TestOperationsExplainsEveryAlert holds that whoever is paged finds the alert by its
// name where the annotation sends them, and there no alert that is gone.
func TestOperationsExplainsEveryAlert(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n### Alerts\n")
	if !found {
		t.Fatal("there is no heading for the alerts")
	}
	section, _, _ = strings.Cut(section, "\n### ")
	names := map[string]bool{}
	for _, a := range alerts(t) {
		names[a.Name] = true
		if a.Annotations["runbook"] != "docs/OPERATIONS.md#alerts" {
			t.Errorf("%s sends to %q", a.Name, a.Annotations["runbook"])
		}
		if !regexp.MustCompile("(?m)^\\| .*`" + a.Name + "`.* \\| .*" + a.Labels["severity"]).MatchString(section) {
			t.Errorf("%s (%s) has no row", a.Name, a.Labels["severity"])
		}
	}
	for _, told := range regexp.MustCompile("`(Orders[A-Z]\\w+)`").FindAllStringSubmatch(section, -1) {
		if !names[told[1]] {
			t.Errorf("there is no alert %s", told[1])
		}
	}
}

// TestEveryAlertIsTested holds that each one is seen to fire with each of its
// severities, and not to fire.
func TestEveryAlertIsTested(t *testing.T) {
	t.Parallel()
	var file struct {
		Tests []struct {
			Cases []struct {
				Name string `yaml:"alertname"`
				Want []struct {
					Labels map[string]string `yaml:"exp_labels"`
				} `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		} `yaml:"tests"`
	}
	decodeYAML(t, alertTests, &file)
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, test := range file.Tests {
		for _, c := range test.Cases {
			silent[c.Name] = silent[c.Name] || len(c.Want) == 0
			for _, want := range c.Want {
				fires[c.Name+" "+want.Labels["severity"]] = true
			}
		}
	}
	for _, a := range alerts(t) {
		if !fires[a.Name+" "+a.Labels["severity"]] || !silent[a.Name] {
			t.Errorf("%s (%s) is not seen both to fire and to be silent", a.Name, a.Labels["severity"])
		}
	}
}

// TestDashboardIsWellLaidOut holds that panels say what they show in which unit, ask
// the provisioned source, and lie within the grid without covering each other.
func TestDashboardIsWellLaidOut(t *testing.T) {
	t.Parallel()
	var provisioned struct {
		Sources []source `yaml:"datasources"`
	}
	decodeYAML(t, "grafana/provisioning/datasources/prometheus.yml", &provisioned)
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range readDashboard(t).Panels {
		if ids[p.ID] {
			t.Errorf("%s has the id %d of another panel", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := p.Grid.X; x < p.Grid.X+p.Grid.W; x++ {
			for y := p.Grid.Y; y < p.Grid.Y+p.Grid.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s covers %q at %d, %d", p.Title, other, x, y)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Title == "" || p.Description == "" || p.Fields.Defaults.Unit == "" || len(p.Targets) == 0 {
			t.Errorf("panel %q lacks its title, description, unit or queries", p.Title)
		}
		for _, target := range p.Targets {
			if target.Source != p.Source || !slices.Contains(provisioned.Sources, p.Source) {
				t.Errorf("panel %q asks %q, which is not provisioned", p.Title, target.Source.UID)
			}
		}
	}
}
