package deploy_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"
)

// TestDocumentCommands runs every command of the document that can run here, and
// compares the others with the files that they are about. A command of another
// form fails.
func TestDocumentCommands(t *testing.T) {
	t.Parallel()
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(readFile(t, document), -1)
	m := newMachine(t)
	for _, block := range blocks {
		for line := range strings.Lines(block[1]) {
			if err := m.check(strings.TrimSpace(line)); err != nil {
				t.Errorf("%s: %v", strings.TrimSpace(line), err)
			}
		}
	}
	for n, form := range forms() {
		if !m.used[n] {
			t.Errorf("no command is like %s", form.pattern)
		}
	}
	m.installed()
}

// redisPassword stands for the one that the document makes.
const redisPassword = "no-secret"

// machine is a folder in which commands run as if it were the root of a machine
// and the repository at once.
type machine struct {
	t    *testing.T
	root string
	used map[int]bool
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, root: t.TempDir(), used: map[int]bool{}}
	here, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{filepath.Join(here, "deploy"): "deploy", binaries: "bin"} {
		if err := os.Symlink(from, filepath.Join(m.root, to)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// form is a command that the tests know, and what holds it.
type form struct {
	pattern string
	hold    func(m *machine, found []string) error
}

// forms lists all of them. Each line of the document is like one.
func forms() []form {
	return []form{
		{`^make (build)$`, func(_ *machine, f []string) error { return contains("Makefile", "\n"+f[1]+":") }},
		{`^bin/orderctl .+$|^openssl .+$|^deploy/tls/certificates\.sh .+$`, func(m *machine, f []string) error { return m.run(f[0]) }},
		{`^sudo (install .+)$`, func(m *machine, f []string) error { return m.run(f[1]) }},
		{`^sudo systemctl (?:enable --now|restart) (orderprocessor.+)$`, holdUnits},
		{`^sudo apt-get install (redis-server)$`, func(_ *machine, f []string) error { return contains("scripts/redis.sh", f[1]) }},
		{`^sed .+\| sudo install .+$|^printf .+\| sudo tee .+$|^echo .+$`, func(m *machine, f []string) error {
			return m.run("password=" + redisPassword + "; " + strings.ReplaceAll(f[0], "sudo ", ""))
		}},
		{`^password=.+$`, func(m *machine, f []string) error { return m.run(f[0]) }},
		{`^sudo systemctl restart redis-server$|^redis-cli ping$`, holdRedis},
		{`^sudo systemd-run .*-p EnvironmentFile=/etc/orderprocessor/(common\.env) -p EnvironmentFile=/etc/orderprocessor/(worker\.env) \S+/bin/(orderctl) doctor --key-file \S+$`, holdDoctor},
		{`^docker compose run --rm --build (orderctl) doctor$`, func(_ *machine, f []string) error { return contains("docker-compose.yml", "\n  "+f[1]+":\n") }},
		{`^docker compose --profile (monitoring) up --build$`, func(_ *machine, f []string) error { return contains("docker-compose.yml", "profiles: ["+f[1]+"]") }},
		{`^kubectl -n orderprocessor replace --force -f (\S+)$`, func(_ *machine, f []string) error { return contains(f[1], "kind: Job\n") }},
		{`^kubectl -n orderprocessor logs -f job/(\S+)$`, func(_ *machine, f []string) error {
			return contains("deploy/kubernetes/doctor.yaml", "\n  name: "+f[1]+"\n")
		}},
		{`^sudo systemctl daemon-reload$|^systemctl list-units 'orderprocessor\*'$`, func(*machine, []string) error { return nil }},
		{`^journalctl -u (\S+) -n \d+$`, holdUnits},
		{`^curl -fsS http://127\.0\.0\.1:(8081|8082)/(readyz)$`, holdProbe},
		{`^docker compose up --build --scale (worker)=\d+$`, func(_ *machine, f []string) error { return contains("docker-compose.yml", "\n  "+f[1]+":\n") }},
		{`^docker build -f (\S+) --target (\S+) -t orderprocessor-(?:api|worker):try \.$`, func(_ *machine, f []string) error { return contains(f[1], " AS "+f[2]+"\n") }},
		{`^kind load docker-image orderprocessor-api:(try) orderprocessor-worker:try$`, func(_ *machine, f []string) error {
			return contains("deploy/kubernetes/overlays/try/kustomization.yaml", "newTag: "+f[1])
		}},
		{`^kubectl (kustomize) --load-restrictor LoadRestrictionsNone (\S+) \| kubectl apply -f -$`, holdOverlay},
		{`^kubectl apply (-k) (\S+)$`, holdOverlay},
		{`^(deploy/kubernetes/prometheus-rule\.sh \S+) \| kubectl -n orderprocessor apply -f -$`, func(m *machine, f []string) error {
			return m.run(f[1] + " | grep -q 'kind: PrometheusRule'")
		}},
		{`^kubectl create namespace (\S+)$`, func(_ *machine, f []string) error {
			return contains("deploy/kubernetes/overlays/production/kustomization.yaml", "namespace: "+f[1]+"\n")
		}},
		{`^kubectl -n orderprocessor create secret generic (\S+) --from-(?:literal|file)=([a-z]+)=\S+$`, holdSecret},
		{`^kubectl label namespace .*?(orderprocessor-[a-z]+)=(true)$`, func(_ *machine, f []string) error {
			return contains("deploy/kubernetes/base/network.yaml", f[1]+`: "`+f[2]+`"`)
		}},
		{`^kubectl -n orderprocessor-try port-forward service/(\S+) 8080:(80)$`, func(_ *machine, f []string) error {
			return errors.Join(contains("deploy/kubernetes/base/api.yaml", "kind: Service\nmetadata:\n  name: "+f[1]+"\n"),
				contains("deploy/kubernetes/base/api.yaml", "port: "+f[2]+","))
		}},
		{`^kubectl -n orderprocessor (?:rollout (?:status|undo)|scale) deployment/orderprocessor-(\S+)(?: --replicas=\d+)?$`, func(_ *machine, f []string) error {
			return contains("deploy/kubernetes/base/"+f[1]+".yaml", "kind: Deployment\nmetadata:\n  name: orderprocessor-"+f[1]+"\n")
		}},
	}
}

// check finds the form of a command and holds it.
func (m *machine) check(line string) error {
	for n, form := range forms() {
		if found := regexp.MustCompile(form.pattern).FindStringSubmatch(line); found != nil {
			m.used[n] = true
			return form.hold(m, found)
		}
	}
	return errors.New("no test knows such a command")
}

// run runs a command, below the root of this machine where it writes.
func (m *machine) run(command string) error {
	command = strings.NewReplacer(" /opt/", " "+m.root+"/opt/", " /etc/", " "+m.root+"/etc/").Replace(command)
	cmd := exec.CommandContext(m.t.Context(), "bash", "-euc", command)
	cmd.Dir = m.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// installed fails the test unless the commands have put everything where the units
// look for it.
func (m *machine) installed() {
	m.t.Helper()
	wanted := regexp.MustCompile(`(?m)^(?:ExecStart|EnvironmentFile|LoadCredential)=(?:keys:)?(/\S+)$`)
	units, err := filepath.Glob(filepath.Join(m.root, "etc/systemd/system/*"))
	if err != nil || len(units) != 4 {
		m.t.Fatalf("installed are %q: %v", units, err)
	}
	for _, unit := range append(units, filepath.Join(m.root, "etc/systemd/system/orderprocessor-.service.d/common.conf")) {
		if info, err := os.Stat(unit); err != nil || info.IsDir() {
			continue
		}
		for _, found := range wanted.FindAllStringSubmatch(readFile(m.t, unit), -1) {
			if _, err := os.Stat(filepath.Join(m.root, found[1])); err != nil {
				m.t.Errorf("%s wants %s, which is not installed", filepath.Base(unit), found[1])
			}
		}
	}
}

// holdUnits wants every named unit to be one of ours.
func holdUnits(_ *machine, found []string) error {
	for name := range strings.FieldsSeq(found[1]) {
		template, _, instance := strings.Cut(name, "@")
		file := name
		switch {
		case instance:
			file = template + "@.service"
		case filepath.Ext(name) == "":
			file = name + ".service"
		}
		if _, err := os.Stat(filepath.Join("../../deploy/systemd", file)); err != nil {
			return err
		}
	}
	return nil
}

// holdRedis wants a Redis to start from what was installed, with our settings, and to
// know the user of the programs by the password.
func holdRedis(m *machine, _ []string) error {
	socket := filepath.Join(m.t.TempDir(), "s")
	redis := start(m.t, nil, "redis-server", filepath.Join(m.root, "etc/redis/redis.conf"),
		"--dir", m.t.TempDir(), "--port", "0", "--unixsocket", socket)
	redis.Await("(ready to accept connections)")
	client := goredis.NewClient(&goredis.Options{Network: "unix", Addr: socket, Username: "orders", Password: redisPassword, DisableIdentity: true})
	defer func() { _ = client.Close() }()
	settings, err := client.ConfigGet(m.t.Context(), "appendonly").Result()
	if err == nil && settings["appendonly"] != "yes" {
		return fmt.Errorf("the settings are %v", settings)
	}
	return err
}

// holdDoctor wants orderctl to take the examples of the units for valid settings.
func holdDoctor(m *machine, found []string) error {
	settings := "set -a; . deploy/systemd/" + found[1] + "; . deploy/systemd/" + found[2] + "; "
	return m.run(settings + "bin/" + found[3] + " doctor --api http://127.0.0.1:1 | grep -q 'every variable is valid'")
}

// holdProbe wants the port to be the admin address of a unit, and the path to be
// what Kubernetes asks for.
func holdProbe(_ *machine, found []string) error {
	if found[1] == "8082" {
		return contains("deploy/systemd/orderprocessor-worker@.service", "DefaultInstance="+found[1])
	}
	return errors.Join(contains("deploy/systemd/orderprocessor-api.service", "ORDERS_ADMIN_ADDR=127.0.0.1:"+found[1]),
		contains("deploy/kubernetes/base/api.yaml", "path: /"+found[2]+","))
}

// holdOverlay wants an overlay that can be built with the given restriction: only
// the one for trying takes a file from outside.
func holdOverlay(_ *machine, found []string) error {
	outside := contains(found[2]+"/kustomization.yaml", "redis.conf]") == nil
	if outside != (found[1] == "kustomize") {
		return errors.New("the overlay needs another restriction")
	}
	return contains(found[2]+"/kustomization.yaml", "../../base")
}

// holdSecret wants a Secret and a key that the pods ask for.
func holdSecret(_ *machine, found []string) error {
	text, err := os.ReadFile("../../deploy/kubernetes/secrets.example.yaml")
	if err != nil {
		return err
	}
	for part := range strings.SplitSeq(string(text), "\n---\n") {
		if strings.Contains(part, "name: "+found[1]+"\n") && strings.Contains(part, "\n  "+found[2]+": ") {
			return nil
		}
	}
	return errors.New("no pod asks for it")
}

// contains returns an error unless a file of the repository has the text.
func contains(file, text string) error {
	content, err := os.ReadFile(filepath.Join("../..", file))
	if err != nil {
		return err
	}
	if !strings.Contains(string(content), text) {
		return fmt.Errorf("%s has no %q", file, text)
	}
	return nil
}
