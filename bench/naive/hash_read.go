package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/bench/simple"
)

// Order implements simple.Store.
func (h *hashes) Order(ctx context.Context, id string) (simple.Record, error) {
	return readRecord(h.rdb.HGetAll(ctx, recordKey(id)))
}

// List implements simple.Store.
func (h *hashes) List(ctx context.Context, status string, after int) ([]simple.Record, error) {
	first := int64(after)
	ids, err := h.rdb.ZRangeArgs(ctx, redis.ZRangeArgs{
		Key: statusKey(status), Start: first, Stop: first + simple.PageOrders - 1, Rev: true,
	}).Result()
	if err != nil {
		return nil, err
	}
	pipe := h.rdb.Pipeline()
	fields := make([]*redis.MapStringStringCmd, len(ids))
	for i, id := range ids {
		fields[i] = pipe.HGetAll(ctx, recordKey(id))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	records := make([]simple.Record, len(ids))
	for i := range ids {
		if records[i], err = readRecord(fields[i]); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// Counts implements simple.Store.
func (h *hashes) Counts(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	pipe := h.rdb.Pipeline()
	sizes := map[string]*redis.IntCmd{}
	for _, status := range []string{simple.Pending, simple.Completed, simple.Rejected} {
		sizes[status] = pipe.ZCard(ctx, statusKey(status))
	}
	_, err := pipe.Exec(ctx)
	for status, size := range sizes {
		counts[status] = size.Val()
	}
	return counts, err
}

// readRecord makes a record of what its hash has.
func readRecord(answer *redis.MapStringStringCmd) (rec simple.Record, err error) {
	var fields struct {
		Order     []byte `redis:"order"`
		Status    string `redis:"status"`
		Handling  string `redis:"handling"`
		Error     string `redis:"error"`
		Created   int64  `redis:"created"`
		Processed int64  `redis:"processed"`
	}
	switch found, err := answer.Result(); {
	case err != nil:
		return rec, err
	case len(found) == 0:
		return rec, simple.ErrNotFound
	}
	if err := answer.Scan(&fields); err != nil {
		return rec, err
	}
	rec = simple.Record{
		Status: fields.Status, Handling: fields.Handling, Error: fields.Error, CreatedAt: time.UnixMilli(fields.Created).UTC(),
	}
	if fields.Processed > 0 {
		at := time.UnixMilli(fields.Processed).UTC()
		rec.ProcessedAt = &at
	}
	return rec, json.Unmarshal(fields.Order, &rec.Order)
}
