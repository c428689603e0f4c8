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
	"github.com/hibiken/asynq"
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
	eventually(t, "the slots are taken and tasks are held", func() bool {
		return len(h.begun) == hoarderSlots && h.Ahead() > hoarderReserved/2
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

// putsBack matches the script that gives a task back.
func putsBack(cmd redis.Cmder) bool {
	keys := redistest.Keys(cmd)
	return len(keys) == 4 && strings.HasSuffix(keys[0], ":active") && strings.Contains(keys[3], ":t:")
}

// TestAheadIsBounded holds that a worker which can begin no more orders fetches no
// more than its slots ahead.
func TestAheadIsBounded(t *testing.T) {
	b := open(t)
	b.fill(t, order.QueueDefault, 400)
	cfg := config()
	const slots = 6
	cfg.Concurrency, cfg.Lanes = slots, 3
	var running atomic.Int32
	release := make(chan struct{})
	b.consume(t, cfg, func(context.Context, string) error {
		running.Add(1)
		<-release
		return nil
	})
	t.Cleanup(func() { close(release) })
	eventually(t, "all slots are taken", func() bool { return running.Load() == slots })
	never(t, "tasks were hoarded", func() bool { return b.active(order.QueueDefault) > 2*slots+1 })
}

// TestAheadCountsWhatIsWorked holds that a worker with few free slots fetches few
// tasks.
func TestAheadCountsWhatIsWorked(t *testing.T) {
	b := open(t)
	cfg := config()
	const slots = 30
	cfg.Concurrency, cfg.Lanes = slots, 3
	var running atomic.Int32
	release := make(chan struct{})
	b.consume(t, cfg, func(context.Context, string) error {
		running.Add(1)
		<-release
		return nil
	})
	t.Cleanup(func() { close(release) })
	for n := range slots - 2 {
		b.enqueue(t, order.QueueLow, fmt.Sprint("l", n))
	}
	eventually(t, "nearly all slots are taken", func() bool { return running.Load() == slots-2 })
	b.fill(t, order.QueueDefault, 100)
	eventually(t, "all slots are taken", func() bool { return running.Load() == slots })
	if n := b.active(order.QueueDefault); n > 10 {
		t.Errorf("%d tasks were fetched for two free slots", n)
	}
}

// TestDeliveredOnce holds that all orders are delivered once each, and that as many
// lanes as there are share them, fetching many at a time.
func TestDeliveredOnce(t *testing.T) {
	b := open(t)
	var want []string
	for _, q := range order.Queues() {
		want = append(want, b.fill(t, q, 100)...)
	}
	looks := &counter{match: fetches}
	b.broken.AddHook(looks)
	cfg := config()
	cfg.Concurrency, cfg.Lanes, cfg.ReservedCritical = 12, 4, 2
	var c collector
	b.consume(t, cfg, c.work)
	c.wait(t, want)
	for _, q := range order.Queues() {
		eventually(t, "all orders are off queue "+string(q), func() bool { return b.active(q)+len(b.pending(q)) == 0 })
	}
	c.wait(t, want)
	if n := looks.n.Load(); int(n) >= len(want) {
		t.Errorf("%d orders took %d fetches", len(want), n)
	}
}

// TestWeights holds that full queues have their turns about as often as their
// weights say, 6 to 3 to 1.
func TestWeights(t *testing.T) {
	b := open(t)
	for _, q := range order.Queues() {
		b.fill(t, q, 600)
	}
	cfg := config()
	cfg.Concurrency, cfg.Lanes = 4, 2
	var c collector
	b.consume(t, cfg, c.work)
	eventually(t, "600 orders are delivered", func() bool { return len(c.got()) >= 600 })
	shares := map[order.Queue]int{}
	for _, id := range c.got()[:600] {
		name, _, _ := strings.Cut(id, "-")
		shares[order.Queue(name)]++
	}
	for q, want := range map[order.Queue][2]int{
		order.QueueCritical: {270, 450}, order.QueueDefault: {100, 260}, order.QueueLow: {20, 120},
	} {
		if n := shares[q]; n < want[0] || n > want[1] {
			t.Errorf("of 600 orders %d came from queue %s, want %d to %d: %v", n, q, want[0], want[1], shares)
		}
	}
}

// TestReservedSlotsAsk holds that a reserved slot takes critical orders alone, also
// when it could have others without asking Redis.
func TestReservedSlotsAsk(t *testing.T) {
	b := open(t)
	b.fill(t, order.QueueDefault, 40)
	h := b.hoard(t, b.broken)
	h.waitFull(t)
	never(t, "a reserved slot took another order", func() bool { return len(h.begun) > 0 })
	b.enqueue(t, order.QueueCritical, "c1")
	if id := receive(t, "the critical order begins", h.begun); id != "c1" {
		t.Errorf("%s began", id)
	}
}

// TestLaneAsksAnew holds that a lane which finds no task gives its question up long
// before a lease ends. Asynq counts the lease of what it gets from the time when it
// asked: with an older question it would not acknowledge what it has worked.
func TestLaneAsksAnew(t *testing.T) {
	t.Parallel()
	for name, queues := range map[string][]order.Queue{
		"reserved": {order.QueueCritical}, "shared": order.Queues(),
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			h := b.hoard(t, b.broken)
			lane := h.Lane(queues...)
			var answers sync.WaitGroup
			answered := make(chan struct{})
			for range 3 { // one of them would always be answered
				answers.Go(func() {
					if _, err := dequeue(lane, order.QueueCritical); err != redis.Nil { //nolint:errorlint // as Asynq compares
						t.Errorf("an empty queue answered %v", err)
					}
				})
			}
			go func() {
				answers.Wait()
				close(answered)
			}()
			select {
			case <-answered:
			case <-time.After(patience / 3):
				t.Error("a lane still waits for the answer to one question")
				h.cancel()
				<-answered
			}
		})
	}
}

// dequeue asks as Asynq does for the task of a queue, and returns its message.
func dequeue(lane redis.UniversalClient, q order.Queue) (string, error) {
	own := "asynq:{" + string(q) + "}:"
	keys := []string{own + "pending", own + "paused", own + "active", own + "lease"}
	return lane.EvalSha(context.Background(), queue.DequeueSHA, keys, time.Now().Add(30*time.Second).Unix(), own+"t:").Text()
}

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
	s := sweep(t)
	ids := s.fill(t, order.QueueDefault, 40)
	dead, gone := s.server.Client(), &cut{}
	dead.AddHook(gone)
	h := s.hoard(t, dead)
	h.waitFull(t)
	gone.on.Store(true)
	held := s.active(order.QueueDefault)
	strays := s.look(t, 12)
	if len(strays) != held || held <= hoarderSlots {
		t.Fatalf("%d strays, the worker held %d orders", len(strays), held)
	}
	for _, stray := range strays {
		if done, err := s.PutBack(t.Context(), stray); !done || err != nil || stray.Lease == "" {
			t.Errorf("put %+v back: %t, %v", stray, done, err)
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

// TestFetchFaults breaks a fetch in both ways a network can. What was taken off its
// queue without an answer is a stray; all orders are delivered, each once.
func TestFetchFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			s := sweep(t)
			ids := s.fill(t, order.QueueDefault, 20)
			s.breaker.Break(fault, func(c redis.Cmder) bool { return fetches(c) && strings.Contains(redistest.Keys(c)[0], "default") })
			cfg := config()
			cfg.Concurrency = 4
			var c collector
			s.consume(t, cfg, c.work)
			eventually(t, "nothing waits", func() bool {
				return len(s.pending(order.QueueDefault)) == 0 && s.active(order.QueueDefault) == len(ids)-len(c.got())
			})
			strays := s.look(t, 12)
			if len(strays) != len(ids)-len(c.got()) || (len(strays) > 0) != (fault == redistest.ReplyLost) {
				t.Errorf("%d strays, %d of %d orders delivered", len(strays), len(c.got()), len(ids))
			}
			for _, stray := range strays {
				if done, err := s.PutBack(t.Context(), stray); !done || err != nil {
					t.Errorf("put %+v back: %t, %v", stray, done, err)
				}
			}
			c.wait(t, ids)
			if s.breaker.Fired() != 1 {
				t.Errorf("%d fetches were broken", s.breaker.Fired())
			}
		})
	}
}

// TestGiveBackFaults breaks giving back in both ways a network can. The order that
// it was about is pending, or a stray; the others are pending.
func TestGiveBackFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			s := sweep(t)
			ids := s.fill(t, order.QueueDefault, 15)
			h := s.hoard(t, s.broken)
			h.waitFull(t)
			s.breaker.Break(fault, putsBack)
			h.cancel()
			eventually(t, "tasks are given back", func() bool { return h.Ahead() == 0 && s.breaker.Fired() == 1 })
			h.free()
			receive(t, "Run returns", h.ended)
			strays := s.look(t, 12)
			if (len(strays) == 1) != (fault == redistest.NotApplied) {
				t.Errorf("%d strays", len(strays))
			}
			left := s.pending(order.QueueDefault)
			for _, stray := range strays {
				left = append(left, stray.ID)
			}
			if diff := cmp.Diff(ids[hoarderSlots:], left, cmpopts.SortSlices(strings.Compare)); diff != "" || len(h.begun) > 0 {
				t.Errorf("%d more were begun, left (-want +got):\n%s", len(h.begun), diff)
			}
		})
	}
}

// TestFetchAfterAnOutage holds that a consumer goes on when Redis has been away, or
// has been restarted.
func TestFetchAfterAnOutage(t *testing.T) {
	t.Parallel()
	t.Run("away", func(t *testing.T) {
		b := open(t)
		away := &cut{}
		rdb := b.server.Client()
		rdb.AddHook(away)
		h := b.hoard(t, rdb)
		away.on.Store(true)
		ids := b.fill(t, order.QueueDefault, 2)
		eventually(t, "Redis is asked in vain", func() bool { return away.broken.Load() > 5 })
		away.on.Store(false)
		if diff := cmp.Diff(ids, h.twoBegun(t)); diff != "" {
			t.Errorf("begun (-want +got):\n%s", diff)
		}
	})
	t.Run("restarted", func(t *testing.T) {
		b := open(t)
		h := b.hoard(t, b.broken)
		b.server.Kill()
		b.server.Restart()
		records := []order.Record{record("o1", order.QueueDefault), record("o2", order.QueueDefault)}
		eventually(t, "the orders are queued", func() bool {
			return b.EnqueueAll(t.Context(), handovers(t, records)) == nil
		})
		if diff := cmp.Diff([]string{"o1", "o2"}, h.twoBegun(t)); diff != "" {
			t.Errorf("begun (-want +got):\n%s", diff)
		}
	})
}

func (h *hoarder) twoBegun(t *testing.T) []string {
	t.Helper()
	ids := []string{receive(t, "an order begins", h.begun), receive(t, "another begins", h.begun)}
	slices.Sort(ids)
	return ids
}

// TestFetchFromAFullRedis holds that workers work off what waits when memory is full:
// that is what frees it.
func TestFetchFromAFullRedis(t *testing.T) {
	b := open(t)
	ids := b.fill(t, order.QueueDefault, 10)
	b.rdb.ConfigSet(t.Context(), "maxmemory", "1")
	var c collector
	b.consume(t, config(), c.work)
	c.wait(t, ids)
	eventually(t, "all orders are off the queue", func() bool { return b.active(order.QueueDefault) == 0 })
	for _, id := range ids {
		if task := b.task(order.QueueDefault, id); task != nil {
			t.Errorf("the task of %s is %v", id, task.State)
		}
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
