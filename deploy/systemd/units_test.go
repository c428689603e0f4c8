// Package systemd_test checks the units of this folder: with systemd's own tools,
// against the configuration that the programs accept, and against what the
// guarantees rest on. It starts nothing.
package systemd_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"orderprocessor/internal/config"
)

const (
	apiUnit    = "orderprocessor-api.service"
	workerUnit = "orderprocessor-worker@.service"
	commonUnit = "orderprocessor-.service.d/common.conf"
	// instance is the worker that the tests look at.
	instance = "8082"
	// apiConnections is how many clients the API serves at once.
	apiConnections = 16_384
	// calmRestart is how long a program that ends at once must stay away: its log is
	// to be readable.
	calmRestart = 3 * time.Second
	sampleKeys  = "shop:submit+read:0000000000000000000000000000000000000000000000000000000000000000\n"
)

// unit holds the values of each directive of [Service] and [Unit], in order.
type unit map[string][]string

// readUnit reads a unit and what it has in common with the others.
func readUnit(t *testing.T, files fs.FS, name string) unit {
	t.Helper()
	u := unit{}
	for _, file := range []string{name, commonUnit} {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			directive, value, ok := strings.Cut(strings.TrimSpace(line), "=")
			if ok && !strings.HasPrefix(directive, "#") {
				u[directive] = append(u[directive], value)
			}
		}
	}
	return u
}

// last returns the value that is in force.
func (u unit) last(directive string) string {
	values := u[directive]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// environ is what the program is given, in the form of os.Environ(): of the files
// those in this folder, and credentials from the given folder.
func (u unit) environ(files fs.FS, credentials string) []string {
	var entries []string
	for _, value := range u["Environment"] {
		entries = append(entries, strings.NewReplacer("%d", credentials, "%i", instance).Replace(value))
	}
	for _, file := range u["EnvironmentFile"] {
		text, _ := fs.ReadFile(files, path.Base(file)) // a check reports what is missing
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				entries = append(entries, line)
			}
		}
	}
	return entries
}

// problems returns what is wrong with a unit.
func problems(t *testing.T, files fs.FS, name string) []string {
	t.Helper()
	u := readUnit(t, files, name)
	credentials := t.TempDir()
	for _, credential := range u["LoadCredential"] {
		id, _, _ := strings.Cut(credential, ":")
		if err := os.WriteFile(filepath.Join(credentials, id), []byte(sampleKeys), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found := u.loads(name, u.environ(files, credentials))
	for _, file := range u["EnvironmentFile"] {
		if _, err := fs.Stat(files, path.Base(file)); err != nil {
			found = append(found, "there is no example of "+file)
		}
	}
	if n, err := strconv.Atoi(u.last("LimitNOFILE")); err != nil || n < 2*apiConnections {
		found = append(found, "too few files may be open: "+u.last("LimitNOFILE"))
	}
	if u.last("Restart") != "always" || u["RestartPreventExitStatus"] != nil || u.last("StartLimitIntervalSec") != "0" {
		found = append(found, "there are ends after which it is not started again")
	}
	if wait, err := time.ParseDuration(u.last("RestartSec")); err != nil || wait < calmRestart {
		found = append(found, "a wrong configuration fills the log: "+u.last("RestartSec"))
	}
	return found
}

// loads returns what the program has against its environment, its way to stop and
// its addresses.
func (u unit) loads(name string, environ []string) []string {
	var err error
	var addresses []string
	var stop time.Duration
	if name == apiUnit {
		var c config.API
		c, err = config.LoadAPI(environ)
		stop, addresses = c.ShutdownTimeout, []string{c.HTTPAddr, c.AdminAddr}
		if err == nil && len(c.Keys) == 0 {
			return []string{"the API has no keys"}
		}
	} else {
		var c config.Worker
		c, err = config.LoadWorker(environ)
		stop, addresses = c.ShutdownTimeout, []string{c.AdminAddr, "127.0.0.1:" + instance}
	}
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	if grace, err := time.ParseDuration(u.last("TimeoutStopSec")); err != nil || grace <= stop || u.last("KillSignal") != "SIGTERM" {
		found = append(found, "it is killed before it has stopped")
	}
	if slices.ContainsFunc(addresses, func(a string) bool { return !strings.HasPrefix(a, "127.0.0.1:") }) || (name == workerUnit && addresses[0] != addresses[1]) {
		found = append(found, "it listens on "+strings.Join(addresses, ", "))
	}
	return found
}

func TestUnitsStartThePrograms(t *testing.T) {
	t.Parallel()
	for _, name := range []string{apiUnit, workerUnit} {
		for _, problem := range problems(t, os.DirFS("."), name) {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

// TestEveryRuleOfUnitsIsHeld breaks the files in one place at a time.
func TestEveryRuleOfUnitsIsHeld(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, unit, file, old, broken string }{
		{"unknown variable", workerUnit, "worker.env", "ORDERS_FULFILMENT_URL", "ORDERS_FULFILLMENT_URL"},
		{"value out of range", apiUnit, "common.env", "ORDERS_SHUTDOWN_TIMEOUT=35s", "ORDERS_SHUTDOWN_TIMEOUT=35"},
		{"slow to stop", workerUnit, "common.env", "ORDERS_SHUTDOWN_TIMEOUT=35s", "ORDERS_SHUTDOWN_TIMEOUT=50s"},
		{"killed too early", apiUnit, commonUnit, "TimeoutStopSec=45s", "TimeoutStopSec=30s"},
		{"another signal", apiUnit, commonUnit, "KillSignal=SIGTERM", "KillSignal=SIGKILL"},
		{"keys by another name", apiUnit, apiUnit, "LoadCredential=keys:", "LoadCredential=key:"},
		{"no keys", apiUnit, apiUnit, "Environment=ORDERS_API_KEYS_FILE=%d/keys", ""},
		{"open to the network", apiUnit, "api.env", "127.0.0.1:8080", "0.0.0.0:8080"},
		{"one port for all workers", workerUnit, workerUnit, "127.0.0.1:%i", "127.0.0.1:8083"},
		{"no example", apiUnit, apiUnit, "/api.env", "/web.env"},
		{"too few files", apiUnit, commonUnit, "LimitNOFILE=65536", "LimitNOFILE=16384"},
		{"no restart", workerUnit, commonUnit, "Restart=always", "Restart=on-failure"},
		{"no restart after a panic", workerUnit, commonUnit, "Restart=always", "Restart=always\nRestartPreventExitStatus=2"},
		{"no restart after many", workerUnit, commonUnit, "StartLimitIntervalSec=0", "StartLimitIntervalSec=1h"},
		{"restarts without a pause", apiUnit, commonUnit, "RestartSec=5s", "RestartSec=100ms"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			files := fstest.MapFS{}
			for _, name := range []string{apiUnit, workerUnit, commonUnit, "common.env", "api.env", "worker.env"} {
				text, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				files[name] = &fstest.MapFile{Data: text}
			}
			text := string(files[row.file].Data)
			if !strings.Contains(text, row.old) {
				t.Fatalf("%s has no %q to break", row.file, row.old)
			}
			files[row.file].Data = []byte(strings.Replace(text, row.old, row.broken, 1))
			if len(problems(t, files, row.unit)) == 0 {
				t.Error("nobody notices")
			}
		})
	}
}

// TestExamplesNameKnownSettings holds the lines that are commented out too.
func TestExamplesNameKnownSettings(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"common.env", "api.env", "worker.env"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			name, _, ok := strings.Cut(strings.TrimPrefix(line, "#"), "=")
			if ok && strings.HasPrefix(name, "ORDERS_") && !slices.Contains(config.Names(), name) {
				t.Errorf("%s names %s, which the configuration does not know", file, name)
			}
		}
	}
}
