package prefetch_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue/prefetch"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

func TestMain(m *testing.M) { queuetest.Main(m) }

// The keys of the queue that most tests use.
const (
	keyPrefix  = "asynq:{default}:"
	keyPending = keyPrefix + "pending"
	keyActive  = keyPrefix + "active"
	keyLease   = keyPrefix + "lease"
	keyPaused  = keyPrefix + "paused"
	keyTask    = keyPrefix + "t:"
)

// bundle is what each test gets: a Redis of its own with plain Asynq.
type bundle struct {
	*queuetest.Redis
	names map[order.Queue][]string // set if there are several books
}

// open makes the test parallel and returns its bundle.
func open(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	return newBundle(t)
}

func newBundle(t *testing.T) *bundle {
	t.Helper()
	return &bundle{Redis: queuetest.Start(t)}
}

// enqueue adds tasks to a queue, with plain Asynq and without an announcement.
func (b *bundle) enqueue(t *testing.T, q order.Queue, ids ...string) {
	t.Helper()
	for _, id := range ids {
		_, err := b.Client.Enqueue(asynq.NewTask("order", nil), asynq.TaskID(id), asynq.Queue(string(q)))
		queuetest.Must(t, err)
	}
}

// idsOf returns so many ids for a queue.
func (*bundle) idsOf(q order.Queue, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s-%d", q, i)
	}
	return ids
}

// fill adds so many tasks, and returns their ids, the oldest first.
func (b *bundle) fill(t *testing.T, q order.Queue, n int) []string {
	t.Helper()
	ids := b.idsOf(q, n)
	b.enqueue(t, q, ids...)
	return ids
}

// send adds tasks in a batch, and wakes the queue low and theirs.
func (b *bundle) send(t *testing.T, q order.Queue, ids ...string) {
	t.Helper()
	client := asynq.NewClientFromRedisClient(prefetch.NewClient(b.RDB))
	ctx, batch := prefetch.NewBatch(t.Context())
	for _, id := range ids {
		_, err := client.EnqueueContext(ctx, asynq.NewTask("order", nil), asynq.TaskID(id), asynq.Queue(string(q)))
		queuetest.Must(t, err)
	}
	batch.Send(t.Context(), b.RDB, []string{"low", string(q)})
}

// active is the active tasks of the default queue that have a lease, sorted.
func (b *bundle) active() []string {
	ids := b.RDB.LRange(context.Background(), keyActive, 0, -1).Val()
	slices.Sort(ids)
	leases := b.RDB.ZRange(context.Background(), keyLease, 0, -1).Val()
	return slices.DeleteFunc(ids, func(id string) bool { return !slices.Contains(leases, id) })
}

// requeue replaces the requeue of package queue. It can be made to fail.
func (b *bundle) requeue(ctx context.Context, name string, tasks []prefetch.Task) error {
	own := "asynq:{" + name + "}:"
	for _, t := range tasks {
		lease, err := b.Broken.ZScore(ctx, own+"lease", t.ID).Result()
		if err != nil {
			return err
		}
		if strconv.FormatInt(int64(lease), 10) != t.Lease {
			return fmt.Errorf("%s has lease %v, not %s", t.ID, lease, t.Lease)
		}
	}
	_, err := b.Broken.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, t := range slices.Backward(tasks) {
			pipe.LRem(ctx, own+"active", 0, t.ID)
			pipe.ZRem(ctx, own+"lease", t.ID)
			pipe.HSet(ctx, own+"t:"+t.ID, "state", "pending")
			pipe.RPush(ctx, own+"pending", t.ID)
		}
		return nil
	})
	return err
}

// prefetcher returns a prefetcher on the client that can be broken, which does not run.
func (b *bundle) prefetcher() *prefetch.Prefetcher {
	return b.prefetcherOn(b.Broken, 1, new(atomic.Int64))
}

func (b *bundle) prefetcherOn(rdb redis.UniversalClient, slots int, running *atomic.Int64) *prefetch.Prefetcher {
	return prefetch.New(rdb, prefetch.Config{
		Slots: slots, Names: b.names, Running: func() int { return int(running.Load()) },
		Requeue: b.requeue, Log: slog.New(slog.DiscardHandler),
	})
}

// worker is Asynq servers on a prefetcher, as package queue starts them.
type worker struct {
	*prefetch.Prefetcher
	cancel func()
	ended  <-chan struct{}
}

// workerConfig is how a worker's slots are shared. Idle slots are on a server of the
// critical queue: they let the prefetcher fetch more tasks than the others begin.
type workerConfig struct {
	servers, slots, idle int
	retryAfter           time.Duration // a second if it is zero
}

// work runs a worker on rdb until it is cancelled, at the latest when the test ends.
func (b *bundle) work(t *testing.T, rdb redis.UniversalClient, cfg workerConfig, handle func(ctx context.Context, id string) error) *worker {
	t.Helper()
	running := &atomic.Int64{}
	w := &worker{Prefetcher: b.prefetcherOn(rdb, cfg.servers*cfg.slots+cfg.idle, running)}
	handler := asynq.HandlerFunc(func(ctx context.Context, _ *asynq.Task) error {
		running.Add(1)
		defer running.Add(-1)
		id, _ := asynq.GetTaskID(ctx)
		return handle(ctx, id)
	})
	serve := func(slots int, weights map[string]int, queues ...order.Queue) *asynq.Server {
		s := asynq.NewServerFromRedisClient(w.Client(queues...), asynq.Config{
			Concurrency: slots, Queues: weights, TaskCheckInterval: time.Millisecond, ShutdownTimeout: programtest.Patience,
			LogLevel: asynq.FatalLevel, RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return cmp.Or(cfg.retryAfter, time.Second) },
		})
		queuetest.Must(t, s.Start(handler))
		return s
	}
	var servers []*asynq.Server
	for range cfg.servers {
		servers = append(servers, serve(cfg.slots, map[string]int{"critical": 6, "default": 3, "low": 1}, order.Queues()...))
	}
	if cfg.idle > 0 {
		servers = append(servers, serve(cfg.idle, map[string]int{"critical": 1}, order.QueueCritical))
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	w.cancel, w.ended = cancel, ended
	go func() {
		defer close(ended)
		var all sync.WaitGroup
		all.Go(func() { w.Run(ctx) })
		<-ctx.Done()
		for _, s := range servers {
			all.Go(s.Shutdown)
		}
		all.Wait()
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return w
}

// hoarder is a worker that begins two orders, keeps them until they are released, and
// prefetches more.
type hoarder struct {
	*worker
	begun   chan string
	release func()
}

const (
	hoarderSlots = 2
	hoarderIdle  = 18
)

func (b *bundle) hoard(t *testing.T, rdb redis.UniversalClient) *hoarder {
	t.Helper()
	h, opened := &hoarder{begun: make(chan string, 1000)}, make(chan struct{})
	h.release = sync.OnceFunc(func() { close(opened) })
	h.worker = b.work(t, rdb, workerConfig{servers: 1, slots: hoarderSlots, idle: hoarderIdle}, func(_ context.Context, id string) error {
		h.begun <- id
		<-opened
		return nil
	})
	h.SetMaxAge(time.Hour) // however slow the machine is
	t.Cleanup(h.release)
	return h
}

// waitFull waits until the hoarder has begun orders of the default queue and holds more,
// and returns those that it has begun.
func (h *hoarder) waitFull(t *testing.T) []string {
	t.Helper()
	begun := h.twoBegun(t)
	// Fewer may have been fetched while other queues were asked, and no server asks now.
	programtest.Until(t, "tasks are buffered", func() bool {
		h.Fetch(order.QueueDefault)
		return h.Buffered() > hoarderIdle/2
	})
	return begun
}

func (h *hoarder) twoBegun(t *testing.T) []string {
	t.Helper()
	ids := []string{queuetest.Receive(t, "an order begins", h.begun), queuetest.Receive(t, "another begins", h.begun)}
	slices.Sort(ids)
	return ids
}

// countAnswered counts the commands on rdb that match and were answered.
func countAnswered(rdb *redis.Client, match func(redis.Cmder) bool) *atomic.Int32 {
	n := &atomic.Int32{}
	rdb.AddHook(redistest.Hook(func(cmds []redis.Cmder, send func() error) error {
		err := send()
		if match(cmds[0]) && err == nil {
			n.Add(1)
		}
		return err
	}))
	return n
}

// stopFirst delays the first command on rdb that matches: it closes reached and waits for
// release.
func stopFirst(rdb *redis.Client, match func(redis.Cmder) bool) (reached <-chan struct{}, release func()) {
	arrived, released := make(chan struct{}), make(chan struct{})
	var once sync.Once
	rdb.AddHook(redistest.Hook(func(cmds []redis.Cmder, send func() error) error {
		if match(cmds[0]) {
			once.Do(func() {
				close(arrived)
				<-released
			})
		}
		return send()
	}))
	return arrived, func() { close(released) }
}

// isFetch matches the script that fetches tasks.
func isFetch(cmd redis.Cmder) bool {
	keys := redistest.Keys(cmd)
	return len(keys) == 4 && strings.HasSuffix(keys[0], ":pending") && strings.HasSuffix(keys[1], ":paused")
}

func isFetchOf(q order.Queue) func(redis.Cmder) bool {
	return func(cmd redis.Cmder) bool { return isFetch(cmd) && strings.Contains(redistest.Keys(cmd)[0], string(q)) }
}

// dequeue asks for a task of a queue as Asynq does, and returns its message.
func dequeue(client redis.UniversalClient, q order.Queue) (string, error) {
	own := "asynq:{" + string(q) + "}:"
	keys := []string{own + "pending", own + "paused", own + "active", own + "lease"}
	return client.EvalSha(context.Background(), prefetch.DequeueSHA, keys, time.Now().Add(30*time.Second).Unix(), own+"t:").Text()
}
