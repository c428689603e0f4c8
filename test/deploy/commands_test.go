package deploy_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"orderprocessor/internal/redistest"
	"orderprocessor/test/kit"
)

// redisPassword replaces the password that the document creates.
const redisPassword = "no-secret"

// TestDocumentCommands runs every command of the document that can run here, in a folder
// that is the root of a machine and the repository at once. The names in the others must
// be names of the examples. A command of another form fails.
func TestDocumentCommands(t *testing.T) {
	t.Parallel()
	root, known := t.TempDir(), examples(t)
	here, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{filepath.Join(here, "deploy"): "deploy", binaries: "bin"} {
		if err := os.Symlink(from, filepath.Join(root, to)); err != nil {
			t.Fatal(err)
		}
	}
	run := func(found []string) error {
		command := strings.ReplaceAll(found[0], "sudo ", "")
		command = strings.NewReplacer(" /opt/", " "+root+"/opt/", " /etc/", " "+root+"/etc/").Replace(command)
		return kit.Bash(t, root, command, "password="+redisPassword)
	}
	kit.RunCommands(t, document, kit.Forms{
		`make (\w+)`: func(found []string) error { return kit.Bash(t, here, "make -n "+found[1]) },
		`(?:sudo install|bin/orderctl|openssl|deploy/tls/certificates\.sh|sed|printf|echo|password=\S+) ?.+`: run,
		`sudo systemctl restart redis-server|redis-cli ping`:                                                 func([]string) error { return checkRedis(t, root) },
		`(deploy/kubernetes/prometheus-rule\.sh \S+) \| kubectl -n orderprocessor apply -f -`: func(found []string) error {
			return kit.Bash(t, root, found[1]+" | grep 'kind: PrometheusRule'")
		},
		// orderctl must accept the examples of the units as settings.
		`sudo systemd-run .*-p EnvironmentFile=/etc/orderprocessor/(common\.env) -p EnvironmentFile=/etc/orderprocessor/(worker\.env) \S+/bin/(orderctl) doctor --key-file \S+`: func(found []string) error {
			return kit.Bash(t, root, "set -a; . deploy/systemd/"+found[1]+"; . deploy/systemd/"+found[2]+
				"; set +o pipefail; bin/"+found[3]+" doctor --api http://127.0.0.1:1 | grep -q 'every variable is valid'")
		},
		`(?:sudo apt-get|(?:sudo )?systemctl (?:enable|restart orderprocessor|daemon-reload|list-units)|journalctl|curl|docker|kind|kubectl).*`: func(found []string) error {
			for _, name := range exampleNames.FindAllStringSubmatch(found[0], -1) {
				if !strings.Contains(known, strings.Join(name[1:], "")) {
					return fmt.Errorf("no example has %s", name[0])
				}
			}
			return nil
		},
	})
	checkInstalled(t, root)
}

// exampleNames matches the names in a command that must occur in the examples: of files, units,
// objects of Kubernetes and labels, profiles, stages, keys of secrets, and ports.
var exampleNames = regexp.MustCompile(`(deploy/[\w./-]+\w)|(orderprocessor(?:-[a-z]+)*)|--(?:profile|target|scale) (\w+)|--from-(?:literal|file)=(\w+)|127\.0\.0\.1:(\d+)`)

// examples returns the paths and the contents of all files of the folder deploy, and
// docker-compose.yml.
func examples(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	all.WriteString(readFile(t, "../../docker-compose.yml"))
	err := filepath.WalkDir(kit.Deployment, func(path string, entry fs.DirEntry, err error) error {
		all.WriteString(path + "\n")
		if err == nil && !entry.IsDir() {
			all.WriteString(readFile(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// checkInstalled fails the test unless the commands have put everything where the units
// expect it.
func checkInstalled(t *testing.T, root string) {
	t.Helper()
	wanted := regexp.MustCompile(`(?m)^(?:ExecStart|EnvironmentFile|LoadCredential)=(?:keys:)?(/\S+)$`)
	units := filepath.Join(root, "etc/systemd/system")
	for _, unit := range []string{
		"orderprocessor.target", "orderprocessor-api.service", "orderprocessor-worker@.service", "orderprocessor-.service.d/common.conf",
	} {
		for _, found := range wanted.FindAllStringSubmatch(readFile(t, filepath.Join(units, unit)), -1) {
			if _, err := os.Stat(filepath.Join(root, found[1])); err != nil {
				t.Errorf("%s wants %s, which is not installed", unit, found[1])
			}
		}
	}
}

// checkRedis returns an error unless a Redis starts from what was installed, with our
// settings, and knows the user of the programs by the password.
func checkRedis(t *testing.T, root string) error {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	redis := start(t, nil, redistest.Program(), filepath.Join(root, "etc/redis/redis.conf"),
		"--dir", t.TempDir(), "--port", "0", "--unixsocket", socket)
	redis.Await("(eady to accept connections)")
	client := goredis.NewClient(&goredis.Options{Network: "unix", Addr: socket, Username: "orders", Password: redisPassword, DisableIdentity: true})
	defer func() { _ = client.Close() }()
	settings, err := client.ConfigGet(t.Context(), "appendonly").Result()
	if err == nil && settings["appendonly"] != "yes" {
		return fmt.Errorf("the settings are %v", settings)
	}
	return err
}
