package kubernetes_test

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/config"
)

// check returns a sentence for everything that breaks its rule.
type check func(manifests) []string

// checks lists them all.
func checks() map[string]check {
	return map[string]check{
		"values":     checkValues,
		"probes":     checkProbes,
		"restricted": checkRestricted,
		"links":      checkLinks,
		"grace":      checkGrace,
		"updates":    checkUpdates,
		"memory":     checkMemory,
		"spread":     checkSpread,
		"budgets":    checkBudgets,
		"services":   checkServices,
		"images":     checkImages,
		"secrets":    checkSecrets,
		"references": checkReferences,
		"denied":     checkDenied,
		"policies":   checkPolicies,
		"strangers":  checkStrangers,
		"scaled":     checkScaled,
		"ingress":    checkIngress,
	}
}

// sentences gathers what a check finds.
type sentences []string

func (s *sentences) add(format string, args ...any) { *s = append(*s, fmt.Sprintf(format, args...)) }

// Secrets that the programs take, in place of those of an operator.
const (
	sampleRedis  = "rediss://orders:password@redis.example.com:6379/0"
	sampleSecret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	sampleKeys   = "shop:submit+read:0000000000000000000000000000000000000000000000000000000000000000"
)

// settings is the environment of a program as an operator completes it. The file
// of keys is not there, so its lines stand in the variable.
func (m manifests) settings(c container) []string {
	entries := m.environ(c, map[secretKey]string{
		{"orderprocessor-redis", "url"}: sampleRedis, {"orderprocessor-fulfilment", "secret"}: sampleSecret,
	})
	if file := m.value(c, "ORDERS_API_KEYS_FILE"); file != "" {
		entries = append(entries, "ORDERS_API_KEYS_FILE=", "ORDERS_API_KEYS="+sampleKeys)
	}
	if m.value(c, "ORDERS_FULFILMENT_URL") == "" {
		entries = append(entries, "ORDERS_FULFILMENT_SECRET=")
	}
	return entries
}

// checkValues wants the programs to start with what they are given, which includes
// that they know every ORDERS_ name.
func checkValues(m manifests) []string {
	var found sentences
	for name, w := range m.programs() {
		for _, c := range w.Template.Spec.Containers {
			if err := load(c.Name, m.settings(c)); err != nil {
				found.add("%s: %v", name, err)
			}
		}
	}
	return found
}

func load(program string, environ []string) error {
	if program == "api" {
		_, err := config.LoadAPI(environ)
		return err
	}
	_, err := config.LoadWorker(environ)
	return err
}

// checkProbes wants the kubelet to ask the admin port, and the program to answer
// there beyond its loopback.
func checkProbes(m manifests) []string {
	var found sentences
	for name, w := range m.programs() {
		for _, c := range w.Template.Spec.Containers {
			for _, row := range []struct{ what, got, want string }{
				{"startup probe", c.Startup.HTTP.Path, "/livez"},
				{"readiness probe", c.Ready.HTTP.Path, "/readyz"},
				{"liveness probe", c.Live.HTTP.Path, "/livez"},
				{"startup port", c.Startup.HTTP.Port, "admin"},
				{"readiness port", c.Ready.HTTP.Port, "admin"},
				{"liveness port", c.Live.HTTP.Port, "admin"},
				{"admin address", m.value(c, "ORDERS_ADMIN_ADDR"), "0.0.0.0:" + strconv.Itoa(c.port("admin"))},
			} {
				if row.got != row.want {
					found.add("%s has the %s %q, not %q", name, row.what, row.got, row.want)
				}
			}
		}
	}
	return found
}

// port returns the number of a named port, 0 if there is none.
func (c container) port(name string) int {
	for _, p := range c.Ports {
		if p.Name == name {
			return p.Number
		}
	}
	return 0
}

// checkRestricted wants what the Pod Security Standard "restricted" wants, and a
// root that cannot be written to.
func checkRestricted(m manifests) []string {
	var found sentences
	for name, w := range m.workloads() {
		p := w.Template.Spec
		if !p.Security.RunAsNonRoot || p.Security.RunAsUser == 0 || p.Security.Profile.Type != "RuntimeDefault" {
			found.add("%s may run as root or call the whole kernel: %+v", name, p.Security)
		}
		for _, c := range p.Containers {
			s := c.Security
			if !s.ReadOnly || s.Escalation == nil || *s.Escalation || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) {
				found.add("%s may do more than it must: %+v", name, s)
			}
		}
	}
	return found
}

// checkLinks wants no variables and no token from Kubernetes: a Service called
// orders would bring names that the programs refuse.
func checkLinks(m manifests) []string {
	var found sentences
	for name, w := range m.workloads() {
		p := w.Template.Spec
		if p.ServiceLinks == nil || *p.ServiceLinks {
			found.add("%s is given variables for Services", name)
		}
		if p.Token == nil || *p.Token {
			found.add("%s is given a token of the cluster", name)
		}
	}
	return found
}

// checkGrace wants Kubernetes to wait longer than the programs take to stop, and an
// API to serve while nodes hear that it goes.
func checkGrace(m manifests) []string {
	var found sentences
	for name, w := range m.programs() {
		grace := time.Duration(w.Template.Spec.GraceSeconds) * time.Second
		for _, c := range w.Template.Spec.Containers {
			sleep := time.Duration(c.Lifecycle.PreStop.Sleep.Seconds) * time.Second
			stop, err := time.ParseDuration(m.value(c, "ORDERS_SHUTDOWN_TIMEOUT"))
			if err != nil || grace <= sleep+stop {
				found.add("%s is killed after %s, but sleeps %s and stops within %s (%v)", name, grace, sleep, stop, err)
			}
			if c.Name == "api" && sleep == 0 {
				found.add("%s stops before nodes hear of it", name)
			}
		}
	}
	return found
}

// checkUpdates wants an update to take no pod away before the next one is ready.
func checkUpdates(m manifests) []string {
	var found sentences
	for name, w := range m.programs() {
		if n := w.Strategy.RollingUpdate.MaxUnavailable; n == nil || *n != 0 {
			found.add("an update of %s takes pods away first", name)
		}
	}
	return found
}

// checkMemory wants a bound for every container, and Go's own some way below it.
func checkMemory(m manifests) []string {
	var found sentences
	for name, w := range m.workloads() {
		for _, c := range w.Template.Spec.Containers {
			if c.Resources.Limits["memory"] == "" || c.Resources.Requests["memory"] == "" || c.Resources.Requests["cpu"] == "" {
				found.add("%s has no bound of memory or asks for nothing", name)
			}
		}
	}
	for name, w := range m.programs() {
		for _, c := range w.Template.Spec.Containers {
			limit, _ := strconv.Atoi(strings.TrimSuffix(c.Resources.Limits["memory"], "Mi"))
			soft, _ := strconv.Atoi(strings.TrimSuffix(m.value(c, "GOMEMLIMIT"), "MiB"))
			if soft == 0 || soft*10 > limit*9 {
				found.add("%s collects at %d MiB, and is killed at %d", name, soft, limit)
			}
		}
	}
	return found
}

// checkImages wants every image to carry a version.
func checkImages(m manifests) []string {
	var found sentences
	for name, w := range m.workloads() {
		for _, c := range w.Template.Spec.Containers {
			_, tag, tagged := strings.Cut(path.Base(c.Image), ":")
			if !tagged || tag == "" || tag == "latest" {
				found.add("%s runs the image %q, which has no version", name, c.Image)
			}
		}
	}
	return found
}

// TestManifestsKeepEveryRule looks at every rendering.
func TestManifestsKeepEveryRule(t *testing.T) {
	t.Parallel()
	for _, folder := range folders(t) {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			m := parse(t, render(t, folder))
			for name, look := range checks() {
				if name == "images" && !strings.HasPrefix(folder, "overlays/") {
					continue // an overlay names the versions
				}
				for _, sentence := range look(m) {
					t.Errorf("%s: %s", name, sentence)
				}
			}
		})
	}
}
