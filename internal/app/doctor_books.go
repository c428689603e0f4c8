package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// balance looks at whether the books balance.
func (e *examiner) balance(ctx context.Context) ([]Finding, error) {
	const check = "drift"
	totals, err := e.books.Totals(ctx)
	if err != nil {
		return nil, err
	}
	if drift := totals.Drift(); drift != 0 {
		return []Finding{problem(check, fmt.Sprintf("%d: the books do not balance", drift),
			"keep the log and a copy of the data; keys were changed or lost: see evicted keys, restores, failovers, and who else writes here")}, nil
	}
	if totals.Accepted == 0 {
		return []Finding{good(check, "0: there are no orders yet")}, nil
	}
	return []Finding{good(check, fmt.Sprintf("0: all %d accepted orders are in one status each", totals.Accepted))}, nil
}

// bookKey is a key of the books and what Redis may hold there.
type bookKey struct {
	name, kind string
}

// bookKeys are the well-known keys, as docs/ARCHITECTURE.md lists them. Those of
// single orders are not among them.
func bookKeys() []bookKey {
	const book = "orders:{b0}:"
	keys := []bookKey{{book + "c", "hash"}, {book + "e", "stream"}, {book + "l", "string"}, {book + "i", "string"}}
	for _, s := range order.Statuses() {
		keys = append(keys, bookKey{book + "s:" + string(s), "zset"})
	}
	return append(keys, queueKeys()...)
}

// queueKeys are the keys of the queues, in the layout of Asynq.
func queueKeys() []bookKey {
	const ofOne = 6 // the keys of one queue
	keys := make([]bookKey, 0, 1+ofOne*len(order.Queues()))
	keys = append(keys, bookKey{"asynq:queues", "set"})
	for _, q := range order.Queues() {
		prefix := "asynq:{" + string(q) + "}:"
		for _, name := range []string{"pending", "active"} {
			keys = append(keys, bookKey{prefix + name, "list"})
		}
		for _, name := range []string{"scheduled", "retry", "archived", "lease"} {
			keys = append(keys, bookKey{prefix + name, "zset"})
		}
	}
	return keys
}

// keys looks at whether the well-known keys hold what the programs expect.
func (e *examiner) keys(ctx context.Context) ([]Finding, error) {
	const check = "types of keys"
	if e.refuses("type") {
		return []Finding{unchecked(check, "this user may not run TYPE")}, nil
	}
	wrong, present, err := e.types(ctx, bookKeys())
	switch {
	case err != nil:
		return nil, err
	case len(wrong) > 0:
		return []Finding{problem(check, brief(wrong),
			"somebody else writes to this Redis: find out who, keep a copy of the data, and give this service a Redis or a database of its own")}, nil
	}
	found := []Finding{good(check, fmt.Sprintf("%d of %d well-known keys are there, and as expected", present, len(bookKeys())))}
	return e.encoding(ctx, found)
}

// types compares the types of keys; a key that is not there is fine.
func (e *examiner) types(ctx context.Context, keys []bookKey) (wrong []string, present int, err error) {
	pipe := e.rdb.Pipeline()
	kinds := make([]*redis.StatusCmd, len(keys))
	for i, k := range keys {
		kinds[i] = pipe.Type(ctx, k.name)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, 0, fmt.Errorf("read the types of keys: %w", err)
	}
	for i, k := range keys {
		switch kind := kinds[i].Val(); kind {
		case "none":
		case k.kind:
			present++
		default:
			wrong = append(wrong, fmt.Sprintf("%s is a %s and should be a %s", k.name, kind, k.kind))
		}
	}
	return wrong, present, nil
}

// encoding adds in which form the newest order of some status is kept.
func (e *examiner) encoding(ctx context.Context, found []Finding) ([]Finding, error) {
	const check = "form of records"
	if e.refuses("object encoding") {
		return append(found, unchecked(check, "this user may not run OBJECT ENCODING")), nil
	}
	id, err := e.anyOrder(ctx)
	if err != nil || id == "" {
		return found, err
	}
	form, err := e.rdb.ObjectEncoding(ctx, "orders:{b0}:o:"+id).Result()
	switch {
	case err != nil: // forgotten just now
		return found, nil //nolint:nilerr // a sample that is gone says nothing
	case slices.Contains([]string{"listpack", "ziplist"}, form):
		return append(found, good(check, fmt.Sprintf("order %s is kept as a %s", id, form))), nil
	default:
		return append(found, warning(check, fmt.Sprintf("order %s is kept as a %s, at nearly twice the memory", id, form),
			"CONFIG SET hash-max-listpack-value 1024, which counts for orders from then on; one with very long texts is so anyway")), nil
	}
}

// anyOrder returns the id of the newest order of the first status that has one, or
// nothing.
func (e *examiner) anyOrder(ctx context.Context) (string, error) {
	for _, s := range order.Statuses() {
		ids, err := e.rdb.ZRange(ctx, "orders:{b0}:s:"+string(s), -1, -1).Result()
		if err != nil {
			return "", fmt.Errorf("look for an order that is %s: %w", s, err)
		}
		if len(ids) > 0 {
			return ids[0], nil
		}
	}
	return "", nil
}
