package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// Lost ends the attempt, whose worker is gone: the order is retrying and due at
// once, or failed when it has lost order.MaxWorkersLost workers. The last loss
// counts only for the suspect that was tried apart, with no other one beside it.
// Whatever the lost worker still reports is stale. An attempt that is not open any
// more, or was begun after the worker was seen to be gone, is left alone, so
// repeating Lost changes nothing. It returns order.ErrNotFound for an unknown
// order.
func (l *Ledger) Lost(ctx context.Context, id string, lost order.LostAttempt) (order.Loss, error) {
	beside := 0
	if lost.BesideSuspect {
		beside = 1
	}
	last := fmt.Sprintf("%s %d times: the order may be what ends it", order.ReasonWorkerLost, order.MaxWorkersLost)
	word, rest, err := l.update(ctx, lostScript, update{id: id, other: apartKey, args: []any{
		lost.Number, lost.SeenAt.UnixMicro(), beside, order.ReasonWorkerLost, last,
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

// SetApart makes an order the suspect that is tried apart from all others, unless
// another one is, and says which one is now. It lasts for the term, by the clock of Redis, and for an order that is
// tried apart already it lasts anew.
func (l *Ledger) SetApart(ctx context.Context, id string, term time.Duration) (apart string, err error) {
	apart, err = apartScript.Run(ctx, l.rdb, []string{apartKey}, id, term.Milliseconds()).Text()
	return apart, wrap(err, "try order %s apart", id)
}

// Apart returns the suspect that is being tried apart, empty when there is none.
func (l *Ledger) Apart(ctx context.Context) (id string, err error) {
	id, err = l.rdb.Get(ctx, apartKey).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return id, wrap(err, "ask which order is tried apart")
}

// EndApart says that the order is not being tried apart any more. If another one
// is, or none, nothing changes.
func (l *Ledger) EndApart(ctx context.Context, id string) error {
	return wrap(endApartScript.Run(ctx, l.rdb, []string{apartKey}, id).Err(), "end trying order %s apart", id)
}

// Lead says whether the process of that name is the one that reconciles, and
// keeps it that for the time given. Another process can lead when that time has
// passed without a call, by the clock of Redis. It returns order.ErrUnavailable
// when Redis could not be asked.
func (l *Ledger) Lead(ctx context.Context, name string, term time.Duration) (bool, error) {
	n, err := leadScript.Run(ctx, l.rdb, []string{leaderKey}, name, term.Milliseconds()).Int()
	return n == 1, wrap(err, "ask who reconciles")
}

// Repaired counts so many repairs of one kind. The token names the call:
// repeating it counts nothing, if no other call of that kind came between.
func (l *Ledger) Repaired(ctx context.Context, kind order.Repair, n int, token string) error {
	err := repairedScript.Run(ctx, l.rdb, []string{countersKey}, string(kind), n, token).Err()
	return wrap(err, "count %d repairs", n)
}
