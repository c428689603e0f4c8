package app_test

import (
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
	"orderprocessor/internal/redistest"
)

// mainVariable makes this test binary be one of the programs.
const mainVariable = "TEST_MAIN_OF"

func TestMain(m *testing.M) {
	switch os.Getenv(mainVariable) {
	case "api":
		os.Exit(app.MainAPI(nil, os.Environ()))
	case "worker":
		os.Exit(app.MainWorker(nil, os.Environ()))
	}
	os.Exit(m.Run())
}

// TestMainUsage exits with 2 for wrong arguments and a wrong environment.
func TestMainUsage(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name      string
		args, env []string
	}{
		{"unknown variable", nil, []string{"ORDERS_NO_SUCH=1"}},
		{"malformed value", nil, []string{"ORDERS_MAX_ATTEMPTS=many"}},
		{"malformed Redis", nil, []string{"REDIS_URL=nonsense"}},
		{"unknown flag", []string{"-no-such"}, nil},
		{"argument", []string{"serve"}, nil},
		{"health with a wrong environment", []string{"-health"}, []string{"ORDERS_ADMIN_ADDR=x"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := app.MainAPI(row.args, row.env); got != app.ExitUsage {
				t.Errorf("MainAPI returned %d", got)
			}
			if got := app.MainWorker(row.args, row.env); got != app.ExitUsage {
				t.Errorf("MainWorker returned %d", got)
			}
		})
	}
}

// TestMainStopsOnSignals runs both programs as processes: each exits with 0
// when told to stop.
func TestMainStopsOnSignals(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	for _, name := range []string{"api", "worker"} {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
			t.Run(name+" "+sig.String(), func(t *testing.T) {
				t.Parallel()
				self, err := os.Executable()
				if err != nil {
					t.Fatal(err)
				}
				log := &logBuffer{}
				cmd := exec.CommandContext(t.Context(), self)
				cmd.Env = append(environ(redis.URL()), mainVariable+"="+name)
				cmd.Stderr = log
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the program has asked Redis", func() bool { return strings.Contains(log.String(), "append-only") })
				if err := cmd.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				if err := cmd.Wait(); err != nil {
					t.Errorf("exit: %v; log: %s", err, log)
				}
				if !strings.Contains(log.String(), `"msg":"stopped"`) {
					t.Errorf("the log says %s", log)
				}
			})
		}
	}
}

// TestAddressInUse is an error of each program, and of each address.
func TestAddressInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	used := l.Addr().String()
	opts := app.Options{Log: slog.New(slog.DiscardHandler)}
	for name, variable := range map[string]string{"HTTP": "ORDERS_HTTP_ADDR", "admin": "ORDERS_ADMIN_ADDR"} {
		cfg, err := config.LoadAPI(environ("redis://127.0.0.1:1/0", variable+"="+used))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := app.NewAPI(cfg, opts); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s address: %v", name, err)
		}
	}
	cfg, err := config.LoadWorker(environ("redis://127.0.0.1:1/0", "ORDERS_ADMIN_ADDR="+used))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.NewWorker(cfg, opts); err == nil || !strings.Contains(err.Error(), "admin") {
		t.Errorf("worker: %v", err)
	}
}

// TestHealthFlag asks a program that runs, one that waits and one that is not
// there.
func TestHealthFlag(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	api := newAPI(t, io.Discard, environ(redis.URL()))
	r := start(t, api)
	eventually(t, "the API is ready", func() bool { return readyz(t, api).code == 200 })
	_, port, _ := net.SplitHostPort(api.AdminAddr())
	health := func(addr string) int {
		return app.MainAPI([]string{"-health"}, environ(redis.URL(), "ORDERS_ADMIN_ADDR="+addr))
	}
	for _, addr := range []string{api.AdminAddr(), "localhost:" + port, ":" + port, "0.0.0.0:" + port} {
		if got := health(addr); got != app.ExitOK {
			t.Errorf("-health of %s returned %d", addr, got)
		}
	}
	if got := app.MainWorker([]string{"-health"}, environ(redis.URL(), "ORDERS_ADMIN_ADDR="+api.AdminAddr())); got != app.ExitOK {
		t.Errorf("the worker's -health returned %d", got)
	}
	redis.Kill()
	eventually(t, "-health fails while Redis is away", func() bool { return health(api.AdminAddr()) == app.ExitFailure })
	r.stop()
	if err := r.wait(t); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if got := health(api.AdminAddr()); got != app.ExitFailure {
		t.Errorf("-health of nothing returned %d", got)
	}
}
