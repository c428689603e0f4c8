package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"

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

// MainAPI is the whole of cmd/api: it returns the exit status.
func MainAPI(args, environ []string) int {
	TrimTraces(environ)
	cfg, err := config.LoadAPI(environ)
	return mainOf("api", args, cfg.Common, cfg.AdminAddr, err, func(opts Options) (runner, error) {
		return NewAPI(cfg, opts)
	})
}

// MainWorker is the whole of cmd/worker: it returns the exit status.
func MainWorker(args, environ []string) int {
	TrimTraces(environ)
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
	version := flags.Bool("version", false, "print what the program is built from, and exit")
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
	if *version {
		return printVersion(os.Stdout, name)
	}
	if wrong != nil {
		fmt.Fprintln(os.Stderr, wrong)
		return ExitUsage
	}
	if *health {
		return askHealth(adminAddr)
	}
	collectLess()
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

// printVersion writes the line that all programs answer --version with.
func printVersion(w io.Writer, name string) int {
	if _, err := fmt.Fprintln(w, name, Version()); err != nil {
		fmt.Fprintln(os.Stderr, "write the version:", err)
		return ExitFailure
	}
	return ExitOK
}

// gcPercent is how much a program's heap may grow until it is collected again. The
// programs keep little, 10 to 20 MB, and make much garbage: at Go's own 100 a tenth
// of their time would go into collecting it.
const gcPercent = 400

// collectLess sets gcPercent, unless GOGC in the environment has set another.
func collectLess() {
	const goDefault = 100
	if set := debug.SetGCPercent(gcPercent); set != goDefault {
		debug.SetGCPercent(set)
	}
}

// SignalContext returns a context that ends with the first SIGINT or SIGTERM.
// The second one ends the process at once. The returned function ends the
// context and leaves signals alone again.
func SignalContext(log *slog.Logger) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	released := make(chan struct{})
	go func() {
		for again := false; ; again = true {
			select {
			case <-released:
				return
			case s := <-signals:
				if again {
					log.Error("quitting at once", "signal", s.String())
					os.Exit(ExitFailure)
				}
				log.Info("told to stop; once more to quit at once", "signal", s.String())
				cancel()
			}
		}
	}()
	return ctx, sync.OnceFunc(func() {
		signal.Stop(signals)
		close(released)
		cancel()
	})
}
