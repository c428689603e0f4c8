package ledger

import (
	"context"
	"time"

	"orderprocessor/internal/order"
)

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
