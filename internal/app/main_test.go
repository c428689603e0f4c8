package app_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"orderprocessor/internal/app"
	"orderprocessor/internal/app/apiapp"
	"orderprocessor/internal/app/workerapp"
	"orderprocessor/internal/config"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// mainVariable makes this test binary run as one of the programs.
const mainVariable = "TEST_MAIN_OF"

func mains() map[string]func(args, environ []string) int {
	return map[string]func(args, environ []string) int{"api": apiapp.Main, "worker": workerapp.Main}
}

// noisy is a program that ends with many lines about the same error.
type noisy struct{ log *slog.Logger }

func (n noisy) Run(context.Context) error {
	for range 20 {
		n.log.Warn("Redis is away", "error", "refused")
	}
	return nil
}

func runNoisy() int {
	return app.Main("noisy", nil, config.Common{}, "", nil, func(opts app.Options) (app.Runner, error) {
		return noisy{opts.Log}, nil
	})
}

// TestMain runs more tests at once than there are processors, as they mostly wait.
func TestMain(m *testing.M) {
	if run := mains()[os.Getenv(mainVariable)]; run != nil {
		os.Exit(run(nil, os.Environ()))
	}
	if os.Getenv(mainVariable) == "noisy" {
		os.Exit(runNoisy())
	}
	_ = flag.Set("test.parallel", "16") // an argument of the command still wins
	os.Exit(m.Run())
}

// startMain runs a program as a process of its own until the test ends.
func startMain(t *testing.T, name string, env []string) *programtest.TestProcess {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	return programtest.Start(t, programtest.Config{Path: self, Env: append([]string{mainVariable + "=" + name}, env...)})
}

// TestExitStatus checks the exit status for arguments and environments. --version needs
// no valid environment.
func TestExitStatus(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name      string
		args, env []string
		want      int
	}{
		{"unknown variable", nil, []string{"ORDERS_NO_SUCH=1"}, app.ExitUsage},
		{"malformed value", nil, []string{"ORDERS_MAX_ATTEMPTS=many"}, app.ExitUsage},
		{"malformed Redis", nil, []string{"REDIS_URL=nonsense"}, app.ExitUsage},
		{"unknown flag", []string{"-no-such"}, nil, app.ExitUsage},
		{"argument", []string{"serve"}, nil, app.ExitUsage},
		{"health with an invalid environment", []string{"-health"}, []string{"ORDERS_ADMIN_ADDR=x"}, app.ExitUsage},
		{"help", []string{"-help"}, nil, app.ExitOK},
		{"version with an invalid environment", []string{"--version"}, []string{"ORDERS_MAX_ATTEMPTS=many"}, app.ExitOK},
	}
	for _, row := range rows {
		for name, run := range mains() {
			if got := run(row.args, row.env); got != row.want {
				t.Errorf("%s of %s: exit status %d, want %d", row.name, name, got, row.want)
			}
		}
	}
}

// TestMainStopsOnSignals checks that both programs exit with 0 after a signal.
func TestMainStopsOnSignals(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	for name := range mains() {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
			t.Run(fmt.Sprint(name, " ", sig), func(t *testing.T) {
				t.Parallel()
				p := startMain(t, name, environ(redis.URL()))
				p.Await("append-only")
				p.Signal(sig)
				if code := p.Exit(); code != app.ExitOK {
					t.Errorf("exit status %d", code)
				}
				p.Await(`"msg":"stopped"`)
			})
		}
	}
}

// TestMainFlushesItsLog checks that a program that ends writes the lines it held back.
func TestMainFlushesItsLog(t *testing.T) {
	t.Parallel()
	p := startMain(t, "noisy", nil)
	p.Await(`"msg":"Redis is away","error":"refused","lines_left_out":14`)
}

// TestAddressInUse checks that a used address is an error of each program.
func TestAddressInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	used := l.Addr().String()
	opts := app.Options{Log: slog.New(slog.DiscardHandler)}
	for name, variable := range map[string]string{"HTTP": "ORDERS_HTTP_ADDR", "admin": "ORDERS_ADMIN_ADDR"} {
		cfg, err := config.LoadAPI(environ("redis://127.0.0.1:1/0", variable+"="+used))
		must(t, err)
		if _, err := apiapp.New(cfg, opts); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s address: %v", name, err)
		}
	}
	cfg, err := config.LoadWorker(environ("redis://127.0.0.1:1/0", "ORDERS_ADMIN_ADDR="+used))
	must(t, err)
	if _, err := workerapp.New(cfg, opts); err == nil || !strings.Contains(err.Error(), "admin") {
		t.Errorf("worker: %v", err)
	}
}

// TestHealthFlag asks a program that is ready, one that is not, and one that does not
// run.
func TestHealthFlag(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	api := newAPI(t, logTo(io.Discard), environ(redis.URL()))
	r := start(t, api)
	awaitReady(t, "the API", api)
	_, port, _ := net.SplitHostPort(api.AdminAddr())
	health := func(addr string) int {
		return apiapp.Main([]string{"-health"}, environ(redis.URL(), "ORDERS_ADMIN_ADDR="+addr))
	}
	for _, addr := range []string{api.AdminAddr(), "localhost:" + port, ":" + port, "0.0.0.0:" + port} {
		if got := health(addr); got != app.ExitOK {
			t.Errorf("-health of %s returned %d", addr, got)
		}
	}
	if got := workerapp.Main([]string{"-health"}, environ(redis.URL(), "ORDERS_ADMIN_ADDR="+api.AdminAddr())); got != app.ExitOK {
		t.Errorf("the worker's -health returned %d", got)
	}
	redis.Kill()
	programtest.Until(t, "-health fails without Redis", func() bool { return health(api.AdminAddr()) == app.ExitFailure })
	r.stop()
	if err := r.wait(t); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if got := health(api.AdminAddr()); got != app.ExitFailure {
		t.Errorf("-health without a program returned %d", got)
	}
}
