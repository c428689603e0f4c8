package cli_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
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
	redis.SetLogger(silent{}) // it repeats the errors of the commands on the real standard error
	goleak.VerifyTestMain(m,  // but for what libraries leave asleep
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// world is where a command runs.
type world struct {
	environ  []string
	stdin    io.Reader
	out      io.Writer // standard output; nil means a buffer
	lookPath func(string) (string, error)
}

// notFound is the lookPath of a world without a redis-server.
func notFound(string) (string, error) { return "", exec.ErrNotFound }

// command is one run of orderctl in this process.
type command struct {
	world
	stdout, stderr programtest.Log
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
		Args: append([]string{}, args...), Environ: c.environ, Stdin: c.stdin, Stdout: c.out, Stderr: &c.stderr, LookPath: c.lookPath,
	}
	if w.Stdout == nil {
		w.Stdout = &c.stdout
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
		tb.Fatalf("orderctl did not end; it wrote:\n%s%s", c.stdout.String(), c.stderr.String())
		return -1
	}
}

// interrupt does what Ctrl-C does, and returns the exit status.
func (c *command) interrupt(tb testing.TB) int {
	tb.Helper()
	c.stop()
	return c.wait(tb)
}

// waitFor waits until standard output matches, and returns the groups of the match.
func (c *command) waitFor(tb testing.TB, pattern string) []string {
	tb.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	programtest.Until(tb, "orderctl writes "+pattern, func() bool {
		found = re.FindStringSubmatch(c.stdout.String())
		select {
		case <-c.ended:
			if found == nil {
				tb.Fatalf("orderctl ended with %d without %s:\n%s%s", c.status, pattern, c.stdout.String(), c.stderr.String())
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

// mustExit compares the exit status, and the output with patterns.
func (c *command) mustExit(tb testing.TB, status int, texts ...string) {
	tb.Helper()
	all := c.stdout.String() + c.stderr.String()
	if c.status != status {
		tb.Fatalf("exit status %d, want %d; it wrote:\n%s", c.status, status, all)
	}
	for _, text := range texts {
		if !regexp.MustCompile(text).MatchString(all) {
			tb.Fatalf("the output does not match %s:\n%s", text, all)
		}
	}
}

// startService runs the whole service on a Redis of its own, with these settings, for as long as the test, and
// checks the books at its end.
func startService(tb testing.TB, environ ...string) (url string) {
	tb.Helper()
	server := redistest.Start(tb)
	rdb := server.Client()
	c := &command{world: world{environ: append(environ, "REDIS_URL="+server.URL())}}
	c.start(tb, "dev", "--http", anyPort)
	tb.Cleanup(func() {
		if status := c.interrupt(tb); status != 0 {
			tb.Errorf("dev ended with %d: %s", status, c.stderr.String())
		}
		ledgertest.CheckBooks(tb, rdb)
	})
	return c.waitFor(tb, `API +(http://\S+)[\s\S]*Press Ctrl-C`)[1]
}

// TestUsage checks that a mistake in the arguments is found before anything is done, and
// that its message refers to the help.
func TestUsage(t *testing.T) {
	t.Parallel()
	const load = "load --rate 10 "
	for _, row := range [][]string{ // a message, and the lines that it answers
		{`unknown command "frobnicate"`, "frobnicate"},
		{`unknown flag: --nope`, "stats --nope"},
		{`unknown command "extra"`, "stats extra"},
		{`accepts 1 arg`, "get"},
		{`requires at least 1 arg`, "cancel", "queues pause"},
		{`"a%b" cannot be an order's id`, "get a%b", "cancel a a%b", "retry a a%b", "events --id a,a%b"},
		{`requires at least 1 arg`, "release", "reject --reason x"},
		{`--reason must say why`, "reject a", "reject a --reason "},
		{
			`"rules.yaml" cannot be a version: 12 of 0-9 a-f, as push shows it, or builtin`,
			"rules show rules.yaml", "rules simulate rules.yaml", "rules shadow rules.yaml", "rules activate rules.yaml",
		},
		{`--limit must be 1 to 1000000`, "rules simulate builtin --limit 0", "rules simulate builtin --limit 1000001"},
		{`name a version, or end the shadow with --end`, "rules shadow", "rules shadow builtin --end"},
		{`must be one of table, json`, "get a --output xml"},
		{`must look like http://127.0.0.1:8080`, "stats --api localhost"},
		{`--concurrency must be 1 to 1024`, "submit --concurrency 0", "submit --concurrency 1025"},
		{`--tries must be 1 to 100`, "submit --tries 0", "submit --tries 101"},
		{`invalid argument "many"`, "submit --concurrency many"},
		{`--sample must be 1 to 100000`, "dev --sample 0", "dev --sample 100001"},
		{`is a folder`, "submit " + os.TempDir()},
		{`--all and --limit exclude each other`, "list --all --limit 5"},
		{`--limit must be at least 1`, "list --limit 0", "retry --status failed --limit 0"},
		{`--customer must not be empty`, "list --customer "},
		{`"--status" flag: must be one of scheduled, pending, .*, cancelled`, "list --status done"},
		{`flag: must be a time with its zone`, "list --from 2026-11-23", "list --to 2026-11-23T12:00:00"},
		{`name orders, or select them with --status`, "retry", "retry --older-than 1h"},
		{`name orders or select them with --status, not both`, "retry a --status failed"},
		{`"--status" flag: must be one of failed, rejected`, "retry --status completed"},
		{`--error-contains must not be empty`, "retry --status failed --error-contains "},
		{`"--older-than" flag: must be an age`, "retry --status failed --older-than soon", "retry --status failed --older-than -1h"},
		{`--dry-run goes with --status`, "retry a --dry-run"},
		{`--limit goes with --status`, "retry a --limit 1"},
		{`--older-than goes with --status`, "retry a --older-than 1h"},
		{`--error-contains goes with --status`, "retry a --error-contains x"},
		{`unknown command "rotate"`, "keys rotate"},
		{`--name must be 1 to 64 characters .*, not ""`, "keys new --scope read"},
		{`--name must be .*, not "a:b"`, "keys new --name a:b --scope read"},
		{`--name must be .*, not "aaaaa`, "keys new --name " + strings.Repeat("a", 65) + " --scope read"},
		{`--scope must name what the key is for: submit, read, admin`, "keys new --name a"},
		{`there is no scope ""; the scopes are submit, read, admin`, "keys new --name a --scope read+"},
		{`there is no scope "write"`, "keys new --name a --scope read --scope write"},
		{`there is no status "done"; the statuses are scheduled, pending, `, "events --status failed,done"},
		{`--status and --id must not be empty`, "events --status ", "events --id "},
		{`--id accepts at most 100 orders`, "events --id " + strings.Repeat("a,", 100) + "a"},
		{`--after must be the id of an event, such as 1764000000000-0, or what events said at its end, not "x?"`, "events --after x", "events --after "},
		{`--count must be at least 1`, "events --count 0"},
		{`--interval must be 100ms to 1h0m0s`, "watch --interval 99ms", "watch --interval 61m"},
		{`--rate must be 1 to 100000`, "load", load + "--rate 0", load + "--rate 100001"},
		{`--duration must be 1s to 24h0m0s`, load + "--duration 999ms", load + "--duration 24h1s"},
		{`--batch must be 0 to 10000`, load + "--batch -1", load + "--batch 10001"},
		{`--batch is more than the 2s of --duration bring`, load + "--batch 21 --duration 2s"},
		{`--connections must be 1 to 1024`, load + "--connections 0", load + "--connections 1025"},
		{`no queue has a weight above 0`, load + "--mix critical=0"},
		{`the weight of "" must be a whole number from 0 to 1000, not ""; there`, load + "--mix "},
		{`there is no queue "-low"`, load + "--mix critical=1,-low=1"},
		{`the weight of "low" must be .*, not "(\+1|1001)"`, load + "--mix low=+1", load + "--mix low=1001"},
		{`there is no queue "a"; the weight of "low" .*; low is named twice`, load + "--mix a=1,low=x,low=2"},
		{`there is no queue "a"; the queues are critical, default, (\w+, )*low`, "queues pause low a"},
	} {
		for _, line := range row[1:] {
			t.Run(line, func(t *testing.T) {
				t.Parallel()
				c := orderctl(t, strings.Split(line, " ")...)
				c.mustExit(t, 2, `orderctl: .*`+row[0], `Run "orderctl.* --help"`)
				if out := c.stdout.String(); out != "" {
					t.Errorf("wrote to standard output: %s", out)
				}
			})
		}
	}
}
