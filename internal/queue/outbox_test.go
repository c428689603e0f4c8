package queue_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// TestEnqueueAsAsynq holds that orders which are queued together leave Redis as if
// Asynq had queued one after the other, whatever tasks there are already.
func TestEnqueueAsAsynq(t *testing.T) {
	t.Parallel()
	at := time.Now().Truncate(time.Second).Add(time.Hour)
	all := batch(20, at)
	rows := []struct {
		name    string
		before  func(t *testing.T, b *bundle)
		records []order.Record
	}{
		{"one", nil, all[:1]},
		{"of all queues, some for later", nil, all},
		{"some wait already", func(t *testing.T, b *bundle) {
			t.Helper()
			b.enqueue(t, all[4].Queue, all[4].ID)
			b.enqueue(t, all[1].Queue, all[1].ID)
		}, all},
		{"some are worked", func(t *testing.T, b *bundle) {
			t.Helper()
			b.work(t, all[1].ID, all[4].ID)
		}, all},
		{"one twice", nil, append(slices.Clone(all), all[0])},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			plain, own := open(t), newBundle(t)
			for _, b := range []*bundle{plain, own} {
				if row.before != nil {
					row.before(t, b)
				}
			}
			begun := time.Now()
			for _, rec := range row.records {
				if _, err := plain.Enqueue(t.Context(), rec); err != nil {
					t.Fatal(err)
				}
			}
			if err := own.EnqueueAll(t.Context(), handovers(t, row.records)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plain.dump(t), own.dump(t)); diff != "" {
				t.Errorf("Redis holds (-Asynq +own):\n%s", diff)
			}
			own.checkPendingSince(t, row.records, begun)
		})
	}
}

// checkPendingSince wants the time from which each task waits, as Asynqmon shows it,
// to be since the one given, or that before.
func (b *bundle) checkPendingSince(t *testing.T, records []order.Record, begun time.Time) {
	t.Helper()
	for _, rec := range records {
		key := "asynq:{" + string(rec.Queue) + "}:t:" + rec.ID
		if state := b.rdb.HGet(t.Context(), key, "state").Val(); state != "pending" {
			continue
		}
		since, err := b.rdb.HGet(t.Context(), key, "pending_since").Int64()
		if off := time.Unix(0, since).Sub(begun).Abs(); err != nil || off > time.Minute {
			t.Errorf("the task of %s waits since %v before it was queued: %v", rec.ID, off, err)
		}
	}
}

// TestEnqueueAllOnAFullRedis holds that nothing is queued when memory is full, that
// this is an error, and that a repeat queues all.
func TestEnqueueAllOnAFullRedis(t *testing.T) {
	b := open(t)
	records := batch(9, time.Now().Truncate(time.Second).Add(time.Hour))
	b.fill(t, order.QueueLow, 1) // Redis knows the script
	before := b.dump(t)
	b.rdb.ConfigSet(t.Context(), "maxmemory", "1")
	if err := b.EnqueueAll(t.Context(), handovers(t, records)); err == nil {
		t.Error("a full Redis has taken tasks")
	}
	if diff := cmp.Diff(before, b.dump(t)); diff != "" {
		t.Errorf("Redis has changed (-before +after):\n%s", diff)
	}
	b.rdb.ConfigSet(t.Context(), "maxmemory", "0")
	for range 2 {
		if err := b.EnqueueAll(t.Context(), handovers(t, records)); err != nil {
			t.Error(err)
		}
	}
	b.checkTasks(t, append(slices.Clone(records), record("low-0", order.QueueLow)))
}
