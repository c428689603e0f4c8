package ledger

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// KeyTypes returns the keys of the books that belong to no single order or customer,
// each with its type as the command TYPE names it. Any of them may be absent. It is for
// orderctl doctor.
func KeyTypes() map[string]string {
	keys := map[string]string{
		countersKey: "hash", eventsKey: "stream", leaderKey: "string", quarantineKey: "string", endpointsKey: "zset",
		expiriesKey: "zset", rulesKey: "hash", auditKey: "stream", jobsKey: "zset", openJobsKey: "zset", marksKey: "zset", confirmedKey: "hash", alertsKey: "hash", idsKey: "zset",
	}
	for _, r := range stats.Ranges() {
		keys[samplesKey(r)] = "hash"
	}
	for _, s := range order.Statuses() {
		keys[indexKey(s)] = "zset"
	}
	return keys
}

// RecordEncoding returns the id of some order and how Redis stores its record, as OBJECT
// ENCODING names it: a listpack, before Redis 7 a ziplist, needs least memory. Both are
// empty when there is no order, or when it was forgotten meanwhile.
//
// It needs a Redis user that may run OBJECT ENCODING; the users of the programs may
// not. It returns order.ErrUnavailable when Redis did not answer.
func (l *Ledger) RecordEncoding(ctx context.Context) (id, encoding string, err error) {
	id, err = l.anyOrder(ctx)
	if err != nil || id == "" {
		return "", "", err
	}
	encoding, err = l.rdb.ObjectEncoding(ctx, recordKey(id)).Result()
	if isGone(err) {
		return "", "", nil
	}
	return id, encoding, wrap(err, "read the encoding of order %s", id)
}

// anyOrder returns the id of the newest order in the first status that has one, empty
// when there is no order.
func (l *Ledger) anyOrder(ctx context.Context) (string, error) {
	for _, s := range order.Statuses() {
		ids, err := l.rdb.ZRange(ctx, indexKey(s), -1, -1).Result()
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
