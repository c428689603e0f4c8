package deploy_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPrometheusScrapesBothPrograms holds the addresses that Prometheus asks to those
// that the programs have in compose, and the jobs to those that the alerts name.
func TestPrometheusScrapesBothPrograms(t *testing.T) {
	t.Parallel()
	var file struct {
		Jobs []struct {
			Name string `yaml:"job_name"`
			DNS  []struct {
				Names []string `yaml:"names"`
				Port  int      `yaml:"port"`
			} `yaml:"dns_sd_configs"`
		} `yaml:"scrape_configs"`
	}
	decodeYAML(t, "prometheus/prometheus.yml", &file)
	d := ours(t)
	got := map[string]string{}
	for _, job := range file.Jobs {
		for _, found := range job.DNS {
			for _, name := range found.Names {
				got[job.Name] = d.compose.Services[name].Environment["ORDERS_ADMIN_ADDR"] + " at " + strconv.Itoa(found.Port)
			}
		}
	}
	want := map[string]string{"orders-api": "0.0.0.0:8081 at 8081", "orders-worker": "0.0.0.0:8082 at 8082"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scrapes (-want +got):\n%s", diff)
	}
}

// TestGrafanaFindsTheDashboard holds where it looks to where compose mounts the files.
func TestGrafanaFindsTheDashboard(t *testing.T) {
	t.Parallel()
	var file struct {
		Providers []struct {
			Options struct {
				Path string `yaml:"path"`
			} `yaml:"options"`
		} `yaml:"providers"`
	}
	decodeYAML(t, "grafana/provisioning/dashboards/orders.yml", &file)
	mounted := map[string]string{}
	for _, v := range ours(t).compose.Services["grafana"].Volumes {
		mounted[v.target] = v.source
	}
	for _, p := range file.Providers {
		if source := mounted[p.Options.Path]; source != "./deploy/grafana/dashboards" {
			t.Errorf("%s is mounted from %q", p.Options.Path, source)
		}
	}
	if source := mounted["/etc/grafana/provisioning"]; source != "./deploy/grafana/provisioning" || len(file.Providers) == 0 {
		t.Errorf("the provisioning is mounted from %q, with %d providers", source, len(file.Providers))
	}
}

// ours reads this repository.
func ours(t *testing.T) documents {
	t.Helper()
	d, err := readDocuments(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	return d
}
