package cli_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"orderprocessor/internal/cli"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// asCommand makes the test binary behave as orderctl; see TestMain.
const asCommand = "TEST_BINARY_IS_ORDERCTL"

// TestMain lets a test run the command as a process of its own, to kill it.
func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		os.Exit(cli.Run(ctx, cli.World{
			Args: os.Args[1:], Environ: []string{"TERM=" + os.Getenv("TERM"), "NO_COLOR=" + os.Getenv("NO_COLOR")},
			Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		}))
	}
	redis.SetLogger(silent{}) // it says what the commands say, to the real standard error
	goleak.VerifyTestMain(m,  // but for what libraries leave asleep
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// stream is an output that can be watched while it is written.
type stream struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// world is where a command runs.
type world struct {
	environ       []string
	stdin         io.Reader
	out           io.Writer // standard output; nil means a buffer
	noRedisServer bool
}

// command is one run of orderctl in this process.
type command struct {
	world
	stdout, stderr stream
	status         int
	stop           context.CancelFunc
	ended          chan struct{}
}

// start runs the command until it ends or the test does.
func (c *command) start(tb testing.TB, args ...string) {
	tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	c.stop, c.ended = stop, make(chan struct{})
	w := cli.World{
		Args: append([]string{}, args...), Environ: c.environ, Stdin: c.stdin, Stdout: c.out, Stderr: &c.stderr,
	}
	if w.Stdout == nil {
		w.Stdout = &c.stdout
	}
	if c.noRedisServer {
		w.LookPath = func(string) (string, error) { return "", exec.ErrNotFound }
	}
	if w.Stdin == nil {
		w.Stdin = strings.NewReader("")
	}
	go func() {
		defer close(c.ended)
		c.status = cli.Run(ctx, w)
	}()
	tb.Cleanup(func() { c.interrupt(tb) })
}

// wait returns the exit status.
func (c *command) wait(tb testing.TB) int {
	tb.Helper()
	select {
	case <-c.ended:
		return c.status
	case <-time.After(programtest.Patience):
		tb.Fatalf("orderctl did not end; it said:\n%s%s", c.stdout.String(), c.stderr.String())
		return -1
	}
}

// interrupt does what Ctrl-C does, and returns the exit status.
func (c *command) interrupt(tb testing.TB) int {
	tb.Helper()
	c.stop()
	return c.wait(tb)
}

// mustSay waits until the command has written something that matches.
func (c *command) mustSay(tb testing.TB, pattern string) []string {
	tb.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	programtest.Until(tb, "orderctl says "+pattern, func() bool {
		found = re.FindStringSubmatch(c.stdout.String())
		select {
		case <-c.ended:
			if found == nil {
				tb.Fatalf("orderctl ended with %d without saying %s:\n%s%s", c.status, pattern, c.stdout.String(), c.stderr.String())
			}
		default:
		}
		return found != nil
	})
	return found
}

// orderctl runs a command that ends by itself.
func orderctl(tb testing.TB, args ...string) *command {
	tb.Helper()
	return orderctlIn(tb, world{}, args...)
}

func orderctlIn(tb testing.TB, in world, args ...string) *command {
	tb.Helper()
	c := &command{world: in}
	c.start(tb, args...)
	c.wait(tb)
	return c
}

// mustEnd compares the exit status and looks for texts in the output.
func (c *command) mustEnd(tb testing.TB, status int, texts ...string) {
	tb.Helper()
	all := c.stdout.String() + c.stderr.String()
	if c.status != status {
		tb.Fatalf("exit status %d, want %d; it said:\n%s", c.status, status, all)
	}
	for _, text := range texts {
		if !regexp.MustCompile(text).MatchString(all) {
			tb.Fatalf("the output does not match %s:\n%s", text, all)
		}
	}
}

// service is a whole running service on a Redis of the test's own.
type service struct {
	url   string
	redis *redis.Client
}

// startService runs dev for as long as the test, and checks the books at its
// end.
func startService(tb testing.TB, environ ...string) service {
	tb.Helper()
	server := redistest.Start(tb)
	rdb := server.Client()
	c := &command{world: world{environ: append(environ, "REDIS_URL="+server.URL())}}
	c.start(tb, "dev", "--http", "127.0.0.1:0")
	url := c.mustSay(tb, `API +(http://\S+)[\s\S]*Press Ctrl-C`)[1]
	tb.Cleanup(func() {
		if status := c.interrupt(tb); status != 0 {
			tb.Errorf("dev ended with %d: %s", status, c.stderr.String())
		}
		ledgertest.CheckBooks(tb, rdb)
	})
	return service{url: url, redis: rdb}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, says string
		args       []string
	}{
		{"unknown command", `unknown command "frobnicate"`, []string{"frobnicate"}},
		{"unknown flag", `unknown flag: --nope`, []string{"stats", "--nope"}},
		{"too many arguments", `unknown command "extra"`, []string{"stats", "extra"}},
		{"too few arguments", `accepts 1 arg`, []string{"get"}},
		{"id of no order", `cannot be an order's id`, []string{"get", "a/b"}},
		{"output", `must be one of table, json`, []string{"get", "a", "--output", "xml"}},
		{"API", `must look like http://127.0.0.1:8080`, []string{"stats", "--api", "localhost"}},
		{"no concurrency", `--concurrency must be 1 to 1024`, []string{"submit", "--concurrency", "0"}},
		{"no tries", `--tries must be 1 to 100`, []string{"submit", "--tries", "0"}},
		{"not a number", `invalid argument "many"`, []string{"submit", "--concurrency", "many"}},
		{"empty sample", `--sample must be 1 to 100000`, []string{"dev", "--sample", "0"}},
		{"negative sample", `--sample must be 1 to 100000`, []string{"dev", "--sample", "-1"}},
		{"folder", `is a folder`, []string{"submit", os.TempDir()}},
		{"list of all and some", `--all and --limit exclude each other`, []string{"list", "--all", "--limit", "5"}},
		{"list of none", `--limit must be at least 1`, []string{"list", "--limit", "0"}},
		{"list of nobody", `--customer must not be empty`, []string{"list", "--customer", ""}},
		{"list of no status", `"--status" flag: must be one of scheduled, pending, .*, cancelled`, []string{"list", "--status", "done"}},
		{"list from no time", `"--from" flag: must be a time with its zone`, []string{"list", "--from", "2026-11-23"}},
		{"list to no zone", `"--to" flag: must be a time with its zone`, []string{"list", "--to", "2026-11-23T12:00:00"}},
		{"cancel nothing", `requires at least 1 arg`, []string{"cancel"}},
		{"cancel no order", `"a/b" cannot be an order's id`, []string{"cancel", "a", "a/b"}},
		{"retry nothing", `name orders, or select them with --status`, []string{"retry"}},
		{"retry any status", `name orders, or select them with --status`, []string{"retry", "--older-than", "1h"}},
		{"retry both ways", `name orders or select them with --status, not both`, []string{"retry", "a", "--status", "failed"}},
		{"retry no order", `"a b" cannot be an order's id`, []string{"retry", "a", "a b"}},
		{"retry completed", `"--status" flag: must be one of failed, rejected`, []string{"retry", "--status", "completed"}},
		{"retry any error", `--error-contains must not be empty`, []string{"retry", "--status", "failed", "--error-contains", ""}},
		{"retry no age", `"--older-than" flag: must be an age`, []string{"retry", "--status", "failed", "--older-than", "soon"}},
		{"retry the future", `"--older-than" flag: must be an age`, []string{"retry", "--status", "failed", "--older-than", "-1h"}},
		{"dry run of one", `--dry-run goes with --status`, []string{"retry", "a", "--dry-run"}},
		{"limit of one", `--limit goes with --status`, []string{"retry", "a", "--limit", "1"}},
		{"age of one", `--older-than goes with --status`, []string{"retry", "a", "--older-than", "1h"}},
		{"error of one", `--error-contains goes with --status`, []string{"retry", "a", "--error-contains", "x"}},
		{"unknown keys command", `unknown command "rotate"`, []string{"keys", "rotate"}},
		{"key of nobody", `--name must be 1 to 64 characters .*, not ""`, []string{"keys", "new", "--scope", "read"}},
		{"key with a bad name", `--name must be .*, not "a:b"`, []string{"keys", "new", "--name", "a:b", "--scope", "read"}},
		{"key with a long name", `--name must be 1 to 64`, []string{"keys", "new", "--name", strings.Repeat("a", 65), "--scope", "read"}},
		{"key for nothing", `--scope must name what the key is for: submit, read, admin`, []string{"keys", "new", "--name", "a"}},
		{"key with an empty scope", `there is no scope ""; the scopes are submit, read, admin`, []string{"keys", "new", "--name", "a", "--scope", "read+"}},
		{"key with a wrong scope", `there is no scope "write"`, []string{"keys", "new", "--name", "a", "--scope", "read", "--scope", "write"}},
		{"events: status", `there is no status "done"; the statuses are scheduled, pending, `, []string{"events", "--status", "failed,done"}},
		{"events: no status", `--status and --id must not be empty`, []string{"events", "--status", ""}},
		{"events: id", `"a/b" cannot be an order's id`, []string{"events", "--id", "a,a/b"}},
		{"events: too many ids", `--id accepts at most 100 orders`, []string{"events", "--id", strings.Repeat("a,", 100) + "a"}},
		{"events: after", `--after must be the id of an event, such as 1764000000000-0, not "yesterday"`, []string{"events", "--after", "yesterday"}},
		{"events: after nothing", `--after must be the id of an event`, []string{"events", "--after", ""}},
		{"events: count", `--count must be at least 1`, []string{"events", "--count", "0"}},
		{"watch: --interval 99ms", `--interval must be 100ms to 1h0m0s`, []string{"watch", "--interval", "99ms"}},
		{"watch: --interval 61m", `--interval must be 100ms to 1h0m0s`, []string{"watch", "--interval", "61m"}},
		{"load: no rate", `--rate must be 1 to 100000`, []string{"load"}},
		{"load: rate below", `--rate must be 1 to 100000`, []string{"load", "--rate", "10", "--rate", "0"}},
		{"load: rate above", `--rate must be 1 to 100000`, []string{"load", "--rate", "10", "--rate", "100001"}},
		{"load: duration below", `--duration must be 1s to 24h0m0s`, []string{"load", "--rate", "10", "--duration", "999ms"}},
		{"load: duration above", `--duration must be 1s to 24h0m0s`, []string{"load", "--rate", "10", "--duration", "24h1s"}},
		{"load: duration without unit", `invalid argument "30" for "--duration"`, []string{"load", "--rate", "10", "--duration", "30"}},
		{"load: batch below", `--batch must be 0 to 10000`, []string{"load", "--rate", "10", "--batch", "-1"}},
		{"load: batch above", `--batch must be 0 to 10000`, []string{"load", "--rate", "10", "--batch", "10001"}},
		{"load: batch of all and more", `--batch is more than the 2s of --duration bring`, []string{"load", "--rate", "10", "--batch", "21", "--duration", "2s"}},
		{"load: connections below", `--connections must be 1 to 1024`, []string{"load", "--rate", "10", "--connections", "0"}},
		{"load: connections above", `--connections must be 1 to 1024`, []string{"load", "--rate", "10", "--connections", "1025"}},
		{"load: mix of nothing", `no queue has a weight above 0`, []string{"load", "--rate", "10", "--mix", "critical=0"}},
		{"load: empty mix", `the weight of "" must be a whole number from 0 to 1000, not ""; there is no queue ""`, []string{"load", "--rate", "10", "--mix", ""}},
		{"load: mix with spaces", `there is no queue " low"`, []string{"load", "--rate", "10", "--mix", "critical=1, low=1"}},
		{"load: mix with a sign", `the weight of "low" must be .*, not "\+1"`, []string{"load", "--rate", "10", "--mix", "low=+1"}},
		{"load: weight above", `the weight of "low" must be .*, not "1001"`, []string{"load", "--rate", "10", "--mix", "low=1001"}},
		{
			"load: everything wrong with a mix", `there is no queue "high"; the weight of "low" .* not "x"; low is named twice`,
			[]string{"load", "--rate", "10", "--mix", "high=1,low=x,low=2"},
		},
		{"pause nothing", `requires at least 1 arg`, []string{"queues", "pause"}},
		{"pause no queue", `there is no queue "high"; the queues are critical, default, (\w+, )*low`, []string{"queues", "pause", "low", "high"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := orderctl(t, tt.args...)
			c.mustEnd(t, 2, `orderctl: .*`+tt.says, `Run "orderctl.* --help"`)
			if out := c.stdout.String(); out != "" {
				t.Errorf("wrote to standard output: %s", out)
			}
		})
	}
}
