package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"orderprocessor/internal/order"
)

// The results of a submission, as the label result has them.
const (
	resultAccepted    = "accepted"
	resultRepeated    = "repeated"
	resultConflict    = "conflict"
	resultNoRoom      = "no_room"
	resultUnavailable = "unavailable"
	resultError       = "error"
)

// The reasons of a refusal, as the label reason has them.
const (
	reasonQueueFull = "queue_full"
	reasonMemory    = "memory"
	reasonBusy      = "busy"
	reasonOther     = "other"
)

// Taker takes orders in; see the methods of intake.Intake.
type Taker interface {
	Submit(ctx context.Context, o order.Order) (rec order.Record, isNew bool, err error)
	SubmitAll(ctx context.Context, orders []order.Order) []order.Acceptance
	Cancel(ctx context.Context, id, reason string) (order.Record, error)
}

// Router tells the queue of an order; see rules.Rules.
type Router interface {
	Queue(o order.Order) order.Queue
}

// Intake is a Taker whose submissions are counted. It is safe for concurrent use.
type Intake struct {
	Taker
	router   Router
	single   map[string]prometheus.Counter // by result
	batch    map[string]prometheus.Counter // by result
	refusals map[order.Queue]map[string]prometheus.Counter
	took     prometheus.Observer
}

// NewIntake returns a Taker that counts what t does. A registry has one of them.
func (r *Registry) NewIntake(t Taker, router Router) *Intake {
	submissions := r.factory.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "submissions_total",
		Help: "Valid orders submitted to this process, by kind of request (single, batch) and result.",
	}, []string{"kind", "result"})
	refusals := r.factory.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "refusals_total",
		Help: "Orders that this process refused for want of room, by their queue and what there was too much of.",
	}, []string{"queue", "reason"})
	in := &Intake{
		Taker: t, router: router, single: map[string]prometheus.Counter{}, batch: map[string]prometheus.Counter{},
		refusals: map[order.Queue]map[string]prometheus.Counter{},
		took: r.factory.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "submission_duration_seconds",
			Help:    "Time to take one order that was submitted alone, from a valid body to the answer of Redis.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
	}
	for _, result := range submissionResults() {
		in.single[result] = submissions.WithLabelValues("single", result)
		in.batch[result] = submissions.WithLabelValues("batch", result)
	}
	for _, q := range order.Queues() {
		in.refusals[q] = map[string]prometheus.Counter{}
		for _, reason := range refusalReasons() {
			in.refusals[q][reason] = refusals.WithLabelValues(string(q), reason)
		}
	}
	return in
}

func submissionResults() []string {
	return []string{resultAccepted, resultRepeated, resultConflict, resultNoRoom, resultUnavailable, resultError}
}

func refusalReasons() []string {
	return []string{reasonQueueFull, reasonMemory, reasonBusy, reasonOther}
}

// Submit takes one order in, and counts and times it.
func (in *Intake) Submit(ctx context.Context, o order.Order) (rec order.Record, isNew bool, err error) {
	begun := time.Now()
	rec, isNew, err = in.Taker.Submit(ctx, o)
	in.took.Observe(time.Since(begun).Seconds())
	in.count(in.single, o, isNew, err)
	return rec, isNew, err
}

// SubmitAll takes many orders in, and counts each.
func (in *Intake) SubmitAll(ctx context.Context, orders []order.Order) []order.Acceptance {
	all := in.Taker.SubmitAll(ctx, orders)
	for i, a := range all {
		in.count(in.batch, orders[i], a.IsNew, a.Err)
	}
	return all
}

func (in *Intake) count(results map[string]prometheus.Counter, o order.Order, isNew bool, err error) {
	if err == nil {
		results[acceptance(isNew)].Inc()
		return
	}
	results[refusal(err)].Inc()
	var busy *order.BusyError
	if !errors.As(err, &busy) {
		return
	}
	if byReason, known := in.refusals[in.router.Queue(o)]; known {
		byReason[reasonOf(busy)].Inc()
	}
}

func acceptance(isNew bool) string {
	if isNew {
		return resultAccepted
	}
	return resultRepeated
}

func refusal(err error) string {
	var busy *order.BusyError
	switch {
	case errors.As(err, &busy):
		return resultNoRoom
	case errors.Is(err, order.ErrConflict):
		return resultConflict
	case errors.Is(err, order.ErrUnavailable):
		return resultUnavailable
	default:
		return resultError
	}
}

// reasonOf names a reason that is written for people.
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
