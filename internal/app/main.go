package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/term"

	"orderprocessor/internal/config"
)

// The exit statuses of the programs.
const (
	// ExitOK is a program that was told to stop and did.
	ExitOK = 0
	// ExitFailure is a program that could not go on.
	ExitFailure = 1
	// ExitUsage is a program whose arguments or configuration are wrong.
	ExitUsage = 2
)

// healthTimeout bounds the question of -health.
const healthTimeout = 3 * time.Second

// MainAPI is the whole of cmd/api: it returns the exit status.
func MainAPI(args, environ []string) int {
	cfg, err := config.LoadAPI(environ)
	return mainOf("api", args, cfg.Common, cfg.AdminAddr, err, func(opts Options) (runner, error) {
		return NewAPI(cfg, opts)
	})
}

// MainWorker is the whole of cmd/worker: it returns the exit status.
func MainWorker(args, environ []string) int {
	cfg, err := config.LoadWorker(environ)
	return mainOf("worker", args, cfg.Common, cfg.AdminAddr, err, func(opts Options) (runner, error) {
		return NewWorker(cfg, opts)
	})
}

type runner interface {
	Run(ctx context.Context) error
}

func mainOf(
	name string, args []string, cfg config.Common, adminAddr string, wrong error,
	build func(Options) (runner, error),
) int {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	health := flags.Bool("health", false, "ask the program on this machine whether it is ready, and exit 0 or 1")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return ExitOK
	case err != nil:
		return ExitUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "%s takes no arguments; the environment configures it\n", name)
		return ExitUsage
	}
	if wrong != nil {
		fmt.Fprintln(os.Stderr, wrong)
		return ExitUsage
	}
	if *health {
		return askHealth(adminAddr)
	}
	log := NewLog(os.Stderr, cfg)
	ctx, stop := SignalContext(log)
	defer stop()
	program, err := build(Options{Log: log})
	if err == nil {
		err = program.Run(ctx)
	}
	if err != nil {
		log.Error("stopped by an error", "error", err)
		return ExitFailure
	}
	return ExitOK
}

// SignalContext returns a context that ends with the first SIGINT or SIGTERM.
// The second one ends the process at once.
func SignalContext(log *slog.Logger) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		log.Info("told to stop; once more to quit at once", "signal", (<-signals).String())
		cancel()
		log.Error("quitting at once", "signal", (<-signals).String())
		os.Exit(ExitFailure)
	}()
	return ctx, cancel
}

// NewLog returns the program's log: text on a terminal and JSON elsewhere,
// unless the configuration says otherwise. go-redis logs through it too.
func NewLog(w *os.File, cfg config.Common) *slog.Logger {
	format := cfg.LogFormat
	if format == "" && term.IsTerminal(int(w.Fd())) {
		format = config.LogText
	}
	log := newLogger(w, format, cfg.LogLevel)
	redis.SetLogger(redisLogger{log})
	return log
}

func newLogger(w io.Writer, format config.LogFormat, level slog.Level) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: readableDurations}
	if format == config.LogText {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}

// readableDurations writes "35s" where JSON would have nanoseconds.
func readableDurations(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// redisLogger passes go-redis's remarks on. They repeat what the callers of the
// commands report, so they are for debugging only.
type redisLogger struct{ log *slog.Logger }

// Printf implements the logger of go-redis.
func (l redisLogger) Printf(ctx context.Context, format string, v ...any) {
	l.log.DebugContext(ctx, fmt.Sprintf(format, v...), "source", "go-redis")
}

// askHealth asks the admin address of a program on this machine. It is for
// images that have no other client in them.
func askHealth(adminAddr string) int {
	if err := probe(adminAddr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return ExitFailure
	}
	return ExitOK
}

func probe(adminAddr string) error {
	host, port, err := net.SplitHostPort(adminAddr)
	if err != nil {
		return fmt.Errorf("admin address: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return errors.New("not ready: " + resp.Status)
	}
	return nil
}
