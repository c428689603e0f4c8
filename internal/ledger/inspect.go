package ledger

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// KeyTypes returns the keys of the books that belong to no single order or customer,
// by name, each with the type that Redis must hold there, in the words of TYPE. None
// of them needs to be there. It is for examinations; nothing else spells keys.
func KeyTypes() map[string]string {
	keys := map[string]string{countersKey: "hash", eventsKey: "stream", leaderKey: "string", quarantineKey: "string"}
	for _, s := range order.Statuses() {
		keys[indexKey(s)] = "zset"
	}
	return keys
}

// RecordEncoding returns the newest order of the first status that has one, and in which
// form Redis keeps its record, in the words of OBJECT ENCODING: a listpack, before
// Redis 7 a ziplist, takes least memory. Both are empty when there is no order, or
// that one was forgotten meanwhile.
//
// It needs a Redis user that may run OBJECT ENCODING, which those of the programs
// may not. It returns order.ErrUnavailable when Redis could not be asked.
func (l *Ledger) RecordEncoding(ctx context.Context) (id, form string, err error) {
	id, err = l.anyOrder(ctx)
	if err != nil || id == "" {
		return "", "", err
	}
	form, err = l.rdb.ObjectEncoding(ctx, recordKey(id)).Result()
	if isGone(err) {
		return "", "", nil
	}
	return id, form, wrap(err, "read the form of order %s", id)
}

// anyOrder returns the id of the newest order of the first status that has one, or
// nothing.
func (l *Ledger) anyOrder(ctx context.Context) (string, error) {
	for _, s := range order.Statuses() {
		ids, err := l.rdb.ZRange(ctx, indexKey(s), -1, -1).Result()
		if err != nil {
			return "", wrap(err, "look for an order that is %s", s)
		}
		if len(ids) > 0 {
			return ids[0], nil
		}
	}
	return "", nil
}

// isGone says whether OBJECT found no key. A Redis before 7 says so by an error.
func isGone(err error) bool {
	return errors.Is(err, redis.Nil) || err != nil && strings.Contains(err.Error(), "no such key")
}
