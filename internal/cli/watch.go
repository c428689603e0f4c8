package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/order"
)

const (
	// minInterval and maxInterval bound the time between two looks at the
	// statistics: more often tells nothing new, and more rarely is not watching.
	minInterval = 100 * time.Millisecond
	maxInterval = time.Hour
	// usualInterval is that time unless told otherwise.
	usualInterval = time.Second
)

const watchHelp = `watch shows what the system does at the moment: throughput, queues, statuses,
latencies, workers, and the newest changes of orders. It fits itself to the size of
the terminal. q or Ctrl-C ends it, p holds the display.

While the API is away the last figures stay, with the time they are of. Colours are
left out where NO_COLOR is set.

Where standard output is no terminal it writes a line each interval instead, which
suits logs.`

type watch struct {
	*World
	api      target
	interval time.Duration
}

func newWatch(w *World) *cobra.Command {
	v := &watch{World: w}
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Watch throughput, queues and the newest changes",
		Long:  watchHelp,
		Example: `  orderctl watch
  orderctl watch --interval 5s
  orderctl watch --interval 1m >> orders.log`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return v.run(cmd.Context()) },
	}
	addAPIFlags(cmd, w, &v.api)
	cmd.Flags().DurationVar(&v.interval, "interval", usualInterval, "time between two looks")
	return cmd
}

func (w *watch) run(ctx context.Context) error {
	if w.interval < minInterval || w.interval > maxInterval {
		return usagef("--interval must be %v to %v", minInterval, maxInterval)
	}
	client, err := w.api.open(2) // for the statistics, and for the events
	if err != nil {
		return err
	}
	defer client.Close()
	if !isTerminal(w.Stdout) || w.env("TERM") == "dumb" {
		return w.lines(ctx, client)
	}
	return w.live(ctx, client)
}

// lines writes a line each interval until ctx ends. An API that is away is told on
// standard error, and asked again.
func (w *watch) lines(ctx context.Context, client *Client) error {
	for ; ctx.Err() == nil; _ = wait(ctx, w.interval) {
		s, err := look(ctx, client)
		if err == nil {
			_, err = fmt.Fprintln(w.Stdout, plainLine(s))
		}
		switch {
		case err == nil || errors.Is(err, errInterrupted):
		case passing(err):
			_, _ = fmt.Fprintf(w.Stderr, "orderctl: %s\n", order.Printable(oneLine(err)))
		default:
			return err
		}
	}
	return nil
}

// plainLine is a snapshot in one line.
func plainLine(s snapshot) string {
	v := s.stats
	var waiting, active, retrying int64
	for _, q := range v.Queues {
		waiting, active, retrying = waiting+q.Pending, active+q.Active, retrying+q.Retry
	}
	parts := []string{
		s.at.UTC().Format(time.RFC3339), fmt.Sprintf("%.1f/s", v.ThroughputPerSecond),
		fmt.Sprintf("waiting %d", waiting), fmt.Sprintf("active %d", active), fmt.Sprintf("retrying %d", retrying),
		fmt.Sprintf("settled %d of %d", s.settled(), v.Ledger.Accepted),
		fmt.Sprintf("p95 %.1f ms", v.LatencyMS.EndToEnd.P95),
		"slots " + numberText(v.ActiveWorkers), fmt.Sprintf("drift %d", v.Ledger.Drift),
	}
	return strings.Join(parts, "  ")
}

// drawInterval is the time between two drawings.
const drawInterval = 250 * time.Millisecond

// live draws on the terminal until ctx ends or somebody quits. It leaves the
// terminal as it was, whatever happens.
func (w *watch) live(ctx context.Context, client *Client) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	t, err := openTerminal(w.Stdin, w.Stdout)
	if err != nil {
		return fmt.Errorf("use the terminal: %w", err)
	}
	defer t.close()
	f := newFeed(client, w.interval)
	keys := make(chan byte)
	for _, part := range []func(){
		func() { f.poll(ctx) }, func() { f.follow(ctx) }, func() { t.read(ctx, keys) },
	} {
		go func() { stop(guarded(part)) }()
	}
	d := &display{api: client.base.Redacted(), colour: w.env("NO_COLOR") == ""}
	d.loop(ctx, t, f, keys)
	if cause := context.Cause(ctx); errors.As(cause, new(*panicError)) {
		return cause
	}
	return nil
}
