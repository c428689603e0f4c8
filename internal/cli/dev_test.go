package cli_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/redistest"
)

// anyPort keeps the tests out of each other's way.
const anyPort = "127.0.0.1:0"

func TestDevSample(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	in := world{environ: []string{"REDIS_URL=" + server.URL()}}
	for run := 1; run <= 2; run++ {
		c := orderctlIn(t, in, "dev", "--sample", "200", "--http", anyPort)
		c.mustExit(t, 0,
			`orders kept +in the Redis at unix://`,
			`\n200 orders submitted and settled in [0-9.]+ s: [0-9]+ orders per second`,
			`completed, expedited handling +20 +20 *\n`,
			`completed, priority handling +80 +80 *\n`,
			`completed, standard handling +60 +60 *\n`,
			`rejected: order amount exceeds limit +20 +20 *\n`,
			`rejected: too many items in order +20 +20 *\n`,
			fmt.Sprintf(`completed +%d *\n +rejected +%d *\n\n`, 160*run, 40*run),
			`latency in ms +p50 +p95 +p99`,
			fmt.Sprintf(`Accepted since the books began: %d\. Drift: 0 `, 200*run),
			`Every order ended as the rules say`)
		if strings.Contains(c.stderr.String(), "settled") {
			t.Errorf("a progress bar where there is no terminal: %q", c.stderr.String())
		}
	}
	ledgertest.CheckBooks(t, server.Client())
}

// TestDevWithoutRedisServer runs a sample of other rules on a Redis in memory.
func TestDevWithoutRedisServer(t *testing.T) {
	t.Parallel()
	in := world{lookPath: notFound, environ: []string{
		"REDIS_URL=", "ORDERS_HIGH_VALUE_ABOVE=0", "ORDERS_MAX_AMOUNT=0.01", "ORDERS_MAX_ITEMS=1000",
	}}
	orderctlIn(t, in, "dev", "--sample", "40", "--http", anyPort).mustExit(t, 0, `NOTHING IS KEPT`,
		`orders kept +nowhere`, `priority handling`, `exceeds limit`, `Every order ended as the rules say`)
}

func TestDevSampleFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no such article", http.StatusBadRequest)
	}))
	defer shop.Close()
	in := world{lookPath: notFound, environ: []string{"ORDERS_FULFILMENT_URL=" + shop.URL, "ORDERS_LOG_FORMAT=json"}}
	orderctlIn(t, in, "dev", "--sample", "50", "--http", anyPort).mustExit(t, 1,
		`completed, expedited handling +5 +0`, `amount exceeds limit +5 +5`,
		`sample-\S+: status is "failed" and should be "completed"`, `… and 20 more`,
		`orderctl: 40 of 50 orders did not end as the rules say`)
}

func TestDevKeepsOrdersInAFolder(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "a", "b c%20#?")
	for run := 1; run <= 2; run++ {
		orderctl(t, "dev", "--sample", "20", "--http", anyPort, "--data", folder).mustExit(t, 0,
			`orders kept +in `+regexp.QuoteMeta(folder),
			fmt.Sprintf(`Accepted since the books began: %d\.`, 20*run))
		if info, err := os.Stat(filepath.Join(folder, "archive.db")); err != nil || info.Size() == 0 {
			t.Errorf("the archive: %v, %v", info, err)
		}
	}
	mustBeStopped(t, folder)
}

func TestDevRunsUntilInterrupted(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	c := &command{}
	c.start(t, "dev", "--http", anyPort, "--data", folder)
	url := c.waitFor(t, `API +(http://\S+)\n`)[1]
	c.waitFor(t, "Press Ctrl-C to stop")
	for _, path := range []string{"/health", "/stats", "/monitoring"} {
		c.waitFor(t, regexp.QuoteMeta(url+path)+"\n")
		mustAnswer(t, url+path)
	}
	for _, admin := range []string{"API", "worker"} {
		mustAnswer(t, c.waitFor(t, admin+` admin +(\S+)`)[1])
	}
	body := c.waitFor(t, `curl -i `+regexp.QuoteMeta(url)+`/orders -H 'Content-Type: application/json' \\\n +-d '(.*)'\n`)[1]
	orderctlIn(t, world{stdin: strings.NewReader(body)}, "submit", "--api", url).mustExit(t, 0, `accepted +1\n`)

	if status := c.interrupt(t); status != 0 || c.stderr.String() != "" {
		t.Fatalf("ended with %d: %s", status, c.stderr.String())
	}
	orderctl(t, "stats", "--api", url).mustExit(t, 1, `no answer from the API`)
	mustBeStopped(t, folder)
}

// mustAnswer requests a page, which must be there.
func mustAnswer(t *testing.T, url string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: answered %s", url, resp.Status)
	}
}

// TestDevOwnsItsRedis checks that no other dev can use the folder, and that dev ends when
// its Redis does.
func TestDevOwnsItsRedis(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	c := &command{}
	c.start(t, "dev", "--http", anyPort, "--data", folder)
	url := c.waitFor(t, `API +(http://\S+)\n[\s\S]*Press Ctrl-C`)[1]
	server := serverOf(t, folder)
	orderctl(t, "dev", "--http", anyPort, "--data", folder).mustExit(t, 1, fmt.Sprintf(
		`orderctl: the data folder %s is in use by another orderctl dev \(redis-server process %d\): stop that one first`, folder, server))
	mustAnswer(t, url+"/health")
	if err := syscall.Kill(server, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.wait(t)
	c.mustExit(t, 1, `orderctl: the private Redis has ended: signal: killed; \S+redis-server.log ends with: `)
}

// serverOf returns the process that serves the folder.
func serverOf(t *testing.T, folder string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "orderctl.lock"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func mustBeStopped(t *testing.T, folder string) {
	t.Helper()
	if err := syscall.Kill(serverOf(t, folder), 0); err == nil {
		t.Error("the private redis-server still runs")
	}
}

func TestDevCannotStart(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	evicting := redistest.Start(t, "--maxmemory-policy", "allkeys-lru")
	for _, tt := range []struct {
		name, want string
		status     int
		environ    []string
		args       []string
	}{
		{"unknown setting", `ORDERS_HTTP_ADRR is not a known variable`, 2, []string{"ORDERS_HTTP_ADRR=x"}, nil},
		{"bad address", `ORDERS_HTTP_ADDR`, 2, nil, []string{"--http", "nowhere"}},
		{"bad REDIS_URL", `REDIS_URL`, 2, []string{"REDIS_URL=http://x"}, nil},
		{"no Redis at REDIS_URL", `REDIS_URL: no answer from redis://127.0.0.1:1/0: .*refused`, 1, []string{"REDIS_URL=redis://127.0.0.1:1"}, nil},
		{"a Redis that evicts", `set maxmemory-policy to noeviction`, 1, []string{"REDIS_URL=" + evicting.URL()}, []string{"--http", anyPort}},
		{"address is taken", `start the API: .*address already in use`, 1, []string{"ORDERS_ADMIN_ADDR=" + anyPort}, []string{"--http", taken.Addr().String(), "--data", t.TempDir()}},
		{"folder is a file", `orderctl: make the data folder: .*not a directory`, 1, nil, []string{"--data", file}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			orderctlIn(t, world{environ: tt.environ}, append([]string{"dev", "--sample", "1"}, tt.args...)...).mustExit(t, tt.status, tt.want)
		})
	}
}

func TestDevWithARedisThatDoesNotStart(t *testing.T) {
	t.Parallel()
	echo := func(name string) (string, error) { // there is no redis-server
		if name != "valkey-server" {
			return "", exec.ErrNotFound
		}
		return "/bin/echo", nil
	}
	orderctlIn(t, world{lookPath: echo}, "dev", "--data", t.TempDir()).mustExit(t, 1,
		`orderctl: the private Redis did not start: .*redis-server.log ends with: --port 0`)
}
