package intake

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/traces"
)

const (
	// tokenChars is the length of a retry's token: 80 random bits.
	tokenChars = 16
	// retryPage is how many orders RetryAll reads at once.
	retryPage = 200
	// retryBudget is how long RetryAll works before it reports how far it came, well
	// within the time of a request.
	retryBudget = 700 * time.Millisecond
)

// Retry makes an order that failed or was rejected pending again and enqueues it. Its
// attempts are counted from zero again. It returns *order.StatusError for an order
// with any other status, order.ErrNotFound, *order.BusyError when there is no room,
// and order.ErrUnavailable when Redis did not answer: then the order may be pending
// again.
func (in *Intake) Retry(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	// A retried order must not be refused before new ones.
	if err := in.admission.Admit(order.Queues()[0], orderOverhead); err != nil {
		return order.Record{}, err
	}
	token := by.Job // a job retries an order once
	if token == "" {
		token = rand.Text()[:tokenChars]
	}
	rec, err := in.ledger.Retry(ctx, id, token, by)
	if err != nil {
		in.admission.Release()
		return order.Record{}, err
	}
	waiting := []order.Handover{{Record: rec, Trace: traces.ContextOf(ctx), NewRun: true}}
	if err := in.queue.EnqueueAll(ctx, waiting); err != nil {
		in.warnNotQueued(ctx, waiting, err)
	}
	return rec, nil
}

// RetryFilter chooses the orders of a RetryAll.
type RetryFilter struct {
	order.Filter
	// ErrorContains is a part of their errors; it is case-sensitive.
	ErrorContains string
}

// RetryReport is what a RetryAll did.
type RetryReport struct {
	// Count is how many orders matched.
	Count int
	// Retried is how many of them are pending again.
	Retried int
	// Next is the position to continue after, zero when no order is left.
	Next order.Position
}

// RetryAll retries up to limit orders that match, starting after a position; a dry run
// only counts them. It stops early when its time is used up, and when Retry fails
// after other orders were retried; the report contains the position to continue after. When the first
// order fails, RetryAll returns the error of Retry. Orders whose status changes
// meanwhile are counted and not retried.
func (in *Intake) RetryAll(
	ctx context.Context, f RetryFilter, after order.Position, limit int, dry bool, by order.Intervention,
) (RetryReport, error) {
	report := RetryReport{Next: after}
	for start := time.Now(); ; {
		page, next, err := in.ledger.List(ctx, f.Filter, report.Next, retryPage)
		if errors.Is(err, order.ErrUnreadable) {
			in.log.ErrorContext(ctx, "orders cannot be retried", "error", err)
		} else if err != nil {
			return report.orError(err)
		}
		for i, rec := range page {
			if err := in.retryOne(ctx, f, rec, dry, by, &report); err != nil {
				return report.orError(err)
			}
			report.Next = order.Position{CreatedAt: rec.CreatedAt, ID: rec.ID}
			last := i == len(page)-1 && next.IsZero()
			if !last && (report.Count == limit || time.Since(start) > retryBudget) {
				return report, nil
			}
		}
		report.Next = next
		if next.IsZero() || time.Since(start) > retryBudget {
			return report, nil
		}
	}
}

// orError drops an error when orders were retried before it, so that the client
// learns of those. The next request meets the error again.
func (r RetryReport) orError(err error) (RetryReport, error) {
	if r.Retried > 0 {
		return r, nil
	}
	return RetryReport{}, err
}

func (in *Intake) retryOne(
	ctx context.Context, f RetryFilter, rec order.Record, dry bool, by order.Intervention, report *RetryReport,
) error {
	if !strings.Contains(rec.Error, f.ErrorContains) {
		return nil
	}
	if dry {
		report.Count++
		return nil
	}
	_, err := in.Retry(ctx, rec.ID, by)
	var moved *order.StatusError
	switch {
	case errors.As(err, &moved), errors.Is(err, order.ErrNotFound):
		report.Count++
		return nil
	case err != nil:
		return err
	}
	report.Count++
	report.Retried++
	return nil
}
