package deploy_test

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"orderprocessor/internal/config"
)

// check returns a sentence for everything that breaks its rule.
type check func(documents) []string

// checks lists them all. Each one skips what another one reports as missing.
func checks() map[string]check {
	return map[string]check{
		"services":    checkServices,
		"names":       checkNames,
		"values":      checkValues,
		"grace":       checkGrace,
		"ports":       checkPorts,
		"admin":       checkAdmin,
		"extras":      checkExtras,
		"scalable":    checkScalable,
		"health":      checkHealth,
		"dependences": checkDependences,
		"hardening":   checkHardening,
		"mounts":      checkMounts,
		"targets":     checkTargets,
		"sources":     checkSources,
		"commands":    checkCommands,
		"static":      checkStatic,
		"user":        checkUser,
		"entrypoint":  checkEntrypoint,
		"pinned":      checkPinned,
		"redis":       checkRedis,
		"place":       checkPlace,
		"users":       checkUsers,
		"access":      checkAccess,
		"tool":        checkTool,
		"traces":      checkTraces,
	}
}

// sentences gathers what a check finds.
type sentences []string

func (s *sentences) add(format string, args ...any) { *s = append(*s, fmt.Sprintf(format, args...)) }

// checkServices wants the three services under the names the rest relies on.
func checkServices(d documents) (found []string) {
	for _, name := range []string{"redis", "api", "worker"} {
		if _, ok := d.compose.Services[name]; !ok {
			found = append(found, "docker-compose.yml has no service "+name)
		}
	}
	return found
}

// environ is what a service's container has: the image's, then its own.
func (d documents) environ(name string) []string {
	s := d.compose.Services[name]
	var entries []string
	if s.Build != nil {
		target, _ := d.docker.stage(s.Build.Target)
		entries = target.environ()
	}
	return append(entries, s.environ()...)
}

// checkNames wants every variable that looks like ours to be known.
func checkNames(d documents) []string {
	var found sentences
	known := config.Names()
	refuse := func(where string, entries []string) {
		for _, entry := range entries {
			name, _, _ := strings.Cut(entry, "=")
			ours := strings.HasPrefix(name, "ORDERS_") || strings.HasPrefix(name, "REDIS")
			if ours && !slices.Contains(known, name) {
				found.add("%s sets %s, which the configuration does not know", where, name)
			}
		}
	}
	for name, s := range d.compose.Services {
		refuse("service "+name, s.environ())
	}
	for _, s := range d.docker {
		refuse("stage "+s.name, s.environ())
	}
	return found
}

// checkValues wants each program to start with what its container gives it.
func checkValues(d documents) []string {
	var found sentences
	if _, err := config.LoadAPI(d.environ("api")); err != nil {
		found.add("service api: %v", err)
	}
	if _, err := config.LoadWorker(d.environ("worker")); err != nil {
		found.add("service worker: %v", err)
	}
	return found
}

// checkGrace wants Docker to wait longer than the programs take to stop.
func checkGrace(d documents) []string {
	var found sentences
	timeouts := map[string]time.Duration{}
	if api, err := config.LoadAPI(d.environ("api")); err == nil {
		timeouts["api"] = api.ShutdownTimeout
	}
	if worker, err := config.LoadWorker(d.environ("worker")); err == nil {
		timeouts["worker"] = worker.ShutdownTimeout
	}
	for name, timeout := range timeouts {
		grace, err := d.compose.Services[name].grace()
		if err != nil || grace <= timeout {
			found.add("service %s is killed after %s, but stops within %s (%v)", name, grace, timeout, err)
		}
	}
	return found
}

// checkPorts wants nothing published beyond this machine.
func checkPorts(d documents) []string {
	var found sentences
	for name, s := range d.compose.Services {
		for _, p := range s.Ports {
			if host, err := netip.ParseAddr(p.host); err != nil || !host.IsLoopback() {
				found.add("service %s publishes a port on %q, not on loopback", name, p.host)
			}
		}
	}
	return found
}

// checkAdmin wants the admin addresses, which know no keys, to be unpublished, and to be
// reached by Prometheus where there is one: on the ports that it scrapes.
func checkAdmin(d documents) []string {
	var found sentences
	scraped := d.compose.Services["prometheus"].Image != ""
	for name, port := range map[string]string{"api": "8081", "worker": "8082"} {
		s := d.compose.Services[name]
		if got := s.Environment["ORDERS_ADMIN_ADDR"]; scraped && got != "0.0.0.0:"+port {
			found.add("service %s has the admin address %q, where Prometheus does not find it", name, got)
		}
		for _, p := range s.Ports {
			if p.target == port {
				found.add("service %s publishes its admin address", name)
			}
		}
	}
	return found
}

// checkExtras wants what the service can do without to start only when asked for.
func checkExtras(d documents) []string {
	var found sentences
	for name, s := range d.compose.Services {
		needed := slices.Contains([]string{"redis", "api", "worker"}, name)
		if needed != (len(s.Profiles) == 0) {
			found.add("service %s has the profiles %q", name, s.Profiles)
		}
	}
	return found
}

// checkScalable wants a worker of which there can be many.
func checkScalable(d documents) []string {
	var found sentences
	worker := d.compose.Services["worker"]
	if worker.ContainerName != "" {
		found.add("service worker has a container_name, which only one container can have")
	}
	if len(worker.Ports) > 0 {
		found.add("service worker publishes a port, which only one container can have")
	}
	return found
}

// checkHealth wants each service that stays to say how it is, with a command that
// its image has: a distroless one has the program alone.
func checkHealth(d documents) []string {
	var found sentences
	for name, s := range d.compose.Services {
		if s.once() {
			continue
		}
		if s.Healthcheck == nil || len(s.Healthcheck.Test) < 2 || s.Healthcheck.Test[0] != "CMD" {
			found.add("service %s lacks a healthcheck in CMD form", name)
			continue
		}
		if s.Build == nil {
			continue
		}
		target, _ := d.docker.stage(s.Build.Target)
		if want := append(target.entrypoint(), "-health"); !slices.Equal(s.Healthcheck.Test[1:], want) {
			found.add("service %s asks for its health with %v, not %v", name, s.Healthcheck.Test[1:], want)
		}
	}
	return found
}

// checkDependences wants our programs to wait until Redis can serve them, and a
// command that may look for what is away not to wait.
func checkDependences(d documents) []string {
	var found sentences
	for _, name := range d.compose.builds() {
		s := d.compose.Services[name]
		if !s.once() && s.DependsOn["redis"].Condition != "service_healthy" {
			found.add("service %s does not wait for redis to be service_healthy", name)
		}
		if s.once() && len(s.DependsOn) > 0 {
			found.add("service %s waits for others", name)
		}
	}
	return found
}

// checkHardening wants containers that can do no more than they must.
func checkHardening(d documents) []string {
	var found sentences
	for _, name := range slices.Sorted(maps.Keys(d.compose.Services)) {
		s := d.compose.Services[name]
		if !s.ReadOnly {
			found.add("service %s can write to its image", name)
		}
		if !slices.Contains(s.CapDrop, "ALL") {
			found.add("service %s keeps capabilities", name)
		}
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			found.add("service %s may gain privileges", name)
		}
	}
	return found
}

// checkMounts wants every mounted file to exist: Docker would make a folder.
func checkMounts(d documents) []string {
	var found sentences
	for name, s := range d.compose.Services {
		for _, v := range s.Volumes {
			if strings.HasPrefix(v.source, ".") && !d.has(v.source) {
				found.add("service %s mounts %s, which does not exist", name, v.source)
			}
		}
	}
	return found
}
