package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/bench/simple"
)

// hashes are the records of Asynq with a record of its own: a hash for each order, and
// for each status a sorted set of ids by time, whose size counts it.
type hashes struct {
	rdb   *redis.Client
	tasks *asynq.Client
}

func newHashes(rdb *redis.Client) *hashes {
	return &hashes{rdb: rdb, tasks: asynq.NewClientFromRedisClient(rdb)}
}

func recordKey(id string) string { return "order:" + id }

func statusKey(status string) string { return "orders:" + status }

// acceptScript records an order once. KEYS: its record, the set of pending orders.
// ARGV: id, order in JSON, milliseconds. It returns 1, or 0 if the order was there.
//
//nolint:gochecknoglobals // compiled once, never changed
var acceptScript = redis.NewScript(`
if redis.call("HSETNX", KEYS[1], "order", ARGV[2]) == 0 then return 0 end
redis.call("HSET", KEYS[1], "status", "pending", "created", ARGV[3])
redis.call("ZADD", KEYS[2], ARGV[3], ARGV[1])
return 1`)

// settleScript gives a pending order its outcome, once. KEYS: its record, the sets of
// pending orders and of those with its outcome. ARGV: id, status, handling, error,
// milliseconds.
//
//nolint:gochecknoglobals // compiled once, never changed
var settleScript = redis.NewScript(`
local now = redis.call("HMGET", KEYS[1], "status", "created")
if now[1] ~= "pending" then return 0 end
redis.call("HSET", KEYS[1], "status", ARGV[2], "handling", ARGV[3], "error", ARGV[4], "processed", ARGV[5])
redis.call("ZREM", KEYS[2], ARGV[1])
redis.call("ZADD", KEYS[3], now[2], ARGV[1])
return 1`)

// Accept implements simple.Store. The id of the order is that of its task, so that a
// client that repeats an order after a crash between the two steps gets its task too.
func (h *hashes) Accept(ctx context.Context, o simple.Order) (simple.Record, bool, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return simple.Record{}, false, err
	}
	rec := simple.Record{Order: o, Status: simple.Pending, CreatedAt: time.Now().UTC().Truncate(time.Millisecond)}
	keys := []string{recordKey(o.ID), statusKey(simple.Pending)}
	created, err := acceptScript.Run(ctx, h.rdb, keys, o.ID, text, rec.CreatedAt.UnixMilli()).Bool()
	if err != nil {
		return simple.Record{}, false, fmt.Errorf("record order %s: %w", o.ID, err)
	}
	if !created {
		if rec, err = h.Order(ctx, o.ID); err != nil || rec.Status != simple.Pending {
			return rec, false, err
		}
	}
	return rec, created, h.enqueue(ctx, rec.Facts())
}

func (h *hashes) enqueue(ctx context.Context, f simple.Facts) error {
	payload, err := json.Marshal(f)
	if err != nil {
		return err
	}
	_, err = h.tasks.EnqueueContext(ctx, asynq.NewTask(taskType, payload), asynq.TaskID(f.ID))
	if err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) {
		return fmt.Errorf("enqueue order %s: %w", f.ID, err)
	}
	return nil
}

// work settles orders until ctx ends.
func (h *hashes) work(ctx context.Context) error { return runServer(ctx, h.rdb, h.handle, nil) }

// handle decides and settles one order.
func (h *hashes) handle(ctx context.Context, task *asynq.Task) error {
	var f simple.Facts
	if err := json.Unmarshal(task.Payload(), &f); err != nil {
		return fmt.Errorf("decode a task: %w", err)
	}
	outcome := f.Decide()
	keys := []string{recordKey(f.ID), statusKey(simple.Pending), statusKey(outcome.Status)}
	return settleScript.Run(ctx, h.rdb, keys, f.ID, outcome.Status, outcome.Handling, outcome.Error, time.Now().UnixMilli()).Err()
}
