package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// Lost ends an attempt whose worker is gone. The order is then retrying and due at once,
// or failed once it has lost order.MaxWorkersLost workers. The last loss counts only for
// the order in quarantine, and only if the worker held no other poison candidate. What
// the lost worker still writes is stale. An attempt that is not open, or that began after
// lost.SeenAt, is left alone, so Lost may be repeated. It returns order.ErrNotFound for
// an unknown order.
func (b *Book) Lost(ctx context.Context, id string, lost order.LostAttempt) (order.Loss, error) {
	withCandidate := 0
	if lost.WithCandidate {
		withCandidate = 1
	}
	lastReason := fmt.Sprintf("%s %d times: the order may kill its workers", order.ReasonWorkerLost, order.MaxWorkersLost)
	word, rest, err := b.update(ctx, lostScript, update{id: id, other: b.keys.quarantine, args: []any{
		lost.Number, lost.SeenAt.UnixMicro(), withCandidate, order.ReasonWorkerLost, lastReason,
	}})
	if err != nil {
		return order.Loss{}, wrap(err, "end lost attempt at order %s", id)
	}
	if word == "missing" || len(rest) == 0 {
		return order.Loss{}, refusal(word, "end lost attempt at", id)
	}
	losses, _ := rest[0].(int64)
	return order.Loss{Ended: word != "over", Failed: word == "failed", WorkersLost: int(losses)}, nil
}

// Quarantine puts an order in quarantine unless another one is, and returns the order
// that is in quarantine now. The quarantine ends after the term, by the clock of Redis;
// a call for the order that is already in quarantine starts the term again.
func (b *Book) Quarantine(ctx context.Context, id string, term time.Duration) (quarantined string, err error) {
	quarantined, err = quarantineScript.Run(ctx, b.rdb, []string{b.keys.quarantine}, id, term.Milliseconds()).Text()
	return quarantined, wrap(err, "quarantine order %s", id)
}

// Quarantined returns the order that is in quarantine, empty if there is none.
func (b *Book) Quarantined(ctx context.Context) (id string, err error) {
	id, err = b.rdb.Get(ctx, b.keys.quarantine).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return id, wrap(err, "read which order is in quarantine")
}

// EndQuarantine ends the quarantine of an order. If the order is not in quarantine,
// nothing changes.
func (b *Book) EndQuarantine(ctx context.Context, id string) error {
	return wrap(endQuarantineScript.Run(ctx, b.rdb, []string{b.keys.quarantine}, id).Err(), "end quarantine of order %s", id)
}

// Repaired counts n repairs of one kind. The token names the call: a repeated call counts
// nothing, unless another call for the same kind came between.
func (b *Book) Repaired(ctx context.Context, kind order.Repair, n int, token string) error {
	err := repairedScript.Run(ctx, b.rdb, []string{b.keys.counters}, string(kind), n, token).Err()
	return wrap(err, "count %d repairs", n)
}

// Requeued counts one repair of an unsettled order that had no task, and reports whether
// it did: an order that has been settled meanwhile needed none. The token names the
// repair: repeating it counts nothing.
func (b *Book) Requeued(ctx context.Context, id, token string) (counted bool, err error) {
	word, _, err := b.update(ctx, requeuedScript, update{id: id, args: []any{token}})
	return word == "counted", wrap(err, "count requeued order %s", id)
}
