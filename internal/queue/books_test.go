package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/stats"
)

const books = 8

// openBooks returns a bundle whose producer spreads the orders over several books.
func openBooks(t *testing.T) *bundle {
	t.Helper()
	b := open(t)
	b.Producer = queue.NewProducer(b.Broken, queue.ProducerConfig{AttemptTimeout: attemptTimeout, Books: books})
	return b
}

// inBook is the name by which Asynq knows the queue of an order.
func inBook(q order.Queue, id string) order.Queue {
	return order.Queue(fmt.Sprintf("%s-%02d", q, order.BookOf(id, books)))
}

// idIn is an id that belongs into a book.
func idIn(book int) string {
	for n := 0; ; n++ {
		if id := fmt.Sprint("o", n); order.BookOf(id, books) == book {
			return id
		}
	}
}

// away makes Redis not answer any commands about some keys, as if their node were away.
// Redis Cluster gives a whole pipeline up then.
func away(rdb *redis.Client, parts ...string) {
	rdb.AddHook(redistest.Hook(func(cmds []redis.Cmder, send func() error) error {
		for _, cmd := range cmds {
			for _, part := range parts {
				if strings.Contains(fmt.Sprint(cmd.Args()...), part) {
					for _, cmd := range cmds {
						cmd.SetErr(redistest.ErrBroken)
					}
					return redistest.ErrBroken
				}
			}
		}
		return send()
	}))
}

// TestTasksInBooks checks that the task of each order is in a queue of the order's book, and
// announced on a channel in its Redis Cluster slot; that the producer finds it there; and
// that it needs no set of all queues for that.
func TestTasksInBooks(t *testing.T) {
	b := openBooks(t)
	away(b.Broken, "asynq:queues")
	channels := b.RDB.PSubscribe(t.Context(), "asynq:*wake")
	t.Cleanup(func() { _ = channels.Close() })
	_, err := channels.Receive(t.Context())
	queuetest.Must(t, err)
	var records []order.Record
	want := map[string]bool{}
	for book := range books {
		for _, q := range order.Queues() {
			records = append(records, record(idIn(book)+"-"+string(q), q))
		}
	}
	for _, rec := range records {
		want["asynq:{"+string(inBook(rec.Queue, rec.ID))+"}:wake"] = true
	}
	queuetest.Must(t, b.EnqueueAll(t.Context(), handovers(t, records)))
	queuetest.Must(t, queue.NewInspector(b.RDB, books).Register(t.Context())) // for Asynq's inspector
	for _, rec := range records {
		if task := b.Task(inBook(rec.Queue, rec.ID), rec.ID); task == nil {
			t.Errorf("order %s has no task in %s", rec.ID, inBook(rec.Queue, rec.ID))
		}
		if held, err := b.Holds(t.Context(), rec); !held || err != nil {
			t.Errorf("the producer finds the task of %s: %t, %v", rec.ID, held, err)
		}
	}
	announced := map[string]bool{}
	for range want {
		announced[queuetest.Receive(t, "an announcement", channels.Channel()).Channel] = true
	}
	if diff := cmp.Diff(want, announced); diff != "" {
		t.Errorf("announced on (-want +got):\n%s", diff)
	}
	later := scheduled("later", order.QueueLow, time.Now().Add(time.Hour))
	b.enqueueRecord(t, later)
	queuetest.Must(t, b.Withdraw(t.Context(), later))
	if held, err := b.Holds(t.Context(), later); held || err != nil {
		t.Errorf("a withdrawn order has a task: %t, %v", held, err)
	}
}

// TestDeliverOverBooks checks that the orders of all books are delivered once each and
// acknowledged in their book, and those which are retried or scheduled when they are due.
func TestDeliverOverBooks(t *testing.T) {
	overBooks(t, func(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
		var want, delayed []string
		for _, q := range order.Queues() {
			want = append(want, b.fill(t, q, 60)...)
			id := string(q) + "-scheduled"
			b.enqueueRecord(t, scheduled(id, q, time.Now().Add(time.Second)))
			delayed = append(delayed, id)
		}
		cfg.Concurrency, cfg.Servers, cfg.ReservedCritical = 12, 4, 2
		var first, again queuetest.Collector
		b.consume(t, cfg, func(ctx context.Context, id string) error {
			if strings.HasSuffix(id, "-7") && !slices.Contains(first.IDs(), id) {
				_ = first.Work(ctx, id)
				return &order.RetryError{After: time.Millisecond, Err: errors.New("shop answered 500")}
			}
			return again.Work(ctx, id)
		})
		again.Wait(t, append(want, delayed...))
		if n := len(first.IDs()); n != 3 {
			t.Errorf("%d orders were retried", n)
		}
		programtest.Until(t, "all are acknowledged", func() bool {
			return len(b.RDB.Keys(context.Background(), "asynq:{*}:t:*").Val()) == 0
		})
		for _, kind := range []string{"active", "lease", "pending", "scheduled", "retry"} {
			if left := b.RDB.Keys(t.Context(), "asynq:{*}:"+kind).Val(); len(left) > 0 {
				t.Errorf("left are %v", left)
			}
		}
	})
}

// TestIdleRoundTrips checks that an idle worker of as many books as there may be asks Redis
// no more often than one of one book.
func TestIdleRoundTrips(t *testing.T) {
	t.Parallel()
	asked := map[int]*atomic.Int32{}
	for _, n := range []int{1, order.MaxBooks} {
		r := queuetest.Start(t)
		cfg := config()
		cfg.Books, cfg.Concurrency, cfg.Servers, cfg.ReservedCritical = n, 16, 2, 2
		count := &atomic.Int32{}
		asked[n] = count
		r.Broken.AddHook(redistest.Hook(func(_ []redis.Cmder, send func() error) error {
			count.Add(1)
			return send()
		}))
		(&bundle{nil, r}).consume(t, cfg, func(context.Context, string) error { return nil })
	}
	programtest.Until(t, "both are idle for a while", func() bool { return asked[1].Load() >= 80 })
	if one, all := asked[1].Load(), asked[order.MaxBooks].Load(); all > one {
		t.Errorf("a worker of one book asks %d times, one of %d books %d times", one, order.MaxBooks, all)
	}
}

// TestDepthsOverBooks checks that depths add, also those of the books that answer while
// others do not.
func TestDepthsOverBooks(t *testing.T) {
	b := openBooks(t)
	b.enqueue(t, order.QueueDefault, idIn(3), idIn(5))
	b.later(t, order.QueueDefault, idIn(6))
	b.later(t, order.QueueLow, idIn(3))
	since := time.Now().Add(-time.Hour).UnixNano()
	b.RDB.HSet(t.Context(), "asynq:{default-05}:t:"+idIn(5), "pending_since", since)
	b.RDB.Set(t.Context(), "asynq:{low-07}:paused", 1, 0)
	i := queue.NewInspector(b.Broken, books)

	// On a busy machine other books do not answer in time either.
	check := func(state, silent string, waiting int64, want map[order.Queue]stats.Depth) {
		t.Helper()
		var got map[order.Queue]stats.Depth
		programtest.Until(t, "depths "+state, func() bool {
			all, err := i.Depths(t.Context())
			got = all
			return silent == "" && err == nil ||
				silent != "" && errors.Is(err, order.ErrUnavailable) && strings.Contains(err.Error(), silent)
		})
		about := cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() < time.Minute })
		if diff := cmp.Diff(want, got, about); diff != "" {
			t.Errorf("depths %s (-want +got):\n%s", state, diff)
		}
		programtest.Until(t, "the backlog "+state, func() bool {
			n, err := i.Backlog(t.Context())
			return n == waiting && err == nil
		})
	}
	check("of all books", "", 4, map[order.Queue]stats.Depth{
		order.QueueCritical: {},
		order.QueueDefault:  {Pending: 2, Scheduled: 1, OldestPending: time.Hour},
		order.QueueLow:      {Scheduled: 1, Paused: true},
	})
	away(b.Broken, "-03}")
	check("while a book is away", "3 of 24 queues", 2, map[order.Queue]stats.Depth{
		order.QueueCritical: {},
		order.QueueDefault:  {Pending: 1, Scheduled: 1, OldestPending: time.Hour},
		order.QueueLow:      {Paused: true},
	})
	away(b.Broken, "asynq:")
	if _, err := i.Backlog(t.Context()); !errors.Is(err, order.ErrUnavailable) {
		t.Errorf("the backlog while all are away: %v", err)
	}
}

// TestPauseOverBooks checks that a pause and its end reach each book, and those that
// answer while another one does not.
func TestPauseOverBooks(t *testing.T) {
	b := openBooks(t)
	i := queue.NewInspector(b.Broken, books)
	for _, row := range []struct {
		change func(context.Context, order.Queue) error
		broken string // command
		paused int    // books after the first try
		then   int    // and after the second
	}{{i.Pause, "setnx", books - 1, books}, {i.Resume, "del", 1, 0}} {
		b.Breaker.Break(redistest.NotApplied, func(cmd redis.Cmder) bool { return cmd.Name() == row.broken || cmd.Name() == "set" })
		if err := row.change(t.Context(), order.QueueLow); !errors.Is(err, order.ErrUnavailable) {
			t.Errorf("%s fails in one book: %v", row.broken, err)
		}
		paused := func() int { return len(b.RDB.Keys(t.Context(), "asynq:{low-*}:paused").Val()) }
		if n := paused(); n != row.paused {
			t.Errorf("%d books are paused, want %d", n, row.paused)
		}
		queuetest.Must(t, row.change(t.Context(), order.QueueLow))
		if n := paused(); n != row.then {
			t.Errorf("%d books are paused after a repetition, want %d", n, row.then)
		}
	}
}

// TestTasksOfBooks checks that orphans, delayed and corrupt tasks are found in all books and
// in each alone, and that the leases of a book are saved apart.
func TestTasksOfBooks(t *testing.T) {
	b := openBooks(t)
	all, err := queue.NewTasks(b.Broken, books)
	queuetest.Must(t, err)
	for _, book := range []int{2, 7} {
		b.RDB.LPush(t.Context(), fmt.Sprintf("asynq:{default-%02d}:active", book), idIn(book))
		b.later(t, order.QueueLow, idIn(book))
	}
	begun := time.Now()
	for _, row := range []struct {
		tasks *queue.Tasks
		want  []string
		key   string
	}{
		{all, []string{idIn(2), idIn(7)}, "asynq:leases"},
		{all.OfBook(2), []string{idIn(2)}, "asynq:leases:{b2}"},
		{all.OfBook(7), []string{idIn(7)}, "asynq:leases:{b7}"},
		{all.OfBook(4), nil, "asynq:leases:{b4}"},
	} {
		first, err := row.tasks.Orphans(t.Context(), begun)
		queuetest.Must(t, err)
		orphans, err := row.tasks.Orphans(t.Context(), begun.Add(time.Minute))
		queuetest.Must(t, err)
		var found []string
		for _, o := range orphans {
			found = append(found, o.ID)
		}
		if diff := cmp.Diff(row.want, found); diff != "" || len(first) > 0 {
			t.Errorf("orphans saved in %s, %d at first (-want +got):\n%s", row.key, len(first), diff)
		}
		if kind := b.RDB.Type(t.Context(), row.key).Val(); kind != queue.KnownKeys(books)[row.key] {
			t.Errorf("%s is a %s", row.key, kind)
		}
		found = nil
		for done := false; !done; {
			var delayed []recovery.DelayedTask
			delayed, done, err = row.tasks.Delayed(t.Context())
			queuetest.Must(t, err)
			for _, task := range delayed {
				found = append(found, task.ID)
			}
		}
		queuetest.CheckSame(t, "delayed", row.want, found)
	}
}

// TestCorruptOverBooks checks that corrupt tasks are stored in their books, and listed over
// all, the newest first.
func TestCorruptOverBooks(t *testing.T) {
	b := openBooks(t)
	tasks, err := queue.NewTasks(b.RDB, books)
	queuetest.Must(t, err)
	var want []recovery.CorruptTask
	for _, book := range []int{5, 1, 6} {
		id := idIn(book)
		b.enqueue(t, order.QueueDefault, id)
		b.RDB.HSet(t.Context(), fmt.Sprintf("asynq:{default-%02d}:t:%s", book, id), "msg", "garbage "+id)
		if stored, err := tasks.StoreCorrupt(t.Context(), order.QueueDefault, id); !stored || err != nil {
			t.Fatalf("store %s: %t, %v", id, stored, err)
		}
		want = append([]recovery.CorruptTask{{ID: id, Queue: order.QueueDefault, FoundAt: time.Now(), Message: []byte("garbage " + id)}}, want...)
	}
	got, err := queue.NewInspector(b.RDB, books).CorruptTasks(t.Context(), order.QueueDefault, 2)
	queuetest.Must(t, err)
	if diff := cmp.Diff(want[:2], got, cmpopts.EquateApproxTime(time.Minute)); diff != "" {
		t.Errorf("corrupt tasks (-want +got):\n%s", diff)
	}
}

// TestRequeueInBook checks that an orphan returns into the queue of its book.
func TestRequeueInBook(t *testing.T) {
	b := openBooks(t)
	tasks, err := queue.NewTasks(b.RDB, books)
	queuetest.Must(t, err)
	id := idIn(3)
	b.enqueue(t, order.QueueCritical, id)
	b.RDB.LMove(t.Context(), "asynq:{critical-03}:pending", "asynq:{critical-03}:active", "right", "left")
	b.RDB.HSet(t.Context(), "asynq:{critical-03}:t:"+id, "state", asynq.TaskStateActive.String())
	active, err := tasks.OfBook(3).Active(t.Context())
	queuetest.Must(t, err)
	if len(active) != 1 {
		t.Fatalf("active are %v", active)
	}
	if done, err := tasks.Requeue(t.Context(), recovery.Orphan{ActiveTask: active[0]}); !done || err != nil {
		t.Errorf("requeued: %t, %v", done, err)
	}
	queuetest.CheckSame(t, "pending", []string{id}, b.Pending("critical-03"))
}
