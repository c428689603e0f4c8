package scenario

import (
	"context"
	"fmt"
	"slices"
	"time"

	"orderprocessor/bench/clients"
	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
	"orderprocessor/internal/order"
)

// latencySteps measure how long things take at half of the throughput.
func (b *Bench) latencySteps() []Step { return both(Latency, b.latency) }

// latency sends orders at a constant rate, half of what the system sustained in
// the same run.
func (b *Bench) latency(ctx context.Context, kind systems.Kind) error {
	sustained, ok := b.Results.In(b.Run, key(Sustained, string(kind), rate))
	if !ok {
		return fmt.Errorf("the rate is half of what scenario %s finds: choose that as well", Sustained)
	}
	s, err := b.openWorking(ctx, systems.Settings{Kind: kind})
	if err != nil {
		return err
	}
	defer s.Close()
	answers, err := clients.Constant(ctx, s.Addr, int(sustained/2), b.Sizes.AtRate, mixedOrders())
	if err != nil {
		return err
	}
	if err := b.balanceRefused(ctx, s, answers); err != nil {
		return err
	}
	b.keep(key(Latency, string(kind), "rate of arrival"), report.OrdersPerSecond, sustained/2)
	b.keep(key(Latency, string(kind), "answered 503"), report.Orders, float64(answers.Refused))
	b.keepQuantiles(Latency, string(kind), "answer", []time.Duration{answers.P50, answers.P95, answers.P99})
	wait, whole, err := waits(ctx, s.Books, order.Filter{})
	if err != nil {
		return err
	}
	b.keepQuantiles(Latency, string(kind), "queue wait", quantiles(wait))
	b.keepQuantiles(Latency, string(kind), "end to end", quantiles(whole))
	return nil
}

// balanceRefused compares the books with what was sent, where some orders may have been
// refused: one that was answered 503 because Redis took too long may be in the books.
func (b *Bench) balanceRefused(ctx context.Context, s *systems.System, answers clients.Answers) error {
	t, err := s.Books.Totals(ctx)
	if err != nil {
		return err
	}
	if answers.Refused > 0 {
		b.Log.Warn("orders were refused", "orders", answers.Refused)
	}
	unsure := int(t.Accepted) - answers.Accepted
	if unsure < 0 || unsure > answers.Refused {
		return fmt.Errorf("%d orders were answered 201 and %d 503, and %d are in the books", answers.Accepted, answers.Refused, t.Accepted)
	}
	return s.Books.Balance(ctx, int(t.Accepted), 0)
}

// waits returns, for each settled order that matches, how long it waited from
// acceptance to its first attempt, and to its outcome, by the clock of Redis.
func waits(ctx context.Context, books *systems.Books, f order.Filter) (wait, whole []time.Duration, err error) {
	err = books.Records(ctx, f, func(rec order.Record) {
		if !rec.Status.Settled() || len(rec.Attempts) == 0 {
			return
		}
		wait = append(wait, rec.Attempts[0].StartedAt.Sub(rec.CreatedAt))
		whole = append(whole, rec.ProcessedAt.Sub(rec.CreatedAt))
	})
	return wait, whole, err
}

// measured are the quantiles that are reported.
func measured() []float64 { return []float64{0.50, 0.95, 0.99} }

// quantiles returns p50, p95 and p99.
func quantiles(all []time.Duration) []time.Duration {
	slices.Sort(all)
	values := make([]time.Duration, 0, len(measured()))
	for _, q := range measured() {
		values = append(values, quantile(all, q))
	}
	return values
}

// quantile returns the smallest of the sorted durations that at least the share q
// of them does not exceed; zero when there are none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(q * float64(len(sorted)))
	if float64(rank) < q*float64(len(sorted)) {
		rank++
	}
	return sorted[max(rank, 1)-1]
}

// keepQuantiles keeps p50, p95 and p99 of what was measured.
func (b *Bench) keepQuantiles(scenario, system, what string, values []time.Duration) {
	for i, q := range measured() {
		b.keep(key(scenario, system, what+percentile(q)), report.Milliseconds, milliseconds(values[i]))
	}
}

// percentile is the end of a quantile's name.
func percentile(q float64) string { return fmt.Sprintf(" p%.0f", 100*q) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
