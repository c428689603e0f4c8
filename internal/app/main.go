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
	// ExitOK follows a signal to stop.
	ExitOK = 0
	// ExitFailure follows an error that ended the program.
	ExitFailure = 1
	// ExitUsage follows wrong arguments or an invalid configuration.
	ExitUsage = 2
)

// Runner is a program that was built and can run once, until ctx ends.
type Runner interface {
	Run(ctx context.Context) error
}

// Main parses the arguments, builds a program and runs it until a signal. It returns
// the exit status. Invalid is the error of its configuration, or nil; arguments that
// need no configuration work with an invalid one.
func Main(
	name string, args []string, cfg config.Common, adminAddr string, invalid error,
	build func(Options) (Runner, error),
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
	if invalid != nil {
		fmt.Fprintln(os.Stderr, invalid)
		return ExitUsage
	}
	if *health {
		return askHealth(adminAddr)
	}
	collectLess()
	log := NewLog(os.Stderr, cfg)
	defer FlushLog(log)
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

// printVersion writes the answer to --version.
func printVersion(w io.Writer, name string) int {
	if _, err := fmt.Fprintln(w, name, Version()); err != nil {
		fmt.Fprintln(os.Stderr, "write the version:", err)
		return ExitFailure
	}
	return ExitOK
}

// gcPercent is how much the heap may grow before the next garbage collection. The
// programs hold only 10 to 20 MB and allocate much: at Go's default of 100, collecting
// would use a tenth of their CPU time.
const gcPercent = 400

// collectLess sets gcPercent, unless GOGC in the environment set another value.
func collectLess() {
	const goDefault = 100
	if set := debug.SetGCPercent(gcPercent); set != goDefault {
		debug.SetGCPercent(set)
	}
}

// SignalContext returns a context that ends with the first SIGINT or SIGTERM. The
// second one ends the process at once. The returned function ends the context and
// stops handling signals.
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
					FlushLog(log)
					os.Exit(ExitFailure)
				}
				log.Info("stopping on a signal; a second one quits at once", "signal", s.String())
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
