package queue_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

// idle is a consumer that does not run.
func (b *bundle) idle(t *testing.T, rdb redis.UniversalClient) *queue.Consumer {
	t.Helper()
	c, err := queue.NewConsumer(rdb, config(), handler(func(context.Context, string) error { return nil }))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// doneCall is the keys and arguments with which Asynq says that a task is done.
func doneCall(id string, expires time.Time) (keys []string, args []any) {
	const own = "asynq:{default}:"
	keys = []string{own + "active", own + "lease", own + "t:" + id, own + "processed:2026-11-23", own + "processed"}
	return keys, []any{id, expires.Unix(), int64(1<<63 - 1)}
}

// TestDoneAsAsynq holds that tasks which are taken off together leave Redis as if
// Asynq had taken off one after the other.
func TestDoneAsAsynq(t *testing.T) {
	t.Parallel()
	expires := time.Now().Add(90 * 24 * time.Hour)
	rows := []struct {
		name   string
		before func(rdb *redis.Client)
		ids    []string
	}{
		{"one", nil, []string{"o1"}},
		{"all", nil, []string{"o0", "o1", "o2", "o3", "o4"}},
		{"some, not in their order", nil, []string{"o3", "o0", "o4"}},
		{"one that is not there", nil, []string{"other"}},
		{"one that is not there, among others", nil, []string{"o2", "other", "o1"}},
		{"one twice", nil, []string{"o2", "o2", "o1"}},
		{"not the first of the day", func(rdb *redis.Client) {
			rdb.Set(context.Background(), "asynq:{default}:processed:2026-11-23", 7, 0)
			rdb.Set(context.Background(), "asynq:{default}:processed", 70, 0)
		}, []string{"o1", "o2"}},
	}
	scripts := plainAsynq(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			plain, own := open(t), newBundle(t)
			for _, b := range []*bundle{plain, own} {
				b.work(t, "o0", "o1", "o2", "o3", "o4")
				if row.before != nil {
					row.before(b.rdb)
				}
			}
			var want []string
			for _, id := range row.ids {
				keys, args := doneCall(id, expires)
				want = append(want, verdict(scripts.done.Run(t.Context(), plain.rdb, keys, args...)))
			}
			if diff := cmp.Diff(want, own.doneTogether(t, row.ids, expires)); diff != "" {
				t.Errorf("answers (-Asynq +own):\n%s", diff)
			}
			if diff := cmp.Diff(plain.dump(t), own.dump(t)); diff != "" {
				t.Errorf("Redis holds (-Asynq +own):\n%s", diff)
			}
			ttl := own.rdb.TTL(t.Context(), "asynq:{default}:processed:2026-11-23").Val()
			if off := time.Until(expires.Add(-ttl)).Abs(); ttl > 0 && off > time.Minute {
				t.Errorf("the day's count expires %v from when it should", off)
			}
		})
	}
}

// verdict is what a script answers, as Asynq reads it.
func verdict(cmd *redis.Cmd) string {
	if err := cmd.Err(); err != nil {
		return err.Error()
	}
	return fmt.Sprint(cmd.Val())
}

// work lets orders be active, the first the oldest.
func (b *bundle) work(t *testing.T, ids ...string) {
	t.Helper()
	b.enqueue(t, order.QueueDefault, ids...)
	lane := b.idle(t, b.rdb).Lane(order.QueueDefault)
	for range ids {
		if _, err := dequeue(lane, order.QueueDefault); err != nil {
			t.Fatal(err)
		}
	}
}

// doneTogether says of these tasks that they are done, all in one script but the first of
// them, which nobody knows, and returns the answers.
func (b *bundle) doneTogether(t *testing.T, ids []string, expires time.Time) []string {
	t.Helper()
	slow := newStopper(func(cmd redis.Cmder) bool { return strings.HasPrefix(cmd.Name(), "eval") })
	scripts := &counter{match: func(cmd redis.Cmder) bool { return cmd.Name() == "evalsha" }}
	rdb := b.server.Client()
	rdb.AddHook(slow)
	rdb.AddHook(scripts)
	lane := b.idle(t, rdb).Lane(order.QueueDefault)
	answers := make([]string, len(ids))
	var all sync.WaitGroup
	say := func(ctx context.Context, id string) string {
		keys, args := doneCall(id, expires)
		return verdict(lane.EvalSha(ctx, queue.DoneSHA, keys, args...))
	}
	all.Go(func() { say(t.Context(), "nobody") })
	<-slow.reached
	for i, id := range ids {
		own := arriving{t.Context(), &sync.Once{}, make(chan struct{})}
		all.Go(func() { answers[i] = say(own, id) })
		<-own.arrived
	}
	close(slow.opened)
	all.Wait()
	if n := scripts.n.Load(); n != 2 {
		t.Errorf("%d tasks took %d scripts behind the first", len(ids), n-1)
	}
	return answers
}

// TestDoneFaults breaks the script that takes tasks off together, in both ways a
// network can: all callers hear of it, and the repeat says of each what Asynq's own
// would.
func TestDoneFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			b := open(t)
			b.work(t, "o1")
			lane := b.idle(t, b.broken).Lane(order.QueueDefault)
			keys, args := doneCall("o1", time.Now().Add(time.Hour))
			b.breaker.Break(fault, redistest.Script("asynq:{default}:active"))
			if err := lane.EvalSha(t.Context(), queue.DoneSHA, keys, args...).Err(); !errors.Is(err, redistest.ErrBroken) {
				t.Errorf("the broken script answered %v", err)
			}
			err := lane.EvalSha(t.Context(), queue.DoneSHA, keys, args...).Err()
			if applied := fault == redistest.ReplyLost; applied != (err != nil && strings.Contains(err.Error(), "NOT FOUND")) {
				t.Errorf("the repeat answered %v", err)
			}
			if n := b.rdb.Get(t.Context(), "asynq:{default}:processed").Val(); n != "1" || b.task(order.QueueDefault, "o1") != nil {
				t.Errorf("%s tasks are counted, the task is %+v", n, b.task(order.QueueDefault, "o1"))
			}
		})
	}
}

// TestFetchAsAsynq holds that what is fetched ahead leaves Redis as if Asynq had taken
// one task after the other, and is what Asynq would have got.
func TestFetchAsAsynq(t *testing.T) {
	t.Parallel()
	scripts := plainAsynq(t)
	rows := []struct {
		name   string
		before func(t *testing.T, b *bundle)
	}{
		{"an empty queue", func(*testing.T, *bundle) {}},
		{"one task", func(t *testing.T, b *bundle) { t.Helper(); b.enqueue(t, order.QueueDefault, "o1") }},
		{"three tasks", func(t *testing.T, b *bundle) { t.Helper(); b.enqueue(t, order.QueueDefault, "o1", "o2", "o3") }},
		{"three tasks behind some that are worked", func(t *testing.T, b *bundle) {
			t.Helper()
			b.work(t, "w1", "w2")
			b.enqueue(t, order.QueueDefault, "o1", "o2", "o3")
		}},
		{"a queue that is paused", func(t *testing.T, b *bundle) {
			t.Helper()
			b.enqueue(t, order.QueueDefault, "o1", "o2")
			b.rdb.Set(t.Context(), "asynq:{default}:paused", 1, 0)
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			plain, own := open(t), newBundle(t)
			row.before(t, plain)
			row.before(t, own)
			lane := own.idle(t, own.rdb).Lane(order.QueueDefault, order.QueueLow)
			for range 4 {
				const queueOfAll = "asynq:{default}:"
				want, wantErr := scripts.dequeue.Run(t.Context(), plain.rdb, []string{
					queueOfAll + "pending", queueOfAll + "paused", queueOfAll + "active", queueOfAll + "lease",
				}, time.Now().Add(30*time.Second).Unix(), queueOfAll+"t:").Text()
				got, err := dequeue(lane, order.QueueDefault)
				if got != want || !errors.Is(err, wantErr) {
					t.Errorf("Asynq gets %q, %v, a lane %q, %v", want, wantErr, got, err)
				}
			}
			if diff := cmp.Diff(plain.dump(t), own.dump(t)); diff != "" {
				t.Errorf("Redis holds (-Asynq +own):\n%s", diff)
			}
			checkLeases(t, plain, own)
		})
	}
}

// checkLeases wants leases that end at about the same time.
func checkLeases(t *testing.T, plain, own *bundle) {
	t.Helper()
	ends := map[string]float64{}
	for _, z := range plain.rdb.ZRangeWithScores(t.Context(), "asynq:{default}:lease", 0, -1).Val() {
		ends[z.Member.(string)] = z.Score
	}
	for _, z := range own.rdb.ZRangeWithScores(t.Context(), "asynq:{default}:lease", 0, -1).Val() {
		if off := z.Score - ends[z.Member.(string)]; off < -5 || off > 5 {
			t.Errorf("the lease of %s ends %v s after Asynq's", z.Member, off)
		}
	}
}

// TestOtherScripts holds that a lane passes on what it does not know, with the keys of
// any script it knows, also while it is held.
func TestOtherScripts(t *testing.T) {
	t.Parallel()
	const own = "asynq:{default}:"
	rows := map[string][]string{
		"dequeue":      {own + "pending", own + "paused", own + "active", own + "lease"},
		"done":         {own + "active", own + "lease", own + "t:o1", own + "processed:2026-11-23", own + "processed"},
		"none of ours": {own + "x", own + "y"},
	}
	for name, keys := range rows {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			b.enqueue(t, order.QueueDefault, "o1")
			script := redis.NewScript("return {KEYS[1], ARGV[1], redis.call('INCR', 'ran')}")
			sha, err := b.rdb.ScriptLoad(t.Context(), "return {KEYS[1], ARGV[1], redis.call('INCR', 'ran')}").Result()
			if err != nil || sha != script.Hash() {
				t.Fatalf("%s, %v", sha, err)
			}
			c := b.idle(t, b.rdb)
			lane := c.Lane(order.QueueDefault, order.QueueLow)
			for n := range 2 {
				c.Hold(n == 1)
				want := []any{keys[0], "o1", int64(n + 1)}
				got, err := lane.EvalSha(t.Context(), sha, keys, "o1").Slice()
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("%v, answered (-want +got):\n%s", err, diff)
				}
			}
			if diff := cmp.Diff([]string{"o1"}, b.pending(order.QueueDefault)); diff != "" {
				t.Errorf("pending (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDoneOfEachQueue holds that tasks of different queues which end at the same time
// count for their own.
func TestDoneOfEachQueue(t *testing.T) {
	b := open(t)
	cfg := config()
	cfg.Concurrency = 9
	var c collector
	var want []string
	counts := map[string]string{}
	for n, q := range order.Queues() {
		want = append(want, b.fill(t, q, n+1)...)
		counts["asynq:{"+string(q)+"}:processed"] = strconv.Itoa(n + 1)
	}
	b.consume(t, cfg, c.work)
	c.wait(t, want)
	eventually(t, "each queue counts its own", func() bool {
		got := map[string]string{}
		for key := range counts {
			got[key] = b.rdb.Get(context.Background(), key).Val()
		}
		return maps.Equal(counts, got)
	})
}
