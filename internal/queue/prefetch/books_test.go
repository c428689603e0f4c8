package prefetch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue/prefetch"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// openBooks returns a bundle with as many books as there may be.
func openBooks(t *testing.T) *bundle {
	t.Helper()
	b := open(t)
	b.names = map[order.Queue][]string{}
	for _, q := range order.Queues() {
		for book := range order.MaxBooks {
			b.names[q] = append(b.names[q], string(inBook(q, book)))
		}
	}
	return b
}

// inBook is a queue of a book, as Asynq knows it.
func inBook(q order.Queue, book int) order.Queue { return order.Queue(fmt.Sprintf("%s-%02d", q, book)) }

// hang makes commands on rdb that match hang until release.
func hang(rdb *redis.Client, match func(redis.Cmder) bool) (hung *atomic.Int32, release func()) {
	hung, released := &atomic.Int32{}, make(chan struct{})
	rdb.AddHook(redistest.Hook(func(cmds []redis.Cmder, send func() error) error {
		if slices.ContainsFunc(cmds, match) {
			hung.Add(1)
			<-released
		}
		return send()
	}))
	return hung, sync.OnceFunc(func() { close(released) })
}

func about(part string) func(redis.Cmder) bool {
	return func(cmd redis.Cmder) bool { return strings.Contains(fmt.Sprint(cmd.Args()...), part) }
}

// TestIdleBooksAreNotAsked checks that orders of one book are fetched without asking the
// others, wherever they are, and without waiting for a poll.
func TestIdleBooksAreNotAsked(t *testing.T) {
	b := openBooks(t)
	var busy sync.Map // the queues that had an order
	idle := countAnswered(b.Broken, func(cmd redis.Cmder) bool {
		if !isFetch(cmd) {
			return false
		}
		_, had := busy.Load(redistest.Keys(cmd)[0])
		return !had
	})
	begun := make(chan string, 1)
	b.work(t, b.Broken, workerConfig{servers: 2, slots: 2, idle: 1}, func(_ context.Context, id string) error {
		begun <- id
		return nil
	})
	programtest.Until(t, "the prefetcher listens", func() bool {
		return b.RDB.PubSubNumSub(t.Context(), "asynq:{low-63}:wake").Val()["asynq:{low-63}:wake"] == 1
	})
	queuetest.Never(t, "an idle book was fetched from", func() bool { return idle.Load() > 0 })
	for n := range 50 {
		q := inBook(order.Queues()[n%3], n)
		busy.Store("asynq:{"+string(q)+"}:pending", nil)
		b.send(t, q, "o")
		queuetest.Receive(t, "the order begins", begun)
		programtest.Until(t, "it is acknowledged", func() bool { return b.Task(q, "o") == nil })
	}
	if n := idle.Load(); n > 0 {
		t.Errorf("queues without orders were fetched from %d times", n)
	}
}

// TestBooksTakeTurns checks that no book waits until another one is worked off.
func TestBooksTakeTurns(t *testing.T) {
	b := openBooks(t)
	const each = 300
	for _, book := range []int{0, 31, 63} {
		for n := range each {
			b.enqueue(t, inBook(order.QueueDefault, book), fmt.Sprintf("%02d-%d", book, n))
		}
	}
	var c queuetest.Collector
	b.work(t, b.Broken, workerConfig{servers: 1, slots: 4}, c.Work)
	programtest.Until(t, "a third of the orders is delivered", func() bool { return len(c.IDs()) >= each })
	share := map[string]int{}
	for _, id := range c.IDs()[:each] {
		share[id[:2]]++
	}
	for _, book := range []string{"00", "31", "63"} {
		if share[book] < each/10 {
			t.Errorf("of %d orders of each book the first come from %v", each, share)
		}
	}
	programtest.Until(t, "all are delivered", func() bool { return len(c.IDs()) == 3*each })
}

// TestBooksAway checks that orders are fetched while the nodes of many other books, which
// may have tasks, do not answer; and those of these books when they are back.
func TestBooksAway(t *testing.T) {
	b := openBooks(t)
	away := []int{1, 2, 3, 5, 8, 13, 21, 34, 55}
	hung, release := hang(b.Broken, func(cmd redis.Cmder) bool {
		return isFetch(cmd) && slices.ContainsFunc(away, func(book int) bool { return about(fmt.Sprintf("-%02d}", book))(cmd) })
	})
	t.Cleanup(release)
	var here, there []string
	for book := range order.MaxBooks {
		id := fmt.Sprint("o", book)
		b.enqueue(t, inBook(order.QueueDefault, book), id)
		if slices.Contains(away, book) {
			there = append(there, id)
		} else {
			here = append(here, id)
		}
	}
	var c queuetest.Collector
	b.work(t, b.Broken, workerConfig{servers: 2, slots: 2}, c.Work)
	c.Wait(t, here)
	if hung.Load() == 0 {
		t.Error("no fetch hangs")
	}
	release()
	c.Wait(t, append(here, there...))
}

// TestStopRequeuesInBooks checks that tasks which were not begun return into the queues of
// their books, in their old order.
func TestStopRequeuesInBooks(t *testing.T) {
	b := openBooks(t)
	ids := b.idsOf(order.QueueDefault, 12)
	for n, id := range ids {
		b.enqueue(t, inBook(order.QueueDefault, n%2), id)
	}
	h := b.hoard(t, b.Broken)
	begun := h.twoBegun(t)
	programtest.Until(t, "tasks of both books are buffered", func() bool {
		h.Fetch(order.QueueDefault)
		return h.Buffered() == len(ids)-len(begun)
	})
	h.cancel()
	programtest.Until(t, "the tasks are being requeued", func() bool { return h.Buffered() == 0 })
	h.release()
	queuetest.Receive(t, "Run returns", h.ended)
	for book := range 2 {
		var want []string
		for n, id := range ids {
			if n%2 == book && !slices.Contains(begun, id) {
				want = append(want, id)
			}
		}
		if diff := cmp.Diff(want, b.Pending(inBook(order.QueueDefault, book))); diff != "" {
			t.Errorf("pending in book %d (-want +got):\n%s", book, diff)
		}
	}
}

// TestBeatsWhileANodeIsAway checks that a server renews the leases of a book while the
// nodes of its heartbeat and of other leases hang, says so, and goes on when they are back.
func TestBeatsWhileANodeIsAway(t *testing.T) {
	b := openBooks(t)
	hung, release := hang(b.Broken, func(cmd redis.Cmder) bool {
		return about("asynq:servers")(cmd) || about("asynq:{low-03}:lease")(cmd)
	})
	client := b.prefetcher().Client(order.Queues()...)
	lease := redis.Z{Score: 7, Member: "o1"}
	for _, book := range []string{"03", "05"} {
		b.RDB.ZAdd(t.Context(), "asynq:{low-"+book+"}:lease", redis.Z{Score: 1, Member: "o1"})
	}
	for beat := range 3 {
		lease.Score++
		info := client.ZAdd(t.Context(), "asynq:servers", redis.Z{Score: 1, Member: "s"}).Err()
		away := client.ZAddXX(t.Context(), "asynq:{low-03}:lease", lease).Err()
		if beat > 0 && (info == nil || away == nil) {
			t.Errorf("beat %d: %v, %v", beat, info, away)
		}
		programtest.Until(t, "the lease of the other book is renewed", func() bool {
			err := client.ZAddXX(t.Context(), "asynq:{low-05}:lease", lease).Err()
			return err == nil && b.RDB.ZScore(t.Context(), "asynq:{low-05}:lease", "o1").Val() == lease.Score
		})
	}
	if n := hung.Load(); n != 2 {
		t.Errorf("%d writes hang", n)
	}
	release()
	programtest.Until(t, "the lease is renewed", func() bool {
		return client.ZAddXX(context.Background(), "asynq:{low-03}:lease", lease).Err() == nil
	})
}

// TestEndsWhileANodeIsAway checks that the end of a delivery is given up soon, so that its
// slot is free for other books.
func TestEndsWhileANodeIsAway(t *testing.T) {
	b := openBooks(t)
	client := b.prefetcher().Client(order.QueueLow)
	b.Server.Freeze()
	defer b.Server.Thaw()
	own := "asynq:{low-03}:"
	keys := []string{own + "active", own + "lease", own + "t:o1", own + "processed:2026-11-23", own + "processed"}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	err := client.EvalSha(ctx, prefetch.DoneSHA, keys, "o1", 1, 2).Err()
	if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		t.Errorf("done answers %v", err)
	}
}

// TestHousekeepingOfBooks checks that what a server does by the clock for its queues, none
// of which is a book's, asks Redis nothing.
func TestHousekeepingOfBooks(t *testing.T) {
	b := openBooks(t)
	b.Server.Kill()
	client := b.prefetcher().Client(order.Queues()...)
	for set, want := range map[string]any{"scheduled": int64(0), "retry": int64(0), "lease": []any{}, "aggregation_sets": int64(0), "completed": int64(0)} {
		keys := []string{keyPrefix + set}
		if set == "scheduled" || set == "retry" {
			keys = append(keys, keyPending)
		}
		got, err := client.EvalSha(t.Context(), "any", keys, 1).Result()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", set, err, diff)
		}
	}
}
