package intake

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"orderprocessor/internal/order"
)

const (
	// tokenChars is the length of a retry's token: 80 random bits.
	tokenChars = 16
	// retryPage is how many orders RetryAll reads at once.
	retryPage = 200
	// retryBudget is how long RetryAll goes on before it answers how far it came,
	// well within the time of a request.
	retryBudget = 700 * time.Millisecond
)

// Retry makes an order that failed or was rejected pending again and queues it.
// Its attempts are counted anew. It returns *order.StatusError for an order with
// any other status, order.ErrNotFound, *order.BusyError when there is no room,
// and order.ErrUnavailable when Redis could not be asked: then the order may or
// may not be pending again.
func (in *Intake) Retry(ctx context.Context, id string) (order.Record, error) {
	if err := in.gate.Admit(order.QueueCritical, orderOverhead); err != nil {
		return order.Record{}, err
	}
	rec, err := in.ledger.Retry(ctx, id, rand.Text()[:tokenChars])
	if err != nil {
		in.gate.Leave()
		return order.Record{}, err
	}
	in.enqueue(ctx, []order.Handover{{Record: rec, Origin: ctx, NewRun: true}})
	return rec, nil
}

// RetryFilter chooses the orders of a RetryAll.
type RetryFilter struct {
	order.Filter
	// ErrorContains is a part of their errors, spelt exactly so.
	ErrorContains string
}

// RetryReport is what a RetryAll did.
type RetryReport struct {
	// Count is how many orders matched.
	Count int
	// Retried is how many of them are pending again.
	Retried int
	// Next is where to go on, zero when no order is left.
	Next order.Position
}

// RetryAll retries the orders that match, from after a position on, at most limit
// of them, or only counts them. It stops early when its time is over, and when an
// order could not be retried after others were: the report tells where to go on.
// It returns the errors of Retry. Orders that move on meanwhile are counted and
// left alone.
func (in *Intake) RetryAll(
	ctx context.Context, f RetryFilter, after order.Position, limit int, dry bool,
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
			if err := in.retryOne(ctx, f, rec, dry, &report); err != nil {
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

// orError makes nothing of an error that others would have to pay for: the next
// request meets it again.
func (r RetryReport) orError(err error) (RetryReport, error) {
	if r.Retried > 0 {
		return r, nil
	}
	return RetryReport{}, err
}

func (in *Intake) retryOne(ctx context.Context, f RetryFilter, rec order.Record, dry bool, report *RetryReport) error {
	if !strings.Contains(rec.Error, f.ErrorContains) {
		return nil
	}
	if dry {
		report.Count++
		return nil
	}
	_, err := in.Retry(ctx, rec.ID)
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
