package queue_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
)

// TestVerdicts checks what becomes of a task after each verdict: its state, what
// Asynqmon shows, whether Asynq counts a failure, and when it is due.
func TestVerdicts(t *testing.T) {
	const none = asynq.TaskState(0)
	shop := errors.New("shop answered 500")
	retry := &order.RetryError{After: time.Hour, Err: shop}
	refused := &order.PermanentError{Err: errors.New("shop answered 422")}
	rows := map[string]struct {
		taskType string // "order" if empty
		verdict  error
		state    asynq.TaskState
		shown    string // end of the text
		retried  int
		due      time.Duration
	}{
		"done":              {state: none},
		"retry":             {verdict: retry, state: asynq.TaskStateRetry, shown: shop.Error(), retried: 1, due: time.Hour},
		"retry-wrapped":     {verdict: fmt.Errorf("work: %w", retry), state: asynq.TaskStateRetry, shown: "work: " + shop.Error(), retried: 1, due: time.Hour},
		"redis-away":        {verdict: fmt.Errorf("begin: %w", order.ErrUnavailable), state: asynq.TaskStateRetry, shown: order.ErrUnavailable.Error(), due: 2 * time.Hour},
		"no-verdict":        {verdict: errors.New("odd"), state: asynq.TaskStateRetry, shown: "odd", due: 30 * time.Second},
		"panic":             {state: asynq.TaskStateRetry, shown: ": boom", due: 30 * time.Second},
		"permanent":         {verdict: refused, state: asynq.TaskStateArchived, shown: "shop answered 422"},
		"permanent-wrapped": {verdict: fmt.Errorf("work: %w", refused), state: asynq.TaskStateArchived, shown: "work: shop answered 422"},
		"no-record":         {verdict: fmt.Errorf("begin: %w", order.ErrNotFound), state: asynq.TaskStateArchived, shown: order.ErrNotFound.Error()},
		"other-type":        {taskType: "email\nsend", state: asynq.TaskStateArchived, shown: `task of type "email send" is not an order`},
		"similar-type":      {taskType: "order:cancel", state: asynq.TaskStateArchived, shown: `task of type "order:cancel" is not an order`},
	}
	bothWays(t, func(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
		cfg.Concurrency = len(rows)
		cfg.Backoff = queue.Backoff{Base: 2 * time.Hour, Max: 2 * time.Hour}
		var delivered queuetest.Collector
		b.consume(t, cfg, func(ctx context.Context, id string) error {
			_ = delivered.Work(ctx, id)
			if id == "panic" {
				panic("boom")
			}
			return rows[id].verdict
		})
		var orders []string
		for id, row := range rows {
			if row.taskType == "" {
				orders = append(orders, id)
				b.enqueue(t, order.QueueLow, id)
				continue
			}
			_, err := b.Client.Enqueue(asynq.NewTask(row.taskType, nil), asynq.TaskID(id), asynq.Queue("low"))
			queuetest.Must(t, err)
		}
		delivered.Wait(t, orders)
		for id, row := range rows {
			if row.state == none {
				programtest.Until(t, "task "+id+" is gone", func() bool { return b.Task(order.QueueLow, id) == nil })
				continue
			}
			info := b.reaches(t, order.QueueLow, id, row.state)
			if !strings.HasSuffix(info.LastErr, row.shown) || info.Retried != row.retried {
				t.Errorf("%s is shown as %q after %d failures, want %q after %d", id, info.LastErr, info.Retried, row.shown, row.retried)
			}
			if row.state == asynq.TaskStateArchived && info.LastErr != row.shown && id != "no-record" {
				t.Errorf("%s is archived with %q, want %q alone", id, info.LastErr, row.shown)
			}
			least, due := row.due/2-20*time.Second, time.Until(info.NextProcessAt) // half of a back-off is jitter
			if row.verdict == nil || !errors.Is(row.verdict, order.ErrUnavailable) {
				least = row.due - 20*time.Second
			}
			if row.due > 0 && (due < least || due > row.due+time.Second) {
				t.Errorf("%s is due in %v, want about %v", id, due, row.due)
			}
		}
		delivered.Wait(t, orders) // each once
	})
}

// TestDeliveredOnce checks that all orders of all queues are delivered once each by
// several servers and acknowledged, and count for their own queue.
func TestDeliveredOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
		var want []string
		for n, q := range order.Queues() {
			want = append(want, b.fill(t, q, 50+n)...)
		}
		cfg.Concurrency, cfg.Servers, cfg.ReservedCritical = 12, 4, 2
		var c queuetest.Collector
		b.consume(t, cfg, c.Work)
		c.Wait(t, want)
		for n, q := range order.Queues() {
			programtest.Until(t, "the orders of queue "+string(q)+" are acknowledged", func() bool {
				processed, _ := b.RDB.Get(context.Background(), "asynq:{"+string(q)+"}:processed").Int()
				return processed == 50+n && b.active(q)+len(b.Pending(q)) == 0
			})
		}
		c.Wait(t, want)
	})
}

// TestUnknownAsynq checks that a program that is linked with another version of Asynq
// warns, works orders on plain servers, and writes none of Asynq's keys.
func TestUnknownAsynq(t *testing.T) {
	b := open(t)
	var log bytes.Buffer
	cfg := config()
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	var delivered queuetest.Collector
	c, err := queue.NewConsumerWithUnknownAsynq(b.RDB, cfg, handler(delivered.Work))
	queuetest.Must(t, err)
	rdb := b.Server.Client()
	sent := countSent(rdb)
	producer := queue.NewProducerWithUnknownAsynq(rdb, queue.ProducerConfig{AttemptTimeout: attemptTimeout, Log: cfg.Log})
	if n := strings.Count(log.String(), `level=WARN msg="this version of Asynq is not known: `); n != 2 {
		t.Errorf("logged %q", log.String())
	}
	records := batch(12, time.Now().Truncate(time.Second).Add(time.Hour))
	queuetest.Must(t, producer.EnqueueAll(t.Context(), handovers(t, records)))
	if len(*sent) < len(records) || slices.Max(*sent) >= len(records) {
		t.Errorf("12 orders were sent in %v commands", *sent)
	}
	b.checkTasks(t, records)
	b.RDB.ZAdd(t.Context(), "asynq:servers", forgotten)
	cancel, ended := run(t, c)
	defer func() { cancel(); <-ended }()
	delivered.Wait(t, []string{"o0", "o1", "o2", "o4", "o5", "o6", "o8", "o9", "o10"})
	if n := b.RDB.PubSubNumSub(t.Context(), "asynq:wake").Val()["asynq:wake"]; n != 0 {
		t.Errorf("%d prefetchers listen", n)
	}
	if b.RDB.ZScore(t.Context(), "asynq:servers", forgotten.Member.(string)).Err() != nil {
		t.Error("the list of servers was changed")
	}
}
