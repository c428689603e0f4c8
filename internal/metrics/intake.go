package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"orderprocessor/internal/order"
)

// The values of the label result of a submission.
const (
	resultAccepted    = "accepted"
	resultRepeated    = "repeated"
	resultConflict    = "conflict"
	resultNoRoom      = "no_room"
	resultUnavailable = "unavailable"
	resultError       = "error"
)

// The values of the label reason of a refusal.
const (
	reasonQueueFull = "queue_full"
	reasonMemory    = "memory"
	reasonBusy      = "busy"
	reasonOther     = "other"
)

// Submitter accepts orders; see the methods of intake.Intake.
type Submitter interface {
	Submit(ctx context.Context, o order.Order) (rec order.Record, isNew bool, err error)
	SubmitAll(ctx context.Context, orders []order.Order) []order.Acceptance
	Cancel(ctx context.Context, id string, by order.Intervention) (order.Record, error)
}

// Intake is a Submitter whose submissions are counted. It is safe for concurrent use.
type Intake struct {
	Submitter
	single   map[string]prometheus.Counter // by result
	batch    map[string]prometheus.Counter // by result
	refusals map[order.Queue]map[string]prometheus.Counter
	took     prometheus.Observer
}

// NewIntake returns a Submitter that counts the submissions to s. Call it once for a
// registry.
func (r *Registry) NewIntake(s Submitter) *Intake {
	submissions := r.factory.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "submissions_total",
		Help: "Valid orders submitted to this process, by kind of request (single, batch) and result.",
	}, []string{"kind", "result"})
	refusals := r.factory.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "refusals_total",
		Help: "Orders that this process refused for lack of room, by their queue and what was full.",
	}, []string{"queue", "reason"})
	results := []string{resultAccepted, resultRepeated, resultConflict, resultNoRoom, resultUnavailable, resultError}
	in := &Intake{
		Submitter: s,
		single:    children(submissions, results, "single"), batch: children(submissions, results, "batch"),
		refusals: map[order.Queue]map[string]prometheus.Counter{},
		took: r.factory.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "submission_duration_seconds",
			Help:    "Time to accept one order that was submitted alone, from a valid body to the answer of Redis.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
	}
	for _, q := range order.Queues() {
		in.refusals[q] = children(refusals, []string{reasonQueueFull, reasonMemory, reasonBusy, reasonOther}, string(q))
	}
	return in
}

// Submit accepts one order, and counts and times it.
func (in *Intake) Submit(ctx context.Context, o order.Order) (rec order.Record, isNew bool, err error) {
	begun := time.Now()
	rec, isNew, err = in.Submitter.Submit(ctx, o)
	in.took.Observe(time.Since(begun).Seconds())
	in.count(in.single, isNew, err)
	return rec, isNew, err
}

// SubmitAll accepts many orders, and counts each.
func (in *Intake) SubmitAll(ctx context.Context, orders []order.Order) []order.Acceptance {
	all := in.Submitter.SubmitAll(ctx, orders)
	for _, a := range all {
		in.count(in.batch, a.IsNew, a.Err)
	}
	return all
}

func (in *Intake) count(results map[string]prometheus.Counter, isNew bool, err error) {
	results[submissionResult(isNew, err)].Inc()
	if err == nil {
		return // without the allocation below
	}
	var busy *order.BusyError
	if !errors.As(err, &busy) {
		return
	}
	if byReason, known := in.refusals[busy.Queue]; known {
		byReason[reasonOf(busy)].Inc()
	}
}

func submissionResult(isNew bool, err error) string {
	if err == nil && isNew {
		return resultAccepted
	}
	if err == nil {
		return resultRepeated
	}
	var busy *order.BusyError // allocates
	switch {
	case errors.As(err, &busy):
		return resultNoRoom
	case errors.Is(err, order.ErrConflict), errors.As(err, new(*order.ForgottenError)):
		return resultConflict
	case errors.Is(err, order.ErrUnavailable):
		return resultUnavailable
	default:
		return resultError
	}
}

// reasonOf returns the label for a reason, which is a text for people.
func reasonOf(busy *order.BusyError) string {
	switch busy.Reason {
	case order.BusyQueues:
		return reasonQueueFull
	case order.BusyMemory:
		return reasonMemory
	case order.BusyAccepting:
		return reasonBusy
	default:
		return reasonOther
	}
}
