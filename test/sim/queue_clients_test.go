package sim_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
)

// producer is the queue as intake and recovery use it; see queue.Producer.
type producer struct{ p *process }

// EnqueueAll waits a second, as queue.Producer does, for workers that still hold an earlier run.
func (c producer) EnqueueAll(ctx context.Context, waiting []order.Handover) error {
	what := []string{"enqueue"}
	for _, h := range waiting {
		what = append(what, h.Record.ID)
	}
	for begun := time.Now(); time.Since(begun) < time.Second; rest(ctx, 190*time.Millisecond) {
		left, err := ask(ctx, c.p, strings.Join(what, " "), func(q *queue) (left []order.Handover) {
			for _, h := range waiting {
				if t := q.tasks[h.Record.ID]; h.NewRun && t != nil && t.state == active {
					left = append(left, h)
					continue
				}
				if h.NewRun {
					q.remove(h.Record.ID, retry)
				}
				q.enqueue(h.Record)
			}
			return left
		})
		if err != nil || len(left) == 0 {
			return err
		}
	}
	return fmt.Errorf("a worker still holds an earlier run: %w", order.ErrUnavailable)
}

func (c producer) Enqueue(ctx context.Context, rec order.Record) (bool, error) {
	return ask(ctx, c.p, "enqueue "+rec.ID, func(q *queue) bool { return q.enqueue(rec) })
}

func (c producer) Holds(ctx context.Context, rec order.Record) (bool, error) {
	return ask(ctx, c.p, "holds "+rec.ID, func(q *queue) bool { return q.holds(rec) })
}

func (c producer) Withdraw(ctx context.Context, rec order.Record) error {
	_, err := ask(ctx, c.p, "withdraw "+rec.ID, func(q *queue) bool { return q.remove(rec.ID, scheduled, retry) })
	return err
}

// tasks is the queue as recovery sees it; see queue.Tasks.
type tasks struct{ p *process }

func (c tasks) Count(ctx context.Context) (recovery.Counts, error) {
	return ask(ctx, c.p, "count tasks", func(q *queue) recovery.Counts {
		return recovery.Counts{Active: int64(len(q.in(active))), Delayed: int64(len(q.in(scheduled, retry, archived)))}
	})
}

func (c tasks) Active(ctx context.Context) ([]recovery.ActiveTask, error) {
	return ask(ctx, c.p, "active tasks", func(q *queue) (found []recovery.ActiveTask) {
		for _, t := range q.in(active) {
			found = append(found, recovery.ActiveTask{ID: t.id, Queue: t.queue, Lease: q.lease(t)})
		}
		return found
	})
}

func (c tasks) Orphans(ctx context.Context, now time.Time) ([]recovery.Orphan, error) {
	return ask(ctx, c.p, "orphans", func(q *queue) []recovery.Orphan { return q.orphans(now) })
}

func (c tasks) Requeue(ctx context.Context, o recovery.Orphan) (bool, error) {
	return ask(ctx, c.p, "requeue "+o.ID, func(q *queue) bool {
		t := q.orphan(o)
		if t != nil {
			t.state, t.holder = pending, nil
		}
		return t != nil
	})
}

func (c tasks) DropLease(ctx context.Context, o recovery.Orphan) error {
	_, err := ask(ctx, c.p, "drop the lease of "+o.ID, func(q *queue) bool {
		t := q.orphan(o)
		if t != nil {
			t.noLease = true
		}
		return t != nil
	})
	return err
}

// StoreCorrupt is not needed: no task is corrupt here.
func (tasks) StoreCorrupt(context.Context, order.Queue, string) (bool, error) { return false, nil }

func (c tasks) Delayed(ctx context.Context) ([]recovery.DelayedTask, bool, error) {
	found, err := ask(ctx, c.p, "delayed tasks", func(q *queue) (found []recovery.DelayedTask) {
		for _, t := range q.in(scheduled, retry, archived) {
			d := recovery.DelayedTask{ID: t.id, Queue: t.queue}
			if t.state == archived {
				d.ArchivedAt = t.at
			}
			found = append(found, d)
		}
		return found
	})
	return found, true, err
}

func (c tasks) Remove(ctx context.Context, d recovery.DelayedTask) (bool, error) {
	return ask(ctx, c.p, "remove delayed "+d.ID, func(q *queue) bool { return q.remove(d.ID, scheduled, retry, archived) })
}
