// Command bench measures the order processor on this machine, with the naive
// wiring of the same libraries and other job systems, and reports which of the
// project's goals are met.
//
// Run it inside its own module:
//
//	go run . -report report.md
//
// It builds our programs, runs them as processes with a private Redis for each
// measurement, and needs the machine to itself: what else runs shows in the
// figures. The table goes to standard output, progress to standard error. It exits
// with 0, 1 when something could not be measured or books did not balance, and 2
// when it was called wrongly. A goal that is missed is no error.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	opts, err := parse(os.Args[1:])
	if err != nil {
		os.Exit(2) // the flags have said why
	}
	if err := run(opts); err != nil {
		slog.Error("bench", "error", err)
		os.Exit(1)
	}
}

// run measures and reports, until it is done or interrupted.
func run(opts options) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := newSuite(ctx, opts, dir)
	if err != nil {
		return err
	}
	return errors.Join(s.measure(ctx), s.report(ctx))
}
