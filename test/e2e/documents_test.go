package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orderprocessor/internal/client"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
	"orderprocessor/test/kit"
)

// repository is its root.
const repository = "../.."

// reader has a system, and a folder of its own with the programs in bin.
type reader struct {
	*system
	home string
}

// newReader returns a reader with a worker that calls this shop, if any.
func newReader(t *testing.T, worker ...string) reader {
	t.Helper()
	for _, program := range []string{"bash", "curl", "make"} {
		programtest.Need(t, program)
	}
	r := reader{start(t), t.TempDir()}
	r.worker(worker...)
	if err := os.Symlink(binaries, filepath.Join(r.home, "bin")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.home, ".curlrc"), []byte("fail-with-body\nsilent\nshow-error\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// bash runs a command in the reader's folder, with the system's own address and settings.
func (r reader) bash(command string, env ...string) error {
	env = append([]string{"HOME=" + r.home, "ORDERCTL_API=" + r.URL, "REDIS_URL=" + asUser(r.redis.URL(), "orders")}, env...)
	return kit.Bash(r.t, r.home, strings.ReplaceAll(command, "http://127.0.0.1:8080", r.URL), env...)
}

// TestGuide runs the blocks of docs/API.md in turn: each must succeed.
func TestGuide(t *testing.T) {
	shop := openShop(t, func(id string, _ int) int {
		if id == "shop-1001" { // the guide retries it, so it has to fail
			return http.StatusUnprocessableEntity
		}
		return http.StatusOK
	})
	r := newReader(t, "ORDERS_FULFILMENT_URL="+shop.url)
	for _, block := range kit.Blocks(t, filepath.Join(repository, "docs/API.md")) {
		if err := r.bash(block, "API_KEY=none"); err != nil {
			t.Errorf("%s\n%v", block, err)
		}
		if strings.Contains(block, `"id": "shop-1001"`) {
			r.settled("shop-1001")
		}
	}
	if st := r.Stats(); st.Ledger.Retried != 1 || st.ByStatus["cancelled"] != 1 || st.Ledger.Accepted != 5 {
		t.Errorf("after all commands: %+v", st)
	}
}

// TestReadme runs the commands of the README against one running system. Those that need
// Docker, or would run this test, are compared with the files that they use.
func TestReadme(t *testing.T) {
	r := newReader(t)
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	compose, err := os.ReadFile(filepath.Join(repository, "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	kit.RunCommands(t, filepath.Join(repository, "README.md"), kit.Forms{
		`go run ./cmd/orderctl (dev --sample .+)`: func(f []string) error {
			// Everything in one process, with a Redis of its own.
			return r.bash("bin/orderctl "+f[1], programtest.Settings("REDIS_URL="+redistest.Start(t).URL())...)
		},
		`make (\w+)`: func(f []string) error { return r.bash("make -n -C " + root + " " + f[1]) },
		`(?:curl|bin/orderctl|echo '.*' \| bin/orderctl) .+`: func(f []string) error { return r.bash(f[0]) },
		`mkdir -p (.+) && redis-server (.+) --dir (.+)`:      r.startRedis,
		`(.*)bin/(api|worker)`: func(f []string) error {
			p := r.spawn(f[2], strings.Fields(strings.ReplaceAll(f[1], "127.0.0.1:8083", "127.0.0.1:0"))...)
			p.Await(`"msg":"(API is listening|worker is starting)"`)
			p.Stop()
			return nil
		},
		`docker compose (?:--profile (\w+) )?up --build(?: --scale (worker)=\d+)?`: func(f []string) error {
			if !strings.Contains(string(compose), "profiles: ["+f[1]) || !strings.Contains(string(compose), "\n  "+f[2]) {
				return errors.New("docker-compose.yml has no such profile or service")
			}
			return nil
		},
	})
	if st := r.Stats(); st.Ledger.Accepted != 2 || r.settled("order-1").Status != "completed" {
		t.Errorf("after all commands: %+v", st)
	}
}

// TestRulesGuide runs the blocks of docs/RULES.md in turn: each must succeed. VERSION is the
// version that the command before has written.
func TestRulesGuide(t *testing.T) {
	r := newReader(t)
	path := "PATH=" + filepath.Join(r.home, "bin") + ":" + os.Getenv("PATH")
	blocks := kit.Blocks(t, filepath.Join(repository, "docs/RULES.md"))
	for _, block := range blocks {
		command := block
		if strings.Contains(block, "VERSION\n") && !strings.Contains(block, "rules push") {
			versions := decode[client.RuleSets](t, r.Send("GET", "/rules", "").Body).Versions
			command = strings.ReplaceAll(block, "VERSION", versions[0].Version)
		}
		if strings.Contains(block, "orderctl list --status held") {
			command = strings.Replace(command, "sleep 1\n", "until orderctl list --status held | grep -q larger; do sleep 0.1; done\n", 1)
		}
		if err := r.bash(command, path); err != nil {
			t.Errorf("%s\n%v", block, err)
		}
		r.untilProcessed(2)
	}
	r.settled("larger")
	d := decode[client.Decision](t, r.Send("GET", "/orders/larger/decision", "").Body)
	in := decode[client.RuleSets](t, r.Send("GET", "/rules", "").Body)
	if len(blocks) != 5 || d.Rule != "large order" || in.Active != "builtin" || in.Shadow != "" || len(in.Versions) != 2 {
		t.Errorf("after %d blocks: %+v, %+v", len(blocks), d, in)
	}
}

// startRedis starts one on a socket instead of the port that everybody uses.
func (r reader) startRedis(found []string) error {
	if found[1] != found[3] {
		return fmt.Errorf("the command makes %s and uses %s", found[1], found[3])
	}
	args := append(strings.Fields(found[2]), "--port", "0", "--unixsocket", filepath.Join(r.t.TempDir(), "s"), "--dir", r.home)
	redis, err := programtest.Launch(programtest.Config{Path: redistest.Program(), Args: args})
	if err != nil {
		return err
	}
	defer redis.Kill()
	_, err = redis.Await("eady to accept connections")
	return err
}
