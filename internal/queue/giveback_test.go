package queue_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

// TestStopGivesBack holds that a worker which stops gives back what it has not
// begun, in its old order and before Run returns, and delivers none of it.
func TestStopGivesBack(t *testing.T) {
	b := open(t)
	ids := b.fill(t, order.QueueDefault, 40)
	h := b.hoard(t, b.broken)
	begun := h.waitFull(t)
	if diff := cmp.Diff(ids[:2], begun); diff != "" {
		t.Errorf("begun (-want +got):\n%s", diff)
	}
	slow := newStopper(putsBack)
	b.broken.AddHook(slow)
	h.cancel()
	receive(t, "tasks are given back", slow.reached)
	h.free()
	eventually(t, "what was begun is finished", func() bool { return b.task(order.QueueDefault, ids[0]) == nil })
	never(t, "Run returned before the tasks were given back", func() bool {
		select {
		case <-h.ended:
			return true
		default:
			return false
		}
	})
	close(slow.opened)
	receive(t, "Run returns", h.ended)
	if diff := cmp.Diff(ids[2:], b.pending(order.QueueDefault)); diff != "" || len(h.begun) > 0 {
		t.Errorf("%d more were begun, pending (-want +got):\n%s", len(h.begun), diff)
	}
	if n := b.active(order.QueueDefault) + int(b.rdb.ZCard(t.Context(), "asynq:{default}:lease").Val()); n != 0 {
		t.Errorf("%d places and leases are left", n)
	}
	var c collector
	b.consume(t, config(), c.work)
	c.wait(t, ids[2:])
	if diff := cmp.Diff(ids[2:], c.got()); diff != "" {
		t.Errorf("delivered in the order (-want +got):\n%s", diff)
	}
}

// TestKilledWithTasks holds that what a worker held when it was cut off is found and
// put back as orders are that it was working, and that none is lost or doubled.
func TestKilledWithTasks(t *testing.T) {
	s := openTasks(t)
	ids := s.fill(t, order.QueueDefault, 40)
	dead, gone := s.server.Client(), &cut{}
	dead.AddHook(gone)
	h := s.hoard(t, dead)
	h.waitFull(t)
	gone.on.Store(true)
	held := s.active(order.QueueDefault)
	orphans := s.watch(t, 12)
	if len(orphans) != held || held <= hoarderSlots {
		t.Fatalf("%d orphans, the worker held %d orders", len(orphans), held)
	}
	for _, orphan := range orphans {
		if done, err := s.Requeue(t.Context(), orphan); !done || err != nil || orphan.Lease == "" {
			t.Errorf("requeue %+v: %t, %v", orphan, done, err)
		}
	}
	var c collector
	s.consume(t, config(), c.work)
	c.wait(t, ids)
	if len(h.begun) > 0 {
		t.Errorf("the dead worker began %d more", len(h.begun))
	}
}

// TestOldTasksAreGivenBack holds that a worker which cannot begin what it holds
// gives it to others, in its old order.
func TestOldTasksAreGivenBack(t *testing.T) {
	b := open(t)
	ids := b.fill(t, order.QueueDefault, 15)
	h := b.hoard(t, b.broken)
	h.waitFull(t)
	h.SetMaxAge(time.Second)
	var c collector
	b.consume(t, config(), c.work)
	c.wait(t, ids[2:])
	if diff := cmp.Diff(ids[2:], c.got()); diff != "" {
		t.Errorf("delivered in the order (-want +got):\n%s", diff)
	}
	if len(h.begun) > 0 {
		t.Errorf("the first worker began %s as well", <-h.begun)
	}
}

// TestKeptFromBeginning holds that a worker begins nothing more of what it holds once
// its queue is paused, or it is held itself, that all of that is pending again soon,
// and that it goes on afterwards.
func TestKeptFromBeginning(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name    string
		keep    func(b *bundle, h *hoarder) error
		proceed func(b *bundle, h *hoarder) error
	}{
		{
			"pause",
			func(b *bundle, _ *hoarder) error {
				return queue.NewInspector(b.rdb).Pause(context.Background(), order.QueueDefault)
			},
			func(b *bundle, _ *hoarder) error {
				return queue.NewInspector(b.rdb).Resume(context.Background(), order.QueueDefault)
			},
		},
		{
			"hold",
			func(_ *bundle, h *hoarder) error { h.Hold(true); return nil },
			func(_ *bundle, h *hoarder) error { h.Hold(false); return nil },
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			ids := b.fill(t, order.QueueDefault, 40)
			h := b.hoard(t, b.broken)
			begun := h.waitFull(t)
			h.SetMaxAge(time.Second)
			must(t, row.keep(b, h))
			eventually(t, "all that was not begun is pending", func() bool { return cmp.Equal(ids[2:], b.pending(order.QueueDefault)) })
			h.free()
			eventually(t, "what was begun is finished", func() bool { return b.active(order.QueueDefault) == 0 })
			never(t, "an order was begun", func() bool { return len(h.begun) > 0 || b.active(order.QueueDefault) > 0 })
			must(t, row.proceed(b, h))
			for range ids[2:] {
				begun = append(begun, receive(t, "the next order begins", h.begun))
			}
			if diff := cmp.Diff(ids, begun, cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Errorf("begun (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGiveBackFaults breaks giving back in both ways a network can. The orders that
// it was about are pending, or strays.
func TestGiveBackFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			s := openTasks(t)
			ids := s.fill(t, order.QueueDefault, 15)
			h := s.hoard(t, s.broken)
			h.waitFull(t)
			s.breaker.Break(fault, putsBack)
			h.cancel()
			eventually(t, "tasks are given back", func() bool { return h.Ahead() == 0 && s.breaker.Fired() == 1 })
			h.free()
			receive(t, "Run returns", h.ended)
			orphans := s.watch(t, 12)
			if (len(orphans) > 0) != (fault == redistest.NotApplied) {
				t.Errorf("%d orphans", len(orphans))
			}
			left := s.pending(order.QueueDefault)
			for _, orphan := range orphans {
				left = append(left, orphan.ID)
			}
			if diff := cmp.Diff(ids[hoarderSlots:], left, cmpopts.SortSlices(strings.Compare)); diff != "" || len(h.begun) > 0 {
				t.Errorf("%d more were begun, left (-want +got):\n%s", len(h.begun), diff)
			}
		})
	}
}

// TestGiveBackOnAFullRedis holds that a worker which stops can give back what it
// holds when memory is full.
func TestGiveBackOnAFullRedis(t *testing.T) {
	b := open(t)
	ids := b.fill(t, order.QueueDefault, 15)
	h := b.hoard(t, b.broken)
	h.waitFull(t)
	b.rdb.ConfigSet(t.Context(), "maxmemory", "1")
	h.cancel()
	eventually(t, "all that was not begun is pending", func() bool { return cmp.Equal(ids[2:], b.pending(order.QueueDefault)) })
	for _, id := range ids[2:] {
		if task := b.task(order.QueueDefault, id); task == nil || task.State != asynq.TaskStatePending {
			t.Errorf("the task of %s is %+v", id, task)
		}
	}
}
