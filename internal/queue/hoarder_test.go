package queue_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

// fill enqueues so many orders, and returns their ids, the oldest first.
func (b *bundle) fill(t *testing.T, q order.Queue, n int) []string {
	t.Helper()
	records, ids := make([]order.Record, n), make([]string, n)
	for i := range records {
		ids[i] = fmt.Sprintf("%s-%d", q, i)
		records[i] = record(ids[i], q)
	}
	for page := range slices.Chunk(records, 500) {
		if err := b.EnqueueAll(t.Context(), handovers(t, page)); err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

// pending is the orders of a queue that wait, the next to be taken first.
func (b *bundle) pending(q order.Queue) []string {
	ids := b.rdb.LRange(context.Background(), "asynq:{"+string(q)+"}:pending", 0, -1).Val()
	slices.Reverse(ids)
	return ids
}

// active is how many orders of a queue belong to workers.
func (b *bundle) active(q order.Queue) int {
	return int(b.rdb.LLen(context.Background(), "asynq:{"+string(q)+"}:active").Val())
}

// hoarder is a consumer that holds many tasks and begins few of them: most of its slots are
// reserved, and the others wait until they are released.
type hoarder struct {
	*queue.Consumer
	begun   chan string
	release chan struct{}
	cancel  func()
	ended   chan struct{}
}

const (
	hoarderSlots = 2
	// hoarderReserved is about how many tasks it holds ahead.
	hoarderReserved = 18
)

// hoard runs a hoarder on rdb until it is cancelled, at the latest when the test ends.
func (b *bundle) hoard(t *testing.T, rdb redis.UniversalClient) *hoarder {
	t.Helper()
	cfg := config()
	cfg.Concurrency, cfg.ReservedCritical = hoarderSlots+hoarderReserved, hoarderReserved
	h := &hoarder{begun: make(chan string, 1000), release: make(chan struct{}), ended: make(chan struct{})}
	var err error
	h.Consumer, err = queue.NewConsumer(rdb, cfg, handler(func(_ context.Context, id string) error {
		h.begun <- id
		<-h.release
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	h.SetMaxAge(time.Minute) // or a slow machine might give back what waitFull waits for
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	go func() {
		defer close(h.ended)
		if err := h.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	t.Cleanup(func() {
		h.free()
		cancel()
		<-h.ended
	})
	return h
}

// free releases the orders that are being worked, and those to come.
func (h *hoarder) free() {
	select {
	case <-h.release:
	default:
		close(h.release)
	}
}

// waitFull waits until its slots are taken and it holds tasks, and returns the
// orders it has begun.
func (h *hoarder) waitFull(t *testing.T) []string {
	t.Helper()
	eventually(t, "the slots are taken", func() bool { return len(h.begun) == hoarderSlots })
	// While other queues were asked, less was taken of this one, and no lane asks now. What
	// is fetched here is a moment younger, and must keep its place all the same.
	eventually(t, "tasks are held", func() bool {
		h.FetchAhead(order.QueueDefault)
		return h.Ahead() > hoarderReserved/2
	})
	ids := []string{<-h.begun, <-h.begun}
	slices.Sort(ids)
	return ids
}

// collector is a handler that notes what is delivered.
type collector struct {
	mu  sync.Mutex
	ids []string
}

func (c *collector) work(_ context.Context, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids = append(c.ids, id)
	return nil
}

// got returns what was delivered so far.
func (c *collector) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.ids)
}

// wait waits until these orders were delivered, each once and no others.
func (c *collector) wait(t *testing.T, want []string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d orders are delivered", len(want)), func() bool { return len(c.got()) >= len(want) })
	sorted := cmpopts.SortSlices(strings.Compare)
	if diff := cmp.Diff(want, c.got(), sorted); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
}

// stopper is a go-redis hook that holds back the first command that matches.
type stopper struct {
	match           func(redis.Cmder) bool
	once            sync.Once
	reached, opened chan struct{}
}

func newStopper(match func(redis.Cmder) bool) *stopper {
	return &stopper{match: match, reached: make(chan struct{}), opened: make(chan struct{})}
}

func (*stopper) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*stopper) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (s *stopper) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if s.match(cmd) {
			s.once.Do(func() {
				close(s.reached)
				<-s.opened
			})
		}
		return next(ctx, cmd)
	}
}

// cut is a go-redis hook that breaks all commands while it is on.
type cut struct {
	on     atomic.Bool
	broken atomic.Int32
}

func (*cut) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *cut) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if !c.on.Load() {
			return next(ctx, cmd)
		}
		c.broken.Add(1)
		cmd.SetErr(redistest.ErrBroken)
		return redistest.ErrBroken
	}
}

func (c *cut) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if !c.on.Load() {
			return next(ctx, cmds)
		}
		for _, cmd := range cmds {
			cmd.SetErr(redistest.ErrBroken)
		}
		return redistest.ErrBroken
	}
}

// fetches matches the script that fetches ahead.
func fetches(cmd redis.Cmder) bool {
	keys := redistest.Keys(cmd)
	return len(keys) == 4 && strings.HasSuffix(keys[0], ":active") && strings.HasSuffix(keys[3], ":paused")
}

// putsBack matches the script that gives tasks back.
func putsBack(cmd redis.Cmder) bool {
	keys := redistest.Keys(cmd)
	return len(keys) > 3 && strings.HasSuffix(keys[2], ":pending") && strings.Contains(keys[3], ":t:")
}

func (h *hoarder) twoBegun(t *testing.T) []string {
	t.Helper()
	ids := []string{receive(t, "an order begins", h.begun), receive(t, "another begins", h.begun)}
	slices.Sort(ids)
	return ids
}
