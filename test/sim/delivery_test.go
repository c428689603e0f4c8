package sim_test

import (
	"context"
	"errors"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/worker"
)

const (
	// taskGrace is how much longer than an attempt a delivery lasts.
	taskGrace = 15 * time.Second
	// noVerdictDelay is the wait after a delivery that ended without a verdict.
	noVerdictDelay = 30 * time.Second
	// maxBackoff bounds the waits between attempts that no shop asked for. Longer waits have
	// a random part of less than two seconds, and are rounded up to a multiple of retryStep.
	maxBackoff, retryStep = 2 * time.Second, 5 * time.Second
)

// delivery is one handing of an order to a worker.
type delivery struct {
	id  string
	was standing // of the order when it was delivered
}

// deliver hands orders to the worker, one after the other, until the process ends.
func (s *sim) deliver(ctx context.Context, p *process, w *worker.Worker) {
	for ctx.Err() == nil {
		d, err := s.queue.fetch(ctx, p)
		if err != nil || d.id == "" {
			continue
		}
		if s.defect.acknowledgeFirst {
			s.queue.finish(ctx, p, d, nil)
		}
		working, cancel := context.WithTimeout(ctx, attemptTimeout+taskGrace)
		verdict := w.Work(working, d.id)
		cancel()
		s.queue.finish(ctx, p, d, verdict)
	}
}

// fetch waits for a pending task and takes it off the queue. The seed chooses which.
func (q *queue) fetch(ctx context.Context, p *process) (delivery, error) {
	d := new(delivery)
	err := q.sim.send(ctx, &message{
		sender: sender(ctx, p), what: "fetch", from: p, kind: work,
		ready: func() bool { return p.runs() && !p.cutOff() && len(q.in(pending)) > 0 },
		apply: func(unheard bool) {
			found := q.in(pending)
			if len(found) == 0 { // the repetition finds no other
				return
			}
			t := found[q.sim.rand.IntN(len(found))]
			q.sim.detail = t.id
			t.state, t.holder, t.renewed, t.noLease, t.seen = active, nil, time.Now(), false, ""
			if !unheard {
				t.holder = p
				*d = delivery{t.id, q.sim.standing(t.id)}
			}
		},
	})
	if err != nil {
		return delivery{}, err
	}
	return *d, nil
}

// finish ends a delivery with the worker's verdict: it acknowledges, archives or delays the
// task. Like Asynq it repeats that until the queue has answered.
func (q *queue) finish(ctx context.Context, p *process, d delivery, verdict error) {
	var later *order.RetryError
	var final *order.PermanentError
	to, wait := state(""), time.Duration(0)
	switch {
	case verdict == nil:
	case errors.As(verdict, &final):
		to = archived
	case errors.As(verdict, &later):
		to, wait = retry, roundUp(later.After)
	case errors.Is(verdict, order.ErrUnavailable):
		to, wait = retry, time.Second
	default:
		to, wait = retry, noVerdictDelay
	}
	what := map[state]string{"": "acknowledge ", archived: "archive ", retry: "delay "}[to] + d.id
	for p.ctx.Err() == nil {
		if _, err := ask(ctx, p, what, func(q *queue) bool { return q.end(d, to, wait) }); err == nil {
			return
		}
		rest(ctx, time.Second)
	}
}

// roundUp hides the random part of a wait, which the seed does not decide.
func roundUp(wait time.Duration) time.Duration {
	if wait > maxBackoff {
		return (wait + retryStep - 1).Truncate(retryStep)
	}
	return wait
}

// end takes an active task out of a worker's hands, whichever worker's. It moves the task
// into a state, or removes it without one.
func (q *queue) end(d delivery, to state, wait time.Duration) bool {
	if to != retry {
		q.sim.checkAcknowledged(d)
	}
	t := q.tasks[d.id]
	if t == nil || t.state != active {
		return false
	}
	t.state, t.at, t.holder = to, time.Now().Add(wait), nil
	if to == "" {
		delete(q.tasks, d.id)
	}
	return true
}
