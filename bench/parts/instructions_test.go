package parts_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

const (
	// counted is how many orders a step is counted for, after as many that load the
	// scripts.
	counted = 1_000
	// callers is how many callers share batches.
	callers = 64
)

// TestInstructions counts the instructions that Redis executes for each step of an order:
// a figure that a busy machine does not change. It needs valgrind, and prints the figures
// with -v.
func TestInstructions(t *testing.T) {
	c := startCounting(t)
	l := ledger.New(c.rdb)
	records := make([]order.Record, 3*counted)
	accept := func(first int) { acceptAll(t, l, records, first) }
	get := c.each(func(ctx context.Context, n int) error { _, err := l.Get(ctx, fillID(n)); return err })
	done := order.Outcome{Status: order.StatusCompleted, Shop: order.ShopAnswered}
	begin := func(out *order.Outcome) func(int) {
		return c.each(func(ctx context.Context, n int) error { _, err := l.Begin(ctx, claimOf(n, out)); return err })
	}
	settle := c.each(func(ctx context.Context, n int) error { return l.Settle(ctx, claimOf(n, nil), done) })

	accept(2 * counted)
	for _, step := range []struct {
		name string
		do   func(first int)
		on   int // the first of its orders, after those from 0
	}{
		{"accept", accept, counted},
		{"enqueue, fetch and acknowledge", func(first int) { c.passQueue(records[first : first+counted]) }, counted},
		{"read", get, counted},
		{"begin, to call the shop", begin(nil), counted},
		{"settle", settle, counted},
		{"begin and settle at once", begin(&done), 2 * counted},
	} {
		step.do(0)
		c.control("--zero")
		step.do(step.on)
		t.Logf("%7d for each order: %s", c.sinceZero()/counted, step.name)
	}
}

// counting is a Redis that runs under callgrind.
type counting struct {
	t     *testing.T
	rdb   *redis.Client
	pid   string
	out   string
	dumps int
}

func startCounting(t *testing.T) *counting {
	t.Helper()
	if _, err := exec.LookPath("valgrind"); err != nil {
		t.Skip("valgrind is not on the PATH")
	}
	dir := t.TempDir()
	c := &counting{t: t, out: filepath.Join(dir, "out")}
	program := filepath.Join(dir, "redis")
	script := fmt.Sprintf("#!/bin/sh\nexec valgrind -q --tool=callgrind --callgrind-out-file=%s %s \"$@\"\n", c.out, redistest.Program())
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("REDIS_SERVER", program)
	c.rdb = redistest.Start(t, "--appendonly", "yes", "--hash-max-listpack-value", "1024").Client()
	c.pid = find(t, `process_id:(\d+)`, c.rdb.Info(t.Context(), "server").Val())
	return c
}

func (c *counting) control(command string) {
	c.t.Helper()
	if out, err := exec.CommandContext(c.t.Context(), "callgrind_control", command, c.pid).CombinedOutput(); err != nil {
		c.t.Fatalf("callgrind_control %s: %v\n%s", command, err, out)
	}
}

// sinceZero returns how many instructions were executed since they were set to zero.
func (c *counting) sinceZero() int {
	c.t.Helper()
	c.control("--dump")
	c.dumps++
	text, err := os.ReadFile(fmt.Sprintf("%s.%d", c.out, c.dumps))
	if err != nil {
		c.t.Fatal(err)
	}
	n, _ := strconv.Atoi(find(c.t, `(?m)^totals: (\d+)`, string(text)))
	return n
}

func find(t *testing.T, pattern, text string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no %s in %s", pattern, text)
	}
	return found[1]
}

// each does something to each of the orders from the first, many callers at a time.
func (c *counting) each(do func(ctx context.Context, n int) error) func(first int) {
	return func(first int) {
		var all errgroup.Group
		all.SetLimit(callers)
		for n := range counted {
			all.Go(func() error { return do(c.t.Context(), first+n) })
		}
		if err := all.Wait(); err != nil {
			c.t.Fatal(err)
		}
	}
}

// passQueue enqueues orders, and has them delivered to a handler that does nothing.
func (c *counting) passQueue(records []order.Record) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	waiting := make([]order.Handover, len(records))
	for n, rec := range records {
		waiting[n].Record = rec
	}
	producer := queue.NewProducer(c.rdb, queue.ProducerConfig{AttemptTimeout: time.Minute})
	for at := 0; at < len(waiting); at += callers {
		if err := producer.EnqueueAll(ctx, waiting[at:min(at+callers, len(waiting))]); err != nil {
			c.t.Fatal(err)
		}
	}
	h := &idleHandler{left: int64(len(records)), done: cancel}
	consumer, err := queue.NewConsumer(c.rdb, queue.ConsumerConfig{
		Concurrency: callers, Servers: 2, Weights: map[order.Queue]int{order.QueueCritical: 6, order.QueueDefault: 3, order.QueueLow: 1},
		Prefetch: true, ShutdownTimeout: time.Minute, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}, h)
	if err == nil {
		err = consumer.Run(ctx)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// idleHandler calls done after the last order.
type idleHandler struct {
	left int64
	done func()
}

func (h *idleHandler) Work(context.Context, string) error {
	if atomic.AddInt64(&h.left, -1) == 0 {
		h.done()
	}
	return nil
}

func acceptAll(t *testing.T, l *ledger.Ledger, records []order.Record, first int) {
	t.Helper()
	base := ordertest.Order(t)
	for at := first; at < first+counted; at += callers {
		entries := make([]order.Entry, min(callers, first+counted-at))
		for n := range entries {
			o := base
			o.ID, o.Customer = fillID(at+n), fmt.Sprint("customer ", n)
			entries[n] = order.Entry{Order: o, Queue: order.QueueDefault}
		}
		accepted, err := l.AcceptAll(t.Context(), entries)
		if err != nil {
			t.Fatal(err)
		}
		for n, a := range accepted {
			records[at+n] = a.Record
		}
	}
}

func claimOf(n int, outcome *order.Outcome) order.Claim {
	return order.Claim{
		ID: fillID(n), Token: fmt.Sprintf("%016d", n), Worker: "host-1234-abcdef", Handling: order.HandlingStandard,
		Decision:  &order.Decision{Version: "builtin", Action: order.ActionApprove, Handling: order.HandlingStandard},
		CallsShop: outcome == nil, Outcome: outcome,
	}
}
