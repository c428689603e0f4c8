package sim_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
)

// state is where a task is, as Asynq has it.
type state string

const (
	pending   state = "pending"
	active    state = "active"
	scheduled state = "scheduled"
	retry     state = "retry"
	archived  state = "archived"
)

// task is an order's entry in the queue.
type task struct {
	id    string
	queue order.Queue
	state state
	at    time.Time // when a delayed task is due, or was archived

	holder  *process  // which knows that it holds an active task; or nil
	renewed time.Time // when its lease was
	noLease bool
	seen    string    // the lease when recovery looked last
	since   time.Time // since when it has not changed
}

// queue takes the place of Asynq: tasks with leases, delays and acknowledgements. It behaves
// as package queue documents, and like Asynq it lets any worker acknowledge an active task.
type queue struct {
	sim     *sim
	tasks   map[string]*task // by id
	watched time.Time        // when recovery looked for orphans last
}

// ask sends a request to the queue and returns its answer.
func ask[T any](ctx context.Context, p *process, what string, apply func(q *queue) T) (T, error) {
	answer := new(T)
	err := p.sim.send(ctx, &message{sender: sender(ctx, p), what: what, from: p, kind: request, apply: func(unheard bool) {
		if got := apply(p.sim.queue); !unheard {
			*answer = got
		}
	}})
	if err != nil {
		var none T
		return none, fmt.Errorf("%s: %w: %w", what, order.ErrUnavailable, err)
	}
	return *answer, nil
}

// enqueue adds the task of an order, or replaces one that would not be worked, and reports
// whether it did.
func (q *queue) enqueue(rec order.Record) bool {
	if q.holds(rec) {
		return false
	}
	t := &task{id: rec.ID, queue: rec.Queue, state: pending}
	if rec.Status == order.StatusScheduled {
		t.state, t.at = scheduled, rec.ProcessAt
	}
	q.tasks[rec.ID] = t
	return true
}

// holds reports whether an order has a task that will be worked.
func (q *queue) holds(rec order.Record) bool {
	switch t := q.tasks[rec.ID]; {
	case t == nil, t.state == archived:
		return false
	case t.state == scheduled:
		return rec.Status == order.StatusScheduled && t.at.Equal(rec.ProcessAt)
	default:
		return true
	}
}

// remove removes a task that is in one of these states, and reports whether there was one.
func (q *queue) remove(id string, states ...state) bool {
	found := slices.ContainsFunc(q.in(states...), func(t *task) bool { return t.id == id })
	if found {
		delete(q.tasks, id)
	}
	return found
}

// in returns the tasks in these states by id. Tasks whose time has come are pending.
func (q *queue) in(states ...state) (found []*task) {
	for _, id := range slices.Sorted(maps.Keys(q.tasks)) {
		t := q.tasks[id]
		if (t.state == scheduled || t.state == retry) && !t.at.After(time.Now()) {
			t.state = pending
		}
		if slices.Contains(states, t.state) {
			found = append(found, t)
		}
	}
	return found
}

// due returns when the next delayed task is due; zero without one.
func (q *queue) due() (first time.Time) {
	for _, t := range q.in(scheduled, retry) {
		if first.IsZero() || t.at.Before(first) {
			first = t.at
		}
	}
	return first
}

// lease returns the lease of an active task. A process that runs, and reaches Redis, renews those
// that it knows.
func (q *queue) lease(t *task) string {
	if t.holder != nil && t.holder.runs() && !t.holder.cutOff() {
		t.renewed, t.noLease = time.Now(), false
	}
	if t.noLease {
		return ""
	}
	return strconv.FormatInt(t.renewed.UnixNano(), 10)
}

// orphans returns the active tasks whose lease has not changed for a while; see
// queue.Tasks.Orphans.
func (q *queue) orphans(now time.Time) (found []recovery.Orphan) {
	const orphanAfter, maxLeaseGap = 12 * time.Second, 4 * time.Second
	watching := now.Sub(q.watched) <= maxLeaseGap
	q.watched = now
	for _, t := range q.in(active) {
		lease := q.lease(t)
		if !watching || lease != "" && lease != t.seen {
			t.since = now
		}
		t.seen = lease
		if now.Sub(t.since) >= orphanAfter {
			found = append(found, recovery.Orphan{ActiveTask: recovery.ActiveTask{ID: t.id, Queue: t.queue, Lease: lease}, SeenAt: now})
		}
	}
	return found
}

// orphan returns the task of an orphan, nil if it is none any more.
func (q *queue) orphan(o recovery.Orphan) *task {
	if t := q.tasks[o.ID]; t != nil && t.state == active && q.lease(t) == o.Lease {
		return t
	}
	return nil
}
