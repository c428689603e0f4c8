package ledger

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/batch"
	"orderprocessor/internal/order"
)

// Get returns the record of an order, or order.ErrNotFound.
func (b *Book) Get(ctx context.Context, id string) (order.Record, error) {
	fields, err := b.read(ctx, id)
	if err != nil {
		return order.Record{}, wrap(err, "read order %s", id)
	}
	if len(fields) == 0 {
		return order.Record{}, fmt.Errorf("read order %s: %w", id, order.ErrNotFound)
	}
	return parseRecord(id, fields)
}

// reads is the batcher of concurrent reads, which share a pipeline.
type reads = batch.Batcher[string, *redis.MapStringStringCmd]

func newReads(read func(context.Context, []string) ([]*redis.MapStringStringCmd, error)) *reads {
	return batch.New(
		batch.Config{MaxBatch: maxBatch, MaxWaiting: maxWaiting, Timeout: scriptTimeout},
		func(ctx context.Context, ids []string) ([]*redis.MapStringStringCmd, error) {
			records, _ := read(ctx, ids) // each command keeps its own error
			return records, nil
		})
}

// readRecords reads records in one pipeline.
func (b *Book) readRecords(ctx context.Context, ids []string) ([]*redis.MapStringStringCmd, error) {
	pipe := b.rdb.Pipeline()
	records := make([]*redis.MapStringStringCmd, len(ids))
	for i, id := range ids {
		records[i] = pipe.HGetAll(ctx, b.keys.record(id))
	}
	_, err := pipe.Exec(ctx)
	return records, err
}

// read returns the fields of a record, none when there is no such order.
func (b *Book) read(ctx context.Context, id string) (map[string]string, error) {
	cmd, err := b.reads.Do(ctx, id)
	if err != nil {
		return nil, err
	}
	return cmd.Result()
}
