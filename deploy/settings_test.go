// Package deploy_test compares what the deployments of this folder give the programs with
// the configuration that the programs accept, and the queries of alerts and dashboard with
// the metrics that they export. scripts/deployment.sh checks the rest, and starts these tests.
package deploy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

// sampleKeys are the lines of a file of API keys.
const sampleKeys = "shop:submit+read:0000000000000000000000000000000000000000000000000000000000000000\n"

// program is what a deployment gives one of the programs.
type program struct {
	Where       string
	Program     string // api or worker
	Environment map[string]string
	Files       []string // that are mounted
	Memory      string   // the limit, as in 512Mi
	Sleep       int      `json:"sleep_seconds"` // between the decision to stop and SIGTERM
	Grace       int      `json:"grace_seconds"` // between the decision to stop and SIGKILL
}

// check fails the test unless the program starts with its environment, and has the time
// and the memory to stop unaided.
func (p program) check(t *testing.T) {
	t.Helper()
	var environ []string
	for name, value := range p.Environment {
		environ = append(environ, name+"="+value)
		if ours := strings.HasPrefix(name, "ORDERS_") || strings.HasPrefix(name, "REDIS"); ours && !slices.Contains(config.Names(), name) {
			t.Errorf("%s sets %s, which the configuration does not know", p.Where, name)
		}
	}
	var err error
	var timeout time.Duration
	if p.Program == "api" {
		var c config.API
		c, err = config.LoadAPI(environ)
		timeout = c.ShutdownTimeout
	} else {
		var c config.Worker
		c, err = config.LoadWorker(environ)
		timeout = c.ShutdownTimeout
	}
	if err != nil {
		t.Errorf("%s: %v", p.Where, err)
	}
	if grace := time.Duration(p.Grace-p.Sleep) * time.Second; grace <= timeout {
		t.Errorf("%s is killed %v after SIGTERM, and takes up to %v to stop", p.Where, grace, timeout)
	}
	if limit, ok := strings.CutSuffix(p.Memory, "Mi"); ok {
		most, _ := strconv.Atoi(limit)
		if soft, _ := strconv.Atoi(strings.TrimSuffix(p.Environment["GOMEMLIMIT"], "MiB")); soft == 0 || soft*10 > most*9 {
			t.Errorf("%s: GOMEMLIMIT is %q, which is not below nine tenths of %s", p.Where, p.Environment["GOMEMLIMIT"], p.Memory)
		}
	}
}

// readKeys has the API read sample keys instead of the file that it is given.
func (p program) readKeys(t *testing.T) {
	t.Helper()
	file := p.Environment["ORDERS_API_KEYS_FILE"]
	if file == "" {
		return
	}
	if !slices.Contains(p.Files, file) {
		t.Errorf("%s reads keys from %s, and has %q", p.Where, file, p.Files)
	}
	p.Environment["ORDERS_API_KEYS_FILE"] = filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(p.Environment["ORDERS_API_KEYS_FILE"], []byte(sampleKeys), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestKubernetes checks the overlays as scripts/deployment.sh renders them, with secrets
// of an operator in place of the examples.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	file, err := os.Open(os.Getenv("PROGRAMS"))
	if err != nil {
		t.Skip("skipped, as scripts/deployment.sh has not rendered the manifests")
	}
	defer func() { _ = file.Close() }()
	secrets := map[string]string{
		"REPLACE_WITH_REDIS_URL":      "rediss://orders:password@redis.example.com:6379/0",
		"REPLACE_WITH_SIGNING_SECRET": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
	}
	count := 0
	for decoder := json.NewDecoder(file); ; count++ {
		var p program
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for name, value := range p.Environment {
			if secret, ok := secrets[value]; ok {
				p.Environment[name] = secret
				placeholder := maps.Clone(p.Environment)
				placeholder[name] = value
				if _, err := config.LoadWorker(pairs(placeholder)); err == nil {
					t.Errorf("%s starts with the placeholder of %s", p.Where, name)
				}
			}
		}
		if p.Environment["ORDERS_FULFILMENT_URL"] == "" {
			delete(p.Environment, "ORDERS_FULFILMENT_SECRET")
		}
		p.readKeys(t)
		p.check(t)
	}
	if want := 4; count != want {
		t.Errorf("there are %d programs, want %d", count, want)
	}
}

func pairs(environment map[string]string) []string {
	var all []string
	for name, value := range environment {
		all = append(all, name+"="+value)
	}
	return all
}

// TestScalerKnowsEveryQueue compares the triggers of the autoscaler with the queues.
func TestScalerKnowsEveryQueue(t *testing.T) {
	t.Parallel()
	text := readFile(t, "kubernetes/components/autoscaling-worker-keda/autoscaler.yaml")
	for _, q := range order.Queues() {
		if !strings.Contains(text, "valueLocation: queues."+string(q)+".oldest_pending_seconds") {
			t.Errorf("the autoscaler has no trigger for the queue %s", q)
		}
	}
}

// TestSystemd checks the units with the examples of their environment, with the API's keys
// as a credential.
func TestSystemd(t *testing.T) {
	t.Parallel()
	const instance = "8082"
	for unit, name := range map[string]string{"orderprocessor-api.service": "api", "orderprocessor-worker@.service": "worker"} {
		text := readFile(t, "systemd/"+unit) + readFile(t, "systemd/orderprocessor-.service.d/common.conf")
		p := program{Where: unit, Program: name, Environment: map[string]string{}, Files: []string{"/credentials/keys"}}
		text = strings.NewReplacer("%d", "/credentials", "%i", instance).Replace(text)
		if strings.Contains(text, "ORDERS_API_KEYS_FILE") && !strings.Contains(text, "\nLoadCredential=keys:") {
			t.Errorf("%s has no credential called keys", unit)
		}
		for line := range strings.Lines(text) {
			directive, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch directive {
			case "Environment":
				p.set(value)
			case "EnvironmentFile":
				for line := range strings.Lines(readFile(t, "systemd/"+filepath.Base(value))) {
					p.set(line)
				}
			case "TimeoutStopSec":
				grace, err := time.ParseDuration(value)
				if err != nil {
					t.Error(err)
				}
				p.Grace = int(grace.Seconds())
			}
		}
		for _, address := range []string{"ORDERS_HTTP_ADDR", "ORDERS_ADMIN_ADDR"} {
			if value := p.Environment[address]; value != "" && !strings.HasPrefix(value, "127.0.0.1:") {
				t.Errorf("%s listens on %s", unit, value)
			}
		}
		if admin := p.Environment["ORDERS_ADMIN_ADDR"]; name == "worker" && admin != "127.0.0.1:"+instance {
			t.Errorf("every worker has the admin address %s", admin)
		}
		p.readKeys(t)
		p.check(t)
	}
}

// set takes a line NAME=value. A line that is commented out must name a setting, too.
func (p program) set(line string) {
	name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
	if commented, is := strings.CutPrefix(name, "#"); ok && is && strings.HasPrefix(commented, "ORDERS_") && !slices.Contains(config.Names(), commented) {
		p.Environment[commented] = value // which check reports
	}
	if ok && !strings.HasPrefix(name, "#") {
		p.Environment[name] = value
	}
}

// compose loads docker-compose.yml as Docker does in a shell with these variables.
func compose(t *testing.T, environ ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../docker-compose.yml"}, cli.WithEnv(environ), cli.WithProfiles([]string{"*"}), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// TestComposeHandsOnTheShell checks that settings which protect and watch the service reach it.
func TestComposeHandsOnTheShell(t *testing.T) {
	t.Parallel()
	for service, names := range map[string][]string{
		"api":        {"ORDERS_API_KEYS", "ORDERS_RATE_LIMIT", "ORDERS_RATE_BURST", "ORDERS_INSECURE", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER_ARG"},
		"worker":     {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_TRACES_EXPORTER", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"},
		"orderctl":   {"ORDERCTL_API_KEY"},
		"prometheus": {"RUNBOOK_URL"},
	} {
		for _, name := range names {
			if value := compose(t, name+"=here").Services[service].Environment[name]; value == nil || *value != "here" {
				t.Errorf("%s is not handed on to %s", name, service)
			}
		}
	}
}

// TestCompose checks the services in a shell that sets nothing.
func TestCompose(t *testing.T) {
	t.Parallel()
	project := compose(t)
	for _, name := range []string{"redis", "archive", "api", "worker", "orderctl", "prometheus", "grafana"} {
		service, ok := project.Services[name]
		if !ok {
			t.Fatalf("there is no service %s", name)
		}
		checkService(t, service)
		if needed := slices.Contains([]string{"redis", "archive", "api", "worker"}, name); needed != (len(service.Profiles) == 0) {
			t.Errorf("%s has the profiles %q", name, service.Profiles)
		}
		if name != "api" && name != "worker" {
			continue
		}
		p := program{Where: name, Program: name, Environment: map[string]string{}}
		for variable, value := range service.Environment {
			p.Environment[variable] = *value
		}
		if service.StopGracePeriod != nil {
			p.Grace = int(time.Duration(*service.StopGracePeriod).Seconds())
		}
		p.check(t)
		if service.DependsOn["redis"].Condition != types.ServiceConditionHealthy {
			t.Errorf("%s does not wait until Redis is healthy", name)
		}
		db := project.Services["archive"].Environment
		if want := fmt.Sprintf("postgres://%s:%s@archive/%s?sslmode=disable", *db["POSTGRES_USER"], *db["POSTGRES_PASSWORD"], *db["POSTGRES_DB"]); p.Environment["ORDERS_ARCHIVE_URL"] != want {
			t.Errorf("%s has the archive %s, want %s", name, p.Environment["ORDERS_ARCHIVE_URL"], want)
		}
		if want := []string{"CMD", "/" + name, "-health"}; !slices.Equal(service.HealthCheck.Test, want) {
			t.Errorf("%s has the health check %q, want %q", name, service.HealthCheck.Test, want)
		}
		scraped := map[string]string{"api": "0.0.0.0:8081", "worker": "0.0.0.0:8082"}[name]
		if p.Environment["ORDERS_ADMIN_ADDR"] != scraped {
			t.Errorf("Prometheus asks %s at %s, and its address is %s", name, scraped, p.Environment["ORDERS_ADMIN_ADDR"])
		}
	}
	worker := project.Services["worker"]
	if worker.ContainerName != "" || len(worker.Ports) > 0 {
		t.Error("there can be only one worker")
	}
}

// checkService checks what holds for every container.
func checkService(t *testing.T, service types.ServiceConfig) {
	t.Helper()
	if !service.ReadOnly || !slices.Contains(service.CapDrop, "ALL") || !slices.Contains(service.SecurityOpt, "no-new-privileges:true") {
		t.Errorf("%s may do more than it must", service.Name)
	}
	if once := slices.Contains(service.Profiles, "tools"); !once && service.HealthCheck == nil {
		t.Errorf("%s has no health check", service.Name)
	}
	for _, port := range service.Ports {
		if host, err := netip.ParseAddr(port.HostIP); err != nil || !host.IsLoopback() || port.Target == 8081 || port.Target == 8082 {
			t.Errorf("%s publishes port %d on %q", service.Name, port.Target, port.HostIP)
		}
	}
	for _, volume := range service.Volumes {
		if _, err := os.Stat(volume.Source); volume.Type == types.VolumeTypeBind && err != nil {
			t.Errorf("%s mounts what is not there: %v", service.Name, err) // Docker would make a folder
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
