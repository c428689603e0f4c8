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
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/batch/batchtest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue/prefetch"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// asynqScripts are the scripts of the Asynq that this program is built with.
type asynqScripts struct {
	mu                              sync.Mutex
	enqueue, dequeue, done, forward *redis.Script
}

// send records the scripts that Asynq runs on a Redis that knows none.
func (s *asynqScripts) send(cmds []redis.Cmder, send func() error) error {
	if cmd := cmds[0]; cmd.Name() == "eval" {
		s.record(redistest.Keys(cmd), redis.NewScript(cmd.Args()[1].(string)))
	}
	return send()
}

func (s *asynqScripts) record(keys []string, script *redis.Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	is := func(n int, ends ...string) bool {
		for i, end := range ends {
			if len(keys) != n || !strings.HasSuffix(keys[i], end) {
				return false
			}
		}
		return true
	}
	switch {
	case is(2, ":t:o1", ":pending"):
		s.enqueue = script
	case is(4, ":pending", ":paused", ":active", ":lease"):
		s.dequeue = script
	case is(5, ":active", ":lease", ":t:o1"):
		s.done = script
	case is(2, ":scheduled", ":pending"):
		s.forward = script
	}
}

func (s *asynqScripts) complete() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enqueue != nil && s.dequeue != nil && s.done != nil && s.forward != nil
}

// recordScripts has plain Asynq work one task, and returns its scripts.
func recordScripts(t *testing.T) *asynqScripts {
	t.Helper()
	scripts := &asynqScripts{}
	rdb := redistest.Start(t).Client()
	rdb.AddHook(redistest.Hook(scripts.send))
	_, err := asynq.NewClientFromRedisClient(rdb).Enqueue(asynq.NewTask("order", nil), asynq.TaskID("o1"), asynq.Queue("default"))
	queuetest.Must(t, err)
	server := asynq.NewServerFromRedisClient(rdb, asynq.Config{
		Concurrency: 1, Queues: map[string]int{"default": 1}, LogLevel: asynq.FatalLevel, TaskCheckInterval: time.Millisecond,
		DelayedTaskCheckInterval: time.Millisecond,
	})
	queuetest.Must(t, server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error { return nil })))
	defer server.Shutdown()
	programtest.Until(t, "Asynq has worked a task", scripts.complete)
	return scripts
}

// TestScriptsOfAsynq checks that the scripts which are replaced are those of the Asynq that
// this program is built with.
func TestScriptsOfAsynq(t *testing.T) {
	t.Parallel()
	scripts := recordScripts(t)
	want := []string{scripts.enqueue.Hash(), scripts.dequeue.Hash(), scripts.done.Hash()}
	if diff := cmp.Diff(want, []string{prefetch.EnqueueSHA, prefetch.DequeueSHA, prefetch.DoneSHA}); diff != "" {
		t.Errorf("SHA-1s of enqueue, dequeue and done (-Asynq +known):\n%s", diff)
	}
}

// activate makes tasks active, the first the oldest.
func (b *bundle) activate(t *testing.T, ids ...string) {
	t.Helper()
	b.enqueue(t, order.QueueDefault, ids...)
	client := b.prefetcherOn(b.RDB, 1, new(atomic.Int64)).Client(order.QueueDefault)
	for range ids {
		_, err := dequeue(client, order.QueueDefault)
		queuetest.Must(t, err)
	}
}

// doneCall is the keys and arguments with which Asynq acknowledges a task.
func doneCall(id string, expires time.Time) (keys []string, args []any) {
	keys = []string{keyActive, keyLease, keyTask + id, keyPrefix + "processed:2026-11-23", keyPrefix + "processed"}
	return keys, []any{id, expires.Unix(), int64(1<<63 - 1)}
}

// TestAcknowledgeAsAsynq checks that tasks which are acknowledged together leave Redis as if
// Asynq had acknowledged one after the other.
func TestAcknowledgeAsAsynq(t *testing.T) {
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
			rdb.Set(context.Background(), keyPrefix+"processed:2026-11-23", 7, 0)
			rdb.Set(context.Background(), keyPrefix+"processed", 70, 0)
		}, []string{"o1", "o2"}},
	}
	scripts := recordScripts(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			plain, own := open(t), newBundle(t)
			for _, b := range []*bundle{plain, own} {
				b.activate(t, "o0", "o1", "o2", "o3", "o4")
				if row.before != nil {
					row.before(b.RDB)
				}
			}
			var want []string
			for _, id := range row.ids {
				keys, args := doneCall(id, expires)
				want = append(want, answerOf(scripts.done.Run(t.Context(), plain.RDB, keys, args...)))
			}
			if diff := cmp.Diff(want, own.acknowledge(t, row.ids, expires)); diff != "" {
				t.Errorf("answers (-Asynq +own):\n%s", diff)
			}
			checkSameRedis(t, plain, own)
			ttl := own.RDB.TTL(t.Context(), keyPrefix+"processed:2026-11-23").Val()
			if off := time.Until(expires.Add(-ttl)).Abs(); ttl > 0 && off > time.Minute {
				t.Errorf("the count of the day expires %v from when it should", off)
			}
		})
	}
}

// answerOf is what a script answers, as Asynq reads it.
func answerOf(cmd *redis.Cmd) string {
	if err := cmd.Err(); err != nil {
		return err.Error()
	}
	return fmt.Sprint(cmd.Val())
}

// acknowledge acknowledges these tasks in one script, which waits for a first one to be
// finished that nobody knows, and returns the answers.
func (b *bundle) acknowledge(t *testing.T, ids []string, expires time.Time) []string {
	t.Helper()
	rdb := b.Server.Client()
	reached, release := stopFirst(rdb, func(cmd redis.Cmder) bool { return strings.HasPrefix(cmd.Name(), "eval") })
	scripts := countAnswered(rdb, redistest.Script(keyActive))
	client := b.prefetcherOn(rdb, 1, new(atomic.Int64)).Client(order.QueueDefault)
	answers := make([]string, len(ids))
	done := func(ctx context.Context, id string) string {
		keys, args := doneCall(id, expires)
		return answerOf(client.EvalSha(ctx, prefetch.DoneSHA, keys, args...))
	}
	var sending sync.WaitGroup
	sending.Go(func() { done(t.Context(), "nobody") })
	<-reached
	batchtest.Together(len(ids), release, func(i int, join func(context.Context) context.Context) {
		answers[i] = done(join(t.Context()), ids[i])
	})
	sending.Wait()
	if n := scripts.Load(); n != 2 {
		t.Errorf("%d tasks took %d scripts after the first", len(ids), n-1)
	}
	return answers
}

// TestFetchAsAsynq checks that fetching leaves Redis as if Asynq had fetched one task after
// the other, and gives a server the messages that it would have got.
func TestFetchAsAsynq(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		before func(t *testing.T, b *bundle)
	}{
		{"an empty queue", func(*testing.T, *bundle) {}},
		{"one task", func(t *testing.T, b *bundle) { b.enqueue(t, order.QueueDefault, "o1") }},
		{"three tasks", func(t *testing.T, b *bundle) { b.enqueue(t, order.QueueDefault, "o1", "o2", "o3") }},
		{"three tasks, others are active", func(t *testing.T, b *bundle) {
			b.activate(t, "w1", "w2")
			b.enqueue(t, order.QueueDefault, "o1", "o2", "o3")
		}},
		{"a paused queue", func(t *testing.T, b *bundle) {
			b.enqueue(t, order.QueueDefault, "o1", "o2")
			b.RDB.Set(t.Context(), keyPaused, 1, 0)
		}},
	}
	scripts := recordScripts(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			plain, own := open(t), newBundle(t)
			row.before(t, plain)
			row.before(t, own)
			client := own.prefetcher().Client(order.QueueDefault, order.QueueLow)
			for range 4 {
				keys := []string{keyPending, keyPaused, keyActive, keyLease}
				want, wantErr := scripts.dequeue.Run(t.Context(), plain.RDB, keys, time.Now().Add(30*time.Second).Unix(), keyTask).Text()
				got, err := dequeue(client, order.QueueDefault)
				if got != want || !errors.Is(err, wantErr) {
					t.Errorf("Asynq gets %q, %v, a server %q, %v", want, wantErr, got, err)
				}
			}
			checkSameRedis(t, plain, own)
			checkSameLeases(t, plain, own)
		})
	}
}

// checkSameLeases checks that the leases end at about the same time.
func checkSameLeases(t *testing.T, plain, own *bundle) {
	t.Helper()
	for _, z := range own.RDB.ZRangeWithScores(t.Context(), keyLease, 0, -1).Val() {
		if off := z.Score - plain.RDB.ZScore(t.Context(), keyLease, z.Member.(string)).Val(); off < -5 || off > 5 {
			t.Errorf("the lease of %s ends %v s after Asynq's", z.Member, off)
		}
	}
}

// TestEnqueueAsAsynq checks that tasks which are added in a batch leave Redis as if Asynq
// had added one after the other, whatever tasks there are already, and that Send reports
// which were added.
func TestEnqueueAsAsynq(t *testing.T) {
	t.Parallel()
	due := asynq.ProcessAt(time.Now().Add(time.Hour))
	var all [][]asynq.Option
	for n := range 12 {
		opts := []asynq.Option{asynq.TaskID(fmt.Sprint("o", n)), asynq.Queue(string(order.Queues()[(n+1)%3]))}
		if n%4 == 3 {
			opts = append(opts, due)
		}
		all = append(all, opts)
	}
	rows := []struct {
		name   string
		before func(t *testing.T, b *bundle)
		tasks  [][]asynq.Option
	}{
		{"none", nil, nil},
		{"one", nil, all[:1]},
		{"of all queues, some for later", nil, all},
		{"some are pending already", func(t *testing.T, b *bundle) { b.enqueue(t, order.QueueDefault, "o0", "o3") }, all},
		{"some are active", func(t *testing.T, b *bundle) { b.activate(t, "o0", "o6") }, all},
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
			client := asynq.NewClientFromRedisClient(prefetch.NewClient(own.RDB))
			ctx, batch := prefetch.NewBatch(t.Context())
			want := make([]bool, len(row.tasks))
			for i, opts := range row.tasks {
				_, err := plain.Client.Enqueue(asynq.NewTask("order", nil), opts...)
				want[i] = err == nil
				_, err = client.EnqueueContext(ctx, asynq.NewTask("order", nil), opts...)
				queuetest.Must(t, err)
			}
			got := batch.Send(t.Context(), own.RDB, nil)
			for i, opts := range row.tasks { // the scripts of scheduled tasks were not known yet
				if !got[i] {
					_, err := client.Enqueue(asynq.NewTask("order", nil), opts...)
					got[i] = err == nil
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("added (-Asynq +own):\n%s", diff)
			}
			checkSameRedis(t, plain, own)
			for _, key := range own.RDB.Keys(t.Context(), "asynq:{*}:t:*").Val() {
				since, _ := own.RDB.HGet(t.Context(), key, "pending_since").Int64()
				if pending := own.RDB.HGet(t.Context(), key, "state").Val() == "pending"; pending && time.Since(time.Unix(0, since)).Abs() > time.Minute {
					t.Errorf("%s is pending since %d", key, since)
				}
			}
		})
	}
}

// TestForwardAsAsynq checks that tasks which are due leave Redis as if Asynq had forwarded
// them, and the others wait.
func TestForwardAsAsynq(t *testing.T) {
	t.Parallel()
	scripts := recordScripts(t)
	plain, own := newBundle(t), newBundle(t)
	for _, b := range []*bundle{plain, own} {
		for n := range 253 {
			id := fmt.Sprintf("o%03d", n)
			_, err := b.Client.Enqueue(asynq.NewTask("order", nil), asynq.TaskID(id), asynq.Queue("default"), asynq.ProcessIn(time.Hour))
			queuetest.Must(t, err)
			if n >= 3 {
				b.RDB.ZAdd(t.Context(), keyPrefix+"scheduled", redis.Z{Score: float64(1000 + n%7), Member: id})
			}
		}
	}
	for moved := 1; moved > 0; {
		var err error
		moved, err = scripts.forward.Run(t.Context(), plain.RDB, []string{keyPrefix + "scheduled", keyPending},
			time.Now().Unix(), keyTask, time.Now().UnixNano(), keyPrefix+"g:").Int()
		queuetest.Must(t, err)
	}
	own.prefetcher().Forward(t.Context(), "default", "scheduled")
	checkSameRedis(t, plain, own)
	if n := own.RDB.ZCard(t.Context(), keyPrefix+"scheduled").Val(); n != 3 {
		t.Errorf("%d tasks wait for their time", n)
	}
}

// checkSameRedis compares all keys, what they hold and whether they expire. Leases, and the
// times since when tasks are pending, differ a little between the two.
func checkSameRedis(t *testing.T, plain, own *bundle) {
	t.Helper()
	if diff := cmp.Diff(plain.dump(t), own.dump(t)); diff != "" {
		t.Errorf("Redis (-Asynq +own):\n%s", diff)
	}
}

func (b *bundle) dump(t *testing.T) map[string]string {
	t.Helper()
	ctx, dump := t.Context(), map[string]string{}
	for _, key := range b.RDB.Keys(ctx, "*").Val() {
		var content any
		switch kind := b.RDB.Type(ctx, key).Val(); kind {
		case "string":
			content = b.RDB.Get(ctx, key).Val()
		case "list":
			content = b.RDB.LRange(ctx, key, 0, -1).Val()
		case "set":
			content = slices.Sorted(slices.Values(b.RDB.SMembers(ctx, key).Val()))
		case "hash":
			fields := b.RDB.HGetAll(ctx, key).Val()
			delete(fields, "pending_since")
			content = fields
		case "zset":
			content = slices.Sorted(slices.Values(b.RDB.ZRange(ctx, key, 0, -1).Val()))
		default:
			t.Fatalf("key %s is a %s", key, kind)
		}
		dump[key] = fmt.Sprint(content, b.RDB.TTL(ctx, key).Val() > 0)
	}
	return dump
}
