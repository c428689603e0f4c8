package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"

	"orderprocessor/internal/client"
	"orderprocessor/internal/load"
	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

const (
	// maxSample bounds a sample: what the queues accept by default.
	maxSample = 100_000
	// sampleConcurrency is how many sample orders are sent or polled at a time.
	sampleConcurrency = 16
	// sampleTries is how often a sample order is sent while the API is busy.
	sampleTries = 8
	// pollInterval is the time between two requests for an order that is not settled.
	pollInterval = 20 * time.Millisecond
	// stallTimeout is how long a sample may go without a submission or a settled order.
	stallTimeout = time.Minute
	// sampleSeed makes every run submit the same orders, but for their ids.
	sampleSeed = 1815
)

var errStalled = fmt.Errorf("no order was accepted or settled for %v; see the log", stallTimeout)

// sample submits orders as any client does, and checks their outcomes.
type sample struct {
	api      *client.Client
	limits   rules.Limits
	rules    *rules.Set
	currency order.Currency
	run      string // begins the ids, after "sample-"
	size     int
	bar      *progressbar.ProgressBar
	stalled  *time.Timer

	mu       sync.Mutex
	counts   map[string]sampleCount // by expected outcome
	failures []string               // one for each order with another outcome
}

type sampleCount struct{ sent, right int }

// runSample returns nil when every order has the outcome that the rules give it.
func (d *devCommand) runSample(ctx context.Context, api *client.Client) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limits := rules.Limits(d.apiConfig.Rules)
	s := &sample{
		api: api, limits: limits, rules: rules.Builtin(limits), currency: d.apiConfig.Currency,
		run: load.NewRun(), size: d.sample, bar: newProgress(d.Stderr, int64(d.sample), "settled"), counts: map[string]sampleCount{},
		stalled: time.AfterFunc(stallTimeout, func() { cancel(errStalled) }),
	}
	defer s.stalled.Stop()
	d.printf("\nSubmitting %d sample orders and waiting until all are settled …\n", s.size)
	began := time.Now()
	err := s.submitAndAwait(ctx)
	took := time.Since(began)
	_ = s.bar.Finish()
	var stats client.Stats
	if err == nil {
		stats, err = s.stats(ctx)
	}
	switch {
	case err == nil:
		return s.report(d.World, stats, took)
	case errors.Is(context.Cause(ctx), errStalled):
		return errStalled
	case errors.Is(err, client.ErrInterrupted):
		return client.ErrInterrupted
	default:
		return fmt.Errorf("sample: %w", err)
	}
}

// submitAndAwait submits all orders, and then polls each until it is settled.
func (s *sample) submitAndAwait(ctx context.Context) error {
	if err := s.forEach(ctx, s.submit); err != nil {
		return err
	}
	return s.forEach(ctx, s.await)
}

// forEach calls do for all orders, several at a time.
func (s *sample) forEach(ctx context.Context, do func(context.Context, sampleOrder) error) error {
	running, ctx := errgroup.WithContext(ctx)
	running.SetLimit(sampleConcurrency)
	for i := 0; i < s.size && ctx.Err() == nil; i++ {
		running.Go(func() error { return do(ctx, newSampleOrder(s.run, i, s.limits, s.currency)) })
	}
	return running.Wait()
}

func (s *sample) submit(ctx context.Context, o sampleOrder) error {
	s.stalled.Reset(stallTimeout)
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	policy := client.RetryPolicy{Attempts: sampleTries, RateLimited: rateLimitedTries}
	if _, err := s.api.SubmitRepeatedly(ctx, body, policy); err != nil {
		return fmt.Errorf("submit order %s: %w", o.ID, err)
	}
	return nil
}

func (s *sample) await(ctx context.Context, o sampleOrder) error {
	for {
		got, err := s.api.Order(ctx, o.ID)
		if err == nil && got.Status.Settled() {
			s.settled(o, got)
			return nil
		}
		if err == nil || client.Temporary(err) {
			err = client.Wait(ctx, pollInterval)
		}
		if err != nil {
			return fmt.Errorf("get order %s: %w", o.ID, err)
		}
	}
}

// stats reads the statistics; Redis may be slow for a moment after so many orders.
func (s *sample) stats(ctx context.Context) (client.Stats, error) {
	for {
		stats, err := getStats(ctx, s.api)
		if err == nil || !client.Temporary(err) {
			return stats, err
		}
		if err := client.Wait(ctx, pollInterval); err != nil {
			return stats, err
		}
	}
}

// settled counts a settled order by its expected outcome.
func (s *sample) settled(o sampleOrder, got client.Order) {
	s.stalled.Reset(stallTimeout)
	_ = s.bar.Add(1)
	want := o.expected(s.rules)
	outcome := fmt.Sprintf("%s, %s handling", want.Status, want.Handling)
	if want.Status == order.StatusRejected {
		outcome = fmt.Sprintf("%s: %s", want.Status, want.Error)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.counts[outcome]
	n.sent++
	if wrong := difference(want, got); wrong != "" {
		s.failures = append(s.failures, o.ID+": "+wrong)
	} else {
		n.right++
	}
	s.counts[outcome] = n
}

// difference describes the first field that is not as expected, or returns nothing.
func difference(want, got client.Order) string {
	for _, field := range []struct{ name, want, got string }{
		{"status", string(want.Status), string(got.Status)},
		{"error", want.Error, got.Error},
		{"handling", string(want.Handling), string(got.Handling)},
		{"result", want.Result, got.Result},
		{"queue", string(want.Queue), string(got.Queue)},
		{"content", fmt.Sprint(want.Content), fmt.Sprint(got.Content)},
	} {
		if field.want != field.got {
			return fmt.Sprintf("%s is %q and should be %q", field.name, order.Printable(field.got), field.want)
		}
	}
	return ""
}

// report shows the outcomes. It returns an error if one is wrong, or if the books do
// not balance.
func (s *sample) report(w *World, stats client.Stats, took time.Duration) error {
	w.printf("\n%d orders submitted and settled in %.2f s: %.0f orders per second, by the clock of the client.\n\n",
		s.size, took.Seconds(), float64(s.size)/took.Seconds())
	t := newTable(w.Stdout)
	t.row("this sample should be", "orders", "right")
	for _, outcome := range slices.Sorted(maps.Keys(s.counts)) {
		t.row(outcome, s.counts[outcome].sent, s.counts[outcome].right)
	}
	t.flushFigures()
	w.printf("\n")
	t = newTable(w.Stdout)
	t.row("in the books by status", "orders")
	for _, status := range order.Statuses() {
		if n := stats.ByStatus[status]; n != 0 {
			t.row(status, n)
		}
	}
	t.flushFigures()
	w.printf("\n")
	printLatency(w.Stdout, stats.LatencyMS)
	w.printf("\nAccepted since the books began: %d. Drift: %s.\n", stats.Ledger.Accepted, driftText(stats.Ledger.Drift))
	switch {
	case len(s.failures) > 0:
		s.printFailures(w)
		return fmt.Errorf("%d of %d orders did not end as the rules say", len(s.failures), s.size)
	case stats.Ledger.Drift != 0:
		return errors.New("the books do not balance")
	}
	w.printf("\nEvery order ended as the rules say. Without --sample, the service keeps running.\n")
	return nil
}

func (s *sample) printFailures(w *World) {
	slices.Sort(s.failures)
	for _, f := range s.failures[:min(len(s.failures), maxShownFailures)] {
		w.printf("%s\n", f)
	}
	if more := len(s.failures) - maxShownFailures; more > 0 {
		w.printf("… and %d more\n", more)
	}
}
