package ledger

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// KeyTypes returns the keys of the books that belong to no single order or customer,
// each with its type as the command TYPE names it. Any of them may be absent. It is for
// orderctl doctor.
func KeyTypes(books int) map[string]string {
	types := map[string]string{}
	for n := range max(books, 1) {
		keys := newKeys(n)
		maps.Copy(types, keys.types())
	}
	return types
}

func (k *keys) types() map[string]string {
	types := map[string]string{
		k.counters: "hash", k.number: "string", k.events: "stream", k.leader: "string", k.quarantine: "string", k.endpoints: "zset",
		k.expiries: "zset", k.rules: "hash", k.audit: "stream", k.jobs: "zset", k.openJobs: "zset", k.marks: "zset", k.confirmed: "hash", k.alerts: "hash", k.ids: "zset",
	}
	for _, r := range stats.Ranges() {
		types[k.samples(r)] = "hash"
	}
	for _, s := range order.Statuses() {
		types[k.index(s)] = "zset"
	}
	return types
}

// RecordEncoding returns the id of some order and how Redis stores its record, as OBJECT
// ENCODING names it: a listpack, before Redis 7 a ziplist, needs least memory. Both are
// empty when there is no order, or when it was forgotten meanwhile.
//
// It needs a Redis user that may run OBJECT ENCODING; the users of the programs may
// not. It returns order.ErrUnavailable when Redis did not answer.
func (l *Ledger) RecordEncoding(ctx context.Context) (id, encoding string, err error) {
	for _, b := range l.books {
		if id, encoding, err = b.recordEncoding(ctx); err != nil || id != "" {
			return id, encoding, err
		}
	}
	return "", "", nil
}

func (b *Book) recordEncoding(ctx context.Context) (id, encoding string, err error) {
	id, err = b.anyOrder(ctx)
	if err != nil || id == "" {
		return "", "", err
	}
	encoding, err = b.rdb.ObjectEncoding(ctx, b.keys.record(id)).Result()
	if isGone(err) {
		return "", "", nil
	}
	return id, encoding, wrap(err, "read the encoding of order %s", id)
}

// anyOrder returns the id of the newest order in the first status that has one, empty
// when there is no order.
func (b *Book) anyOrder(ctx context.Context) (string, error) {
	for _, s := range order.Statuses() {
		ids, err := b.rdb.ZRange(ctx, b.keys.index(s), -1, -1).Result()
		if err != nil {
			return "", wrap(err, "find an order that is %s", s)
		}
		if len(ids) > 0 {
			return ids[0], nil
		}
	}
	return "", nil
}

// isGone reports whether OBJECT found no key. Redis before 7 returns an error then.
func isGone(err error) bool {
	return errors.Is(err, redis.Nil) || err != nil && strings.Contains(err.Error(), "no such key")
}
